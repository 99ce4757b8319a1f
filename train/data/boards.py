# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws still pictures of desktops and 2-D games, which training sets in motion itself, because
recordings have too few kinds of text, user interfaces and pixel art.

    python3 -m train.data.boards OUT [--seed N] [--debs DIR]

makes OUT/NAME.png, or OUT/NAME_sN.png with another seed than 1, and OUT/MANIFEST.md. Drawn boards
show terminals, editors, web pages, chats, stream overlays, spreadsheets, file managers and desktops
with windows, each in other colours and fonts; half of them are light. Game boards show maps and
levels that are put together from the pictures of Debian's packages at their own size. DIR keeps the
packages (480 MB); without it they are deleted again.

The fonts, games and pictures of the evaluation clips (record.sh, eval/) are not used. The same
seed, fonts and packages give the same boards. Needs numpy, Pillow and Debian 12's apt-get.
"""

import argparse
import functools
import os
import re
import struct
import subprocess
import tempfile
import zlib

import numpy as np
from PIL import Image

from train.data.board_games import game_boards
from train.data.board_kit import CJK, FONTS
from train.data.board_screens import drawn_boards


# Files --------------------------------------------------------------------------------------------

def few_colours(a, most=256, tolerance=10):
    """Returns (palette, indices) where 256 colours are enough, or None. Frequent colours are kept
    exactly, and rare ones, on edges of letters, to a difference that nobody sees."""
    v = a[..., 0].astype(np.int32) << 16 | a[..., 1].astype(np.int32) << 8 | a[..., 2]
    colours, index, count = np.unique(v, return_inverse=True, return_counts=True)
    if len(colours) > 40000:
        return None
    order = np.argsort(-count)
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], 1)
    for near in range(0, tolerance + 1, 2):
        left, centres, to = order, [], np.zeros(len(colours), int)
        while len(left) and len(centres) < most:
            close = abs(rgb[left] - rgb[left[0]]).max(1) <= near
            to[left[close]] = len(centres)
            centres.append(left[0])
            left = left[~close]
        if not len(left):
            return rgb[centres].astype(np.uint8), to[index].reshape(v.shape).astype(np.uint8)
    return None


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def unfiltered(a, palette=None):
    """Returns a PNG without line filters, since letters pack best that way."""
    h, w = a.shape[:2]
    rows = np.pad(a.reshape(h, -1), ((0, 0), (1, 0))).tobytes()
    head = struct.pack(">IIBBBBB", w, h, 8, 2 if palette is None else 3, 0, 0, 0)
    colours = b"" if palette is None else chunk(b"PLTE", palette.tobytes())
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + colours +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def save(im, path, game):
    a = np.asarray(im)
    found = few_colours(a)
    if found is None and game:
        q = im.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
        found = np.array(q.getpalette(), np.uint8).reshape(-1, 3), np.asarray(q)
    im.save(path, optimize=True)
    data = unfiltered(found[1], found[0]) if found else unfiltered(a)
    if len(data) < os.path.getsize(path):
        with open(path, "wb") as f:
            f.write(data)
    return os.path.getsize(path)


@functools.cache
def versions(packages):
    text = subprocess.run(["apt-cache", "policy", *packages],
                          capture_output=True,
                          text=True,
                          check=True).stdout
    return dict(re.findall(r"^(\S+):\n.*\n  Candidate: (\S+)", text, re.M))


def install_fonts():
    packages = sorted({f[0] for f in FONTS.values()} | {CJK[0]})
    if subprocess.run(["dpkg", "-s", *packages], capture_output=True, check=False).returncode:
        sudo = [] if os.getuid() == 0 else ["sudo"]
        subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends",
                        *packages], check=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--debs", help="where the games' packages are kept")
    opt = p.parse_args()
    install_fonts()
    os.makedirs(opt.out, exist_ok=True)
    total, lines = 0, []
    with tempfile.TemporaryDirectory() as work:
        folder = opt.debs or work
        os.makedirs(folder, exist_ok=True)
        os.chmod(work, 0o755)
        for boards, game in ((drawn_boards(opt.seed), 0), (game_boards(opt.seed, folder), 1)):
            for name, im, shows, packages, licence, who in boards:
                name += "" if opt.seed == 1 else f"_s{opt.seed}"
                size = save(im, os.path.join(opt.out, name + ".png"), game)
                total += size
                known = versions(tuple(packages))
                whence = ", ".join(f"{q} {known.get(q, '')}".strip() for q in packages)
                lines.append(f"| `{name}.png` | {im.width}x{im.height} | {shows} | {whence} | "
                             f"{licence} | {who} |")
                print(f"{name} {im.width}x{im.height} {size // 1024} KiB", flush=True)
    with open(os.path.join(opt.out, "MANIFEST.md"), "w", encoding="utf-8") as f:
        f.write(
            "# Boards\n\nMade by `train/data/boards.py`.\n\n"
            "| file | size px | shows | Debian package | licence, where stated | attribution |\n"
            "|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n")
    print(f"{len(lines)} boards, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
