# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests how batches are made: the scale that the network is told, and what softens, colours and
blurs them."""
import ast
import os
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from train.data import clips, video

CPU = torch.device("cpu")


def sampler(seed=1, **recipe):
    quiet = dict(noise=0, padded=0, cut=0, drawn=0)
    return clips.Sampler(clips.synthetic(CPU, frames=17, side=132), clips.Recipe(**quiet, **recipe),
                         seed, CPU)


def detail(x):
    return (x.float().diff(dim=-1)).square().mean().item()


class Batches(unittest.TestCase):
    def test_scale_comes_along(self):
        for scale in (2, 3, 4):
            canvas, truth, told = sampler(scales={str(scale): 1.0}).begin(2, 1, 128, 128)()
            self.assertEqual(told.tolist(), [scale])
            self.assertEqual(canvas.shape, (2, 9, 3, 128, 128))
            self.assertEqual(truth.shape, (2, 5, 3, 128, 128))
        finer, coarser = (sampler(scales={s: 1.0}).begin(2, 1, 128, 128)()[0] for s in "24")
        self.assertGreater(detail(finer), 1.1 * detail(coarser))

    @unittest.mock.patch.dict(clips.SHRINKS, {"bicubic": 1.0}, clear=True)  # an even one
    def test_single_frames(self):
        made = sampler(scales={"4": 1.0}, stored=0.6)
        for shot in made.shots:  # a real encoding that tells itself from what would be made here
            low = clips._small(shot.truth[None], 4)[0]
            shot.low[4] = [(low // 2 + 64)]
        canvas, truth, told = made.begin(40, 0, 96, 96)()
        self.assertEqual((canvas.shape, truth.shape), ((40, 1, 3, 96, 96),) * 2)
        self.assertEqual((told.tolist(), told.device.type), ([4], "cpu"))
        # the canvas is of the same place, way round and colours: nothing is nearer than that
        bright = canvas.float() - canvas.float().mean((3, 4), keepdim=True)
        wanted = truth.float() - truth.float().mean((3, 4), keepdim=True)
        power = wanted.square().mean((1, 2, 3, 4))
        error = (bright - wanted).square().mean((1, 2, 3, 4)) / power
        stored = error > 0.15  # at half the contrast a quarter of the power is missing
        self.assertTrue(5 < stored.sum() < 35)
        twice = (2 * bright - wanted).square().mean((1, 2, 3, 4)) / power
        self.assertLess(torch.minimum(error, twice).max().item(), 0.15)
        turned = (bright.flip(-1) - wanted).square().mean((1, 2, 3, 4))
        self.assertGreater((turned / power).mean().item(), 0.3)

    def test_soft_is_a_rectangle(self):
        made = sampler()
        truth = made.shots[0].truth[:3, :, :128, :128]
        before, sharper, changed = truth.clone(), 0, []
        for _ in range(20):
            soft = made._soften(truth)
            rows, columns = (torch.nonzero((soft != truth).any(0).any(0).any(d)).flatten()
                             for d in (1, 0))
            changed.append(len(rows) * len(columns))
            y, x = (slice(a[0].item(), a[-1].item() + 1) for a in (rows, columns))
            sharper += detail(soft[..., y, x]) >= detail(truth[..., y, x])
        self.assertEqual(sharper, 0)
        self.assertLess(min(changed), 0.5 * 128 * 128)
        self.assertTrue(torch.equal(truth, before))

    def test_tint_keeps_grey(self):
        made = sampler()
        grey = torch.arange(0, 256, 16).byte().reshape(1, 1, 4, 4).repeat(2, 3, 1, 1)
        vivid = torch.tensor([90, 120, 150]).byte().reshape(1, 3, 1, 1).repeat(1, 1, 4, 4)
        spread, first = [], set()
        for _ in range(20):
            self.assertLessEqual((made._tint(grey).int() - grey.int()).abs().max().item(), 1)
            pixel = made._tint(vivid)[0, :, 0, 0].int()
            spread.append((pixel.max() - pixel.min()).item())
            first.add(int(pixel.argmax()))
        self.assertGreaterEqual(min(spread), 60)
        self.assertGreater(max(spread), 90)
        self.assertEqual(first, {0, 1, 2})

    def test_samples_as_gpus_do(self):
        """Checks both kernels without antialiasing against Pillow's transform."""
        rng = np.random.default_rng(2)
        a = rng.integers(0, 256, (48, 60, 3), np.uint8)
        for name, how in (("nearest", Image.NEAREST), ("gpu bilinear", Image.BILINEAR)):
            for k in (2, 3, 4):
                size = 60 // k, 48 // k
                want = Image.fromarray(a).transform(size, Image.AFFINE, (k, 0, 0, 0, k, 0), how)
                rows, columns = (clips.resize_matrix(name, n, n // k) for n in (48, 60))
                got = np.einsum("yh,xw,hwc->yxc", rows, columns, a)
                self.assertLessEqual(np.abs(got - np.asarray(want)).max(), 1, (name, k))

    def test_blur_is_in_small_pixels(self):
        def variance(name, scale):
            row = clips.resize_matrix(name, 64 * scale, 64)[32]
            at = np.arange(64 * scale)
            mean = row @ at
            return row @ (at - mean) ** 2 / scale ** 2
        for scale in (2, 4):
            added = variance("bicubic 0.4", scale) - variance("bicubic", scale)
            self.assertAlmostEqual(added, 0.4 ** 2, delta=0.01)


class Reading(unittest.TestCase):
    """Tests reading with what a machine has after scripts/install-deps.sh."""

    def test_video_comes_back(self):
        wide = np.random.default_rng(3).integers(0, 256, (48, 80, 3), np.uint8)
        frames = np.stack([wide[:, t:t + 64] for t in range(6)])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "moving.mkv")
            with video.Writer(path, 64, 48, 30) as out:
                for frame in frames:
                    out.write(frame)
            read = clips.read_video(path, CPU)
            self.assertTrue(np.array_equal(read.permute(0, 2, 3, 1).numpy(), frames))
            with open(path, "wb") as f:
                f.write(b"no video")
            with self.assertRaises(video.VideoError):
                clips.read_video(path, CPU)

    def test_only_installed_modules_are_imported(self):
        train = Path(__file__).resolve().parents[1]
        there = set(sys.stdlib_module_names) | {"train", "numpy", "PIL", "torch"}
        files = sorted(train.rglob("*.py"))
        self.assertGreater(len(files), 20)
        for path in files:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                modules = ([a.name for a in node.names] if isinstance(node, ast.Import) else
                           [node.module] if isinstance(node, ast.ImportFrom) else [])
                for module in modules:
                    self.assertIn(module.split(".")[0], there, f"{path} imports {module}")


if __name__ == "__main__":
    unittest.main()
