# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures to look at: the same crop of the truth and of every method, side by side, at 1:1."""
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import metrics
from train.data import video

SIDE = 256
STEP = 8
WARM_FRAMES = 8  # a stream's first frames have no past; a later one shows what viewers see
GAP = 4
LABEL_HEIGHT = 20
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


class Crop:
    """A rectangle of one frame, in pixels of the cropped truth."""

    def __init__(self, frame, x, y, width, height):
        self.frame, self.x, self.y, self.width, self.height = frame, x, y, width, height

    def of(self, picture):
        return picture[self.y:self.y + self.height, self.x:self.x + self.width]

    def fits(self, width, height, frames):
        return (0 <= self.frame < frames and 0 <= self.x and 0 <= self.y and
                0 < self.width <= width - self.x and 0 < self.height <= height - self.y)


def _window_sums(energy, width, height):
    """Of every width x height window whose corner is on a grid of STEP."""
    sums = np.pad(energy, ((1, 0), (1, 0))).cumsum(0, np.float64).cumsum(1)
    rows = np.arange(0, energy.shape[0] - height + 1, STEP)[:, None]
    columns = np.arange(0, energy.shape[1] - width + 1, STEP)
    return (sums[rows + height, columns + width] - sums[rows, columns + width] -
            sums[rows + height, columns] + sums[rows, columns])


class DetailFinder:
    """The place of the largest gradient energy in a clip."""

    def __init__(self):
        self.crop, self.best = None, (False, -1.0)

    def look(self, index, frame):
        luma = metrics.luma(frame)
        energy = np.zeros_like(luma)
        energy[:, 1:] += np.square(np.diff(luma, axis=1))
        energy[1:] += np.square(np.diff(luma, axis=0))
        width, height = min(SIDE, frame.shape[1]), min(SIDE, frame.shape[0])
        sums = _window_sums(energy, width, height)
        found = (index >= WARM_FRAMES, float(sums.max()))
        if found > self.best:
            row, column = np.unravel_index(sums.argmax(), sums.shape)
            self.best = found
            self.crop = Crop(index, int(column) * STEP, int(row) * STEP, width, height)


def wanted_crops(clip):
    """Of crops.json beside the clip: {"clip": [{"frame", "x", "y", "width", "height"}, ...]}."""
    path = Path(clip).parent / "crops.json"
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text()).get(Path(clip).stem, [])
        return [Crop(**entry) for entry in entries]
    except (ValueError, TypeError, AttributeError) as error:
        raise video.VideoError(f"{path}: {error}") from error


def _font():
    try:
        return ImageFont.truetype(FONT, 13)
    except OSError:
        return ImageFont.load_default()


def draw(path, panels):
    """'panels': (label, picture) each, all of one size."""
    height, width = panels[0][1].shape[:2]
    font = _font()
    column = max(width, max(font.getbbox(label)[2] for label, _ in panels) + 4) + GAP
    sheet = Image.new("RGB", (column * len(panels) - GAP, height + LABEL_HEIGHT), "black")
    pen = ImageDraw.Draw(sheet)
    for place, (label, picture) in enumerate(panels):
        pen.text((place * column + 2, 2), label, fill="white", font=font)
        sheet.paste(Image.fromarray(np.ascontiguousarray(picture)), (place * column, LABEL_HEIGHT))
    sheet.save(path)
