# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes training clips: shots are decoded once and kept as bytes on the training device, where
batches of crops are made of them. A batch is a canvas and the truth, both bytes (batch, frames, 3,
H, W). Pictures of which shots were made are kept, too, and new ways through them are drawn all the
time.

Low resolution is either a real encoding that the data set holds, or is made here from the crop as
Pillow would make it, with every pass rounded to 8 bits, and then encoded if the recipe says so. The
canvas is the engine's: Pillow's bicubic.
"""
import concurrent.futures
import functools
import hashlib
import json
import math
import os

import numpy as np
import torch
from PIL import Image

from train.data import moves, video

SCREENS = ("desktop", "pixels")  # kinds that are neither mirrored nor turned: text is not
KERNELS = {  # Pillow's: support, function
    "box": (0.5, lambda x: ((x > -0.5) & (x <= 0.5)).astype(float)),
    "bilinear": (1.0, lambda x: np.maximum(0, 1 - np.abs(x))),
    "bicubic": (2.0, lambda x: keys(np.abs(x))),
    "lanczos": (3.0, lambda x: np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)),
}
# GPUs and programs in a hurry take one pixel, or mix the two that are nearest along each axis,
# however far they shrink: so edges get steps.
SAMPLED = ("nearest", "gpu bilinear")
# What shrinks a picture, and how often; "bicubic 0.4" is a blur first, of that deviation in pixels
# of the small picture.
SHRINKS = {"bicubic": 0.5, "box": 0.15, "lanczos": 0.1, "bilinear": 0.05, "bicubic 0.175": 0.08,
           "bicubic 0.275": 0.07, "bicubic 0.4": 0.05, "gpu bilinear": 0.1, "nearest": 0.05}
SOFT = (1.5, 2.0, 3.0, 4.0)  # how much games enlarge their textures, and players old films
PRESETS = ("veryfast", "faster", "medium")  # x264's


def keys(x):
    return np.where(x < 1, (1.5 * x - 2.5) * x * x + 1,
                    np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0))


# Resizing -----------------------------------------------------------------------------------------


def resize_matrix(name, before, after):
    """Returns the weights (after, before) of Pillow's resize along one axis, or of a GPU's."""
    if name in SAMPLED:
        return sampling_matrix(name, before, after)
    name, _, blur = name.partition(" ")
    support, kernel = KERNELS[name]
    scale = before / after
    wide = max(scale, 1.0)
    matrix = np.zeros((after, before))
    for i in range(after):
        center = (i + 0.5) * scale
        first = max(0, int(center - support * wide + 0.5))
        end = min(before, int(center + support * wide + 0.5))
        w = kernel((np.arange(first, end) - center + 0.5) / wide)
        matrix[i, first:end] = w / w.sum()
    return matrix @ blur_matrix(float(blur) * scale, before) if blur else matrix


def sampling_matrix(name, before, after):
    """Returns weights of one pixel or of two in each row."""
    matrix = np.zeros((after, before))
    row, center = np.arange(after), (np.arange(after) + 0.5) * before / after
    if name == "nearest":
        matrix[row, np.minimum(center.astype(int), before - 1)] = 1
        return matrix
    first = np.floor(center - 0.5)
    for shift, weight in ((0, first + 1.5 - center), (1, center - first - 0.5)):
        np.add.at(matrix, (row, np.clip(first + shift, 0, before - 1).astype(int)), weight)
    return matrix


def blur_matrix(deviation, n):
    """Returns a Gaussian (n, n) that repeats borders."""
    radius = int(math.ceil(3 * deviation))
    w = np.exp(-np.arange(-radius, radius + 1) ** 2 / (2 * deviation ** 2))
    matrix = np.zeros((n, n))
    for i in range(n):
        np.add.at(matrix[i], np.clip(np.arange(i - radius, i + radius + 1), 0, n - 1), w / w.sum())
    return matrix


@functools.lru_cache(maxsize=64)
def matrices(names, before, after, device):
    """Returns float32 (names, after, before)."""
    stack = np.stack([resize_matrix(n, before, after) for n in names])
    return torch.from_numpy(stack).float().to(device)


@functools.lru_cache(maxsize=256)
def soft_matrix(enlarged, n, device):
    """Returns a matrix (1, n, n) that makes 'n' pixels as soft as if a bilinear filter had enlarged
    them that much."""
    small = max(1, round(n / enlarged))
    matrix = resize_matrix("bilinear", small, n) @ resize_matrix("box", n, small)
    return torch.from_numpy(matrix[None]).float().to(device)


def to_bytes(x):
    """Rounds and clamps levels, which stay float."""
    return torch.floor(x + 0.5).clamp_(0, 255)


def resize(x, columns, rows):
    """Resizes float levels (b, n, H, W) with 'columns' (b or 1, w, W) and 'rows' (b or 1, h, H)."""
    b, n, height, width = x.shape
    columns = columns.expand(b, -1, -1)
    x = torch.bmm(x.reshape(b, n * height, width), columns.transpose(1, 2))
    x = to_bytes(x).reshape(b, n, height, -1)
    return to_bytes(torch.matmul(rows[:, None], x))


def upscale(x, height, width):
    """Makes the canvas of bytes (b, f, 3, h, w) as the engine does."""
    b, f, c, h, w = x.shape
    with torch.autocast(x.device.type, enabled=False):
        y = resize(x.reshape(b, f * c, h, w).float(), matrices(("bicubic",), w, width, x.device),
                   matrices(("bicubic",), h, height, x.device))
    return y.reshape(b, f, c, height, width).byte()


# Shots --------------------------------------------------------------------------------------------


class Shot:
    """Has the bytes 'truth' (frames, 3, H, W); 'low[scale]', a list of bytes of the same frames,
    each (frames, 3, H / scale, W / scale); and 'stills', (3, h, w) each, of which the shot was
    made."""

    def __init__(self, source, kind, truth, low=None, stills=()):
        self.source, self.kind, self.truth, self.low = source, kind, truth, low or {}
        self.stills = stills
        digest = hashlib.sha256(source.encode()).digest()
        self.place = int.from_bytes(digest[:4], "little")  # decides who is held out

    def fits(self, height, width):
        return self.truth.shape[2] >= height and self.truth.shape[3] >= width


class Recipe:
    """Says how batches are made; every field may stand in a stage's JSON under "data"."""

    def __init__(self, **fields):
        self.scales = {"4": 0.7, "3": 0.15, "2": 0.15}
        self.drawn = 0.4      # share of samples that are drawn anew from pictures
        self.stored = 0.6     # share of the others with a real encoding, where there is one
        self.noise = 0.1      # share of those without one that get sensor noise, ...
        self.encoded = 0.0    # ... and that are encoded, ...
        self.crf = [18, 35]   # ... with this quality
        self.still = 0.05     # share without motion
        self.fast = 0.15      # share that skips every second frame
        self.soft = 0.0       # share, of those without an encoding, with a part that is not sharp
        self.colours = 0.5    # share of screens with other colours
        self.tinted = 0.0     # share of the others, without an encoding, with other and more colour
        self.cut = 0.03       # share with a cut to another shot
        self.padded = 0.1     # share of batches whose last rows and columns repeat a border
        self.kinds = {}       # kind -> weight, 1 where nothing is said
        for key, value in fields.items():
            if not hasattr(self, key):
                raise ValueError(f"unknown key in data: {key}")
            setattr(self, key, value)


def frame_order(rng, frames, wanted, recipe):
    """Returns indices of frames, forwards or backwards, that turn round where the shot ends."""
    step = 2 if rng.random() < recipe.fast and frames >= 2 * wanted else 1
    if frames < 2 or rng.random() < recipe.still:
        return np.full(wanted, rng.integers(frames))
    period = 2 * (frames - 1)
    at = (rng.integers(max(1, frames - step * wanted + 1)) + step * np.arange(wanted)) % period
    at = np.where(at < frames, at, period - at)
    return at[::-1].copy() if rng.random() < 0.5 else at


class Sampler:
    """Makes batches without end. 'encoder' may be None where the recipe encodes nothing."""

    def __init__(self, shots, recipe, seed, device, encoder=None):
        self.shots, self.recipe, self.device = shots, recipe, device
        self.encoder = encoder
        self.rng = np.random.default_rng(seed)
        self.generator = torch.Generator(device).manual_seed(seed)
        kinds = sorted({s.kind for s in shots})
        weight = {k: recipe.kinds.get(k, 1.0) for k in kinds}
        frames = {k: sum(len(s.truth) for s in shots if s.kind == k) for k in kinds}
        p = np.array([weight[s.kind] * len(s.truth) / frames[s.kind] for s in shots])
        self.weights = p
        self.stills = {k: [s.stills[0] for s in shots if s.kind == k and s.stills] for k in kinds}
        p = np.array([weight[k] * (len(self.stills[k]) > 1) for k in kinds])
        self.still_kinds = kinds, p / p.sum() if p.any() else None
        self.frames = {}  # by least size and scale: what single frames are cut out of

    def _draw(self, frames, height, width):
        """Draws a new way through a picture. Returns (kind, truth), or None where no picture is
        large enough."""
        rng, (kinds, p) = self.rng, self.still_kinds
        kind = str(rng.choice(kinds, p=p))
        pictures = self.stills[kind]
        picks = [pictures[i] for i in rng.permutation(len(pictures))[:6]]
        room = 2 * moves.RADIUS if kind not in SCREENS else 0
        first = moves.covering(rng, [a.shape[1:] for a in picks], height + room, width + room)
        if first is None:
            return None
        if kind not in SCREENS:
            return kind, moves.pan(rng, picks[first], frames, height, width)
        two = [picks[first], picks[first - 1]]
        script = moves.screen(rng, [a.shape[1:] for a in two], frames, height, width,
                              kind == "pixels")
        return kind, moves.render(two, script)

    def _pick(self, height, width):
        p = self.weights * [s.fits(height, width) for s in self.shots]
        if p.sum() == 0:
            raise ValueError(f"no shot is as large as {width}x{height}")
        return self.shots[self.rng.choice(len(self.shots), p=p / p.sum())]

    def _cut_out(self, frames, height, width, scale):
        """Cuts a sample out of a shot. Returns kind, truth and real low resolution, or None for the
        last."""
        rng, shot = self.rng, self._pick(height, width)
        order = torch.from_numpy(frame_order(rng, len(shot.truth), frames, self.recipe))
        order = order.to(self.device)
        y = int(rng.integers((shot.truth.shape[2] - height) // scale + 1)) * scale
        x = int(rng.integers((shot.truth.shape[3] - width) // scale + 1)) * scale
        pictures = [shot.truth[:, :, y:y + height, x:x + width].index_select(0, order)]
        low = shot.low.get(scale, [])
        if low and rng.random() < self.recipe.stored:
            a, h, w = low[rng.integers(len(low))], height // scale, width // scale
            y, x = y // scale, x // scale
            pictures.append(a[:, :, y:y + h, x:x + w].index_select(0, order))
        return shot.kind, pictures

    def _crop(self, frames, height, width, scale):
        """Returns truth and real low resolution, or None for the second, of one sample."""
        drawn = None
        if self.still_kinds[1] is not None and self.rng.random() < self.recipe.drawn:
            drawn = self._draw(frames, height, width)
        kind, pictures = ((drawn[0], [drawn[1]]) if drawn
                          else self._cut_out(frames, height, width, scale))
        pictures = self._recolour(pictures) if kind in SCREENS else self._turn(pictures)
        if kind not in SCREENS and len(pictures) == 1 and self.rng.random() < self.recipe.tinted:
            pictures = [self._tint(pictures[0])]
        return pictures[0], pictures[1] if len(pictures) > 1 else None

    def _turn(self, pictures):
        """Mirrors and turns at random, where that keeps the size."""
        flips = [d for d in (2, 3) if self.rng.random() < 0.5]
        turn = self.rng.random() < 0.3 and pictures[0].shape[2] == pictures[0].shape[3]
        pictures = [p.flip(flips) if flips else p for p in pictures]
        return [p.transpose(2, 3) if turn else p for p in pictures]

    def _recolour(self, pictures):
        """Changes a screen's colours, because programs have any colours, and dark letters or light
        ones."""
        if self.rng.random() < self.recipe.colours:
            order = torch.from_numpy(self.rng.permutation(3)).to(self.device)
            pictures = [p.index_select(1, order) for p in pictures]
            if self.rng.random() < 0.5:
                pictures = [255 - p for p in pictures]
        return pictures

    def _soften(self, truth):
        """Makes a rectangle of the truth as soft as if it could not be sharp."""
        sides = [(int(self.rng.uniform(0.25, 1) * n), n) for n in truth.shape[2:]]
        (h, y), (w, x) = ((side, int(self.rng.integers(n - side + 1))) for side, n in sides)
        enlarged = float(self.rng.choice(SOFT))
        part = truth[:, :, y:y + h, x:x + w]
        with torch.autocast(self.device.type, enabled=False):
            soft = resize(part[None].flatten(1, 2).float(), soft_matrix(enlarged, w, self.device),
                          soft_matrix(enlarged, h, self.device))
        truth = truth.clone()
        truth[:, :, y:y + h, x:x + w] = soft.reshape(part.shape).byte()
        return truth

    def _tint(self, truth):
        """Gives other and more colour, because flowers and lights have any colour, and more of it
        than most photographs. Of a bright yellow the blue is dark, and encoders leave colours
        coarse."""
        order = torch.from_numpy(self.rng.permutation(3)).to(self.device)
        x = truth.index_select(1, order).float()
        grey = x.mean(1, keepdim=True)
        return to_bytes(grey + float(self.rng.uniform(1, 2.5)) * (x - grey)).byte()

    def _sample(self, frames, height, width, scale):
        """Returns what _crop() does, sometimes of two shots with a cut between them."""
        truth, low = self._crop(frames, height, width, scale)
        if self.rng.random() < self.recipe.cut and low is None:
            other, _ = self._crop(frames, height, width, scale)
            at = int(self.rng.integers(1, frames))
            truth = torch.cat([truth[:at], other[at:]])
        if low is None and self.rng.random() < self.recipe.soft:
            truth = self._soften(truth)
        return truth, low

    def _frames(self, height, width, scale):
        """Returns what single frames are cut out of, [(pictures, their encodings, is a screen)],
        and how likely each is: kinds as in clips, and whole pictures as likely as shots."""
        key = height, width, scale
        if key not in self.frames:
            rows = [(s.kind, 1 - self.recipe.drawn, s.truth, s.low.get(scale, []))
                    for s in self.shots]
            rows += [(s.kind, self.recipe.drawn, a[None], []) for s in self.shots for a in s.stills]
            rows = [r for r in rows if r[1] and r[2].shape[2] >= height and r[2].shape[3] >= width]
            if not rows:
                raise ValueError(f"no picture is as large as {width}x{height}")
            share = {}
            for kind, p, *_ in rows:
                share[kind] = share.get(kind, 0) + p
            p = np.array([self.recipe.kinds.get(kind, 1.0) * p / share[kind]
                          for kind, p, *_ in rows])
            self.frames[key] = [(a, low, kind in SCREENS) for kind, _, a, low in rows], p / p.sum()
        return self.frames[key]

    def _single(self, size, height, width, scale):
        """Returns truth (size, 1, 3, height, width) and real low resolution of each or None. This
        is for small networks, whose steps are short: what can be done with a batch at once is."""
        rows, p = self._frames(height, width, scale)
        picks, u = self.rng.choice(len(rows), size, p=p), self.rng.random((size, 4))
        cuts, lows, h, w = [], [], height // scale, width // scale
        for i, (frame, down, right, real) in zip(picks, u):
            a, low, _ = rows[i]
            n = int(frame * len(a))
            y, x = (int(at * ((side - crop) // scale + 1)) for at, side, crop in
                    ((down, a.shape[2], height), (right, a.shape[3], width)))
            cuts.append(a[n, :, y * scale:y * scale + height, x * scale:x * scale + width])
            chosen = low[int(real / self.recipe.stored * len(low))] \
                if low and real < self.recipe.stored else None
            lows.append(chosen if chosen is None else chosen[n, :, y:y + h, x:x + w])
        screen = np.array([rows[i][2] for i in picks])
        truth = self._vary(torch.stack(cuts), lows, screen)
        soft = [i for i in range(size)
                if lows[i] is None and self.rng.random() < self.recipe.soft]
        for i in soft:
            truth[i] = self._soften(truth[i][None])[0]
        return truth[:, None], [None if a is None else a[None] for a in lows]

    def _vary(self, truth, lows, screen):
        """Mirrors pictures that are no screens, and changes screens' colours, as _turn() and
        _recolour() do; real low resolution follows in place."""
        u = self.rng.random((3, len(truth)))
        flip, flop = ~screen & (u[0] < 0.5), ~screen & (u[1] < 0.5)
        dyed = screen & (u[2] < self.recipe.colours)
        inverse = screen & (u[2] < self.recipe.colours / 2)
        orders = np.where(dyed[:, None], self.rng.permuted(np.tile(np.arange(3), (len(truth), 1)),
                                                           axis=1), np.arange(3))

        def on(mask):
            return torch.from_numpy(mask).to(self.device)[:, None, None, None]
        index = torch.from_numpy(orders).to(self.device)
        truth = truth[torch.arange(len(truth), device=self.device)[:, None], index]
        truth = torch.where(on(flip), truth.flip(-1), truth)
        truth = torch.where(on(flop), truth.flip(-2), truth)
        truth = torch.where(on(inverse), 255 - truth, truth)
        for i, a in enumerate(lows):
            if a is not None:
                a = a[index[i]]
                a = a.flip([d for d, has in ((2, flip[i]), (1, flop[i])) if has])
                lows[i] = 255 - a if inverse[i] else a
        return truth

    def _shrink(self, truth, scale):
        b, f, c, height, width = truth.shape
        names, p = tuple(SHRINKS), np.array(list(SHRINKS.values()))
        pick = torch.from_numpy(self.rng.choice(len(names), b, p=p / p.sum())).to(self.device)
        columns = matrices(names, width, width // scale, self.device)[pick]
        rows = matrices(names, height, height // scale, self.device)[pick]
        low = resize(truth.reshape(b, f * c, height, width).float(), columns, rows)
        noisy = self.rng.random(b) < self.recipe.noise
        level = np.where(noisy, self.rng.uniform(1, 6, b), 0).astype(np.float32)
        if noisy.any():
            level = torch.from_numpy(level).to(self.device)[:, None, None, None]
            low = to_bytes(low + level * torch.randn(low.shape, generator=self.generator,
                                                     device=self.device))
        return low.reshape(b, f, c, height // scale, width // scale).byte()

    def _pad(self, canvas, truth):
        """Repeats the last row and column, as the engine does to fill a canvas up."""
        for axis in (3, 4):
            size = canvas.shape[axis]
            seen = size - int(self.rng.integers(0, size // 3))
            for a in (canvas, truth):
                a.narrow(axis, seen, size - seen).copy_(a.narrow(axis, seen - 1, 1))

    def _encode(self, low, without):
        """Begins to encode some of the clips that have no encoding. Returns a function that puts
        the results in."""
        chosen = [i for i in without if self.rng.random() < self.recipe.encoded]
        if not chosen:
            return lambda: None
        ways = [(str(self.rng.choice(PRESETS)),
                 "zerolatency" if self.rng.random() < 0.3 else None,
                 int(self.rng.integers(self.recipe.crf[0], self.recipe.crf[1] + 1)))
                for _ in chosen]
        finish = self.encoder.begin(low[chosen], ways)

        def put():
            low[chosen] = finish()
        return put

    @torch.no_grad()
    def begin(self, size, slices, height, width):
        """Begins a batch. Returns a function whose result is the batch: the bytes of the canvas
        (size, 8 slices + 1, 3, height, width) and of the truth (.., 8 slices - 3, ..), and the
        scale, a tensor of one element on the CPU. Encoding goes on meanwhile. Without slices both
        are single frames."""
        scales, p = zip(*self.recipe.scales.items())
        scale = int(self.rng.choice(scales, p=np.array(p) / sum(p)))
        h, w = (-(-a // scale) * scale for a in (height, width))
        if slices:
            samples = [self._sample(8 * slices + 1, h, w, scale) for _ in range(size)]
            truth = torch.stack([t for t, _ in samples])
        else:
            truth, low = self._single(size, h, w, scale)
            samples = [(None, a) for a in low]
        shown = 8 * slices - 3 if slices else 1
        with torch.autocast(self.device.type, enabled=False):
            low = self._shrink(truth, scale)
        for i, (_, real) in enumerate(samples):
            if real is not None:
                low[i] = real
        encoded = self._encode(low, [i for i, (_, real) in enumerate(samples) if real is None])
        padded = self.rng.random() < self.recipe.padded

        @torch.no_grad()
        def finish():
            encoded()
            pair = (upscale(low, h, w)[..., :height, :width].contiguous(),
                    truth[:, :shown, :, :height, :width].contiguous())
            if padded:
                self._pad(*pair)
            return *pair, torch.tensor([scale])
        return finish


def held_out(shots, share=0.05):
    """Splits shots into those for training and for validation. Whole sources are held out, by a
    hash of their names, and at least one of each kind."""
    held = set()
    for kind in {s.kind for s in shots}:
        sources = sorted({(s.place, s.source) for s in shots if s.kind == kind})
        held.update(source for _, source in sources[:max(1, round(share * len(sources)))])
    train = [s for s in shots if s.source not in held]
    return train or shots, [s for s in shots if s.source in held]


def _small(truth, scale):
    b, f, c, height, width = truth.shape
    columns, rows = (matrices(("bicubic",), n, n // scale, truth.device) for n in (width, height))
    return resize(truth.flatten(1, 2).float(), columns, rows).byte().unflatten(1, (f, c))


def validation_items(shots, slices=5, side=256, each=2):
    """Returns fixed crops, [(kind, canvas, truth, scale)]: clean at 4x and 2x and, where there is
    one, encoded at 4x."""
    items, frames = [], 8 * slices + 1
    for shot in shots:
        if not shot.fits(side, side) or len(shot.truth) < 2:
            continue
        rng = np.random.default_rng(shot.place)
        for _ in range(each):
            y, x = (int(rng.integers((a - side) // 4 + 1)) * 4 for a in shot.truth.shape[2:])
            at = np.arange(frames) % (2 * (len(shot.truth) - 1))
            at = np.where(at < len(shot.truth), at, 2 * (len(shot.truth) - 1) - at)
            order = torch.from_numpy(at).to(shot.truth.device)
            truth = shot.truth[:, :, y:y + side, x:x + side].index_select(0, order)[None]
            lows = [("clean", _small(truth, 4), 4), ("clean 2x", _small(truth, 2), 2)]
            for a in shot.low.get(4, [])[:1]:
                a = a[:, :, y // 4:(y + side) // 4, x // 4:(x + side) // 4].index_select(0, order)
                lows.append(("encoded", a[None], 4))
            items += [(f"{shot.kind}/{how}", upscale(a, side, side), truth[:, :-4], scale)
                      for how, a, scale in lows]
    return items


# Reading ------------------------------------------------------------------------------------------


def read_video(path, device):
    """Reads a file as bytes (frames, 3, H, W)."""
    frames = torch.from_numpy(video.Video(path).read_all())
    return frames.to(device).permute(0, 3, 1, 2).contiguous()


def load(folder, device):
    """Reads all shots of a data set (dataset.py has its layout), in the order of its list."""
    with open(os.path.join(folder, "dataset.json"), encoding="utf-8") as f:
        entries = json.load(f)["shots"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # ffmpeg decodes beside us
        return list(pool.map(lambda e: _load_shot(folder, e, device), entries))


def _render(folder, entry, device):
    """Returns truth and pictures of a shot that was made of pictures."""
    paths = [os.path.join(folder, p) for p in entry["pictures"]]
    stills = [moves.read_picture(p) for p in paths]
    if "script" in entry:
        truth = moves.render(stills, entry["script"])
    else:
        frames = moves.zoom(Image.open(paths[0]).convert("RGB"), (entry["width"], entry["height"]),
                            entry["path"])
        truth = torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous()
    return truth.to(device), [a.to(device) for a in stills[:1]]


def _load_shot(folder, entry, device):
    if "hr" in entry:
        truth, stills = read_video(os.path.join(folder, entry["hr"]), device), []
    else:
        truth, stills = _render(folder, entry, device)
    low, (frames, _, height, width) = {}, truth.shape
    for e in entry["lr"]:
        a, scale = read_video(os.path.join(folder, e["file"]), device), e["scale"]
        if a.shape != (frames, 3, height // scale, width // scale):
            raise ValueError(f"{e['file']} does not fit its shot: {tuple(a.shape)}")
        low.setdefault(scale, []).append(a)
    return Shot(entry["source"], entry["kind"], truth, low, stills)


def synthetic(device, shots=6, frames=41, side=256):
    """Makes moving stripes and discs, for tests without a data set."""
    made = []
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side + 32), indexing="ij")
    for i in range(shots):
        t = torch.arange(frames)[:, None, None]
        sharp = torch.sin((x + i * t) * (0.15 + 0.04 * i) + y * (0.05 * i)) > 0
        disc = (x - 128 - 2 * t) ** 2 + (y - 128) ** 2 < (40 + 10 * i) ** 2
        grey = torch.where(disc, 200 - 20 * i, 60) + 40 * sharp
        truth = torch.stack([grey, grey // 2 + 30, 255 - grey], 1).clamp(0, 255).byte().to(device)
        made.append(Shot(f"synthetic{i}", ("stripes", "desktop")[i % 2], truth, stills=[truth[0]]))
    return made
