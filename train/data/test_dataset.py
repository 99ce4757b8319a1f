# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests dataset.py on made-up clips: cuts, what is refused or dropped, the manifest, the files."""

import filecmp
import json
import os
import random
import shutil
import tarfile
import tempfile
import unittest

import numpy as np
import torch
from PIL import Image

from train.data import clips, dataset, video

MANIFEST = """# Clips
| file | shows | tier | licence, where stated, attribution |
|---|---|---|---|
| `cut.mp4` | two scenes | A | **CC0-1.0**, here. Attribution: "nobody" |
| `still.mp4` | nothing moves | A | CC0-1.0 |
| `page.mp4` | web page, resting | A | CC0-1.0 |
| `blank.mp4` | has a row, no licence | A | |
| `eval/held.mp4` | held out | A | CC0-1.0 |

| file | licence, where stated | attribution |
|---|---|---|
| `photo/leaf.png` | CC BY 4.0 | "leaf, A. Painter" |

| file | shows | licence |
|---|---|---|
| `board/mail.png` | desktop with a mail program | CC0-1.0 |
| `board/map.png` | pixel art | CC0-1.0 |
"""


def scene(seed, frames, speed):
    """Returns smooth colours with hard edges that move to the left."""
    rng = np.random.default_rng(seed)
    wide = np.kron(rng.integers(20, 235, (14, 30, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    return np.stack([wide[:200, t * speed:t * speed + 320] for t in range(frames)])


def save(path, frames):
    dataset.encode(frames, "30/1", path, "format=yuv444p", ["-c:v", "libx264", "-crf", "4"])


def make_sources(folder):
    for sub in ("eval", "photo", "board"):
        os.makedirs(os.path.join(folder, sub))
    dark = scene(2, 22, 3) // 3 + 10
    save(os.path.join(folder, "cut.mp4"), np.concatenate([scene(1, 25, 4), dark]))
    for name in ("still", "page", "blank", "nolicence", "eval/held"):
        save(os.path.join(folder, name + ".mp4"), scene(3, 20, 0))
    leaf = scene(4, 1, 0)[0]
    Image.fromarray(leaf).resize((960, 600)).save(os.path.join(folder, "photo", "leaf.png"))
    for seed, name in ((5, "mail"), (6, "map")):
        board = Image.fromarray(scene(seed, 1, 0)[0]).resize((720, 800), Image.NEAREST)
        board.save(os.path.join(folder, "board", name + ".png"))
    with open(os.path.join(folder, "MANIFEST.md"), "w", encoding="utf-8") as f:
        f.write(MANIFEST)


def count_frames(path):
    return sum(1 for _ in video.Video(path).frames())


class Builder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        source, cls.out = (os.path.join(cls.temp.name, n) for n in ("source", "out"))
        make_sources(source)
        cls.args = ["--out", cls.out, "--jobs", "2", "--quiet", "--others", "1", source]
        dataset.build(dataset.parse(cls.args))
        with open(os.path.join(cls.out, "dataset.json"), encoding="utf-8") as f:
            cls.data = json.load(f)
        cls.shots = {s["name"]: s for s in cls.data["shots"]}

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def test_cut_is_found(self):
        a, b = self.shots["v_cut_0"], self.shots["v_cut_1"]
        self.assertEqual((a["first"], a["last"], b["first"], b["last"]), (0, 24, 25, 46))

    def test_unlicensed_and_held_out_are_refused(self):
        refused = {r["source"] for r in self.data["refused"]}
        self.assertEqual(refused, {"blank.mp4", "nolicence.mp4", os.path.join("eval", "held.mp4")})

    def test_still_is_dropped_unless_desktop(self):
        self.assertEqual([(d["source"], d["why"]) for d in self.data["dropped"]],
                         [("still.mp4", "still")])
        self.assertEqual(self.shots["v_page_0"]["kind"], "desktop")

    def test_manifest_says_where_from(self):
        self.assertEqual(set(self.shots), {"v_cut_0", "v_cut_1", "v_page_0", "p_leaf_0",
                                           "p_mail_0", "p_map_0"})
        cut, leaf = self.shots["v_cut_0"], self.shots["p_leaf_0"]
        self.assertEqual((cut["licence"], cut["attribution"]), ("CC0-1.0, here", '"nobody"'))
        self.assertEqual((leaf["licence"], leaf["attribution"]),
                         ("CC BY 4.0", '"leaf, A. Painter"'))
        self.assertEqual(len(leaf["path"]), leaf["frames"])
        for shot in self.shots.values():
            for key in ("fps", "kind", "tier", "lr"):
                self.assertIn(key, shot)
            self.assertEqual(set(shot["filters"]), {"sharpness", "mean", "clipped", "motion"})
            for lr in shot["lr"]:
                for key in ("scale", "kernel", "blur", "noise", "interlace", "chain", "codec",
                            "quality"):
                    self.assertIn(key, lr)

    def test_sizes_and_counts(self):
        for shot in self.shots.values():
            self.assertEqual((shot["width"] % 12, shot["height"] % 12), (0, 0))
            if "hr" in shot:
                hr = os.path.join(self.out, shot["hr"])
                s = video.Video(hr)
                self.assertEqual((s.width, s.height), (shot["width"], shot["height"]))
                self.assertEqual(count_frames(hr), shot["frames"])
            self.assertEqual([lr["scale"] for lr in shot["lr"]][:2], [4, 4])
            self.assertEqual(len(shot["lr"]), 3 if shot["kind"] in clips.SCREENS else 4)
            for lr in shot["lr"]:
                path = os.path.join(self.out, lr["file"])
                s = video.Video(path)
                self.assertEqual((s.width * lr["scale"], s.height * lr["scale"]),
                                 (shot["width"], shot["height"]))
                self.assertEqual(count_frames(path), shot["frames"])

    def test_pictures_become_shots_again(self):
        """Checks that training loads them: sizes, kinds, and a picture to draw from."""
        shots = {s.source: s for s in clips.load(self.out, torch.device("cpu"))}
        kinds = {"photo/leaf.png": "picture", "board/mail.png": "desktop", "board/map.png": "pixels",
                 "page.mp4": "desktop", "cut.mp4": "video"}
        self.assertEqual({k: s.kind for k, s in shots.items()}, kinds)
        for source, shot in shots.items():
            self.assertEqual(len(shot.stills), int(source.endswith(".png")))
        moved = shots["board/map.png"].truth
        self.assertTrue((moved[0] != moved[-1]).any())

    def test_versions_show_their_shot(self):
        """Checks that colours are the same, and each frame nearest to its own frame of the shot."""
        for name in ("v_cut_0", "p_leaf_0", "p_map_0"):
            with self.subTest(name):
                self.look_at_versions(self.shots[name])

    def look_at_versions(self, shot):
        truth = clips._load_shot(self.out, shot, torch.device("cpu")).truth
        hr = truth.permute(0, 2, 3, 1).numpy()
        for lr in shot["lr"]:
            low = video.Video(os.path.join(self.out, lr["file"])).read_all()
            k = lr["scale"]
            t, h, w = low.shape[:3]
            mean = hr.reshape(t, h, k, w, k, 3).mean((2, 4))
            self.assertLess(np.abs(low.mean((0, 1, 2)) - mean.mean((0, 1, 2))).max(), 4)
            far = [np.abs(low[8].astype(float) - mean[i]).mean() for i in range(4, 13)]
            moves = np.abs(mean[9] - mean[8]).mean() > 8  # noise may outdo a slow pan
            self.assertTrue(moves or shot["name"] != "v_cut_0")
            if moves and not lr["interlace"]:
                self.assertEqual(int(np.argmin(far)), 4)

    def test_colours_survive_every_chain(self):
        """Checks that a detour over another matrix and range costs rounding, not colour."""
        flat = np.broadcast_to(np.uint8([200, 60, 40]), (3, 96, 96, 3))
        d = {"codec": "h264", "quality": 10, "preset": "veryfast", "zerolatency": False}
        jpeg = {"codec": "mjpeg", "quality": 2, "pixels": "yuvj422p"}
        base = os.path.join(self.temp.name, "flat")
        for chain in (None, "bt709 limited", "bt709 full", "smpte170m full"):
            for way in (d, jpeg):
                path = dataset.write_lr(flat, "30/1", base, dict(way, chain=chain))
                back = video.Video(path).read_all()
                self.assertLess(np.abs(back.astype(int) - flat).max(), 6, (chain, way["codec"]))

    def test_drawn_small(self):
        """Checks that small versions lie beside their shot, cut where it was cut."""
        source, out = (os.path.join(self.temp.name, n) for n in ("drawn", "drawn-out"))
        os.makedirs(source)
        frames = np.kron(scene(7, 20, 3), np.ones((1, 3, 3, 1), np.uint8))
        save(os.path.join(source, "walk.mp4"), frames)
        small = frames[:, 1::3, 1::3]
        dataset.encode(small, "30/1", os.path.join(source, "walk.x3.mkv"), "null",
                       ["-c:v", "libx264rgb", "-qp", "0"])
        with open(os.path.join(source, "MANIFEST.md"), "w", encoding="utf-8") as f:
            f.write("| file | shows | licence |\n|---|---|---|\n| `walk.mp4` | hills | CC0-1.0 |\n")
        args = ["--out", out, "--quiet", "--jobs", "1", source]
        data = dataset.build(dataset.parse(args))
        shot, = data["shots"]
        drawn, = [lr for lr in shot["lr"] if lr["kernel"] == "drawn"]
        x, y = shot["crop"]
        self.assertEqual((x % 12, y % 12, drawn["scale"]), (0, 0, 3))
        got = video.Video(os.path.join(out, drawn["file"])).read_all()
        h, w = shot["height"] // 3, shot["width"] // 3
        np.testing.assert_array_equal(got, small[:, y // 3:y // 3 + h, x // 3:x // 3 + w])
        low = clips.load(out, torch.device("cpu"))[0].low[3]
        self.assertTrue(any(np.array_equal(a.permute(0, 2, 3, 1).numpy(), got) for a in low))

    def test_only_what_is_held_out(self):
        out = os.path.join(self.temp.name, "held")
        data = dataset.build(dataset.parse(["--out", out, "--held-out", "--min-motion", "0"] +
                                           self.args[2:]))
        self.assertEqual([s["source"] for s in data["shots"]], [os.path.join("eval", "held.mp4")])

    def test_pictures_without_pans(self):
        """Checks that a picture is kept, and drawn from, without a shot of its own."""
        out = os.path.join(self.temp.name, "still")
        data = dataset.build(dataset.parse(["--out", out, "--pans", "0"] + self.args[2:]))
        leaf, = [s for s in data["shots"] if s["name"] == "p_leaf_0"]
        self.assertEqual((leaf["frames"], len(leaf["path"]), leaf["lr"]), (1, 1, []))
        loaded, = [s for s in clips.load(out, torch.device("cpu")) if s.source == leaf["source"]]
        self.assertEqual(tuple(loaded.stills[0].shape), (3, 600, 960))
        self.assertEqual(len(loaded.truth), 1)
        recipe = clips.Recipe(drawn=1.0, kinds={"desktop": 0, "pixels": 0, "video": 0})
        sampler = clips.Sampler([loaded], recipe, 1, torch.device("cpu"))
        _, truth, _ = sampler.begin(1, 1, 96, 96)()
        self.assertEqual(tuple(truth.shape), (1, 5, 3, 96, 96))

    def test_parts_are_the_data_set(self):
        """Checks that parts keep to their size, and that they hold every file once."""
        out = os.path.join(self.temp.name, "packed")
        shutil.copytree(self.out, out)
        most = 10752 + 512 + max(os.path.getsize(os.path.join(d, f))
                           for d, _, files in os.walk(out) for f in files)
        dataset.pack(out, most)
        parts = sorted(os.listdir(os.path.join(out, "parts")))
        self.assertGreater(len(parts), 1)
        back = os.path.join(self.temp.name, "unpacked")
        for part in parts:
            path = os.path.join(out, "parts", part)
            self.assertLessEqual(os.path.getsize(path), most)
            with tarfile.open(path) as tar:
                tar.extractall(back)
        compared = filecmp.dircmp(self.out, back)
        self.assertEqual((compared.left_only, compared.right_only), ([], []))
        for folder in (compared, *compared.subdirs.values()):
            self.assertEqual((folder.left_only, folder.right_only, folder.diff_files), ([], [], []))
        with self.assertRaises(ValueError):
            dataset.pack(out, most // 2)

    def test_pans_stay_inside(self):
        for seed in range(200):
            rng = random.Random(seed)
            w, h = rng.randint(520, 960), rng.randint(400, 960)
            size = dataset.pan_size(w, h, rng)
            for x, y, width in dataset.pan_path(w, h, size, 33, rng):
                self.assertGreaterEqual(min(x, y), 0)
                self.assertLessEqual(x + width, w)
                self.assertLessEqual(y + width * size[1] / size[0], h)

    def test_same_seed_same_plan(self):
        again = os.path.join(self.temp.name, "again")
        data = dataset.build(dataset.parse(["--out", again] + self.args[2:]))
        self.assertEqual(json.loads(json.dumps(data)), self.data)


if __name__ == "__main__":
    unittest.main()
