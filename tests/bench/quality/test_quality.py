#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The quality benchmark itself: metrics against known values and a slow second opinion, the methods
against what they promise, and the whole run on one small clip with the real fvsr.

    test_quality.py [FVSR MODEL]    without the two, only what needs no engine

Exits with 77, and a reason, where numpy or Pillow is missing.
"""
import contextlib
import io
import json
import math
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
try:
    import numpy as np
    from PIL import Image

    sys.path.append(str(Path(__file__).resolve().parents[3]))  # for train.data.video
    import fsr
    import methods
    import metrics
    import panels
    import quality
    import report
    from train.data import video
except ImportError as missing:
    print(f"skipped: {missing}; Debian has python3-numpy and python3-pil")
    sys.exit(SKIPPED)

FVSR = MODEL = None
LAST_CONV = ("dec.decoder.26.weight", "dec.decoder.26.bias")


def noise(height, width, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def smooth(height, width, seed=1):
    """Something like a picture: noise, blurred."""
    small = Image.fromarray(noise(height // 4, width // 4, seed))
    return np.asarray(small.resize((width, height), Image.BICUBIC))


def edge(side, angle, grey_levels=(40, 200)):
    """An antialiased straight edge through the middle, as RGB."""
    y, x = np.mgrid[0:side * 4, 0:side * 4] / 4 - side / 2
    dark, light = grey_levels
    fine = np.where(x * math.cos(angle) + y * math.sin(angle) > 0, light, dark).astype(float)
    grey = fine.reshape(side, 4, side, 4).mean((1, 3)).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def score(truths, frames):
    total = metrics.Score()
    for truth, frame in zip(truths, frames, strict=True):
        total.add(metrics.Truth(truth), frame)
    return total.result()


def slow_ssim(a, b):
    """Written from the definition, window by window, in double precision."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets ** 2) / (2 * 1.5 ** 2))
    window /= window.sum()
    values = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = (s[y:y + 11, x:x + 11].astype(np.float64) for s in (a, b))
            mp, mq = (window * p).sum(), (window * q).sum()
            vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
            c = (window * (p - mp) * (q - mq)).sum()
            values.append((2 * mp * mq + 6.5025) * (2 * c + 58.5225) /
                          ((mp * mp + mq * mq + 6.5025) * (vp + vq + 58.5225)))
    return sum(values) / len(values)


def slow_easu(picture, scale, out_y, out_x):
    """One pixel, in scalars: the offsets of the taps are turned into the edge's own axes."""
    height, width, _ = picture.shape
    y, x = ((at + 0.5) / scale - 0.5 for at in (out_y, out_x))
    top, left = math.floor(y), math.floor(x)

    def at(down, right):
        row = min(max(top + down, 0), height - 1)
        return picture[row, min(max(left + right, 0), width - 1)] / 255

    def luma(down, right):
        red, green, blue = at(down, right)
        return red / 2 + green + blue / 2

    def slope(a, b, c):
        steepest = max(abs(c - b), abs(b - a))
        return c - a, min(abs(c - a) / steepest, 1) ** 2 if steepest else 0

    gx = gy = strength = 0
    for down in (0, 1):
        for right in (0, 1):
            share = abs(1 - down - (y - top)) * abs(1 - right - (x - left))
            sx, ex = slope(*(luma(down, right + i) for i in (-1, 0, 1)))
            sy, ey = slope(*(luma(down + i, right) for i in (-1, 0, 1)))
            gx, gy, strength = gx + share * sx, gy + share * sy, strength + share * (ex + ey)
    steep = math.hypot(gx, gy)
    turn = math.atan2(gy, gx) if steep ** 2 >= 1 / 32768 else 0
    strength = (strength / 2) ** 2
    squeeze = 1 + (1 / max(abs(math.cos(turn)), abs(math.sin(turn))) - 1) * strength
    lobe = 0.5 + (0.21 - 0.5) * strength
    total, norm = np.zeros(3), 0
    for down in range(-1, 3):
        for right in range(-1, 3):
            if down in (-1, 2) and right in (-1, 2):
                continue
            oy, ox = top + down - y, left + right - x
            u = (ox * math.cos(turn) + oy * math.sin(turn)) * squeeze
            v = (oy * math.cos(turn) - ox * math.sin(turn)) * (1 - strength / 2)
            d2 = min(u * u + v * v, 1 / lobe)
            weight = (25 / 16 * (2 / 5 * d2 - 1) ** 2 - 9 / 16) * (lobe * d2 - 1) ** 2
            total, norm = total + weight * at(down, right), norm + weight
    nearest = [at(down, right) for down in (0, 1) for right in (0, 1)]
    return np.clip(total / norm, np.min(nearest, axis=0), np.max(nearest, axis=0))


class Metrics(unittest.TestCase):
    def test_psnr_of_an_offset(self):
        truth = noise(40, 50) // 2
        for offset, decibels in ((1, 48.1308), (5, 34.1514), (20, 22.1102)):
            got = score([truth], [truth + np.uint8(offset)])
            self.assertAlmostEqual(got["psnr"], decibels, places=4)
            self.assertAlmostEqual(got["psnr_y"], decibels, places=3)

    def test_psnr_is_of_the_clips_mean_error(self):
        truth = np.full((20, 20, 3), 100, np.uint8)
        got = score([truth, truth], [truth + np.uint8(1), truth + np.uint8(7)])
        self.assertAlmostEqual(got["psnr"], 10 * math.log10(255 ** 2 / 25), places=6)

    def test_one_colour_counts_a_third(self):
        truth = np.full((20, 20, 3), 100, np.uint8)
        green = truth.copy()
        green[..., 1] += 9
        got = score([truth], [green])
        self.assertAlmostEqual(got["psnr"], 10 * math.log10(255 ** 2 / 27), places=6)
        self.assertAlmostEqual(got["psnr_y"], 20 * math.log10(255 / (9 * 0.587)), places=3)

    def test_an_exact_copy(self):
        truth = noise(30, 40)
        got = score([truth, truth], [truth, truth])
        self.assertEqual(got, {"psnr": 100, "psnr_y": 100, "ssim": 1, "temporal": 0})

    def test_ssim_of_two_flat_pictures(self):
        flat = [np.full((30, 30), level, np.float32) for level in (100, 120)]
        want = (2 * 100 * 120 + 6.5025) / (100 ** 2 + 120 ** 2 + 6.5025)
        got = metrics.ssim(*map(metrics.Moments, flat))
        self.assertAlmostEqual(got, want, places=6)

    def test_ssim_against_the_definition(self):
        a = metrics.luma(smooth(44, 52, 1))
        others = (metrics.luma(smooth(44, 52, 2)), metrics.luma(noise(44, 52)), 255 - a,
                  a + metrics.luma(noise(44, 52)) / 16, np.zeros_like(a))
        for b in others:
            got = metrics.ssim(metrics.Moments(a), metrics.Moments(b.astype(np.float32)))
            self.assertAlmostEqual(got, slow_ssim(a, b), places=4)

    def test_temporal_error(self):
        truth = [noise(20, 24, seed) // 4 for seed in range(3)]
        steady = [frame + np.uint8(9) for frame in truth]
        self.assertEqual(score(truth, steady)["temporal"], 0)
        flicker = [frame + np.uint8(offset) for frame, offset in zip(truth, (0, 6, 4))]
        self.assertAlmostEqual(score(truth, flicker)["temporal"], math.sqrt((36 + 4) / 2))
        self.assertEqual(score(truth[:1], flicker[:1])["temporal"], 0)


class Fsr(unittest.TestCase):
    def test_a_flat_picture_stays_as_it_is(self):
        for colour in ((0, 0, 0), (255, 255, 255), (1, 128, 254), (255, 0, 0), (77, 78, 79)):
            flat = np.full((9, 11, 3), colour, np.uint8)
            for scale in (2, 3, 4):
                for picture in fsr.both(flat, scale):
                    self.assertEqual(picture.shape, (9 * scale, 11 * scale, 3))
                    self.assertTrue((picture == flat[0, 0]).all(), (colour, scale))

    def test_easu_never_leaves_what_it_is_made_of(self):
        for angle in np.linspace(0, math.pi, 9):
            picture = fsr.upscale(edge(24, angle), 4, sharpen=False)
            self.assertTrue(picture.min() >= 40 and picture.max() <= 200, angle)
        large = fsr.upscale(noise(12, 12), 3, sharpen=False)[3:-3, 3:-3]
        blocks = noise(12, 12)
        low = np.minimum.reduce([blocks[1 + y:11 + y, 1 + x:11 + x]
                                 for y in (-1, 0, 1) for x in (-1, 0, 1)])
        self.assertTrue((large >= low.repeat(3, 0).repeat(3, 1)).all())

    def test_easu_against_the_definition(self):
        for picture in (smooth(12, 16), noise(9, 8), edge(12, 0.7)):
            for scale in (2, 3, 4):
                large = fsr.easu(picture, scale).transpose(1, 2, 0)
                for out_y in range(0, large.shape[0], 3):
                    for out_x in range(out_y % 5, large.shape[1], 5):
                        want = slow_easu(picture, scale, out_y, out_x)
                        np.testing.assert_allclose(large[out_y, out_x], want, atol=2e-4)

    def test_rcas_sharpens_within_the_range(self):
        soft = methods.resize(edge(24, 0.4), 96, 96).transpose(2, 0, 1) / np.float32(255)
        sharp = fsr.rcas(soft)
        self.assertTrue(sharp.min() >= 0 and sharp.max() <= 1)
        slope = [np.abs(np.diff(p, axis=2)).max() for p in (soft, sharp)]
        self.assertGreater(slope[1], slope[0])
        less = fsr.rcas(soft, stops=2)
        self.assertLess(np.abs(less - soft).max(), np.abs(sharp - soft).max())

    def test_rcas_against_the_definition(self):
        planes = smooth(12, 16).transpose(2, 0, 1).astype(np.float32) / 255
        sharp = fsr.rcas(planes, stops=1)
        for y, x in ((5, 5), (1, 9), (10, 14)):
            m = planes[:, y, x].astype(np.float64)
            ring = planes[:, [y - 1, y + 1, y, y], [x, x, x - 1, x + 1]].astype(np.float64)
            low, high = ring.min(1), ring.max(1)
            lobes = np.maximum(-np.minimum(low, m) / (4 * high),
                               (1 - np.maximum(high, m)) / (4 * low - 4))
            lobe = max(-3 / 16, min(lobes.max(), 0)) * 0.5
            want = (m + lobe * ring.sum(1)) / (1 + 4 * lobe)
            np.testing.assert_allclose(sharp[:, y, x], want, atol=1e-5)

    def test_the_same_twice_and_mirrored(self):
        picture = smooth(16, 20)
        sharpened, plain = fsr.both(picture, 4)
        self.assertTrue((fsr.upscale(picture, 4) == sharpened).all())
        self.assertTrue((fsr.upscale(picture, 4, sharpen=False) == plain).all())
        mirrored = fsr.upscale(picture[:, ::-1], 4)[:, ::-1].astype(int)
        self.assertLessEqual(np.abs(mirrored - sharpened).max(), 1)

    def test_a_diagonal_edge_is_better_than_bicubic(self):
        for angle in (math.pi / 4, 0.6, 1.0, 3 * math.pi / 4):
            truth = edge(192, angle)
            small = methods.resize(truth, 48, 48)
            pictures = methods.upscale(small, 4)
            errors = {m: np.square(p.astype(float) - truth).mean() for m, p in pictures.items()}
            self.assertLess(errors[methods.EASU], errors[methods.BICUBIC] * 0.9, angle)


class Interpolation(unittest.TestCase):
    @staticmethod
    def matrix(size, scale, profile, reach):
        """Weights of a one-dimensional resize, from the definition: borders are left out."""
        rows = np.zeros((size * scale, size))
        for out in range(size * scale):
            at = (out + 0.5) / scale - 0.5
            for tap in range(max(0, math.ceil(at - reach)), min(size - 1, int(at + reach)) + 1):
                rows[out, tap] = profile(abs(at - tap))
        return rows / rows.sum(1, keepdims=True)

    @staticmethod
    def keys(t):
        a = -0.5
        if t < 1:
            return ((a + 2) * t - (a + 3)) * t * t + 1
        return (((t - 5) * t + 8) * t - 4) * a if t < 2 else 0

    @staticmethod
    def lanczos(t):
        return float(np.sinc(t) * np.sinc(t / 3)) if t < 3 else 0

    def test_both_are_what_their_names_say(self):
        picture = smooth(16, 20) // 2 + 64  # so that nothing is cut off at 0 or 255
        for method, profile, reach in ((methods.BICUBIC, self.keys, 2),
                                       (methods.LANCZOS, self.lanczos, 3)):
            for scale in (2, 3, 4):
                down, across = (self.matrix(side, scale, profile, reach) for side in (16, 20))
                want = np.einsum("ya,abc,xb->yxc", down, picture.astype(float), across)
                got = methods.upscale(picture, scale)[method]
                # Pillow rounds to 8 bits between the two directions.
                self.assertLess(np.abs(got - want).max(), 1.4, (method, scale))

    def test_both_are_pillows(self):
        picture = noise(16, 20)
        pictures = methods.upscale(picture, 4)
        for method, how in ((methods.BICUBIC, Image.BICUBIC), (methods.LANCZOS, Image.LANCZOS)):
            want = np.asarray(Image.fromarray(picture).resize((80, 64), how))
            self.assertTrue((pictures[method] == want).all(), method)


class Pictures(unittest.TestCase):
    def test_the_crop_is_where_the_detail_is(self):
        finder = panels.DetailFinder()
        quiet = np.full((400, 600, 3), 90, np.uint8)
        busy = quiet.copy()
        busy[310:390, 400:590] = noise(80, 190)
        for index, frame in enumerate([quiet] * 10 + [busy] + [quiet]):
            finder.look(index, frame)
        crop = finder.crop
        self.assertEqual(crop.frame, 10)
        self.assertTrue(crop.x <= 400 and crop.x + crop.width >= 584, vars(crop))
        self.assertTrue(crop.y <= 310 and crop.y + crop.height >= 390, vars(crop))


class Reports(unittest.TestCase):
    @staticmethod
    def results(fvsr_psnr, fvsr_ssim=0.9, fvsr_temporal=5.0):
        plain = {"psnr": 30.0, "psnr_y": 30.0, "ssim": 0.8, "temporal": 5.0}
        scores = {method: dict(plain) for method in methods.ALL}
        scores[methods.FVSR].update(psnr=fvsr_psnr, ssim=fvsr_ssim, temporal=fvsr_temporal)
        return {"clean": {"a": scores}, "crf23": {"a": scores}}

    def failed(self, results, scale=4):
        return [text for passed, text in report.checks_of(results, scale) if not passed]

    def test_checks(self):
        self.assertEqual(self.failed(self.results(31.0)), [])
        self.assertEqual(len(self.failed(self.results(30.7))), 1)  # clean only
        self.assertEqual(len(self.failed(self.results(29.9))), 5)  # and each of three rivals
        self.assertEqual(len(self.failed(self.results(31.0, fvsr_ssim=0.8))), 2)
        self.assertEqual(len(self.failed(self.results(31.0, fvsr_temporal=5.6))), 2)
        self.assertEqual(self.failed(self.results(30.0, 0.1, 9.9), scale=2), [])
        self.assertEqual(len(self.failed(self.results(29.9), scale=3)), 2)

    def test_the_best_is_bold(self):
        lines = report.table(self.results(31.0)["clean"], "psnr", [methods.BICUBIC, methods.FVSR])
        self.assertEqual(lines[2:], ["| a | 30.00 | **31.00** |", "| mean | 30.00 | **31.00** |"])


@unittest.skipIf(shutil.which("ffmpeg") is None, "no ffmpeg")
class Videos(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, frames):
        path = self.folder / "video.mkv"
        height, width, _ = frames[0].shape
        with video.Writer(path, width, height, 25) as out:
            for frame in frames:
                out.write(frame)
        return path

    def test_lossless(self):
        frames = [noise(30, 34, seed) for seed in range(4)]
        got = list(video.Video(self.write(frames)).frames())
        self.assertTrue(all((a == b).all() for a, b in zip(got, frames, strict=True)))
        self.assertEqual(len(list(video.Video(self.folder / "video.mkv").frames(2))), 2)

    def test_the_codec_keeps_colours_and_place(self):
        source = self.write([smooth(64, 96)] * 3)
        video.through_x264(source, self.folder / "out.mkv", 1, self.folder / "coded.mp4")
        for frame in video.Video(self.folder / "out.mkv").frames():
            difference = frame.astype(int) - smooth(64, 96)
            self.assertLess(np.abs(difference.mean((0, 1))).max(), 1)
            self.assertLess(np.square(difference).mean(), 40)

    def test_a_broken_file(self):
        broken = self.folder / "text.mp4"
        broken.write_text("no video\n")
        with self.assertRaises(video.VideoError):
            video.Video(broken)


class Whole(unittest.TestCase):
    """The benchmark itself, with the real engine."""

    def setUp(self):
        if not FVSR or not shutil.which("ffmpeg"):
            self.skipTest("no fvsr or no ffmpeg")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def clip(self, frames, size="128x128"):
        clips = self.folder / "clips"
        clips.mkdir()
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=25",
                        "-frames:v", str(frames), "-pix_fmt", "yuv444p", "-c:v", "ffv1",
                        str(clips / "moving.mkv")], check=True)
        return clips

    def run_it(self, clips, *options, model=None):
        out = self.folder / "out"
        with contextlib.redirect_stdout(io.StringIO()):
            status = quality.main(["--clips", str(clips), "--out", str(out), "--fvsr", FVSR,
                                   "--model", str(model or MODEL), *options])
        return status, out, json.loads((out / "results.json").read_text())

    def model_that_adds_nothing(self):
        """The model with zeros for its last convolution: its picture is bicubic, to the bit."""
        data = bytearray(Path(MODEL).read_bytes())
        size, = struct.unpack_from("<Q", data)
        header = json.loads(data[8:8 + size])
        for name in LAST_CONV:
            start, end = (8 + size + offset for offset in header[name]["data_offsets"])
            data[start:end] = bytes(end - start)
        path = self.folder / "zero.safetensors"
        path.write_bytes(data)
        return path

    def test_the_bundled_model(self):
        _, out, data = self.run_it(self.clip(27), "--tracks", "clean,crf32")
        self.assertEqual(data["clips"], {"moving": {"width": 128, "height": 128, "frames": 27}})
        for track in ("clean", "crf32"):
            scores = data["results"][track]["moving"]
            for method, values in scores.items():
                self.assertTrue(8 < values["psnr"] < 60 and 0.1 < values["ssim"] < 1, method)
            self.assertGreater(scores["fvsr"]["psnr"], scores["bicubic"]["psnr"] - 1)
            with Image.open(out / f"moving-{track}.png") as sheet:
                self.assertEqual(sheet.size[1], 128 + panels.LABEL_HEIGHT)
        self.assertGreater(data["means"]["clean"]["bicubic"]["psnr"],
                           data["means"]["crf32"]["bicubic"]["psnr"])
        self.assertIn("**", (out / "table.md").read_text())
        self.assertEqual([path for path in out.iterdir() if path.is_dir()], [])

    def test_colours_and_frames_stay_in_step(self):
        """What comes out of an engine that adds nothing is what Pillow makes of the input."""
        model = self.model_that_adds_nothing()
        status, _, data = self.run_it(self.clip(11, "144x128"), "--tracks", "clean", "--scale",
                                      "3", "--frames", "10", "--require", model=model)
        self.assertEqual(data["clips"]["moving"], {"width": 144, "height": 126, "frames": 10})
        scores = data["results"]["clean"]["moving"]
        for name in metrics.NAMES:
            self.assertAlmostEqual(scores["fvsr"][name], scores["bicubic"][name], delta=0.02)
        passed = all(check["passed"] for check in data["checks"])
        self.assertEqual(status, 0 if passed else 1)

    def test_mistakes_are_said(self):
        empty = self.folder / "empty"
        empty.mkdir()
        with self.assertRaisesRegex(quality.Failure, "no clips"):
            self.run_it(empty)
        clips = self.clip(2)
        (clips / "crops.json").write_text(json.dumps(
            {"moving": [{"frame": 0, "x": 100, "y": 0, "width": 64, "height": 64}]}))
        with self.assertRaisesRegex(quality.Failure, "outside"):
            self.run_it(clips)
        (clips / "crops.json").unlink()
        with self.assertRaisesRegex(quality.Failure, "fvsr upscale"):
            self.run_it(clips, model=self.folder / "none.safetensors")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        FVSR, MODEL = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
