# SPDX-License-Identifier: GPL-2.0-or-later
"""Collects free photographs and game art, because a network that is trained on few pictures learns
these by heart.

    python3 -m train.data.photos OUT [--debs DIR] [--git DIR] [LIST...]

makes OUT/train/NAME.jpg, OUT/eval/NAME.jpg for what is held out, and a MANIFEST.md in each, from the
lists lists/photographs.txt and lists/game-art.txt or from those named: wallpapers and game data of
Debian's packages and files of public repositories, each with a licence that its package or
repository states. Photographs are shrunk, so that they are sharp and free of traces of their
compression; the richer in detail a photograph is, the more it is shrunk. Game art is as sharp as it
was drawn and is shrunk only where it is large; what is transparent gets a plain background.

DIR keeps the packages (6 GB), or holds bare clones called OWNER+NAME; without DIR both are fetched
and deleted again. The photos of the evaluation clips (record.sh, eval/) and others by the same
photographers are not used, nor are photos that only the terms of a stock site cover. Needs Pillow,
git and Debian 12's apt-get.
"""

import argparse
import colorsys
import io
import multiprocessing
import os
import tempfile
import zlib

from PIL import Image, ImageFile, ImageOps

from train.data import sources

SIDES = 960, 896, 832, 768, 720, 672, 640, 608
ImageFile.MAXBLOCK = 1 << 23  # Pillow needs the room for a whole optimised file


class Photograph:
    """Says how photographs are kept."""
    ending = "shrunk"
    smallest, quality, most_bytes = (520, 400), 90, 90000

    @staticmethod
    def largest(image):
        return 1 / 1.25


class Art(Photograph):
    """Says how game art is kept."""
    ending = "as it is or shrunk"
    smallest, quality, most_bytes = (400, 320), 94, 150000

    @staticmethod
    def largest(image):
        """Leaves alone what was never compressed with loss."""
        return 1 / 1.25 if image.format in ("JPEG", "WEBP") and min(image.size) >= 500 else 1


KINDS = {"photographs": Photograph, "game-art": Art}


def opaque(image, name):
    """Lays a picture on a plain colour that its name decides, where it is transparent."""
    if image.mode not in ("RGBA", "LA", "P") or \
            image.mode == "P" and "transparency" not in image.info:
        return image.convert("RGB")
    seed = zlib.crc32(name.encode())
    colour = colorsys.hls_to_rgb(seed % 97 / 97, 0.15 + seed // 97 % 70 / 100, 0.4)
    ground = Image.new("RGBA", image.size, (*(round(255 * c) for c in colour), 255))
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def shrunk(data, name, kind):
    """Returns (width, height, JPEG) of about the largest side whose file is small enough, or else
    of the smallest side."""
    image = Image.open(io.BytesIO(data))
    largest, whole = kind.largest(image), max(image.size)
    image.draft("RGB", (2 * SIDES[0], 2 * SIDES[0]))  # decodes huge ones at a half or a quarter
    image = opaque(ImageOps.exif_transpose(image), name)
    best = None
    for side in SIDES:
        scale = min(side / whole, largest) * whole / max(image.size)
        size = [round(v * scale) for v in image.size]
        if max(size) < kind.smallest[0] or min(size) < kind.smallest[1]:
            break
        # A file grows about as its area does: sides that cannot be small enough are not tried.
        if best and side > SIDES[-1] and \
                len(best[2]) * (size[0] * size[1]) / (best[0] * best[1]) > 1.2 * kind.most_bytes:
            continue
        out = io.BytesIO()
        image.resize(size, Image.Resampling.LANCZOS).save(
            out, "JPEG", quality=kind.quality, subsampling=0, optimize=True)
        best = *size, out.getvalue()
        if len(best[2]) <= kind.most_bytes:
            break
    if not best:
        raise sources.ListError(f"{name} is too small: {image.size}")
    return best


def collect(listed, debs, repositories, work):
    """Yields (whether it is held out, name, file's bytes, shows, source, licence, attribution) of
    every picture."""
    for source in listed:
        for place, line, data, whence, stated in sources.fetch(source, debs, repositories, work):
            path, shows, who, licence, title = line
            called, by = sources.label(path)
            yield (source.is_held(place), sources.file_name(source.tag, title or called, ".jpg"),
                   data, shows or source.shows, whence, f"{licence or source.licence}, {stated}",
                   who or source.by or by)


def make(job):
    """Returns a picture's columns with its JPEG in place of the file."""
    kind, (held, name, data, *rest) = job
    return kind, held, name, *shrunk(data, name, kind), *rest


def write_manifest(folder, rows):
    with open(os.path.join(folder, "MANIFEST.md"), "w", encoding="utf-8") as f:
        f.write("# Photographs and game art\n\nMade by `train/data/photos.py`.\n\n"
                "| file | size px | shows | source | licence, where stated | attribution |\n"
                "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("lists", nargs="*", default=sorted(KINDS), help="photographs, game-art, or both")
    p.add_argument("--debs", help="where the packages are kept")
    p.add_argument("--git", help="where bare clones of the repositories are")
    opt = p.parse_args()
    folders = [os.path.join(opt.out, part) for part in ("train", "eval")]
    for folder in filter(None, (*folders, opt.debs)):
        os.makedirs(folder, exist_ok=True)
    total, rows = 0, ([], [])
    with multiprocessing.Pool() as pool, tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        jobs = ((KINDS[name], columns) for name in opt.lists for columns in collect(
            sources.read_list(os.path.join(sources.LISTS, name + ".txt")), opt.debs, opt.git, work))
        for kind, held, name, w, h, jpeg, shows, whence, licence, who in pool.imap(make, jobs, 4):
            with open(os.path.join(folders[held], name), "wb") as f:
                f.write(jpeg)
            total += len(jpeg)
            rows[held].append(f"| `{name}` | {w}x{h} | {shows} | {whence} | {licence} | {who}; "
                              f"{kind.ending} |")
            print(f"{name} {w}x{h} {len(jpeg) // 1024} KiB", flush=True)
    for folder, lines in zip(folders, rows):
        write_manifest(folder, lines)
    print(f"{len(rows[0])} pictures and {len(rows[1])} held out, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
