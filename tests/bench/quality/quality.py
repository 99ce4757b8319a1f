#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How good upscaled video is: makes low-resolution versions of ground-truth clips, upscales them
with fvsr (through its command line) and with other methods, and compares with the truth.

Clips are cropped, from the upper left corner, to multiples of twice the scale (4:2:0 needs even
sizes). Tracks, the inputs that are upscaled:
  clean   antialiased bicubic (Pillow), 8-bit RGB
  crfN    the clean one through x264 (preset medium, 4:2:0, BT.709, limited range) at this CRF
Each is handed to all methods as the same lossless RGB frames, and fvsr's pictures come back as
lossless RGB, so nothing but the methods makes a difference.

Writes OUT/table.md, OUT/results.json and OUT/CLIP-TRACK.png, crops at 1:1 where the truth has the
most detail, or where crops.json beside the clips says. Metrics: metrics.py. What is checked:
report.py.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import zip_longest
from pathlib import Path

import numpy as np
import PIL

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT))  # for train.data.video, which training reads with as well
import methods  # noqa: E402
import metrics  # noqa: E402
import panels  # noqa: E402
import report  # noqa: E402
from methods import BICUBIC, FSR, FVSR, LANCZOS  # noqa: E402
from train.data.video import (LOSSLESS, Video, VideoError, Writer,  # noqa: E402
                              through_x264)

MODEL = ROOT / "data/models/bundled.safetensors"
ENDINGS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".y4m")
PICTURED = (BICUBIC, LANCZOS, FSR, FVSR)
MIN_SIDE = 16  # of what fvsr takes


class Failure(Exception):
    pass


# ---------------------------------------------------------------------------------------------
# Command line


def find_fvsr():
    for path in (os.environ.get("FVSR"), ROOT / "build/tools/fvsr", shutil.which("fvsr")):
        if path and Path(path).exists():
            return path
    return None


def arguments(words):
    ap = argparse.ArgumentParser(prog="run.sh", description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--clips", action="append", type=Path, metavar="FOLDER",
                    help="ground truth, a folder or one file; more than once for more "
                    "(default: data/demo)")
    ap.add_argument("--out", type=Path, default=Path("quality"), help="default: quality")
    ap.add_argument("--scale", type=int, default=4, choices=(2, 3, 4))
    ap.add_argument("--model", default=str(MODEL), help="default: the bundled one")
    ap.add_argument("--fvsr", default=find_fvsr(), metavar="PATH",
                    help="default: $FVSR, else build/tools/fvsr, else the one in PATH")
    ap.add_argument("--fvsr-option", action="append", default=[], metavar="OPTION",
                    help="one more word for 'fvsr upscale', such as --backend=cuda")
    ap.add_argument("--frames", type=int, help="only so many of each clip")
    ap.add_argument("--tracks", default="clean,crf23,crf32", help="default: %(default)s")
    ap.add_argument("--jobs", type=int, default=2, help="processes that measure (default 2)")
    ap.add_argument("--require", action="store_true", help="exit with 1 when a check fails")
    args = ap.parse_args(words)
    args.clips = args.clips or [ROOT / "data/demo"]
    args.tracks = list(dict.fromkeys(args.tracks.split(",")))
    for track in args.tracks:
        if track != "clean" and not re.fullmatch(r"crf\d+", track):
            ap.error(f"no track '{track}': clean, or crf and a number")
    if not args.fvsr:
        ap.error("no fvsr was found; build it, or say --fvsr PATH")
    if args.frames is not None and args.frames < 1:
        ap.error("--frames must be at least 1")
    return args


def find_clips(folders):
    """{name: path}; clips of the same name in two folders take the folder's name, too."""
    paths = []
    for folder in folders:
        if folder.is_dir():
            paths += sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS)
        elif folder.exists():
            paths.append(folder)
        else:
            raise Failure(f"{folder} is not there")
    stems = [path.stem for path in paths]
    clips = {}
    for path in dict.fromkeys(path.resolve() for path in paths):
        name = path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}-{path.stem}"
        if name in clips:
            raise Failure(f"two clips are called {name}")
        clips[name] = path
    if not clips:
        raise Failure("no clips in " + ", ".join(map(str, folders)))
    return clips


# ---------------------------------------------------------------------------------------------
# Work


class Clip:
    """A clip's truth, as everything here sees it, and the files made of it."""

    def __init__(self, name, path, scale, limit, work):
        video = Video(path)
        unit = 2 * scale
        self.name, self.path, self.scale, self.limit, self.work = name, path, scale, limit, work
        self.width, self.height = video.width // unit * unit, video.height // unit * unit
        self.rate = video.rate
        self.frames = 0
        self.crops = []
        if min(self.width, self.height) < MIN_SIDE * scale:
            raise Failure(f"{path} is too small for {scale}x")

    def truth(self):
        for frame in Video(self.path).frames(self.limit):
            yield frame[:self.height, :self.width]

    def low(self, track):
        return self.work / f"{self.name}-{track}.mkv"

    def large(self, track):
        return self.work / f"{self.name}-{track}-fvsr.mkv"


def prepare(clip, tracks):
    """Makes the low-resolution videos; returns the clip with what was learned of it."""
    width, height = clip.width // clip.scale, clip.height // clip.scale
    finder = panels.DetailFinder()
    clean = clip.low("clean")
    with Writer(clean, width, height, clip.rate) as out:
        for index, frame in enumerate(clip.truth()):
            out.write(methods.resize(frame, width, height))
            finder.look(index, frame)
            clip.frames = index + 1
    for track in tracks:
        if track != "clean":
            through_x264(clean, clip.low(track), track[3:], clip.work / f"{clip.name}-{track}.mp4")
    clip.crops = panels.wanted_crops(clip.path) or [finder.crop]
    for crop in clip.crops:
        if not crop.fits(clip.width, clip.height, clip.frames):
            raise Failure(f"crops.json: a crop lies outside of {clip.name}")
    return clip


def run_fvsr(args, clip, track):
    """Returns the seconds that it took."""
    start = time.monotonic()
    run = subprocess.run([args.fvsr, "upscale", "--quiet", "--model", args.model, "--scale",
                          str(args.scale), "--codec", LOSSLESS[1], "--pixel-format", LOSSLESS[3],
                          *args.fvsr_option, str(clip.low(track)), str(clip.large(track))],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode:
        raise Failure(f"fvsr upscale of {clip.name}, {track}: {run.stderr.strip()}")
    if run.stderr.strip():
        print(run.stderr.strip(), file=sys.stderr)
    return time.monotonic() - start


def pictures_of(clip, track):
    """Yields (truth, {method: picture}) of each frame; all rows must have one length."""
    low, large = Video(clip.low(track)), Video(clip.large(track))
    if (large.width, large.height) != (clip.width, clip.height):
        raise Failure(f"fvsr wrote {large.width}x{large.height} of {clip.name}")
    rows = zip_longest(clip.truth(), low.frames(), large.frames())
    for index, (truth, small, upscaled) in enumerate(rows):
        if truth is None or small is None or upscaled is None:
            raise Failure(f"{clip.name}, {track}: of truth, input and fvsr's output not all have a "
                          f"frame {index}")
        pictures = methods.upscale(small, clip.scale)
        pictures[FVSR] = upscaled
        yield truth, pictures


def measure(clip, track, out):
    """{method: {metric: value}} of one clip and track; draws its crops."""
    scores = {method: metrics.Score() for method in methods.ALL}
    cut = {}
    for index, (true_frame, pictures) in enumerate(pictures_of(clip, track)):
        truth = metrics.Truth(true_frame)
        for method, score in scores.items():
            score.add(truth, pictures[method])
        for number, crop in enumerate(clip.crops):
            if crop.frame == index:
                cut[number] = [crop.of(true_frame).copy(),
                               *(crop.of(pictures[method]).copy() for method in PICTURED)]
    results = {method: score.result() for method, score in scores.items()}
    labels = ["truth", *(f"{m} {results[m]['psnr']:.2f} dB" for m in PICTURED)]
    for number, parts in cut.items():
        suffix = f"-{number + 1}" if len(clip.crops) > 1 else ""
        panels.draw(out / f"{clip.name}-{track}{suffix}.png", list(zip(labels, parts)))
    clip.large(track).unlink()
    return results


# ---------------------------------------------------------------------------------------------
# The whole


def benchmark(args, work):
    """(results, clips, seconds of each step)"""
    seconds = {}
    clips = [Clip(name, path, args.scale, args.frames, work)
             for name, path in find_clips(args.clips).items()]
    with ProcessPoolExecutor(args.jobs) as pool:
        print("low-resolution videos", flush=True)
        start = time.monotonic()
        clips = list(pool.map(prepare, clips, [args.tracks] * len(clips)))
        seconds["prepare"] = time.monotonic() - start
        tasks = [(clip, track) for track in args.tracks for clip in clips]
        print("fvsr", flush=True)
        seconds["fvsr"] = sum(run_fvsr(args, *task) for task in tasks)
        print("measuring", flush=True)
        start = time.monotonic()
        scores = list(pool.map(measure, *zip(*((*task, args.out) for task in tasks))))
        seconds["measure"] = time.monotonic() - start
    results = {track: {} for track in args.tracks}
    for (clip, track), score in zip(tasks, scores):
        results[track][clip.name] = score
    return results, clips, seconds


def describe(args, clips, seconds):
    """What the numbers are of, for people and for programs."""
    version = subprocess.run([args.fvsr, "--version"], capture_output=True, text=True).stdout
    model = Path(args.model)
    digest = hashlib.sha256(model.read_bytes()).hexdigest() if model.is_file() else None
    return {"scale": args.scale, "tracks": args.tracks, "fvsr": version.strip(),
            "fvsr_options": args.fvsr_option, "model": model.name, "model_sha256": digest,
            "numpy": np.__version__, "pillow": PIL.__version__,
            "clips": {clip.name: {"width": clip.width, "height": clip.height,
                                  "frames": clip.frames} for clip in clips},
            "seconds": {step: round(value, 1) for step, value in seconds.items()}}


def about_lines(about):
    clips = ", ".join(f"{name} ({c['width']}x{c['height']}, {c['frames']} frames)"
                      for name, c in about["clips"].items())
    model = about["model"]
    if about["model_sha256"]:
        model += f" (SHA-256 {about['model_sha256'][:12]})"
    return [f"Clips: {clips}.", "", f"{about['fvsr']}, model {model}. Whole pictures, all frames; "
            "tests/bench/quality/metrics.py says how the numbers are computed."]


def write(args, results, about, checks):
    text = report.markdown(results, args.scale, about_lines(about), checks)
    (args.out / "table.md").write_text(text)
    data = {**about, "results": results,
            "means": {track: report.means(clips) for track, clips in results.items()},
            "checks": [{"passed": passed, "text": words} for passed, words in checks]}
    (args.out / "results.json").write_text(json.dumps(data, indent=1, allow_nan=False) + "\n")
    print(text)


def main(words):
    args = arguments(words)
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=args.out) as work:
        results, clips, seconds = benchmark(args, Path(work))
    checks = report.checks_of(results, args.scale)
    write(args, results, describe(args, clips, seconds), checks)
    print(", ".join(f"{step} {value:.0f} s" for step, value in seconds.items()))
    return 1 if args.require and not all(passed for passed, _ in checks) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Failure, VideoError) as failure:
        sys.exit(f"quality: {failure}")
