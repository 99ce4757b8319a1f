# SPDX-License-Identifier: GPL-2.0-or-later
"""`fvsr compare`: the right pictures, pixel for pixel, and figures that mean what they say."""
import re
import subprocess
import sys
from pathlib import Path

from media_tests import TURNS, turned
from support import MODEL, Skipped, check, ffmpeg, fvsr, psnr, same, stream, video

MARGIN, HEADER = 8, 76  # of the page; the pictures lie below the header


def compare(source, page, *options, status=0):
    return fvsr("compare", "-m", MODEL, "-t", 1, "-s", 2, "-o", page, *options, source,
                status=status)


def rgb(path, *options):
    """Size and pixels of the first picture that ffmpeg makes of a file."""
    width, height = stream(path, "width", "height")
    run = subprocess.run(["ffmpeg", "-v", "error", *map(str, options), "-i", str(path),
                          "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
                         check=True, capture_output=True)
    return width, height, run.stdout


def panels(page, width, height, count):
    """The pictures of a page whose headers are not wider than they."""
    page_width, page_height, data = rgb(page)
    same((page_width, page_height), (MARGIN + count * (width + MARGIN),
                                     HEADER + 2 * MARGIN + height), "size of the page")
    rows = [data[3 * page_width * y:3 * page_width * (y + 1)]
            for y in range(HEADER + MARGIN, HEADER + MARGIN + height)]
    return [b"".join(row[3 * left:3 * (left + width)] for row in rows)
            for left in range(MARGIN, page_width - MARGIN, width + MARGIN)]


def clip(path, frames, *options, size="160x96"):
    """Pictures that lose nothing on their way through the file."""
    return video(path, frames, "-pix_fmt", "bgr0", *options, codec="ffv1", size=size)


def test_compare(tmp):
    """The upscaled picture is the one that `fvsr upscale` makes, before and bicubic are theirs."""
    source = clip(tmp / "in.mkv", 20)
    fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, "--codec", "ffv1", "--pixel-format", "bgr0",
         source, tmp / "out.mkv")
    text = compare(source, tmp / "page.png", "--at", 0.48, "--crop", "320x192+0+0")
    check("the picture at 0.480 s" in text and "320x192 at +0+0" in text, text)
    before, bicubic, after = panels(tmp / "page.png", 320, 192, 3)
    small = rgb(source, "-ss", 0.479)[2]
    repeated = b"".join(b"".join(small[3 * (160 * (y // 2) + x // 2):][:3] for x in range(320))
                        for y in range(192))
    check(before == repeated, "'before' is not the source's picture")
    check(after == rgb(tmp / "out.mkv", "-ss", 0.479)[2], "'after' is not what upscale makes")
    check(15 < psnr(bicubic, repeated) < 100 and bicubic != after, "'bicubic'")
    # What is made already is taken from its file.
    fvsr("compare", "--at", 0.48, "--crop", "320x192+0+0", "-o", tmp / "other.png", source,
         tmp / "out.mkv")
    same((tmp / "other.png").read_bytes(), (tmp / "page.png").read_bytes(), "page from a file")
    # A part is cut out of these pictures. Narrower than its names, it has room beside it.
    compare(source, tmp / "part.png", "--at", 0.48, "--crop", "200x50+60+100")
    part = panels(tmp / "part.png", 200, 50, 3)[2]
    same(part, b"".join(after[3 * (320 * y + 60):][:600] for y in range(100, 150)), "the part")


def test_compare_seek(tmp):
    """A file is entered at a key picture; the picture shown at a time is the right one."""
    source = video(tmp / "in.mkv", 130, "-g", 50, "-bf", 3, "-crf", 0, codec="libx264rgb",
                   size="160x96")
    for at, frame in ((4.0, 100), (4.999, 124), (0, 0), (0.05, 1)):
        compare(source, tmp / "page.png", "--at", at, "--crop", "320x192+0+0")
        before = panels(tmp / "page.png", 320, 192, 3)[0]
        ffmpeg("-i", source, "-vf", f"select=eq(n\\,{frame}),scale=320:192:flags=neighbor",
               "-frames:v", 1, tmp / "want.png")
        check(before == rgb(tmp / "want.png")[2], "the picture at", at)


def test_compare_reference(tmp):
    truth = clip(tmp / "truth.mkv", 10, size="320x192")
    ffmpeg("-i", truth, "-vf", "scale=160:96", "-c:v", "ffv1", tmp / "in.mkv")
    text = compare(tmp / "in.mkv", tmp / "page.png", "--at", 0.2, "--crop", "320x192+0+0", "-r",
                   truth)
    figures = re.findall(r"^(bicubic|after) +PSNR ([\d.]+) dB  SSIM ([\d.]+)(.*)$", text, re.M)
    same([line[0] for line in figures], ["bicubic", "after"], "figures")
    pictures = rgb(tmp / "page.png")
    check(pictures[0] > 4 * 320, "no room for four pictures")
    for name, shown, ssim, rest in figures:
        check(0 < float(ssim) < 1 and 10 < float(shown) < 60, name, shown, ssim)
        check(("VMAF" in rest) == ("no VMAF" not in text), "VMAF:", text)
    # What is the truth itself has nothing left to gain.
    text = fvsr("compare", "--at", 0.2, "-o", tmp / "page.png", "-r", truth, tmp / "in.mkv", truth)
    check(re.search(r"after +PSNR 100.00 dB  SSIM 1.0000", text), text)


def test_compare_figures(tmp):
    """PSNR and SSIM are those of the benchmark of quality."""
    try:
        import numpy as np
    except ImportError:
        raise Skipped("numpy is not installed") from None
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench" / "quality"))
    import metrics
    truth = clip(tmp / "truth.mkv", 1, size="97x61")
    ffmpeg("-i", truth, "-vf", "noise=alls=40:all_seed=3,format=bgr0", "-c:v", "ffv1",
           tmp / "noisy.mkv")
    text = fvsr("compare", "-o", tmp / "page.png", "-r", truth, truth, tmp / "noisy.mkv")
    shown, ssim = map(float, re.search(r"after +PSNR ([\d.]+) dB  SSIM ([\d.]+)", text).groups())
    a, b = (np.frombuffer(rgb(path)[2], np.uint8).reshape(61, 97, 3)
            for path in (tmp / "noisy.mkv", truth))
    check(abs(shown - psnr(a.tobytes(), b.tobytes())) < 0.006, "PSNR", shown)
    moments = [metrics.Moments(metrics.luma(picture)) for picture in (a, b)]
    check(abs(ssim - metrics.ssim(*moments)) < 0.0001, "SSIM", ssim)


def test_compare_refuses(tmp):
    source = clip(tmp / "in.mkv", 5)
    small = clip(tmp / "small.mkv", 5, size="80x48")
    page = tmp / "page.png"
    for options in (["--crop", "320"], ["--crop", "320x192+1+0"], ["--crop", "0x10"],
                    ["--crop", "10x10+5"], ["--at", 3], ["-r", source], [source, "--crop", "x"]):
        compare(source, page, *options, status=2)
    check("fewer than" in fvsr("compare", "-o", page, source, small, status=2), "a smaller OUT")
    for path in (source, small):
        untouched = path.read_bytes()
        fvsr("compare", "-o", path, source, "-r", small, status=2)
        same(path.read_bytes(), untouched, "a film that was named as the page")
    compare(source, tmp / "no-folder" / "page.png", status=1)
    compare(tmp / "none.mkv", page, status=1)
    check(not page.exists(), "a page was left")


def test_compare_turned(tmp):
    """A film that is to be shown turned is compared as it is shown."""
    plain = video(tmp / "plain.mp4", 5, "-qp", 0, size="96x160")
    source = turned(plain, TURNS["90"], tmp / "in.mp4")
    compare(source, tmp / "page.png", "--at", 0, "--crop", "320x192+0+0")
    before = panels(tmp / "page.png", 320, 192, 3)[0]
    distances = []
    for turn in ("null", "hflip,vflip"):
        ffmpeg("-i", source, "-vf", f"{turn},scale=320:192:flags=neighbor", "-frames:v", 1,
               tmp / "want.png")
        distances.append(psnr(before, rgb(tmp / "want.png")[2]))
    check(distances[0] > distances[1] + 3, "it is turned otherwise:", distances)
