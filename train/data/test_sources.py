# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests the lists of pictures and videos, and sources.py and photos.py on made-up packages."""
import io
import os
import subprocess
import tempfile
import unittest
import zipfile

import numpy as np
from PIL import Image

from train.data import photos, sources

LIST = """# A comment.
[one]
package = fvsr-pictures
folder = usr/share/art
licence = CC0-1.0
shows = game art: wall
by = N. N.
held = fifth
a.png
b.pk3!in/b.png | a door | M. M. | GPL-2+

[two]
repository = who/what 0123456789012345678901234567890123456789
licence = CC BY 4.0
stated = LICENSE
x/Old_bridge_by_A._B..jpg | bridge
"""


def write(folder, text):
    path = os.path.join(folder, "list.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def png(width, height, mode="RGB"):
    rng = np.random.default_rng(width)
    a = rng.integers(0, 256, (height // 8, width // 8, len(mode)), np.uint8)
    out = io.BytesIO()
    Image.fromarray(np.kron(a, np.ones((8, 8, 1), np.uint8)), mode).save(out, "PNG")
    return out.getvalue()


class Lists(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = temp.name

    def test_is_read(self):
        one, two = sources.read_list(write(self.folder, LIST))
        self.assertEqual((one.tag, one.package, one.path("a.png")),
                         ("one", "fvsr-pictures", "usr/share/art/a.png"))
        self.assertEqual(one.files[1], ["b.pk3!in/b.png", "a door", "M. M.", "GPL-2+", ""])
        self.assertEqual([one.is_held(i) for i in range(6)], [False] * 4 + [True, False])
        self.assertEqual((two.path("y"), two.is_held(4)), ("y", False))
        self.assertEqual(sources.label(two.files[0][0]),
                         ("Old_bridge", '"Old bridge" by A. B.'))

    def test_says_what_is_missing(self):
        for wrong in (LIST.replace("licence = CC0-1.0\n", ""), LIST.replace("shows =", "# shows ="),
                      LIST.replace("package = fvsr-pictures\n", ""),
                      LIST.replace("0123", "main"), LIST.replace("held = fifth", "held = third"),
                      "a.png | too early\n" + LIST):
            with self.assertRaises(sources.ListError):
                sources.read_list(write(self.folder, wrong))

    def package(self):
        tree = os.path.join(self.folder, "tree")
        art = os.path.join(tree, "usr/share/art")
        os.makedirs(art)
        os.makedirs(os.path.join(tree, "DEBIAN"))
        with open(os.path.join(tree, "DEBIAN/control"), "w", encoding="utf-8") as f:
            f.write("Package: fvsr-pictures\nVersion: 1.2\nArchitecture: all\n"
                    "Maintainer: nobody <n@example.org>\nDescription: test\n")
        with open(os.path.join(art, "a.png"), "wb") as f:
            f.write(png(1200, 800))
        with zipfile.ZipFile(os.path.join(art, "b.pk3"), "w") as f:
            f.writestr("in/b.png", png(512, 512, "RGBA"))
        subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree,
                        os.path.join(self.folder, "fvsr-pictures_1.2_all.deb")], check=True,
                       stdout=subprocess.DEVNULL)

    def test_package_becomes_pictures(self):
        self.package()
        one, _ = sources.read_list(write(self.folder, LIST))
        got = list(photos.collect([one], self.folder, None, self.folder))
        self.assertEqual([(g[0], g[1], *g[3:]) for g in got], [
            (False, "one_a.jpg", "game art: wall", "fvsr-pictures 1.2: usr/share/art/a.png",
             "CC0-1.0, /usr/share/doc/fvsr-pictures/copyright", "N. N."),
            (False, "one_b.jpg", "a door", "fvsr-pictures 1.2: usr/share/art/b.pk3!in/b.png",
             "GPL-2+, /usr/share/doc/fvsr-pictures/copyright", "M. M.")])
        w, h, jpeg = photos.shrunk(got[1][2], got[1][1], photos.Art)
        self.assertEqual((w, h), (512, 512))
        self.assertEqual(Image.open(io.BytesIO(jpeg)).size, (512, 512))
        self.assertLessEqual(photos.shrunk(got[0][2], "", photos.Photograph)[0], 960)
        with self.assertRaises(sources.ListError):
            photos.shrunk(png(320, 240), "", photos.Art)

    def test_file_that_is_not_there(self):
        self.package()
        one, _ = sources.read_list(write(self.folder, LIST.replace("a.png", "z.png")))
        with self.assertRaises(sources.ListError):
            list(photos.collect([one], self.folder, None, self.folder))

    def test_transparency_gets_one_colour(self):
        a = np.zeros((40, 40, 4), np.uint8)
        a[10:20, 10:20] = (255, 0, 0, 255)
        flat = np.asarray(photos.opaque(Image.fromarray(a, "RGBA"), "name"))
        self.assertEqual(tuple(flat[15, 15]), (255, 0, 0))
        self.assertEqual(len(np.unique(np.delete(flat, slice(10, 20), 0).reshape(-1, 3), axis=0)), 1)


class Tree(unittest.TestCase):
    """Checks the lists of the tree."""

    def test_lists(self):
        count, names, held = {}, set(), {}
        for name in ("photographs", "game-art", "videos"):
            for source in sources.read_list(os.path.join(sources.LISTS, name + ".txt")):
                for place, line in enumerate(source.files):
                    title = line[4] if name != "videos" else ""
                    file = sources.file_name(source.tag, title or sources.label(line[0])[0], "")
                    self.assertNotIn((name, file), names)
                    names.add((name, file))
                    count[name] = count.get(name, 0) + 1
                    held[name] = held.get(name, 0) + source.is_held(place)
                    self.assertRegex(line[3] or source.licence, "^(CC0|CC BY|GPL|LGPL|BSD|Apache|"
                                     "public domain|MIT|Expat|zlib|Free Art)")
                    self.assertNotRegex(line[3] or source.licence, "NC|ND")
                    self.assertTrue(source.package or source.stated, source.tag)
                    if source.shows.startswith("game art") or name == "game-art":
                        self.assertRegex(line[1] or source.shows, "^game art")
        said = "%d photographs and %d pictures of game art" % (count["photographs"], count["game-art"])
        readme = os.path.join(os.path.dirname(sources.LISTS), "..", "README.md")
        with open(readme, encoding="utf-8") as f:
            self.assertTrue(said in f.read(), said)
        self.assertGreater(held["photographs"], 0.18 * (count["photographs"] - 164))
        self.assertGreater(held["game-art"], 0.1 * count["game-art"])

    def test_nothing_kept_for_measuring(self):
        """Checks that the lists name nothing of the evaluation's sources."""
        for name in os.listdir(sources.LISTS):
            with open(os.path.join(sources.LISTS, name), encoding="utf-8") as f:
                rows = [line for line in f if not line.startswith("#")]
            self.assertNotRegex("".join(rows), "(?i)supertuxkart|trigger-rally|emacs|synfig|Morskie|"
                                "walk.mkv|Engelhardt|Berasategi|osprey|extremetux|chromium-bsu|"
                                "openttd|casa-mila")


if __name__ == "__main__":
    unittest.main()
