# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws motion from still pictures, because recordings have too little motion of every kind, and a
picture with a path has a hundredth of a video's size.

Screens (desktops, pages, maps of games) move by whole pixels. Their script is a list of frames, a
frame is a list of layers, and a layer [picture, top, left, height, width, y, x] is a rectangle that
is cut from a picture at (top, left) and laid at (y, x), over the layers before it. Photographs are
panned between pixels, as cameras do.
"""
import math

import numpy as np
import torch
from PIL import Image

RADIUS = 3  # of Lanczos' kernel


def read_picture(path):
    """Reads a file as bytes (3, H, W)."""
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)


# Paths --------------------------------------------------------------------------------------------


def speeds(rng, frames):
    """Returns whole pixels a frame, as wheels, scroll bars and hands move things."""
    most = math.exp(rng.uniform(math.log(1.5), math.log(48)))
    t = np.arange(frames)
    how = rng.choice(["even", "even", "wheel", "fling", "hand", "stop"])
    if how == "wheel":
        v = np.where(t % rng.integers(2, 9) == 0, 2 * most, 0)
    elif how == "fling":
        v = 1.5 * most * rng.uniform(0.8, 0.97) ** t
    elif how == "hand":
        v = most * np.sin(t * rng.uniform(0.1, 0.6) + rng.uniform(0, 6))
    else:
        v = np.full(frames, most)
        if how == "stop":
            a, b = np.sort(rng.integers(0, frames, 2))
            v[a:b] = 0
    return np.round(v * rng.choice([-1, 1])).astype(int)


def walk(rng, frames, room):
    """Returns positions from 0 to 'room' that turn round at the ends."""
    at = rng.integers(0, room + 1) + np.cumsum(speeds(rng, frames))
    if room == 0:
        return np.zeros(frames, int)
    at = at % (2 * room)
    return np.where(at > room, 2 * room - at, at)


# Screens ------------------------------------------------------------------------------------------


def covering(rng, sides, height, width):
    """Returns the index of a picture that is large enough, as long as there is one."""
    fit = [i for i, (h, w) in enumerate(sides) if h >= height and w >= width]
    return int(fit[rng.integers(len(fit))]) if fit else None


def _base(rng, side, frames, height, width, how):
    """Returns the layers of what fills the frame."""
    down, right = side[0] - height, side[1] - width
    top, left = np.full(frames, rng.integers(0, down + 1)), np.full(frames, rng.integers(0, right + 1))
    if how in ("scroll", "map"):
        top = walk(rng, frames, down)
    if how == "map":
        left = walk(rng, frames, right)
    if how == "pages":
        for at in rng.integers(1, frames, rng.integers(1, 4)):
            top[at:] = rng.integers(0, down + 1)
    return [[0, int(y), int(x), height, width, 0, 0] for y, x in zip(top, left)]


def _window(rng, picture, side, frames, height, width):
    """Returns the layers of a window that is moved about."""
    h = min(side[0], int(height * rng.uniform(0.25, 0.75)))
    w = min(side[1], int(width * rng.uniform(0.25, 0.75)))
    top, left = rng.integers(0, side[0] - h + 1), rng.integers(0, side[1] - w + 1)
    return [[picture, int(top), int(left), h, w, int(y), int(x)]
            for y, x in zip(walk(rng, frames, height - h), walk(rng, frames, width - w))]


def _strip(rng, picture, side, frames, height, width):
    """Returns the layers of a bar that stays: a menu, a side bar, a game's display."""
    thick = int(rng.integers(16, 72))
    if rng.random() < 0.5:
        h, w, y, x = thick, min(width, side[1]), int(rng.choice([0, height - thick])), 0
    else:
        h, w, y, x = min(height, side[0]), thick, 0, int(rng.choice([0, width - thick]))
    top, left = rng.integers(0, side[0] - h + 1), rng.integers(0, side[1] - w + 1)
    return [[picture, int(top), int(left), h, w, y, x]] * frames


def screen(rng, sides, frames, height, width, game=False):
    """Makes a script for pictures of these sides (height, width); the first one fills the frame."""
    how = "map" if game else rng.choice(["scroll", "pages", "still", "map"], p=[0.55, 0.1, 0.3, 0.05])
    layers = [_base(rng, sides[0], frames, height, width, how)]
    if len(sides) > 1 and (how == "still" or rng.random() < 0.2):
        layers.append(_window(rng, 1, sides[1], frames, height, width))
    elif len(sides) > 1 and rng.random() < 0.4:
        layers.append(_strip(rng, 1, sides[1], frames, height, width))
    return [list(frame) for frame in zip(*layers)]


def render(pictures, script):
    """Renders bytes (frames, 3, H, W) from pictures (3, h, w), on their device."""
    height, width = script[0][0][3:5]
    out = torch.empty(len(script), 3, height, width, dtype=torch.uint8, device=pictures[0].device)
    for frame, layers in zip(out, script):
        for picture, top, left, h, w, y, x in layers:
            frame[:, y:y + h, x:x + w] = pictures[picture][:, top:top + h, left:left + w]
    return out


# Photographs --------------------------------------------------------------------------------------


def lanczos(shift):
    """Returns weights (.., 2 RADIUS) of the pixels around a point that lies 'shift' (0 to 1) after
    the middle one."""
    place = torch.arange(1 - RADIUS, RADIUS + 1, device=shift.device) - shift[..., None]
    w = torch.sinc(place) * torch.sinc(place / RADIUS)
    return w / w.sum(-1, keepdim=True)


def shifted(windows, shifts, axis):
    """Moves windows by parts of a pixel along an axis (2 or 3), which gets 2 RADIUS - 1 shorter."""
    weights, size = lanczos(shifts), windows.shape[axis] - 2 * RADIUS + 1
    parts = (windows.narrow(axis, i, size) * weights[:, i, None, None, None]
             for i in range(2 * RADIUS))
    return sum(parts)


def zoom(image, size, path):
    """Returns bytes (frames, H, W, 3) of the windows [left, top, width] of a Pillow image, at a
    size (w, h)."""
    return np.stack([np.asarray(image.resize(
        size, Image.LANCZOS, box=(x, y, x + s, y + s * size[1] / size[0]))) for x, y, s in path])


def pan(rng, picture, frames, height, width):
    """Returns bytes (frames, 3, height, width) of a hand-held pan over a photograph (3, H, W)."""
    room = np.array([picture.shape[1] - height, picture.shape[2] - width]) - 2 * RADIUS
    speed = rng.choice([0.3, 1, 3, 8]) * rng.uniform(0.3, 1)
    angle, shake, rate = rng.uniform(0, 6.3), rng.choice([0, 0.3, 0.8]), rng.uniform(0.3, 0.9)
    t = np.arange(frames)
    way = np.stack([speed * t * math.sin(angle) + shake * np.sin(rate * t),
                    speed * t * math.cos(angle) + shake * np.cos(1.3 * rate * t)])
    way -= way.min(1, keepdims=True)
    scale = np.minimum(1, room[:, None] / np.maximum(way.max(1, keepdims=True), 1e-6))
    way = way * scale
    way += rng.uniform(0, 1, (2, 1)) * (room[:, None] - way.max(1, keepdims=True))
    way = np.clip(way, 0, room[:, None])
    whole = np.floor(way).astype(int)
    h, w = height + 2 * RADIUS - 1, width + 2 * RADIUS - 1
    windows = torch.stack([picture[:, y:y + h, x:x + w] for y, x in whole.T]).float()
    shift = torch.from_numpy((way - whole).astype(np.float32)).to(picture.device)
    moved = shifted(shifted(windows, shift[0], 2), shift[1], 3)
    return torch.floor(moved + 0.5).clamp_(0, 255).byte()
