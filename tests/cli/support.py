# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the command line share: running fvsr and ffmpeg, making videos.

The program under test is the first argument of the command line, as cli_test.py gets it.
"""
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = f"synth:{HERE}/tiny-residual.json:1"
FVSR = sys.argv[1] if len(sys.argv) > 1 else ""
# For Windows the program is a script that runs it under Wine.
WINDOWS = bool(FVSR) and Path(FVSR).read_bytes()[:2] == b"#!"


class Failure(Exception):
    pass


class Skipped(Exception):
    """Something is missing on this machine; the text says what."""


def check(condition, *words):
    if not condition:
        raise Failure(" ".join(str(word) for word in words))


def same(got, want, what):
    check(got == want, f"{what}: {got!r} instead of {want!r}")


def ffmpeg(*args, **kwargs):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, args)], check=True, **kwargs)


def fvsr(*args, status=0, **kwargs):
    """Runs the command; returns what it said on both outputs."""
    run = subprocess.run([FVSR, *map(str, args)], capture_output=True, text=True, timeout=100,
                         **kwargs)
    check(run.returncode == status, f"exit status {run.returncode} instead of {status}:",
          args, run.stdout, run.stderr)
    return run.stdout + run.stderr


def upscale(source, target, *options, status=0, scale=2, **kwargs):
    size = [] if any(o.startswith("--size") for o in map(str, options)) else ["--scale", scale]
    # VP9, which goes into WebM, has no presets.
    preset = [] if str(target).endswith(".webm") else ["--preset", "ultrafast"]
    return fvsr("upscale", "--model", MODEL, "--threads", 1, *preset, *size, *options, source,
                target, status=status, **kwargs)


def probe(path, entries, stream="v:0"):
    run = subprocess.run(["ffprobe", "-v", "error", "-select_streams", stream, "-of", "json",
                          "-show_entries", entries, str(path)],
                         check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def times(path):
    """Time of every decoded picture, in seconds."""
    frames = probe(path, "frame=pts_time")["frames"]
    return [float(frame["pts_time"]) for frame in frames]


def stream(path, *names, which="v:0"):
    found = probe(path, "stream=" + ",".join(names), which)["streams"][0]
    return [found.get(name) for name in names]


def packets_md5(path, which):
    """Of the coded packets of a stream, not of what they decode to."""
    run = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{which}", "-c",
                          "copy", "-f", "md5", "-"], check=True, capture_output=True, text=True)
    return run.stdout.strip()


def pixels(path, pixel_format=None):
    formats = ["-pix_fmt", pixel_format] if pixel_format else []
    return subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), *formats, "-f", "rawvideo",
                           "-"], check=True, capture_output=True).stdout


def tagged(space, full, primaries, transfer):
    """A filter and options: what frames say goes before options in newer FFmpeg, not in older."""
    return (f"setparams=colorspace={space}:range={full}:color_primaries={primaries}:"
            f"color_trc={transfer.replace('gamma28', 'bt470bg')}",
            ("-colorspace", space, "-color_range", full, "-color_primaries", primaries,
             "-color_trc", transfer))


def video(path, frames, *options, size="64x48", rate=25, codec="libx264", filters="null"):
    """Moving pictures of exactly 'size', which testsrc2 alone would make even."""
    width, height = size.split("x")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=128x96:r={rate}", "-frames:v", frames, "-vf",
           f"scale={width}:{height},{filters}", "-c:v", codec, *options, path)
    return path


def psnr(a, b):
    error = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
    return 10 * math.log10(255 * 255 / error) if error else 100


def held(text):
    """The file and the number of frames that the message says are kept."""
    found = re.search(r"fvsr: (.*) holds the first (\d+) frame", text)
    check(found, "no word about what is kept:", text)
    return Path(found[1]), int(found[2])


def wait_until_idle(pid):
    """Until the process has used no processor time for half a second."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < 0.5:
        used = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        if used != last:
            last, since = used, time.monotonic()
        time.sleep(0.05)
