# SPDX-License-Identifier: GPL-2.0-or-later
"""How far upscaled frames are from the true ones. Frames are 8-bit RGB, whole pictures count, from
the first frame on.

PSNR     10 log10(255^2 / MSE), MSE being the mean over all pixels, colours and frames of the clip
         (so not the mean of the frames' PSNR). An exact copy counts as 100 dB.
PSNR-Y   the same of luma, 0.299 R + 0.587 G + 0.114 B, not rounded.
SSIM     of luma (Wang and others, 2004): Gaussian window of 11x11, sigma 1.5, K1 0.01, K2 0.03,
         at every place where the whole window fits; mean over places, then over frames.
temporal root of the mean square of (change of the output from frame to frame - change of the
         truth), in levels of 255, over all colours and pairs of neighbouring frames.
"""
import math

import numpy as np

WINDOW = 11
SIGMA = 1.5
C1 = (0.01 * 255) ** 2
C2 = (0.03 * 255) ** 2
STRIP = 32
CHUNK = 1 << 16
EXACT_DB = 100.0
NAMES = ("psnr", "psnr_y", "ssim", "temporal")


def luma(frame):
    return frame @ np.array([0.299, 0.587, 0.114], np.float32)


def psnr_of(mse):
    return EXACT_DB if mse == 0 else min(EXACT_DB, 10 * math.log10(255 ** 2 / mse))


def gaussian():
    taps = np.exp(-np.square(np.arange(WINDOW) - WINDOW // 2) / (2 * SIGMA ** 2))
    return (taps / taps.sum()).astype(np.float32)


def _filter_rows(values, taps):
    """Down the first axis; the result has only the places where all taps fit."""
    rows, half = values.shape[0] - (WINDOW - 1), WINDOW // 2
    total = values[half:half + rows] * taps[half]
    pair = np.empty_like(total)
    for k in range(half):
        np.add(values[k:k + rows], values[WINDOW - 1 - k:WINDOW - 1 - k + rows], out=pair)
        pair *= taps[k]
        total += pair
    return total


def blur(values):
    """The window's mean around every place; strip by strip, which stays in the caches."""
    taps = gaussian()
    height, width = (side - (WINDOW - 1) for side in values.shape)
    mean = np.empty((height, width), np.float32)
    for top in range(0, height, STRIP):
        rows = _filter_rows(values[top:top + STRIP + WINDOW - 1], taps)
        mean[top:top + STRIP] = _filter_rows(rows.T, taps).T
    return mean


class Moments:
    """A luma picture with its local mean and variance. Around mid-grey, for precision."""

    def __init__(self, picture):
        self.values = picture - np.float32(128)
        self.mean = blur(self.values)
        self.mean_square = self.mean * self.mean
        self.variance = blur(self.values * self.values) - self.mean_square


def ssim(a, b):
    """Of two Moments."""
    product = a.mean * b.mean
    covariance = blur(a.values * b.values) - product
    # Back from around mid-grey: (m + 128)(n + 128) and (m + 128)^2 + (n + 128)^2.
    shift = 128 * (a.mean + b.mean) + np.float32(128 ** 2)
    squares = a.mean_square + b.mean_square
    index = (2 * (product + shift) + C1) / (squares + 2 * shift + C1)
    index *= (2 * covariance + C2) / (a.variance + b.variance + C2)
    return float(index.mean(dtype=np.float64))


class Truth:
    """A true frame and what all methods' scores need of it."""

    def __init__(self, frame):
        self.levels = frame.astype(np.int16)
        self.luma = luma(frame)
        self.moments = Moments(self.luma)


def _mean_square(levels):
    """Of int16 differences; sums of squares of whole numbers are exact in float64."""
    flat, total = levels.ravel(), 0.0
    for start in range(0, flat.size, CHUNK):
        part = flat[start:start + CHUNK].astype(np.float64)
        total += float(part @ part)
    return total / flat.size


class Score:
    """Adds up one method's frames of one clip."""

    def __init__(self):
        self.frames = 0
        self.mse = self.mse_y = self.ssim = self.jitter = 0.0
        self.before = None

    def add(self, truth, frame):
        error = frame.astype(np.int16) - truth.levels
        picture = luma(frame)
        self.mse += _mean_square(error)
        self.mse_y += float(np.square(picture - truth.luma).mean(dtype=np.float64))
        self.ssim += ssim(truth.moments, Moments(picture))
        if self.before is not None:
            self.jitter += _mean_square(error - self.before)
        self.before = error
        self.frames += 1

    def result(self):
        n = self.frames
        return {"psnr": psnr_of(self.mse / n), "psnr_y": psnr_of(self.mse_y / n),
                "ssim": self.ssim / n,
                "temporal": math.sqrt(self.jitter / (n - 1)) if n > 1 else 0.0}
