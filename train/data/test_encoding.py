# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests encoding.py against ffmpeg's decoder, and that training's batches are encoded."""
import subprocess
import unittest

import numpy as np
import torch

from train.data import clips, encoding

FRAMES = 29


def blocks(height, width, seed=0):
    """Returns bytes (FRAMES, 3, height, width) of coloured blocks that move."""
    rng = np.random.default_rng(seed)
    wide = np.kron(rng.integers(0, 255, (height // 8 + 8, width // 8 + 12, 3)), np.ones((8, 8, 1)))
    frames = np.stack([wide[t:t + height, 2 * t:2 * t + width] for t in range(FRAMES)])
    return torch.from_numpy(frames.astype(np.uint8)).permute(0, 3, 1, 2).contiguous()


def decode(stream, shape):
    out = subprocess.run(["ffmpeg", "-v", "error", "-f", "h264", "-i", "-", "-f", "rawvideo", "-"],
                         input=stream.numpy().tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(out, np.uint8).reshape(shape)


def psnr(a, b):
    return 10 * np.log10(255 ** 2 / (a.float() - b.float()).square().mean().item())


class Encoding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.encoder = encoding.Encoder(threads=2)

    def test_is_what_a_decoder_makes_of_it(self):
        frames = blocks(64, 96)
        for how in (("medium", None, 32), ("veryfast", "zerolatency", 23), ("ultrafast", None, 18)):
            planes = encoding.to_planes(frames)
            stream = torch.empty(planes.numel() + 4096, dtype=torch.uint8)
            before = planes.clone()
            size = self.encoder.reconstruct(planes, 64, 96, how, stream)
            np.testing.assert_array_equal(decode(stream[:size], planes.shape), planes.numpy(),
                                          str(how))
            self.assertGreater(psnr(planes, before), 20)
            self.assertFalse(torch.equal(planes, before))

    def test_colours_come_back(self):
        for level in ([0, 0, 0], [255, 255, 255], [200, 30, 90], [10, 250, 20]):
            flat = torch.tensor(level, dtype=torch.uint8)[None, :, None, None].repeat(1, 1, 4, 6)
            back = encoding.from_planes(encoding.to_planes(flat), 4, 6)
            self.assertLessEqual((back.int() - flat.int()).abs().max().item(), 2)

    def test_odd_sizes_and_order(self):
        two = torch.stack([blocks(43, 57, 1), blocks(43, 57, 2)])
        fine, coarse = self.encoder.begin(two, [("medium", None, 12), ("medium", None, 38)])()
        self.assertEqual(fine.shape, two.shape[1:])
        self.assertGreater(psnr(fine[:, 1], two[0][:, 1]), psnr(coarse[:, 1], two[1][:, 1]) + 3)
        for t in range(FRAMES):  # no frame stands where another belongs
            nearest = [psnr(fine[t, 1], two[0, s, 1]) for s in range(FRAMES)]
            self.assertEqual(int(np.argmax(nearest)), t)

    def test_batches(self):
        def batch(encoded):
            recipe = clips.Recipe(scales={"4": 1.0}, encoded=encoded, crf=[34, 35], noise=0,
                                  padded=0, still=0)
            sampler = clips.Sampler(clips.synthetic(torch.device("cpu")), recipe, 3,
                                    torch.device("cpu"), self.encoder)
            return sampler.begin(2, 3, 128, 128)()
        (clean, truth, _), (coded, same, _) = batch(0.0), batch(1.0)
        self.assertTrue(torch.equal(truth, same))
        for i in range(2):
            self.assertLess(psnr(coded[i, :-4], truth[i]), psnr(clean[i, :-4], truth[i]) - 0.2)


if __name__ == "__main__":
    unittest.main()
