# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a larger network that begins with what a smaller one has learned.

    python3 -m train.network.grow RUN/stage.pt|FILE.safetensors CONFIG.json OUT.pt

The decoder's last level may get more channels and more MemBlocks. The new network then makes the
same pictures, because nothing old reads a new channel and a new block adds nothing. Both can learn
at once, because what is new reads everything, with random weights.

Or the decoder gets one more level, on learned features. The new network then makes bicubic
pictures. (The convolution behind a TGrow is the same for both frames; the old last one was not.) A
stage's "settle" gives the new level a start.

In both cases there may be a prompt for each scale where there was one for all.
"""
import argparse
import json

import torch

from train.network import export
from train.network import model as network

ONLY = {"dec_channels", "dec_blocks", "dec_levels"}  # what may differ


def _check(small, large):
    """Returns whether there is another level."""
    differing = {k for k in large if large[k] != small.get(k)}
    levels, deeper = small["dec_levels"], large["dec_levels"] - small["dec_levels"]
    before, after = [list(zip(c["dec_channels"], c["dec_blocks"]))[:levels] for c in (small, large)]
    if small.get("prompts", 1) == 1:
        differing.discard("prompts")
    if differing - ONLY or deeper not in (0, 1) or before[:-1] != after[:-1]:
        raise ValueError(f"only the last level can grow, and these differ: {sorted(differing)}")
    if deeper and before != after:
        raise ValueError("either the last level grows, or there is another one")
    if any(a > b for a, b in zip(before[-1], after[-1])):
        raise ValueError("the last level cannot shrink")
    return bool(deeper)


def _inputs(old, new, parts):
    """Returns the columns of a kernel's input that the old channels get: 'parts' times, each at its
    part's start."""
    return [part * new // parts + i for part in range(parts) for i in range(old // parts)]


def _put(weight, old):
    """Puts 'old' where it belongs in a larger kernel of random weights, so that what was there
    before reads no new channel."""
    parts = 2 if old.shape[1] == 2 * old.shape[0] and weight.shape[1] == 2 * weight.shape[0] else 1
    columns = _inputs(old.shape[1], weight.shape[1], parts)
    weight[:old.shape[0]] = 0
    weight[:old.shape[0], columns] = old


@torch.no_grad()
def grow(small, config, seed=1):
    """Returns a FlashVSR of 'config' grown from a trained one, and the names of what is new in
    it."""
    deeper = _check(small.config, config)
    large = network.FlashVSR(config)
    network.initialise(large, seed)
    learned = small.state_dict()
    if deeper:
        for part in ("weight", "bias"):
            del learned["dec.decoder.26." + part]
    for name, p in large.named_parameters():
        if name not in learned:
            if not deeper and name.endswith(".conv.4.weight"):
                p.zero_()
        elif p.shape == learned[name].shape:
            p.copy_(learned[name])
        elif name == "prompt":
            p.copy_(learned[name].expand_as(p))
        elif p.dim() == 1:
            p.zero_()
            p[:learned[name].shape[0]] = learned[name]
        else:
            _put(p, learned[name])
    return large, [name for name, _ in large.named_parameters() if name not in learned]


def load(path):
    """Loads the model of a training run or a packed file."""
    if path.endswith(".safetensors"):
        return export.load_packed(path)
    run = torch.load(path, map_location="cpu")
    model = network.FlashVSR(run["config"])
    model.load_state_dict(run["ema"])
    return model


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("source")
    ap.add_argument("config")
    ap.add_argument("out")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    with open(args.config) as f:
        config = json.load(f)
    large, new = grow(load(args.source), config, args.seed)
    torch.save({"config": config, "ema": large.state_dict(), "new": new}, args.out)


if __name__ == "__main__":
    main()
