# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the training data: makes a folder of short shots of licensed video and pictures.

    python3 -m train.data.dataset --out DIR [--held-out] [--parts MIB] FOLDER...

This is a small data set in the spirit of FlashVSR's VSR-120K. Videos are cut into shots, and
blurred, badly exposed and still shots are dropped. Photographs become short pans, and pictures of
screens and of pixel art (boards.py) are set in motion. Every shot gets low-resolution versions as
live sources have them: scaled, blurred, noisy, really encoded. A shot that is made of pictures is
kept as pictures and a path; training renders it, and finds other ways through the pictures.

Layout of DIR:

    dataset.json             everything that is known about the shots, see below
    hr/SHOT.mp4              a video's shot: H.264, 4:4:4; sides are multiples of 24
    pictures/SHOT.png, .jpg  what other shots are made of
    lr/SHOT.x4.0.mp4, ...    degraded versions at 1/4, 1/3 or 1/2 of the size: H.264 4:2:0, or
                             lr/SHOT.x4.1.avi, Motion JPEG; the compressed streams themselves

A low-resolution file has as many frames as its shot, in the same order. The clean low-resolution
picture is not stored: training makes it from the shot. Everything is in BT.601, and H.264 in
limited range and tagged so.

With --pans SHARE only that share of the photographs and of the game art becomes shots. The others
are kept as pictures alone, from which training draws its own ways: their shots have one frame, no
degraded versions, and a path of one window.

With --parts MIB the files are also packed into DIR/parts/NN.tar, each of at most so many MiB, for
machines that take a data set in several small loads. Unpacked into one folder, in any order, they
are the data set.

dataset.json: {"seed", "options", "shots": [...], "dropped": [...], "refused": [...]}. A shot has
"name", "width", "height", "frames", "fps", "kind" (video, picture, art, desktop, pixels), "source",
"licence", "attribution", "tier", "filters" (sharpness, mean, clipped, motion) and "lr": [{"file",
"scale", "kernel", "blur", "noise", "interlace", "chain", "codec", "quality"}]. A video's shot also
has "hr", "hr_crf", "first" and "last" (source frames, inclusive) and "crop" ([x, y] in the source);
a shot of pictures has "pictures" (files) and "path" (windows [left, top, width]) or "script"
(moves.py).
Paths are relative to DIR; "source" is relative to the folder that holds the source's manifest.

A video NAME.mp4 may have small versions NAME.x4.mkv, .x3.mkv and .x2.mkv beside it, which were
drawn at that size (scenes.py) and show the same frames. They become versions without loss
(lr/SHOT.x4.d.mkv) with the kernel "drawn".

Every folder (or one above it) has a MANIFEST.md with a table whose rows begin with a file's name
and which has a column for the licence. A file to which no row gives a licence is refused, and so is
everything in a folder called eval or demo; with --held-out everything else is. The same seed and
files give the same shots and the same degradations. Needs numpy, Pillow, PyTorch and ffmpeg.
"""

import argparse
import json
import math
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import zlib

import numpy as np
from PIL import Image, ImageFilter

from train.data import moves, video

PARTS = ("hr", "pictures", "lr")
HOW = ("out", "folders", "jobs", "quiet", "parts")  # options that change nothing in the data
VIDEO = (".mp4", ".mkv", ".webm", ".avi", ".mov")
PICTURE = (".jpg", ".jpeg", ".png")
DRAWN = re.compile(r"\.x([234])\.mkv$")
STEP = 12  # pixels of a shot that are whole pixels of all its small versions
GRID = 24  # x2, x3 and x4 divide it, and what remains is even, as 4:2:0 wants
DESKTOP = re.compile(r"\b(desktop|terminals?|web page|editor|spreadsheet|drawn text)\b", re.I)
KERNELS = {"area": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC,
           "lanczos": Image.LANCZOS}
SAMPLED = {"nearest": Image.NEAREST, "gpu bilinear": Image.BILINEAR}  # one pixel, or two by two
PIXELS = re.compile(r"\bpixel art\b", re.I)
ART = re.compile(r"\bgame art\b", re.I)
PANNED = ("picture", "art")
BOARD_SIZE = (648, 384)
PAN_SIZES = ((768, 432), (720, 408), (672, 384), (648, 360))


# ---- manifests ----------------------------------------------------------------------------------

def table_rows(path):
    """Returns the rows of all Markdown tables of a file, as dicts by the header's words."""
    header = None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if not line.startswith("|"):
                header = None
            elif header is None:
                header = [c.lower() for c in cells]
            elif not set(line) <= set("|-: \n"):
                yield dict(zip(header, cells))


def column(row, word):
    return next((v for k, v in row.items() if word in k), "")


def read_manifest(path):
    """Returns {file: {licence, attribution, tier, shows}} for the files that have a licence."""
    files = {}
    for row in table_rows(path):
        name = column(row, "file").strip("`")
        licence = column(row, "licen").replace("**", "")
        if not name or licence.lower() in ("", "-", "?", "none", "unknown"):
            continue
        licence, _, attribution = licence.partition("Attribution:")
        own = next((v for k, v in row.items() if k == "attribution"), "")
        files[name] = {"licence": licence.strip(" ."), "attribution": attribution.strip() or own,
                       "tier": column(row, "tier"), "shows": column(row, "shows")}
    return files


def find_manifest(folder):
    while True:
        path = os.path.join(folder, "MANIFEST.md")
        if os.path.exists(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def sources(folders, held_out=False):
    """Returns all files to use, with their licences, and the refused ones, with reasons."""
    found, refused, manifests = {}, [], {}
    for top in folders:
        for folder, dirs, files in os.walk(os.path.abspath(top)):
            dirs.sort()
            manifest = find_manifest(folder)
            if manifest and manifest not in manifests:
                manifests[manifest] = read_manifest(manifest)
            for file in sorted(files):
                path = os.path.join(folder, file)
                if not file.lower().endswith(VIDEO + PICTURE) or path in found or \
                        DRAWN.search(file):
                    continue
                base = os.path.dirname(manifest) if manifest else os.path.abspath(top)
                name = os.path.relpath(path, base)
                info = manifests[manifest].get(name) if manifest else None
                held = bool({"eval", "demo"} & set(path.split(os.sep)[:-1]))
                if held != held_out:
                    why = "held out for measuring" if held else "not held out"
                    refused.append({"source": name, "why": why})
                elif not info:
                    refused.append({"source": name, "why": "no licence line in a MANIFEST.md"})
                else:
                    found[path] = dict(info, path=path, source=name)
    return list(found.values()), refused


# ---- ffmpeg -------------------------------------------------------------------------------------

def encode(frames, fps, path, chain, options):
    """Writes RGB frames through a filter chain with an encoder's options; returns bytes."""
    h, w = frames.shape[1:3]
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
         "-s", "%dx%d" % (w, h), "-r", fps, "-i", "-", "-vf", chain, "-threads", "1"] + options +
        [path], input=np.ascontiguousarray(frames).tobytes(), check=True)
    return os.path.getsize(path)


def to_yuv(matrix, full, pixels):
    return ("scale=out_color_matrix=%s:out_range=%s:flags=bicubic+accurate_rnd+full_chroma_int,"
            "format=%s" % (matrix, "pc" if full else "tv", pixels))


def through(matrix, full):
    """Returns a filter that goes through another format on the way to the encoder and back to
    BT.601, so that only that format's rounding stays."""
    return (to_yuv(matrix, full, "yuv420p") +
            ",scale=in_color_matrix=%s:in_range=%s:flags=bicubic+accurate_rnd,format=gbrp"
            % (matrix, "pc" if full else "tv"))


TAGS = ["-colorspace", "smpte170m", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-color_range", "tv"]


# ---- looking at shots ---------------------------------------------------------------------------

def luma(frame):
    return frame.astype(np.float32) @ np.float32([0.299, 0.587, 0.114])


def small(frames):
    """Returns luma pictures of about 160x90, for cuts and motion."""
    h, w = frames.shape[1:3]
    n = max(1, w // 160)
    cut = frames[:, :h // n * n, :w // n * n]
    means = cut.reshape(len(cut), h // n, n, w // n, n, 3).mean((2, 4), dtype=np.float32)
    return luma(means)


def find_cuts(pictures):
    """Returns where shots begin: there the picture and its histogram both jump, far above what is
    near."""
    diff = np.abs(np.diff(pictures, axis=0)).mean((1, 2))
    hist = np.stack([np.histogram(p, 32, (0, 256))[0] / p.size for p in pictures])
    jump = np.abs(np.diff(hist, axis=0)).sum(1)
    cuts = [0]
    for i, d in enumerate(diff):
        near = np.median(diff[max(0, i - 4):i + 5])
        if d > 12 and jump[i] > 0.35 and d > 3 * near:
            cuts.append(i + 1)
    return cuts + [len(pictures)]


def sharpness(frame):
    """Returns the mean absolute Laplacian of the sharpest tenth of the blocks, since a background
    may be blurred."""
    y = luma(frame)
    lap = np.abs(4 * y[1:-1, 1:-1] - y[:-2, 1:-1] - y[2:, 1:-1] - y[1:-1, :-2] - y[1:-1, 2:])
    h, w = lap.shape[0] // 32, lap.shape[1] // 32
    blocks = lap[:h * 32, :w * 32].reshape(h, 32, w, 32).mean((1, 3)).ravel()
    return float(np.sort(blocks)[-max(1, len(blocks) // 10):].mean())


def measure(frames):
    some = frames[:: max(1, len(frames) // 4)]
    y = np.stack([luma(f) for f in some])
    pictures = small(frames)
    motion = np.abs(np.diff(pictures, axis=0)).mean() if len(frames) > 1 else None
    return {"sharpness": round(float(np.median([sharpness(f) for f in some])), 2),
            "mean": round(float(y.mean()), 1),
            "clipped": round(float(((y < 4) | (y > 251)).mean()), 3),
            "motion": motion if motion is None else round(float(motion), 3)}


def judge(numbers, kind, opt):
    """Returns why a shot is no good, or None. A screen may stand still and be all white."""
    if numbers["sharpness"] < opt.min_sharpness:
        return "blurred"
    if kind not in ("desktop", "pixels"):
        if not 16 <= numbers["mean"] <= 240 or numbers["clipped"] > 0.6:
            return "badly exposed"
        if numbers["motion"] is not None and numbers["motion"] < opt.min_motion:
            return "still"
    return None


# ---- high resolution ----------------------------------------------------------------------------

def drawn_small(path):
    """Returns {scale: path} of the versions of a video that were drawn small."""
    stem = os.path.splitext(path)[0]
    paths = {scale: f"{stem}.x{scale}.mkv" for scale in (2, 3, 4)}
    return {scale: p for scale, p in paths.items() if os.path.exists(p)}


def crop_shot(frames, rng, limit, step=1):
    """Crops to at most 'limit', to the grid, at a random place. Returns (frames, [x, y])."""
    h, w = frames.shape[1:3]
    cw, ch = (min(v, m) // GRID * GRID for v, m in ((w, limit[0]), (h, limit[1])))
    x, y = (rng.randint(0, room // step) * step for room in (w - cw, h - ch))
    return frames[:, y:y + ch, x:x + cw], [x, y]


def video_shots(info, opt):
    """Yields (frames, facts) of one video's shots."""
    clip = video.Video(info["path"])
    frames, fps = clip.read_all(), "%d/%d" % clip.rate.as_integer_ratio()
    cuts = find_cuts(small(frames))
    spans = [(a, b) for a, b in zip(cuts, cuts[1:]) if b - a >= opt.min_frames]
    for i, (a, b) in enumerate(spans[:opt.shots]):
        rng = random.Random("%d/%s/%d" % (opt.seed, info["source"], i))
        a += rng.randint(0, max(0, b - a - opt.frames))
        b = min(b, a + opt.frames)
        small_ones = drawn_small(info["path"])
        shot, at = crop_shot(frames[a:b], rng, opt.limit, STEP if small_ones else 1)
        facts = {"fps": fps, "first": a, "last": b - 1, "crop": at,
                 "kind": "desktop" if DESKTOP.search(info["shows"]) else "video"}
        if small_ones:
            facts["small"] = small_ones
        yield shot, facts


def pan_size(w, h, rng):
    """Returns an output size that the picture can fill without being enlarged."""
    fit = [s for s in PAN_SIZES if s[0] <= 0.9 * w and s[1] <= 0.9 * h]
    if fit:
        return rng.choice(fit)
    scale = min(0.9 * w / PAN_SIZES[-1][0], 0.9 * h / PAN_SIZES[-1][1])
    return tuple(int(v * scale) // GRID * GRID for v in PAN_SIZES[-1])


def down(v):
    """Rounds down to three digits, so that nothing lies beyond a picture's border."""
    return math.floor(v * 1000) / 1000


def pan_path(w, h, size, frames, rng):
    """Returns windows [left, top, width] of a slow pan with some zoom and a trembling hand."""
    most = min(w / size[0], h / size[1])
    zoom = [rng.uniform(1, most) for _ in range(2)]
    zoom[1] = zoom[0] + max(-0.08, min(0.08, zoom[1] - zoom[0]))
    speed, angle = rng.uniform(0.4, 3.0), rng.uniform(0, 2 * math.pi)
    shake, rate = rng.choice((0, 0, 0.4, 0.8)), rng.uniform(0.3, 0.9)
    room = [w - size[0] * max(zoom), h - size[1] * max(zoom)]
    way = [speed * frames * math.cos(angle), speed * frames * math.sin(angle)]
    way = [max(-r, min(r, v)) for v, r in zip(way, room)]
    start = [rng.uniform(max(0, -v), min(r, r - v)) for v, r in zip(way, room)]
    path = []
    for t in range(frames):
        u = t / max(1, frames - 1)
        width = down(size[0] * (zoom[0] + (zoom[1] - zoom[0]) * u))
        x = start[0] + way[0] * u + shake * math.sin(rate * t)
        y = start[1] + way[1] * u + shake * math.cos(1.3 * rate * t)
        x = max(0.0, min(w - width, x))
        y = max(0.0, min(h - width * size[1] / size[0], y))
        path.append([down(x), down(y), width])
    return path


def photo_shots(info, opt):
    image = Image.open(info["path"]).convert("RGB")
    w, h = image.size
    rng = random.Random("%d/%s" % (opt.seed, info["source"]))
    size = pan_size(w, h, rng)
    chance = random.Random("%d/%s/pan" % (opt.seed, info["source"])).random()
    frames = opt.pan_frames if chance < opt.pans else 1
    path = pan_path(w, h, size, frames, rng)
    yield moves.zoom(image, size, path), {
        "fps": "30/1", "path": path, "kind": info["kind"], "pictures": [info["path"]]}


def board_shots(info, opt):
    """Sets a picture of a screen in motion, with a window or a bar cut from another one."""
    paths = [info["path"], info["other"]]
    pictures = [moves.read_picture(p) for p in paths]
    digest = zlib.crc32(("%d/%s" % (opt.seed, info["source"])).encode())
    script = moves.screen(np.random.default_rng(digest), [p.shape[1:] for p in pictures],
                          opt.pan_frames, BOARD_SIZE[1], BOARD_SIZE[0], info["kind"] == "pixels")
    frames = moves.render(pictures, script).permute(0, 2, 3, 1).numpy()
    yield frames, {"fps": "30/1", "script": script, "kind": info["kind"], "pictures": paths}


def is_picture(path):
    return path.lower().endswith(PICTURE)


def plan_boards(infos):
    """Tells pictures of screens from photographs, and gives each screen another one of its kind."""
    kinds = {}
    for info in filter(lambda i: is_picture(i["path"]), infos):
        info["kind"] = ("pixels" if PIXELS.search(info["shows"]) else
                        "desktop" if DESKTOP.search(info["shows"]) else
                        "art" if ART.search(info["shows"]) else "picture")
        kinds.setdefault(info["kind"], []).append(info)
    for kind in kinds.values():
        for info, other in zip(kind, kind[1:] + kind[:1]):
            info["other"] = other["path"]


def shots_of(info, opt):
    if not is_picture(info["path"]):
        return video_shots(info, opt)
    return photo_shots(info, opt) if info["kind"] in PANNED else board_shots(info, opt)


def keep_pictures(facts, opt):
    """Copies a shot's pictures, under their names in the data set."""
    kept = []
    for path in facts.get("pictures", []):
        name = os.path.join("pictures", os.path.basename(path))
        shutil.copyfile(path, os.path.join(opt.out, name))
        kept.append(name)
    return {"pictures": kept} if kept else {}


def write_hr(frames, fps, path, opt):
    """Writes a shot, and lowers its quality within limits to keep it small."""
    for crf in range(opt.crf, opt.max_crf + 1, 2):
        size = encode(frames, fps, path, to_yuv("smpte170m", False, "yuv444p"),
                      ["-c:v", "libx264", "-preset", "medium", "-crf", str(crf)] + TAGS)
        if size <= opt.shot_kib * 1024:
            break
    return crf


# ---- low resolution -----------------------------------------------------------------------------

def choose_plain(rng, scale):
    """Chooses how a clean source is scaled and encoded: a game, a screen, a film over a network."""
    kernel = rng.choice(sorted(KERNELS) + sorted(SAMPLED))
    return {"scale": scale, "kernel": kernel, "blur": 0.0, "noise": None,
            "interlace": None, "chain": None, "codec": "h264", "quality": rng.randint(18, 34),
            "preset": rng.choice(("veryfast", "faster", "medium")),
            "zerolatency": rng.random() < 0.3}


def choose(rng, scale, gentle):
    """Chooses one way to be degraded, as it is written to the manifest."""
    webcam = rng.random() < 0.2
    mjpeg = rng.random() < (0.6 if webcam else 0.1) and scale == 4  # larger ones take too much room
    d = {"scale": scale, "kernel": rng.choice(sorted(KERNELS)), "blur": 0.0, "noise": None,
         "interlace": None, "chain": None}
    if rng.random() < (0.2 if gentle else 0.5):
        d["blur"] = round(rng.uniform(0.15, 0.5 if gentle else 0.9) * scale / 2, 2)
    if webcam:
        d["noise"] = {"type": "webcam", "sigma": round(rng.uniform(2, 6), 2),
                      "chroma": round(rng.uniform(1, 4), 2),
                      "flicker": round(rng.uniform(0, 0.012), 4)}
    elif rng.random() < (0.15 if gentle else 0.4):
        d["noise"] = {"type": "sensor", "sigma": round(rng.uniform(0.8, 2.5 if gentle else 6), 2)}
    if rng.random() < 0.06:
        d["interlace"] = rng.choice(("woven", "blended"))
    if rng.random() < 0.5:
        d["chain"] = rng.choice(("bt709 limited", "bt709 full", "smpte170m full"))
    if mjpeg:
        d.update(codec="mjpeg", quality=rng.randint(3, 12),
                 pixels=rng.choice(("yuvj420p", "yuvj422p")))
    else:
        d.update(codec="h264", quality=rng.randint(18, 25) if gentle else rng.randint(22, 35),
                 preset=rng.choice(("ultrafast", "veryfast", "veryfast", "faster")),
                 zerolatency=rng.random() < 0.5)
    return d


def scale_down(frames, d):
    h, w = frames.shape[1] // d["scale"], frames.shape[2] // d["scale"]
    out = []
    for frame in frames:
        image = Image.fromarray(frame)
        if d["blur"]:
            image = image.filter(ImageFilter.GaussianBlur(d["blur"]))
        if d["kernel"] in SAMPLED:
            k = d["scale"]
            image = image.transform((w, h), Image.AFFINE, (k, 0, 0, 0, k, 0), SAMPLED[d["kernel"]])
        else:
            image = image.resize((w, h), KERNELS[d["kernel"]])
        out.append(np.asarray(image))
    return np.stack(out)


def soften(noise):
    """Averages noise over 2x2 at the same variance, because coloured noise is coarser than
    grain."""
    rows = noise + np.roll(noise, 1, 1)
    return (rows + np.roll(rows, 1, 2)) / 2


def add_noise(frames, d, rng):
    """Adds grain that grows with light; a webcam adds coloured blotches and a wavering exposure."""
    if not d["noise"]:
        return frames
    n, x = d["noise"], frames.astype(np.float32)
    grain = rng.standard_normal(x.shape, np.float32) * 0.5
    grain += rng.standard_normal(x.shape[:3] + (1,), np.float32) * 0.87
    amount = n["sigma"] * np.sqrt(0.3 + 0.7 * x.mean(3, keepdims=True) / 255)
    if n["type"] == "webcam":
        blotch = soften(rng.standard_normal(x.shape, np.float32))
        blotch -= blotch.mean(3, keepdims=True)
        x = x * (1 + n["flicker"] * rng.standard_normal((len(x), 1, 1, 1), np.float32))
        x += n["chroma"] * blotch
    return np.clip(x + amount * grain + 0.5, 0, 255).astype(np.uint8)


def interlace(frames, how):
    """Imitates bad deinterlacing: every other line is late, perhaps mixed with the next."""
    if not how:
        return frames
    out = frames.copy()
    out[1:, 1::2] = frames[:-1, 1::2]
    if how == "blended":
        x = np.pad(out.astype(np.uint16), ((0, 0), (1, 1), (0, 0), (0, 0)), "edge")
        out = ((x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:] + 2) // 4).astype(np.uint8)
    return out


def write_lr(frames, fps, base, d):
    """Encodes as live sources do; returns the file's name."""
    chain = ""
    if d["chain"]:
        matrix, extent = d["chain"].split()
        chain = through(matrix, extent == "full") + ","
    if d["codec"] == "mjpeg":
        path = base + ".avi"
        encode(frames, fps, path, chain + to_yuv("smpte170m", True, d["pixels"]),
               ["-c:v", "mjpeg", "-q:v", str(d["quality"]), "-color_range", "pc"])
    else:
        path = base + ".mp4"
        tune = ["-tune", "zerolatency"] if d["zerolatency"] else []
        encode(frames, fps, path, chain + to_yuv("smpte170m", False, "yuv420p"),
               ["-c:v", "libx264", "-preset", d["preset"], "-crf", str(d["quality"])] + tune + TAGS)
    return path


def plan_lrs(rng, screen, opt):
    """Chooses the ways of a shot: screens are clean, and what a camera saw has been through
    more."""
    ways = [choose_plain(rng, 4)] + [choose(rng, 4, gentle) for gentle in (True, False)[screen:]]
    if rng.random() < opt.others:
        ways.append(choose(rng, rng.choice((2, 3)), False))
    return ways


def write_lrs(frames, fps, name, screen, opt):
    rng = random.Random("%d/%s/lr" % (opt.seed, name))
    result = []
    for i, d in enumerate(plan_lrs(rng, screen, opt)):
        lr = scale_down(frames, d)
        lr = interlace(add_noise(lr, d, np.random.default_rng(rng.getrandbits(63))), d["interlace"])
        base = os.path.join(opt.out, "lr", "%s.x%d.%d" % (name, d["scale"], i))
        path = write_lr(lr, fps, base, d)
        result.append(dict(d, file=os.path.relpath(path, opt.out)))
    return result


def write_drawn(small_ones, shot, opt):
    """Cuts the versions that were drawn small as their shot was cut, and writes them."""
    result = []
    for scale, path in sorted(small_ones.items()):
        clip = video.Video(path)
        x, y = (v // scale for v in shot["crop"])
        w, h = shot["width"] // scale, shot["height"] // scale
        frames = clip.read_all()[shot["first"]:shot["last"] + 1, y:y + h, x:x + w]
        if frames.shape[:3] != (shot["frames"], h, w):
            raise ValueError(f"{path} does not show what {shot['source']} shows")
        name = os.path.join("lr", "%s.x%d.d.mkv" % (shot["name"], scale))
        encode(frames, shot["fps"], os.path.join(opt.out, name), "null",
               ["-c:v", "libx264rgb", "-preset", "slow", "-qp", "0"])
        result.append({"file": name, "scale": scale, "kernel": "drawn", "blur": 0.0, "noise": None,
                       "interlace": None, "chain": None, "codec": "h264rgb", "quality": 0})
    return result


# ---- all of it ----------------------------------------------------------------------------------

def shot_name(source, i):
    stem = re.sub(r"[^A-Za-z0-9]+", "_", os.path.splitext(os.path.basename(source))[0]).strip("_")
    return "%s_%s_%d" % ("p" if is_picture(source) else "v", stem, i)


def build_source(job):
    """Writes one file's shots. Returns (shots, dropped)."""
    info, opt = job
    shots, dropped = [], []
    for i, (frames, facts) in enumerate(shots_of(info, opt)):
        numbers = measure(frames)
        why = judge(numbers, facts["kind"], opt)
        if why:
            dropped.append({"source": info["source"], "shot": i, "why": why, "filters": numbers})
            continue
        name = shot_name(info["source"], i)
        shot = {"name": name, "width": frames.shape[2], "height": frames.shape[1],
                "frames": len(frames), "source": info["source"], "licence": info["licence"],
                "attribution": info["attribution"], "tier": info["tier"], "filters": numbers}
        small_ones = facts.pop("small", {})
        shot.update(facts, **keep_pictures(facts, opt))
        if "pictures" not in facts:
            shot["hr"] = os.path.join("hr", name + ".mp4")
            shot["hr_crf"] = write_hr(frames, facts["fps"], os.path.join(opt.out, shot["hr"]), opt)
        shot["lr"] = [] if len(frames) == 1 else write_lrs(
            frames, facts["fps"], name, facts["kind"] in ("desktop", "pixels"), opt)
        shot["lr"] += write_drawn(small_ones, shot, opt)
        shots.append(shot)
    if not shots and not dropped:
        dropped.append({"source": info["source"], "why": "no shot of %d frames" % opt.min_frames})
    return shots, dropped


def pack(folder, most):
    """Packs a data set into files of at most so many bytes."""
    to = os.path.join(folder, "parts")
    os.makedirs(to, exist_ok=True)
    for old in os.listdir(to):
        os.remove(os.path.join(to, old))
    files = ["dataset.json"] + sorted(
        os.path.join(part, f) for part in PARTS for f in os.listdir(os.path.join(folder, part)))
    tar, room, count = None, 0, 0
    for name in files:
        # A member takes a block of 512 bytes for its name and whole blocks for its bytes; an
        # archive is filled up to 10 KiB.
        size = 512 + -(-os.path.getsize(os.path.join(folder, name)) // 512) * 512
        if size + 10240 > most:
            raise ValueError(f"{name} is too large for a part of {most} bytes")
        if tar is None or size > room:
            if tar:
                tar.close()
            tar = tarfile.open(os.path.join(to, f"{count:02d}.tar"), "w",
                               format=tarfile.USTAR_FORMAT)
            room, count = most - 10240, count + 1
        tar.add(os.path.join(folder, name), name)
        room -= size
    tar.close()


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(folder) for f in fs)


def report(data, out):
    kinds = {}
    for shot in data["shots"]:
        kinds[shot["kind"]] = kinds.get(shot["kind"], 0) + 1
    print("%d shots %s, %d frames, %d degraded versions, %d dropped, %d refused" % (
        len(data["shots"]), kinds, sum(s["frames"] for s in data["shots"]),
        sum(len(s["lr"]) for s in data["shots"]), len(data["dropped"]), len(data["refused"])))
    for part in PARTS:
        print("%s: %.1f MB" % (part, folder_bytes(os.path.join(out, part)) / 1e6))


def build(opt):
    for part in PARTS:
        folder = os.path.join(opt.out, part)
        os.makedirs(folder, exist_ok=True)
        for old in os.listdir(folder):
            os.remove(os.path.join(folder, old))
    infos, refused = sources(opt.folders, opt.held_out)
    plan_boards(infos)
    shots, dropped = [], []
    with multiprocessing.Pool(opt.jobs) as pool:
        for done, (s, d) in enumerate(pool.imap(build_source, [(i, opt) for i in infos], 1), 1):
            shots += s
            dropped += d
            if not opt.quiet:
                print("\r%d/%d files" % (done, len(infos)), end="", file=sys.stderr, flush=True)
    if not opt.quiet:
        print(file=sys.stderr)
    options = {k: v for k, v in vars(opt).items() if k not in HOW}
    data = {"seed": opt.seed, "options": options, "shots": shots, "dropped": dropped,
            "refused": refused}
    with open(os.path.join(opt.out, "dataset.json"), "w", encoding="utf-8") as f:
        json.dump(data, f, ensure_ascii=False, separators=(",", ":"))
    if opt.parts:
        pack(opt.out, opt.parts << 20)
    return data


def size_arg(text):
    return [int(v) for v in text.split("x")]


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("folders", nargs="+")
    p.add_argument("--out", required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--limit", type=size_arg, default=[864, 480], help="largest shot, WxH")
    p.add_argument("--frames", type=int, default=41, help="most frames of a video's shot")
    p.add_argument("--pan-frames", type=int, default=33, help="frames of a picture's pan")
    p.add_argument("--min-frames", type=int, default=17)
    p.add_argument("--shots", type=int, default=3, help="most shots of a video")
    p.add_argument("--min-sharpness", type=float, default=5.0)
    p.add_argument("--min-motion", type=float, default=0.2)
    p.add_argument("--crf", type=int, default=10, help="quality of a shot")
    p.add_argument("--max-crf", type=int, default=18, help="worst quality to keep a shot small")
    p.add_argument("--shot-kib", type=int, default=260,
                   help="shots larger than this get a worse quality")
    p.add_argument("--others", type=float, default=0.4, help="share of shots that get x2 or x3 too")
    p.add_argument("--pans", type=float, default=1,
                   help="share of photographs and game art that become shots")
    p.add_argument("--held-out", action="store_true", help="only what is held out, for measuring")
    p.add_argument("--parts", type=int, metavar="MIB", help="pack into files of this size, too")
    p.add_argument("--quiet", action="store_true")
    return p.parse_args(argv)


def main(argv):
    opt = parse(argv)
    report(build(opt), opt.out)


if __name__ == "__main__":
    main(sys.argv[1:])
