# SPDX-License-Identifier: GPL-2.0-or-later
"""The trunks of docs/network.md, section 11, in PyTorch, with the packed file's tensor names: one
for each scale. Where they are tied, those of equal width share their blocks while they learn.

In training a 3x3 convolution may have branches beside it: a 1x1, and a 1x1 that widens with a 3x3
behind it. All of that is linear, so a step folds the branches into one kernel first, which costs
next to nothing, and convolves once. What is exported are the folded kernels.

Pictures are (batch, frames, 3, H, W) in [-1, 1], and no frame knows another.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from train.network import packed

LARGEST_TOLD = 4.0  # as in the engine
STEP = 16           # its grid's sides are multiples
WIDER = 2           # the channels between the two convolutions of a branch, in times


def is_trunk(config):
    return "trunk_scales" in config


def nearest(scales, scale):
    """Returns the scale whose trunk enlarges 'scale' times: the nearest one, of two the larger."""
    return min(scales, key=lambda s: (abs(s - scale), -s))


class Kernel(nn.Module):
    """Has the weight and bias of a 3x3 convolution, and what branches add to the weight."""

    def __init__(self, inputs, outputs, branches=False):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.branches = branches
        if branches:
            middle = WIDER * inputs
            self.point = nn.Parameter(torch.zeros(outputs, inputs))
            self.widen = nn.Parameter(torch.zeros(middle, inputs))
            self.narrow = nn.Parameter(torch.zeros(outputs, middle, 3, 3))

    def folded(self):
        if not self.branches:
            return self.weight
        weight = self.weight + torch.einsum("omyx,mi->oiyx", self.narrow, self.widen)
        return weight + F.pad(self.point[:, :, None, None], (1, 1, 1, 1))

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            weight = self.folded()
        return F.conv2d(x, weight, self.bias, padding=1)


class Block(nn.Module):
    def __init__(self, channels, branches):
        super().__init__()
        self.conv = nn.ModuleList(Kernel(channels, channels, branches) for _ in range(3))

    def forward(self, x):
        o = self.conv[2](F.silu(self.conv[1](F.silu(self.conv[0](x)))))
        return (o + x) * (torch.sigmoid(o) - 0.5)


class Join(nn.Module):
    """Has a 1x1 convolution of all that is joined."""

    def __init__(self, channels, sources):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, sources * channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, sources):
        return F.conv2d(torch.cat(sources, 1), self.weight[:, :, None, None], self.bias)


class Layers(nn.Module):
    """Is the trunk of one scale."""

    def __init__(self, scale, channels, blocks, branches):
        super().__init__()
        self.scale = scale
        self.first = Kernel(packed.TRUNK_INPUTS, channels, branches)
        self.blocks = nn.ModuleList(Block(channels, branches) for _ in range(blocks))
        self.last = Kernel(channels, channels, branches)
        self.join = Join(channels, packed.TRUNK_SKIPS)
        self.head = Kernel(channels, 3 * scale * scale)

    def tie(self, other):
        """Shares the first layers with a trunk of the same width."""
        self.first = other.first
        for i in range(min(len(self.blocks), len(other.blocks))):
            self.blocks[i] = other.blocks[i]

    def forward(self, x):
        first = x = self.first(x)
        kept = []
        for block in self.blocks:
            x = block(x)
            kept.append(x)
        x = self.join([first, kept[0], kept[-2], self.last(x)])
        return F.pixel_shuffle(self.head(x), self.scale)


class Trunk(nn.Module):
    def __init__(self, config, branches=False, tied=False):
        super().__init__()
        self.config = dict(config)
        self.dtype = torch.float32
        self.trunk = nn.ModuleDict(
            {str(a[0]): Layers(*a, branches) for a in zip(*packed.trunk_lists(config))})
        deepest = {}
        for layers in sorted(self.trunk.values(), key=lambda a: -len(a.blocks)):
            if tied:
                layers.tie(deepest.setdefault(layers.last.weight.shape, layers))
        shapes = {k: tuple(v.shape) for k, v in self.folded().items()}
        assert shapes == packed.shapes(config), "names or shapes differ from the packed file's"

    def folded(self):
        """Returns the tensors of the packed file."""
        tensors = {}
        for prefix, m in self.trunk.named_modules(prefix="trunk",
                                                   remove_duplicate=False):
            if isinstance(m, Kernel):
                tensors[prefix + ".weight"] = m.folded().detach()
                tensors[prefix + ".bias"] = m.bias.detach()
            elif isinstance(m, Join):
                tensors[prefix + ".weight"] = m.weight.detach()
                tensors[prefix + ".bias"] = m.bias.detach()
        return tensors

    @torch.no_grad()
    def unfold(self, tensors):
        """Takes the tensors of a packed file. Branches add nothing at first."""
        parameters = dict(self.named_parameters())
        for name, p in parameters.items():
            if name in tensors:
                p.copy_(torch.as_tensor(tensors[name]))
            elif name.endswith((".point", ".narrow")):
                p.zero_()

    def forward(self, canvas, scale=4):
        """Returns the pictures of canvases (b, f, 3, H, W), which were enlarged 'scale' times, a
        number."""
        b, f, _, height, width = canvas.shape
        side = nearest(self.config["trunk_scales"], scale)
        layers = self.trunk[str(side)]
        x = canvas.flatten(0, 1)
        if height % side or width % side:
            x = F.pad(x, (0, -width % side, 0, -height % side), mode="replicate")
        x = F.avg_pool2d(x, side)
        told = x.new_full((1,), min(max(scale, 1), LARGEST_TOLD) / LARGEST_TOLD)
        x = torch.cat([x, told.expand(len(x), 1, *x.shape[2:])], 1)
        y = layers(x.contiguous(memory_format=torch.channels_last))
        return canvas + y[..., :height, :width].float().reshape(canvas.shape)


@torch.no_grad()
def picture_as_streamed(model, canvas, scale):
    """Returns what forward() does of a canvas as the engine pads it, for comparisons."""
    height, width = canvas.shape[-2:]
    step = STEP * nearest(model.config["trunk_scales"], scale)
    padded = F.pad(canvas.flatten(0, 1), (0, -width % step, 0, -height % step), mode="replicate")
    out = model(padded.unflatten(0, canvas.shape[:2]), scale)
    return out[..., :height, :width]


def _scale_to(kernel, x, deviation):
    """Scales a kernel so that its output varies that much; returns the output."""
    kernel.weight.mul_(deviation / kernel(x).std())
    return kernel(x)


def _level(layers, x):
    """Scales kernels so that features neither die nor grow from block to block. A gate multiplies
    by what is nearly its own input over four, so that features which are small become smaller in
    each block, and the first steps do not reach the last blocks."""
    x = _scale_to(layers.first, x, 1)
    for block in layers.blocks:
        y = F.silu(_scale_to(block.conv[0], x, 1))
        y = F.silu(_scale_to(block.conv[1], y, 1))
        o = _scale_to(block.conv[2], y, 2)
        x = (o + x) * (torch.sigmoid(o) - 0.5)
    _scale_to(layers.last, x, 1)


@torch.no_grad()
def initialise(model, seed=1):
    """Sets random weights from which training starts well. The heads are zero, so the picture is
    the canvas."""
    rng = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if ".head." in name or name.endswith((".bias", ".point", ".narrow")):
            p.zero_()
        else:
            p.copy_(torch.randn(p.shape, generator=rng) / math.sqrt(p[0].numel()))
    colours = F.interpolate(torch.randn(4, 3, 8, 8, generator=rng), scale_factor=4.0,
                            mode="bilinear")
    for layers in sorted(model.trunk.values(), key=lambda a: len(a.blocks)):
        told = torch.full((4, 1, 32, 32), layers.scale / LARGEST_TOLD)
        _level(layers, torch.cat([0.5 * colours, told], 1))


def multiply_adds(config, scale):
    """Returns the multiply-adds a pixel of output."""
    name = f"trunk.{scale}."
    return sum(math.prod(v) for k, v in packed.shapes(config).items()
               if k.startswith(name) and k.endswith("weight")) / scale ** 2
