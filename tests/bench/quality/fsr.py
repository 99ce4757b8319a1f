# SPDX-License-Identifier: GPL-2.0-or-later
"""FSR 1.0 as a method to compare with: AMD FidelityFX Super Resolution 1, its two passes in numpy.

Written from AMD's public description (github.com/GPUOpen-Effects/FidelityFX-FSR, version
1.20210629, ffx_fsr1.h), which is where the constants come from. Exact reciprocals and roots stand
where the shader approximates, and values stay in floating point between the passes.

EASU, edge-adaptive spatial upsampling. Every output pixel lies between four input pixels, and is a
weighted mean of these and the eight that surround them (a 4x4 block without its corners).
  1. At each of the four, luma gradients across a plus of five pixels give a direction, and how
     much the picture looks like an edge there: a steady slope counts fully, a ridge or a speck,
     where the gradient turns round, counts nothing. The four are blended bilinearly.
     Where there is no direction, it counts as horizontal, whatever the strength.
  2. The kernel is round and narrow where there is no edge. The more of an edge there is, the more
     it is stretched along the edge (to twice its length) and squeezed across it (most on
     diagonals), and the wider the window, which reaches the negative lobe.
  3. Its profile is Lanczos of two lobes, as a polynomial of the squared distance d2:
     (25/16 (2/5 d2 - 1)^2 - 9/16) (lobe d2 - 1)^2, the second factor being the window.
  4. The result is clamped to what the four nearest pixels span, so nothing rings.

RCAS, robust contrast-adaptive sharpening, at the output's size. Each pixel minus a part of its four
neighbours, renormalised. The part is as large as it can be without the result leaving [0, 1], were
all four neighbours the smallest or the largest of them; one value for the three colours, limited to
3/16, and then halved 'stops' times.

Pictures are at the edges as if their outermost pixels went on for ever.
"""
import numpy as np

SHARPNESS_STOPS = 0.2
RCAS_LIMIT = 3 / 16
FLAT = 1 / 32768  # squared gradient, in doubled luma, below which there is no direction
PAD = 2

# Offsets (down, right) from the upper left one of the four nearest pixels.
NEAREST = ((0, 0), (0, 1), (1, 0), (1, 1))
TAPS = NEAREST + ((-1, 0), (-1, 1), (2, 0), (2, 1), (0, -1), (1, -1), (0, 2), (1, 2))
STRIP = 64


def upscale(picture, scale, sharpen=True):
    """8-bit RGB of height x width x 3, 'scale' times as large. Rounded once, at the end."""
    large = easu(picture, scale)
    return to_bytes(rcas(large) if sharpen else large)


def both(picture, scale):
    """With RCAS, and EASU alone."""
    large = easu(picture, scale)
    return to_bytes(rcas(large)), to_bytes(large)


def to_bytes(planes):
    values = np.rint(planes * np.float32(255)).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(values.transpose(1, 2, 0))


# ---------------------------------------------------------------------------------------------
# EASU


def easu(picture, scale):
    """3 x (height scale) x (width scale), float32 in [0, 1]."""
    height, width, _ = picture.shape
    planes = picture.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    padded = np.pad(planes, ((0, 0), (PAD, PAD), (PAD, PAD)), mode="edge")
    fields = _gradients(padded)
    large = np.empty((3, height * scale, width * scale), np.float32)
    # All pixels at the same place between input pixels have the same offsets to their taps.
    for row in range(scale):
        for column in range(scale):
            large[:, row::scale, column::scale] = _phase(padded, fields, row, column, scale)
    return large


def _gradients(padded):
    """Slope right, slope down, and edge strength in [0, 2], one ring smaller than 'padded'."""
    luma = padded[0] * np.float32(0.5) + padded[2] * np.float32(0.5) + padded[1]
    middle = luma[1:-1, 1:-1]
    right, strength_x = _slope(luma[1:-1, :-2], middle, luma[1:-1, 2:])
    down, strength_y = _slope(luma[:-2, 1:-1], middle, luma[2:, 1:-1])
    return np.stack([right, down, strength_x + strength_y])


def _slope(before, middle, after):
    slope = after - before
    steepest = np.maximum(abs(after - middle), abs(middle - before))
    ratio = _divide(abs(slope), steepest)
    return slope, np.square(np.minimum(ratio, 1))


def _divide(a, b):
    """a / b, and zero where b is."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def _phase(padded, fields, row, column, scale):
    """The output pixels at one place of the scale x scale between input pixels."""
    up, y = _position(row, scale)
    left, x = _position(column, scale)
    height, width = (side - 2 * PAD for side in padded.shape[1:])

    def shifted(planes, down, right, pad):
        top, side = pad + up + down, pad + left + right
        return planes[:, top:top + height, side:side + width]

    weights = dict(zip(NEAREST, ((1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x)))
    blend = sum(np.float32(weights[at]) * shifted(fields, *at, PAD - 1) for at in NEAREST)
    metric, lobe = _kernel(*blend)
    nearest = [shifted(padded, *at, PAD) for at in NEAREST]
    total = np.zeros((3, height, width), np.float32)
    norm = np.zeros((height, width), np.float32)
    for down, right in TAPS:
        weight = _weight(metric, lobe, np.float32(down - y), np.float32(right - x))
        total += weight * shifted(padded, down, right, PAD)
        norm += weight
    total /= norm
    return np.clip(total, np.minimum.reduce(nearest), np.maximum.reduce(nearest))


def _position(index, scale):
    """Of output pixel 'index': the input pixel before it, and how far it lies beyond its middle."""
    at = (index + 0.5) / scale - 0.5
    before = int(np.floor(at))
    return before, at - before


def _kernel(right, down, strength):
    """The squared distance as a quadratic form (xx, yy, xy) of the offset, and the window."""
    squared = right * right + down * down
    flat = squared < FLAT
    norm = np.sqrt(np.where(flat, 1, squared))
    x = np.where(flat, 1, right / norm)
    y = np.where(flat, 0, down / norm)
    edge = np.square(strength * np.float32(0.5))
    across = 1 + (1 / np.maximum(abs(x), abs(y)) - 1) * edge
    along = 1 - np.float32(0.5) * edge
    across *= across
    along *= along
    metric = (x * x * across + y * y * along, y * y * across + x * x * along,
              2 * x * y * (across - along))
    return metric, np.float32(0.5) - np.float32(0.29) * edge


def _weight(metric, lobe, down, right):
    xx, yy, xy = metric
    d2 = xx * (right * right) + yy * (down * down) + xy * (right * down)
    window = np.minimum(d2 * lobe, 1) - 1  # the window ends where it is zero
    d2 = np.minimum(d2, 1 / lobe)
    base = np.square(np.float32(0.4) * d2 - 1) * np.float32(25 / 16) - np.float32(9 / 16)
    return base * np.square(window)


# ---------------------------------------------------------------------------------------------
# RCAS


def rcas(planes, stops=SHARPNESS_STOPS):
    """float32 in [0, 1], sharpened; strip by strip, which stays in the processor's caches."""
    height = planes.shape[1]
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    sharp = np.empty_like(planes)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        sharp[:, top:bottom] = _sharpen(padded[:, top:bottom + 2], np.float32(2.0 ** -stops))
    return sharp


def _sharpen(padded, amount):
    middle = padded[:, 1:-1, 1:-1]
    ring = (padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    low, high = np.minimum.reduce(ring), np.maximum.reduce(ring)
    to_black = _divide(np.minimum(low, middle), 4 * high)
    to_white = _divide(1 - np.maximum(high, middle), 4 * (1 - low))
    part = np.minimum(to_black, to_white).min(axis=0).clip(0, np.float32(RCAS_LIMIT)) * amount
    # As a change of the middle, so that a flat picture keeps its values to the last bit.
    change = part / (1 - 4 * part) * (4 * middle - sum(ring))
    return (middle + change).clip(0, 1)
