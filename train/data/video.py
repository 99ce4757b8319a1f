# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads and writes videos as rows of 8-bit RGB frames, through ffmpeg's command line, with one
frame in memory at a time. Training and the quality benchmark read their clips with it.

Untagged video is read as fvsr reads it: as BT.601 up to 576 lines, as BT.709 above.
"""
import json
import subprocess
import tempfile
from fractions import Fraction

import numpy as np

SD_MAX_HEIGHT = 576
# Without these, swscale takes quick ways that are some levels off.
EXACT = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
# Chroma of 4:2:0 lies between the lines, at the columns of every other pixel.
CHROMA = "{0}_h_chr_pos=0:{0}_v_chr_pos=128"
FFMPEG = ("ffmpeg", "-v", "error", "-nostdin", "-y")
LOSSLESS = ("-c:v", "ffv1", "-pix_fmt", "bgr0")


class VideoError(Exception):
    pass


class Video:
    """Describes a file's first video stream, and reads it."""

    def __init__(self, path):
        entries = "stream=width,height,pix_fmt,color_space,r_frame_rate"
        text = _run("ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json",
                    "-show_entries", entries, str(path))
        streams = json.loads(text).get("streams")
        if not streams:
            raise VideoError(f"{path}: no video")
        self.path = str(path)
        self.width, self.height = streams[0]["width"], streams[0]["height"]
        self.rate = Fraction(streams[0]["r_frame_rate"])
        self.format = streams[0]["pix_fmt"]
        self.matrix = streams[0].get("color_space", "unknown")

    def _to_rgb(self):
        if self.format.startswith(("rgb", "bgr", "gbr", "0", "pal8")):
            return "format=rgb24"
        matrix = self.matrix
        if matrix in ("unknown", "unspecified", "reserved"):
            matrix = "smpte170m" if self.height <= SD_MAX_HEIGHT else "bt709"
        siting = ":" + CHROMA.format("in") if "420p" in self.format else ""
        return f"scale=in_color_matrix={matrix}{siting}:{EXACT},format=rgb24"

    def frames(self, limit=None):
        """Yields height x width x 3 arrays."""
        count = ["-frames:v", str(limit)] if limit else []
        command = [*FFMPEG, "-noautorotate", "-i", self.path, "-map", "0:v:0", *count, "-vf",
                   self._to_rgb(), "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
        shape = (self.height, self.width, 3)
        with tempfile.TemporaryFile() as said, \
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process:
            try:
                while data := process.stdout.read(self.height * self.width * 3):
                    if len(data) != self.height * self.width * 3:
                        break
                    yield np.frombuffer(data, np.uint8).reshape(shape)
            finally:
                # Also when the reader has had enough.
                process.stdout.close()
                process.terminate() if data else process.wait()
            if data or process.returncode:
                said.seek(0)
                words = said.read().decode(errors="replace").strip()
                raise VideoError(f"{self.path}: {words or 'ends within a frame'}")

    def read_all(self):
        """Returns all frames as one array, frames x height x width x 3."""
        frames = list(self.frames())
        if not frames:
            raise VideoError(f"{self.path} has no frames that can be decoded")
        return np.stack(frames)


class Writer:
    """Writes a lossless file of RGB frames."""

    def __init__(self, path, width, height, rate):
        command = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
                   "-r", str(rate), "-i", "-", *LOSSLESS, str(path)]
        command.remove("-nostdin")
        self.path = str(path)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def __enter__(self):
        return self

    def write(self, frame):
        self.process.stdin.write(np.ascontiguousarray(frame).data)

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        if self.process.wait() and kind is None:
            raise VideoError(f"ffmpeg could not write {self.path}")


def through_x264(source, target, crf, work):
    """Writes what a viewer gets of 'source': coded in 4:2:0, BT.709, limited range, and decoded
    again. Uses one thread, because the result depends on how many there are."""
    to_yuv = (f"scale=out_color_matrix=bt709:out_range=tv:{CHROMA.format('out')}:{EXACT},"
              "format=yuv420p")
    tags = [word for key in ("colorspace", "color_primaries", "color_trc")
            for word in ("-" + key, "bt709")]
    _run(*FFMPEG, "-i", str(source), "-vf", to_yuv, *tags, "-color_range", "tv", "-c:v", "libx264",
         "-preset", "medium", "-crf", str(crf), "-threads", "1", str(work))
    coded = Video(work)
    with Writer(target, coded.width, coded.height, coded.rate) as out:
        for frame in coded.frames():
            out.write(frame)


def _run(*command):
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise VideoError(f"{command[0]} is missing") from error
    if run.returncode:
        raise VideoError(f"{command[0]}: {run.stderr.strip()}")
    return run.stdout
