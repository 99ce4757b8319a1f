# SPDX-License-Identifier: GPL-2.0-or-later
"""Collects short clips of free videos.

    python3 -m train.data.videos OUT [--debs DIR] [--git DIR]

makes OUT/train/NAME.mp4, OUT/eval/NAME.mp4 for what is held out, and a MANIFEST.md in each, from
lists/videos.txt. Clips are shrunk, so that fewer traces of their compression stay, and kept with
little loss: H.264, 4:4:4. DIR is as for photos.py. Needs git, FFmpeg and Debian 12's apt-get.
"""

import argparse
import os
import subprocess
import tempfile

from train.data import sources

CRF = 10


def cut(path, to, first, count, size):
    """Writes 'count' frames from 'first' on."""
    width, height = size.split("x")
    chain = (f"select=between(n\\,{first}\\,{first + count - 1}),scale={width}:{height}:"
             "flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp:"
             "out_color_matrix=bt709:out_range=tv,format=yuv444p")
    tags = [word for key in ("colorspace", "color_primaries", "color_trc")
            for word in ("-" + key, "bt709")]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-vf", chain, "-an",
                    "-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "slow", "-crf",
                    str(CRF), *tags, "-color_range", "tv", "-movflags", "+faststart", to],
                   check=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--debs", help="where the packages are kept")
    p.add_argument("--git", help="where bare clones of the repositories are")
    opt = p.parse_args()
    folders = [os.path.join(opt.out, part) for part in ("train", "eval")]
    for folder in filter(None, (*folders, opt.debs)):
        os.makedirs(folder, exist_ok=True)
    rows = ([], [])
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        for source in sources.read_list(os.path.join(sources.LISTS, "videos.txt")):
            for place, line, data, whence, stated in sources.fetch(source, opt.debs, opt.git, work):
                path, shows, who, licence, (first, count, size) = *line[:4], line[4].split()
                name = sources.file_name(source.tag, sources.label(path)[0], ".mp4")
                raw = os.path.join(work, "raw" + os.path.splitext(path)[1])
                with open(raw, "wb") as f:
                    f.write(data)
                held = source.is_held(place)
                cut(raw, os.path.join(folders[held], name), int(first), int(count), size)
                rows[held].append(
                    f"| `{name}` | {size} | {count} | {shows or source.shows} | {whence} | "
                    f"{licence or source.licence}, {stated} | {who or source.by}; cut and shrunk |")
                print(f"{name} {size}", flush=True)
    for folder, lines in zip(folders, rows):
        with open(os.path.join(folder, "MANIFEST.md"), "w", encoding="utf-8") as f:
            f.write("# Videos\n\nMade by `train/data/videos.py`.\n\n"
                    "| file | size px | frames | shows | source | licence, where stated | "
                    "attribution |\n|---|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n")
    print(f"{len(rows[0])} clips and {len(rows[1])} held out")


if __name__ == "__main__":
    main()
