# SPDX-License-Identifier: GPL-2.0-or-later
"""Has what training minimises. Pictures are (batch, frames, 3, H, W) in [-1, 1]; x is the network's
picture, y the truth."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

EPS2 = 1e-6  # of Charbonnier: half a level of an 8-bit picture is 4e-3


def charbonnier(d):
    return (d.square() + EPS2).sqrt().mean()


def temporal(d):
    """Returns the difference of successive frames against the truth's. It is linear, so it is of
    the error alone."""
    return charbonnier(d[:, 1:] - d[:, :-1])


def log_mse(d):
    """Returns the mean over clips of ln MSE, which is PSNR. The floor keeps flat clips from taking
    over. (An L1 loss asks first of all that the many pixels of flat areas be left alone, and the
    surest way to do so is to have no features.)"""
    return (d.square().mean((1, 2, 3, 4)) + 3e-5).log().mean()


def spectrum(x, y):
    """Compares how much of each frequency there is, wherever it lies, and so asks for texture, not
    for a place."""
    def amplitude(a):
        return torch.fft.rfft2(a.float(), norm="ortho").abs()
    return (amplitude(x) - amplitude(y)).abs().mean()


def laplacian(d, levels=3):
    """Returns the L1 norm of the error's detail at three scales, of which the finest comes first
    and weighs most."""
    d, total = d.flatten(0, 1), 0
    for level in range(levels):
        low = F.avg_pool2d(d, 2)
        total = total + (d - F.interpolate(low, scale_factor=2.0)).abs().mean() / 2 ** level
        d = low
    return total


def pixel_losses(x, y, weights, valid=None):
    """Returns the sum of the losses whose weight is not zero, and each on its own."""
    d = x - y
    if valid is not None:
        d = d * valid
    terms = {"charbonnier": lambda: charbonnier(d), "l2": lambda: d.square().mean(),
             "temporal": lambda: temporal(d), "log_mse": lambda: log_mse(d),
             "spectrum": lambda: spectrum(x[:, ::3], y[:, ::3]),
             "laplacian": lambda: laplacian(d)}
    values = {k: terms[k]() for k, w in weights.items() if w and k in terms}
    return sum(weights[k] * v for k, v in values.items()), values


class Critic(nn.Module):
    """Judges patches of three successive frames beside the canvas of the middle one, so that
    flicker shows. The critic sees the difference from the canvas, because only that is the
    network's work."""

    def __init__(self, width=48):
        super().__init__()
        widths = (12, width, 2 * width, 4 * width)
        layers = []
        for a, b in zip(widths, widths[1:]):
            layers += [spectral_norm(nn.Conv2d(a, b, 4, 2, 1)), nn.LeakyReLU(0.2)]
        layers += [spectral_norm(nn.Conv2d(widths[-1], 4 * width, 3, 1, 1)), nn.LeakyReLU(0.2),
                   spectral_norm(nn.Conv2d(4 * width, 1, 3, 1, 1))]
        self.layers = nn.Sequential(*layers)

    def forward(self, detail, canvas):
        return self.layers(torch.cat([4 * detail, canvas], 1))


def triples(x, canvas, starts):
    """Returns frames s .. s + 2 for each start, as what 'x' adds to the canvas, and the canvas
    itself."""
    d = torch.cat([(x - canvas)[:, s:s + 3].flatten(1, 2) for s in starts])
    return d, torch.cat([canvas[:, s + 1] for s in starts])


def critic_loss(real, fake):
    """Returns the hinge loss, relative to the mean of the other side."""
    return (F.relu(1 - (real - fake.mean())).mean() + F.relu(1 + (fake - real.mean())).mean()) / 2


def adversarial_loss(real, fake):
    return (F.relu(1 + (real - fake.mean())).mean() + F.relu(1 - (fake - real.mean())).mean()) / 2
