# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests from where boards.py takes the photographs that its boards show."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FIND = "from train.data import board_screens; print(board_screens.free_photos())"
MANIFEST = """| file | size px | source | licence, where stated | attribution |
|---|---|---|---|---|
| `train/photo/free.jpg` | 8x8 | a park | CC0, README | none |
| `train/photo/named.jpg` | 8x8 | a park | CC BY 4.0, README | "A. Painter" |
| `train/photo/gone.jpg` | 8x8 | a park | CC0, README | none |
| `train/video/free.mp4` | 8x8 | a park | CC0, README | none |
"""


def find(data):
    environment = {k: v for k, v in os.environ.items() if k != "FVSR_TEST_DATA"}
    if data is not None:
        environment["FVSR_TEST_DATA"] = data
    return subprocess.run([sys.executable, "-c", FIND], cwd=ROOT, env=environment,
                          capture_output=True, text=True)


class Photos(unittest.TestCase):
    def test_missing_folder_is_named(self):
        for data in (None, "", "/nonexistent"):
            run = find(data)
            self.assertEqual(run.returncode, 1)
            self.assertIn("FVSR_TEST_DATA", run.stderr)
            self.assertNotIn("Traceback", run.stderr)

    def test_only_free_ones_are_taken(self):
        with tempfile.TemporaryDirectory() as data:
            photos = os.path.join(data, "clips", "train", "photo")
            os.makedirs(photos)
            with open(os.path.join(data, "clips", "MANIFEST.md"), "w", encoding="utf-8") as f:
                f.write(MANIFEST)
            for name in ("free.jpg", "named.jpg"):
                open(os.path.join(photos, name), "wb").close()
            run = find(data)
            self.assertEqual(run.stdout.strip(),
                             str([(os.path.join(data, "clips", "train/photo/free.jpg"),
                                   "free.jpg")]), run.stderr)


if __name__ == "__main__":
    unittest.main()
