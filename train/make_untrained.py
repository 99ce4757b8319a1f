#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the bundled model before training: reproducible random weights behind a last convolution
of zeros, so that the picture is the canvas (bicubic) and training starts from there.

    make_untrained.py CONFIG.json OUT.safetensors [--seed N]
"""
import argparse
import json

import numpy as np

import packed


def initial(name, shape, rng):
    if name.endswith((".gamma", "norm_q.weight", "norm_k.weight", "norm3.weight")):
        return np.ones(shape, np.float32)
    if name.endswith(".bias") or name.startswith("dec.decoder.26."):
        return np.zeros(shape, np.float32)
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
    spread = shape[-1] if name.endswith("modulation") else fan_in
    return (rng.standard_normal(shape) / np.sqrt(spread)).astype(np.float32)


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("config")
    ap.add_argument("out")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    with open(args.config) as f:
        config = json.load(f)
    rng = np.random.default_rng(args.seed)
    tensors = {n: initial(n, s, rng) for n, s in packed.shapes(config).items()}
    packed.write(args.out, config, tensors, "FlashVSR small (untrained)")


if __name__ == "__main__":
    main()
