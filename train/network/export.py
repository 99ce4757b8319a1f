# SPDX-License-Identifier: GPL-2.0-or-later
"""Converts between PyTorch and the packed files that libfvsr loads.

    python3 -m train.network.export RUN/stage.pt [...] OUT.safetensors [--name NAME]
        writes the averaged weights of a training run, or the mean of several
    python3 -m train.network.export CONFIG.json OUT.safetensors [--seed N]
        writes a model before training, whose pictures are bicubic
"""
import argparse
import json
import struct

import numpy as np
import torch

from train.network import model as network
from train.network import packed, trunk

DTYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "U8": "u1", "I32": "<i4"}


def read_safetensors(path):
    """Returns metadata and {name: numpy array}; BF16 becomes float32."""
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(length)), f.read()
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        a = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]])
        if entry["dtype"] == "BF16":
            a = (a.astype(np.uint32) << 16).view(np.float32)
        tensors[name] = a.reshape(entry["shape"])
    return metadata, tensors


def load_packed(path):
    """Loads the model in a packed file."""
    metadata, tensors = read_safetensors(path)
    config = dict(json.loads(metadata["config"]), lq_version=metadata["lq_version"])
    return fill(build(config), tensors)


def build(config):
    """Returns a network of a configuration, without branches if it is a trunk."""
    return trunk.Trunk(config) if trunk.is_trunk(config) else network.FlashVSR(config)


def initialise(model, seed):
    (trunk if trunk.is_trunk(model.config) else network).initialise(model, seed)


def fill(model, tensors):
    state = {k: torch.from_numpy(np.array(tensors[k], np.float32)) for k in model.state_dict()}
    model.load_state_dict(state)
    return model


def save_packed(path, config, state, name):
    tensors = {k: v.detach().float().cpu().numpy() for k, v in state.items()}
    for key, value in tensors.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{key} is not finite")
    packed.write(path, config, tensors, name)


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("source", nargs="+")
    ap.add_argument("out")
    ap.add_argument("--name", default="FlashVSR small")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    if args.source[0].endswith(".json"):
        with open(args.source[0]) as f:
            config = json.load(f)
        model = build(config)
        initialise(model, args.seed)
        save_packed(args.out, config, model.state_dict(), args.name + " (untrained)")
        return
    runs = [torch.load(source, map_location="cpu") for source in args.source]
    mean = {k: torch.stack([r["ema"][k] for r in runs]).mean(0) for k in runs[0]["ema"]}
    save_packed(args.out, runs[0]["config"], mean, args.name)


if __name__ == "__main__":
    main()
