# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws moving scenes at several sizes, because what OBS sends was often not shrunk but rendered
small: letters of a few pixels, edges in steps, textures as a GPU samples them. No shrinking of a
large picture makes such a small one.

    python3 -m train.data.scenes OUT [--seed N] [--count N]

makes N scenes of each kind: rooms in perspective with textures and balls, cartoons, and screens with
text. OUT/train/NAME.mp4 is the large one, drawn smoothly. NAME.x4.mkv, .x3.mkv and .x2.mkv beside
it are without loss and show the same at a fraction of the size, drawn anew: in half of the scenes
with edges in steps, in the others with four samples a pixel. Every fifth scene lies in OUT/eval
instead. dataset.py takes the small ones as versions of the large one. The same seed gives the same
scenes. Needs numpy, Pillow, FFmpeg and the fonts of boards.py.
"""

import argparse
import math
import multiprocessing
import os
import random
import subprocess

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from train.data.board_kit import FONTS, MONO, SANS, SERIF, Talk, hls, noise
from train.data.boards import install_fonts

WIDTH, HEIGHT, FRAMES, FPS = 768, 432, 17, 30
SCALES = (4, 3, 2)
SMOOTH = 2  # samples a pixel along each axis


# Rooms --------------------------------------------------------------------------------------------

def texture(rng, side=512):
    """Returns a pyramid of levels (n, n, 3): stones, planks or tiles, with grain."""
    h, w = rng.choice([(32, 64), (64, 64), (24, 128), (128, 128)])
    a = np.array(hls(rng.random(), rng.uniform(0.25, 0.7), rng.uniform(0.05, 0.7)), float)
    b = np.array(hls(rng.random(), rng.uniform(0.05, 0.9), rng.uniform(0, 0.5)), float)
    y, x = np.mgrid[0:side, 0:side]
    row = y // h
    column = (x + row % 2 * (w // 2) * int(rng.random() < 0.6)) % side // w
    tone = rng.uniform(0.7, 1.3, (side // h + 1, side // w + 1))[row, column]
    joint = (y % h < 3) | ((x + row % 2 * (w // 2)) % w < 3)
    grain = noise(rng, side, side, int(rng.choice([8, 16, 64])))[..., None]
    level = np.where(joint[..., None], b, a * tone[..., None]) * (0.6 + 0.8 * grain)
    levels = [np.clip(level, 0, 255)]
    while len(levels[-1]) > 4:
        n = len(levels[-1]) // 2
        levels.append(levels[-1].reshape(n, 2, n, 2, 3).mean((1, 3)))
    return levels


def sample(levels, u, v, step):
    """Returns colours at (u, v), in turns of the texture, as a GPU does: bilinear, on the level
    where a pixel's step is about one texel."""
    out = np.empty(u.shape + (3,))
    level = np.clip(np.round(np.log2(np.maximum(step * len(levels[0]), 1))), 0,
                    len(levels) - 1).astype(int)
    for i in np.unique(level):
        at, t = level == i, levels[i]
        x, y = u[at] % 1 * len(t) - 0.5, v[at] % 1 * len(t) - 0.5
        x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
        fx, fy = (x - x0)[:, None], (y - y0)[:, None]
        x1, y1 = (x0 + 1) % len(t), (y0 + 1) % len(t)
        x0, y0 = x0 % len(t), y0 % len(t)
        out[at] = ((t[y0, x0] * (1 - fx) + t[y0, x1] * fx) * (1 - fy) +
                   (t[y1, x0] * (1 - fx) + t[y1, x1] * fx) * fy)
    return out


class Room:
    """Is a long room, seen by a camera that walks and turns, with balls that float in it."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.floor, self.ceiling, self.wall = (texture(rng) for _ in range(3))
        self.wide, self.high = rng.uniform(2, 4), rng.uniform(1.2, 2.5)
        self.fog = np.array(hls(rng.random(), rng.uniform(0.02, 0.7), 0.3), float)
        self.far = rng.uniform(8, 25)
        self.speed, self.turn = rng.uniform(0.02, 0.25), rng.uniform(-0.02, 0.02)
        self.yaw, self.pitch = rng.uniform(-0.5, 0.5), rng.uniform(-0.15, 0.15)
        self.balls = [(rng.uniform(-1.5, 1.5), rng.uniform(-0.8, 0.8), rng.uniform(3, 9),
                       rng.uniform(0.15, 0.6), hls(rng.random(), 0.5, 0.8)) for _ in range(6)]

    def frame(self, t, scale, samples):
        """Returns a picture at 1/scale with samples x samples rays a pixel."""
        h, w = HEIGHT // scale * samples, WIDTH // scale * samples
        y, x = np.mgrid[0:h, 0:w]
        dx = ((x + 0.5) / w - 0.5) * 2 * WIDTH / HEIGHT * 0.8
        dy = ((y + 0.5) / h - 0.5) * 2 * 0.8 + self.pitch
        yaw = self.yaw + self.turn * t
        rx, rz = dx * math.cos(yaw) + math.sin(yaw), math.cos(yaw) - dx * math.sin(yaw)
        flat = np.where(np.abs(dy) > 1e-6, self.high / np.maximum(np.abs(dy), 1e-6), 1e6)
        side = np.where(np.abs(rx) > 1e-6, self.wide / np.maximum(np.abs(rx), 1e-6), 1e6)
        depth = np.minimum(np.minimum(flat, side), 4 * self.far)
        along = rz * depth + self.speed * t
        # A pixel's step on the surface grows with the distance and with the slant.
        step = 1.6 / (HEIGHT // scale) * depth * np.where(
            flat < side, 1 / np.maximum(np.abs(dy), 0.15), 1 / np.maximum(np.abs(rx), 0.15)) / 6
        out = np.empty((h, w, 3))
        for at, levels, u, v in (
                ((flat < side) & (dy > 0), self.floor, rx * depth, along),
                ((flat < side) & (dy <= 0), self.ceiling, rx * depth, along),
                (flat >= side, self.wall, along, dy * depth)):
            out[at] = sample(levels, u[at] / 2, v[at] / 2, step[at])
        norm = rx * rx + rz * rz + dy * dy
        for bx, by, bz, r, colour in self.balls:
            bz = bz - self.speed * t
            by = by + 0.05 * math.sin(0.4 * t + bx)
            along_ray = (rx * bx + dy * by + rz * bz) / norm
            miss = bx * bx + by * by + bz * bz - along_ray ** 2 * norm
            d = along_ray - np.sqrt(np.maximum(r * r - miss, 0) / norm)
            hit = (miss < r * r) & (d > 0.2) & (d < depth)
            light = np.clip(-(dy[hit] * d[hit] - by) / r * 0.5 + 0.6, 0.15, 1)[:, None]
            out[hit] = np.array(colour) * light
            depth = np.where(hit, d, depth)
        far = np.clip(depth / self.far, 0, 1)[..., None]
        out = out * (1 - far) + self.fog * far
        n = samples
        return out.reshape(h // n, n, w // n, n, 3).mean((1, 3)).clip(0, 255).astype(np.uint8)


# Cartoons and screens -----------------------------------------------------------------------------

class Sheet:
    """Draws shapes, and over them text, whose places are in pixels of the large picture."""

    def __init__(self, scale, samples, back, steps):
        self.scale, self.k, self.steps = scale, samples / scale, steps
        self.samples, self.texts = samples, []
        self.image = Image.new("RGB", (WIDTH // scale * samples, HEIGHT // scale * samples), back)
        self.draw = ImageDraw.Draw(self.image)

    def place(self, points):
        # Half a pixel is what the renderer's grid is off that of Pillow, which counts from centres.
        return [(x * self.k - 0.5, y * self.k - 0.5) for x, y in points]

    def shape(self, points, fill, line=None, width=0):
        """Draws a polygon, with an outline where there is one."""
        points = self.place(points)
        self.draw.polygon(points, fill)
        if line and width:
            self.draw.line(points + points[:2], line, max(1, round(width * self.k)), "curve")

    def box(self, x0, y0, x1, y1, fill):
        self.shape([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill)

    def text(self, x, y, words, font, size, fill):
        self.texts.append((x, y, words, font, size, fill))

    def finish(self):
        image = self.image
        if self.samples > 1:
            image = image.resize((WIDTH // self.scale, HEIGHT // self.scale), Image.BOX)
        for x, y, words, font, size, fill in self.texts:
            large = ImageFont.truetype(FONTS[font][2], size)
            small = ImageFont.truetype(FONTS[font][2], max(1, round(size / self.scale)))
            mask = Image.new("L", image.size)
            draw = ImageDraw.Draw(mask)
            for word in words.split():
                draw.text((round(x / self.scale), round(y / self.scale)), word, 255, small, "ls")
                x += large.getlength(word + " ")
            # Pillow's own letters in steps jump up and down by a pixel.
            image.paste(fill, (0, 0), mask.point(lambda v: v // 128 * 255) if self.steps else mask)
        return np.asarray(image)


def blob(x, y, w, h, corners, turn=0.0, power=1.0):
    """Returns points of an ellipse, or of a star, whose even points lie 'power' times as far."""
    return [(x + w * (power if i % 2 else 1) * math.cos(turn + i * 2 * math.pi / corners),
             y + h * (power if i % 2 else 1) * math.sin(turn + i * 2 * math.pi / corners))
            for i in range(corners)]


def latin(text):
    """Leaves out words that not every font can write."""
    return " ".join(w for w in text.split() if all(ord(c) < 0x250 for c in w)) or "Waves"


class Cartoon:
    """Is a landscape in layers, with trees, clouds, figures that walk, and a score."""

    def __init__(self, seed):
        r = self.r = random.Random(seed)
        hue = r.random()
        self.sky = hls(hue, r.uniform(0.2, 0.85), 0.5)
        self.layers = [(hls(hue + 0.1 * i + r.uniform(-0.1, 0.1), r.uniform(0.2, 0.7),
                            r.uniform(0.2, 0.8)), r.uniform(0.005, 0.02), r.uniform(10, 60),
                        r.uniform(0, 6), 150 + 75 * i) for i in range(4)]
        self.line = hls(r.random(), 0.08, 0.3) if r.random() < 0.7 else None
        self.width = r.choice([3, 4, 6, 8])
        self.speed = r.choice([-1, 1]) * r.uniform(1, 12)
        self.things = [(r.randrange(4), r.uniform(-400, 1200), r.uniform(0.6, 1.6),
                        r.choice(["tree", "star", "cloud", "figure", "figure"]),
                        [hls(r.random(), r.uniform(0.3, 0.75), 0.7) for _ in range(3)],
                        r.uniform(-4, 4)) for _ in range(22)]
        self.font, self.words = r.choice(sorted(SANS)), Talk(r, False)
        self.score = [latin(self.words.title(2)), f"{r.randrange(99999):05d}"]

    def frame(self, t, scale, samples, steps=False):
        s = Sheet(scale, samples, self.sky, steps)
        for depth, (colour, wave, high, phase, base) in enumerate(self.layers):
            move = self.speed * t * (depth + 1) / 4
            ridge = [(x, base + high * math.sin((x + move) * wave + phase) +
                      high / 3 * math.sin((x + move) * 3.1 * wave)) for x in range(-8, WIDTH + 9, 8)]
            s.shape(ridge + [(WIDTH + 8, HEIGHT + 8), (-8, HEIGHT + 8)], colour, self.line,
                    self.width if self.line else 0)
            for place, x, big, kind, colours, own in self.things:
                if place == depth:
                    self.thing(s, kind, x - move + own * t, base - 10, 40 * big, colours, t)
        for x, words, fill in zip((24, 600), self.score, ((255, 255, 255), (255, 230, 90))):
            if words:
                s.text(x, 52, words, self.font, 40, fill)
        return s.finish()

    def thing(self, s, kind, x, y, size, colours, t):
        line, width = self.line, self.width if self.line else 0
        if kind == "tree":
            s.shape([(x - size / 8, y), (x + size / 8, y), (x + size / 8, y - size),
                     (x - size / 8, y - size)], colours[0], line, width)
            for i in range(3):
                s.shape(blob(x, y - size * (1 + 0.4 * i), size * (0.7 - 0.15 * i), size / 2, 3,
                             -math.pi / 2), colours[1], line, width)
        elif kind == "star":
            s.shape(blob(x, y - 2 * size, size, size, 10, 0.1 * t, 0.45), colours[0], line, width)
        elif kind == "cloud":
            for i in (-1, 1, 0):
                s.shape(blob(x + i * size * 0.7, y - 3 * size, size * 0.8, size * 0.45, 28),
                        colours[2], line, width)
        else:
            swing = math.sin(0.7 * t + x * 0.01) * size * 0.3
            for side in (-1, 1):
                s.shape([(x - 5, y - size * 0.8), (x + 5, y - size * 0.8), (x + side * swing + 6, y),
                         (x + side * swing - 6, y)], colours[1], line, width)
            s.shape(blob(x, y - size * 1.1, size * 0.35, size * 0.5, 24), colours[0], line, width)
            s.shape(blob(x, y - size * 1.9, size * 0.4, size * 0.4, 28), colours[2], line, width)
            for side in (-0.15, 0.2):
                s.shape(blob(x + side * size, y - size * 1.95, size * 0.07, size * 0.1, 14),
                        (10, 10, 10))


class Screen:
    """Is a page of panels with text, of which one part scrolls by whole small pixels."""

    def __init__(self, seed):
        r = random.Random(seed)
        dark, hue = r.random() < 0.5, r.random()
        self.back = hls(hue, r.uniform(0.04, 0.18) if dark else r.uniform(0.85, 1), 0.15)
        self.ink = [hls(hue + r.uniform(-0.5, 0.5), r.uniform(0.7, 1) if dark else
                        r.uniform(0, 0.4), r.uniform(0, 0.8)) for _ in range(5)]
        talk = Talk(r, False)
        self.font = r.choice(sorted(r.choice([SANS, SERIF, MONO])))
        self.lines, self.boxes, y = [], [], 40
        self.panel = r.choice([0, 180, 240])
        while y < 2 * HEIGHT:
            size = r.choice([40, 44, 48, 48, 52, 56, 64, 80])
            self.lines.append((self.panel + 24, y + size, latin(talk.sentence(3, 9)), size,
                               r.choice(self.ink)))
            if r.random() < 0.3:
                self.boxes.append((self.panel + 12, y + 4, WIDTH - r.randint(10, 300),
                                   y + 1.3 * size, hls(hue + r.random(), 0.5, r.random())))
            y += round(size * 1.5)
        self.bars = [(r.randint(12, 150), r.choice(self.ink)) for _ in range(9)]
        self.speed = r.choice([0, 12, 12, 24, 36])

    def frame(self, t, scale, samples, steps=False):
        s, up = Sheet(scale, samples, self.back, steps), self.speed * t
        for x0, y0, x1, y1, fill in self.boxes:
            s.box(x0, y0 - up, x1, y1 - up, fill)
        for x, y, words, size, fill in self.lines:
            s.text(x, y - up, words, self.font, size, fill)
        for i, (length, fill) in enumerate(self.bars if self.panel else []):
            s.box(12, 24 + 44 * i, 12 + length, 48 + 44 * i, fill)
        return s.finish()


# Files --------------------------------------------------------------------------------------------

KINDS = {"room": (Room, "game art: rooms in perspective, drawn", "none"),
         "cartoon": (Cartoon, "game art: cartoon, drawn", "Apache-2.0 or OFL-1.1 or BSD"),
         "screen": (Screen, "desktop: drawn text", "Apache-2.0 or OFL-1.1 or BSD")}


def write(path, frames, options):
    h, w = frames.shape[1:3]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt",
                    "rgb24", "-s", f"{w}x{h}", "-r", str(FPS), "-i", "-", *options, path],
                   input=np.ascontiguousarray(frames).tobytes(), check=True)


def make(job):
    """Writes a scene at all sizes; returns its row for the manifest."""
    out, kind, number, seed = job
    scene = KINDS[kind][0](seed * 1000 + number)
    name, steps = f"{kind}_s{seed}_{number:02d}", number % 2 == 0
    large = np.stack([scene.frame(t, 1, SMOOTH) for t in range(FRAMES)])
    write(os.path.join(out, name + ".mp4"), large, [
        "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,"
        "format=yuv444p", "-c:v", "libx264", "-preset", "slow", "-crf", "8", "-colorspace", "bt709",
        "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"])
    more = () if kind == "room" else (steps,)
    for scale in SCALES:
        small = np.stack([scene.frame(t, scale, 1 if steps else SMOOTH, *more)
                          for t in range(FRAMES)])
        write(os.path.join(out, f"{name}.x{scale}.mkv"), small, [
            "-c:v", "libx264rgb", "-preset", "slow", "-qp", "0"])
    return (f"| `{name}.mp4` | {WIDTH}x{HEIGHT} | {FRAMES} | {KINDS[kind][1]} | GPL-2.0-or-later "
            f"(own drawing; fonts: {KINDS[kind][2]}) | obs-flashvsr contributors |")


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=15)
    opt = p.parse_args()
    install_fonts()
    jobs = {part: [] for part in ("train", "eval")}
    for kind in KINDS:
        for i in range(opt.count):
            part = "eval" if i % 5 == 4 else "train"
            jobs[part].append((os.path.join(opt.out, part), kind, i, opt.seed))
    with multiprocessing.Pool() as pool:
        for part, some in jobs.items():
            os.makedirs(os.path.join(opt.out, part), exist_ok=True)
            rows = pool.map(make, some, 1)
            with open(os.path.join(opt.out, part, "MANIFEST.md"), "w", encoding="utf-8") as f:
                f.write("# Scenes\n\nMade by `train/data/scenes.py`.\n\n"
                        "| file | size px | frames | shows | licence | attribution |\n"
                        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n")
            print(f"{part}: {len(rows)} scenes")


if __name__ == "__main__":
    main()
