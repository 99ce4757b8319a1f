# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests scenes.py: what is drawn small shows what is drawn large, but is not that picture shrunk."""
import os
import tempfile
import unittest

import numpy as np
from PIL import Image

from train.data import scenes, video


def shrunk(frame, scale):
    size = frame.shape[1] // scale, frame.shape[0] // scale
    return np.asarray(Image.fromarray(frame).resize(size, Image.BOX), float)


class Scenes(unittest.TestCase):
    def check(self, scene, more=()):
        large = scene.frame(5, 1, scenes.SMOOTH)
        self.assertEqual(large.shape, (scenes.HEIGHT, scenes.WIDTH, 3))
        for scale in scenes.SCALES:
            small = scene.frame(5, scale, 1, *more)
            want = shrunk(large, scale)
            self.assertEqual(small.shape, want.shape)
            moved = [np.abs(np.roll(small, (y, x), (0, 1)) - want).mean()
                     for y in (-1, 0, 1) for x in (-1, 0, 1)]
            self.assertEqual(int(np.argmin(moved)), 4, f"moved by a pixel at 1/{scale}")
            # Steps: differences that no mean of the large one has.
            self.assertGreater(moved[4], 0.5)

    def test_rooms(self):
        self.check(scenes.Room(3))

    def test_cartoons(self):
        scene = scenes.Cartoon(3)
        scene.score = ["", ""]  # the fonts of boards.py are no part of the tests' machine
        self.check(scene, (True,))

    def test_cartoons_move(self):
        a, b = (scenes.Cartoon(1) for _ in range(2))
        a.score = b.score = ["", ""]
        np.testing.assert_array_equal(a.frame(0, 2, 1), b.frame(0, 2, 1))
        self.assertFalse(np.array_equal(a.frame(0, 2, 1), a.frame(3, 2, 1)))

    def test_text_stands_where_it_stands(self):
        """Checks letters in steps against smooth ones, with a font that the tests have."""
        fonts = dict(scenes.FONTS)
        self.addCleanup(scenes.FONTS.update, fonts)
        path = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
        if not os.path.exists(path):
            self.skipTest("no DejaVu Sans")
        scenes.FONTS.update({name: (*f[:2], path, *f[3:]) for name, f in fonts.items()})
        scene = scenes.Screen(2)
        self.check(scene, (True,))
        colours = len(np.unique(scene.frame(0, 4, 1, True).reshape(-1, 3), axis=0))
        self.assertLess(colours, 20)
        self.assertGreater(len(np.unique(scene.frame(0, 4, 1, False).reshape(-1, 3), axis=0)), 40)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            few, scenes.FRAMES = scenes.FRAMES, 2
            self.addCleanup(setattr, scenes, "FRAMES", few)
            row = scenes.make((folder, "room", 3, 1))
            self.assertIn("`room_s1_03.mp4`", row)
            large = video.Video(os.path.join(folder, "room_s1_03.mp4")).read_all()
            for scale in scenes.SCALES:
                small = video.Video(os.path.join(folder, f"room_s1_03.x{scale}.mkv")).read_all()
                self.assertEqual(len(small), 2)
                np.testing.assert_array_equal(small[1], scenes.Room(1003).frame(1, scale,
                                                                                scenes.SMOOTH))
                self.assertLess(np.abs(shrunk(large[1], scale) - small[1]).mean(), 12)


if __name__ == "__main__":
    unittest.main()
