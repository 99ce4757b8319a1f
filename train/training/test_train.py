# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes a few steps of every stage on made-up clips, and one of a grown network.

    python3 -m train.training.test_train
"""
import math
import os
import sys
import tempfile

import torch

from train.data import clips, encoding
from train.network import export, grow
from train.network import model as network
from train.training import train

HERE = os.path.dirname(os.path.abspath(__file__))


def export_and_reload(trainer, folder):
    """Packs and reads back, twice. Returns whether the second file is the first, byte by byte."""
    paths = [os.path.join(folder, f"{i}.safetensors") for i in range(2)]
    export.save_packed(paths[0], trainer.stage["model"], trainer.averaged.state_dict(), "smoke")
    export.save_packed(paths[1], trainer.stage["model"],
                       export.load_packed(paths[0]).state_dict(), "smoke")
    contents = [open(p, "rb").read() for p in paths]
    return contents[0] == contents[1]


def smoke_stage(name, steps, folder, device):
    stage = train.load_stage(os.path.join(HERE, name + ".json"))
    stage.update(warmup=1, lr=1e-4)
    trainer = train.Trainer(stage, 1, device)
    shots = clips.synthetic(device, frames=33, side=128)
    recipe = clips.Recipe(scales={"4": 1.0}, encoded=0.5)
    sampler = clips.Sampler(shots, recipe, 1, device, encoding.Encoder())
    canvas, truth, scale = sampler.begin(1, 4, 128, 128)()
    # other colours are learned in a step or two; sharpness takes hundreds
    truth = (truth.float() * 0.8 + 60).clamp(0, 255).byte()
    seen = [float(trainer.step(canvas, truth, scale, 0)["loss"]) for _ in range(steps)]
    good = all(math.isfinite(v) for v in seen) and (steps < 3 or seen[-1] < seen[0])
    good &= export_and_reload(trainer, folder)
    print(f"{'ok' if good else 'FAIL':4}  {name}: losses {' '.join(f'{v:.5f}' for v in seen)}")
    return good


def smoke_grown(folder, device):
    """Checks that beside what grow.py has added, learned weights hardly move at first."""
    stage = train.load_stage(os.path.join(HERE, "stage2.json"))
    config = dict(stage["model"], dec_blocks=[1, 4, 2])
    small = network.FlashVSR(stage["model"])
    network.initialise(small)
    large, new = grow.grow(small, config)
    init = os.path.join(folder, "grown.pt")
    torch.save({"config": config, "ema": large.state_dict(), "new": new}, init)
    stage.update(model=config, warmup=1, settle=100, forget=0.5)
    trainer = train.Trainer(stage, 1, device, init)
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    batch = clips.Sampler(clips.synthetic(device, frames=33, side=128),
                          clips.Recipe(scales={"4": 1.0}), 1, device).begin(2, 4, 128, 128)()
    trainer.model.dec.decoder["26"].weight.data.normal_(0, 0.01)  # zero lets no gradient through
    trainer.step(*batch, 0)
    moved = [(name in new, (p - before[name]).abs().max().item())
             for name, p in trainer.model.named_parameters()
             if not name.startswith("dec.decoder.26.")]
    fresh, learned = (max(d for is_new, d in moved if is_new is k) for k in (True, False))
    good = 0 < 100 * learned < fresh
    print(f"{'ok' if good else 'FAIL':4}  grown: new weights move by {fresh:.1e}, learned ones by "
          f"{learned:.1e}")
    return good


def smoke_feeder(device):
    """Checks that batches come, that what goes wrong in the thread arrives, and that the thread
    ends."""
    sampler = clips.Sampler(clips.synthetic(device, frames=33, side=128),
                            clips.Recipe(scales={"4": 1.0}), 1, device)
    feeder = train.Feeder(sampler, [[128, 128, 4, 2, 1.0]], 1)
    canvas, truth, scale = feeder.next()
    good = canvas.shape == (2, 33, 3, 128, 128) and truth.shape == (2, 29, 3, 128, 128)
    good &= scale.item() == 4
    sampler.shots = []
    try:
        for _ in range(train.READY + train.AHEAD + 2):
            feeder.next()
        good = False
    except (IndexError, ValueError):
        pass
    feeder.stop()
    good &= not feeder.thread.is_alive()
    print(f"{'ok' if good else 'FAIL':4}  batches from a thread")
    return good


def main():
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as folder:
        good = [smoke_stage(n, k, folder, device)
                for n, k in (("stage1", 3), ("stage2", 3), ("stage3", 1))]
        good.append(smoke_grown(folder, device))
    return 0 if all(good) and smoke_feeder(device) else 1


if __name__ == "__main__":
    sys.exit(main())
