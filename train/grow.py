#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A larger network that begins with what a smaller one has learned.

    grow.py RUN/stage.pt CONFIG.json OUT.pt

More channels on the decoder's last level, and more MemBlocks there. The new network makes the same
pictures: nothing old reads a new channel, and a new block adds nothing. Both can learn at once,
because what is new reads all there is, with random weights.
"""
import argparse
import json

import torch

import model as network

ONLY = {"dec_channels", "dec_blocks"}  # what may differ


def _last_level(config):
    """Index, channels and blocks of it."""
    level = config["dec_levels"] - 1
    return level, config["dec_channels"][level], config["dec_blocks"][level]


def _check(small, large):
    differing = {k for k in large if large[k] != small.get(k)}
    level, channels, blocks = _last_level(small)
    if differing - ONLY or large["dec_channels"][:level] != small["dec_channels"][:level] \
            or large["dec_blocks"][:level] != small["dec_blocks"][:level]:
        raise ValueError(f"only the last level can grow, and these differ: {sorted(differing)}")
    if _last_level(large)[1] < channels or _last_level(large)[2] < blocks:
        raise ValueError("the last level cannot shrink")


def _inputs(old, new, parts):
    """Columns of a kernel's input: 'parts' times the old channels, each at its part's start."""
    return [part * new // parts + i for part in range(parts) for i in range(old // parts)]


def _put(weight, old):
    """'old' to where it belongs in a larger kernel of random weights; what was there before reads
    no new channel."""
    parts = 2 if old.shape[1] == 2 * old.shape[0] and weight.shape[1] == 2 * weight.shape[0] else 1
    columns = _inputs(old.shape[1], weight.shape[1], parts)
    weight[:old.shape[0]] = 0
    weight[:old.shape[0], columns] = old


@torch.no_grad()
def grow(small, config, seed=1):
    """A FlashVSR of 'config' from a trained one."""
    _check(small.config, config)
    large = network.FlashVSR(config)
    network.initialise(large, seed)
    learned = small.state_dict()
    for name, p in large.named_parameters():
        if name not in learned:
            if name.endswith(".conv.4.weight"):
                p.zero_()
        elif p.shape == learned[name].shape:
            p.copy_(learned[name])
        elif p.dim() == 1:
            p.zero_()
            p[:learned[name].shape[0]] = learned[name]
        else:
            _put(p, learned[name])
    return large


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("source")
    ap.add_argument("config")
    ap.add_argument("out")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    run = torch.load(args.source, map_location="cpu")
    small = network.FlashVSR(run["config"])
    small.load_state_dict(run["ema"])
    with open(args.config) as f:
        config = json.load(f)
    large = grow(small, config, args.seed)
    torch.save({"config": config, "steps": run["steps"], "ema": large.state_dict()}, args.out)


if __name__ == "__main__":
    main()
