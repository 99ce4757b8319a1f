# SPDX-License-Identifier: GPL-2.0-or-later
"""Knows the tensors of a model, and writes the packed file that libfvsr loads
(docs/model-format.md)."""
import json

import numpy as np

TRUNK_INPUTS = 4  # three colours and the scale
TRUNK_SKIPS = 4   # features that the 1x1 joins


def shapes(c):
    """Returns {name: shape} of every tensor that a configuration asks for."""
    if "trunk_scales" in c:
        return {f"trunk.{a[0]}.{k}": v for a in zip(*trunk_lists(c)) for k, v in _trunk(*a).items()}
    s = {}
    s.update(("dit." + k, v) for k, v in _transformer(c).items())
    s.update(("lq." + k, v) for k, v in _projection(c).items())
    s.update(("dec." + k, v) for k, v in _decoder(c).items())
    s["prompt"] = (c.get("prompts", 1), c["text_len"], c["text_dim"])
    return s


def _linear(s, name, outputs, inputs):
    s[name + ".weight"] = (outputs, inputs)
    s[name + ".bias"] = (outputs,)


def trunk_lists(c):
    """Returns scales, channels and blocks of a configuration's trunks."""
    lists = c["trunk_scales"], c["trunk_channels"], c["trunk_blocks"]
    if len({len(a) for a in lists}) != 1:
        raise ValueError("the trunks' lists differ in length")
    return lists


def _trunk(scale, channels, blocks):
    """Returns the tensors of a trunk (docs/network.md, section 11)."""
    s = {}

    def conv(name, outputs, inputs):
        s[name + ".weight"] = (outputs, inputs, 3, 3)
        s[name + ".bias"] = (outputs,)

    conv("first", channels, TRUNK_INPUTS)
    for i in range(blocks):
        for j in range(3):
            conv(f"blocks.{i}.conv.{j}", channels, channels)
    conv("last", channels, channels)
    _linear(s, "join", channels, TRUNK_SKIPS * channels)
    conv("head", 3 * scale * scale, channels)
    return s


def _transformer(c):
    dim, s = c["dim"], {}
    s["patch_embedding.weight"] = (dim, c["in_dim"], 1, 2, 2)
    s["patch_embedding.bias"] = (dim,)
    _linear(s, "text_embedding.0", dim, c["text_dim"])
    _linear(s, "text_embedding.2", dim, dim)
    _linear(s, "time_embedding.0", dim, c["freq_dim"])
    _linear(s, "time_embedding.2", dim, dim)
    _linear(s, "time_projection.1", 6 * dim, dim)
    for i in range(c["num_layers"]):
        block = f"blocks.{i}."
        s[block + "modulation"] = (1, 6, dim)
        for attention in ("self_attn", "cross_attn"):
            for part in "qkvo":
                _linear(s, f"{block}{attention}.{part}", dim, dim)
            for part in "qk":
                s[f"{block}{attention}.norm_{part}.weight"] = (dim,)
        s[block + "norm3.weight"] = (dim,)
        s[block + "norm3.bias"] = (dim,)
        _linear(s, block + "ffn.0", c["ffn_dim"], dim)
        _linear(s, block + "ffn.2", dim, c["ffn_dim"])
    s["head.modulation"] = (1, 2, dim)
    _linear(s, "head.head", 4 * c["out_dim"], dim)
    return s


def _projection(c):
    s = {}
    widths = (768, c["lq_hidden1"], c["lq_hidden2"])
    for i in (1, 2):
        s[f"conv{i}.weight"] = (widths[i], widths[i - 1], 4, 3, 3)
        s[f"conv{i}.bias"] = (widths[i],)
        s[f"norm{i}.gamma"] = (widths[i], 1, 1, 1)
    for i in range(c["lq_layers"]):
        _linear(s, f"linear_layers.{i}", c["dim"], widths[2])
    return s


def flat_end(c):
    """Returns the frames and the pixels a side that the last convolution makes of one position."""
    levels = c.get("dec_levels", 4)
    return {2: 4, 3: 2, 4: 1}[levels], 2 ** (4 - levels)


def _decoder(c):
    s, ch = {}, c["dec_channels"]
    levels, blocks = c.get("dec_levels", 4), c.get("dec_blocks", (3, 3, 3))
    phases = 4 if c.get("dec_depth_to_space") else 1
    frames, side = flat_end(c)

    def conv(position, outputs, inputs, bias):
        s[f"decoder.{position}.weight"] = (outputs, inputs, 3, 3)
        if bias:
            s[f"decoder.{position}.bias"] = (outputs,)

    conv(1, ch[0], 768 + c["in_dim"], True)
    conv(3, ch[0], ch[0], False)
    for level in range(min(3, levels)):
        first, width = 5 + 6 * level, ch[level]
        for block in range(first, first + blocks[level]):
            for part, inputs in ((0, 2 * width), (2, width), (4, width)):
                s[f"decoder.{block}.conv.{part}.weight"] = (width, inputs, 3, 3)
                s[f"decoder.{block}.conv.{part}.bias"] = (width,)
        if level < levels - 1:
            grow = 2 if level else 1
            s[f"decoder.{first + 4}.conv.weight"] = (width * grow, width, 1, 1)
            conv(first + 5, phases * ch[level + 1], width, False)
    if levels == 4:
        conv(24, ch[3], ch[3], False)
    conv(26, 3 * frames * side * side, ch[levels - 1], True)
    return s


def to_bf16(a):
    """Rounds float32 to the bits of bfloat16, ties to even."""
    bits = np.ascontiguousarray(a, "<f4").view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def write(path, config, tensors, name):
    """Writes {name: float32 array} as one packed BF16 file."""
    config = dict(config)
    version = config.pop("lq_version", "v1.1")
    header = {"__metadata__": {"format": "fvsr-packed", "format_version": "1", "name": name,
                               "lq_version": version, "config": json.dumps(config)}}
    offset = 0
    for key, shape in shapes(config).items():
        if tensors[key].shape != shape:
            raise ValueError(f"{key} is {tensors[key].shape}, must be {shape}")
        end = offset + 2 * tensors[key].size
        header[key] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for key in shapes(config):
            f.write(to_bf16(tensors[key]).tobytes())
