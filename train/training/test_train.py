# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes a few steps of every stage on made-up clips, of a grown network and of trunks.

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
    export.save_packed(paths[0], trainer.stage["model"], trainer.learned()["ema"], "smoke")
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


def smoke_trunks(folder, device):
    """Checks that trunks of every scale gain over bicubic in some steps, that only the batch's own
    learns, and that what is saved is what goes on and what is exported."""
    stage = train.load_stage(os.path.join(HERE, "trunk.json"))
    stage.update(warmup=1, lr=3e-4, ema=0.5)
    shots = clips.synthetic(device, frames=9, side=96)
    good, trainer = True, train.make_trainer(stage, 1, device)
    for scale in (2, 3, 4):
        sampler = clips.Sampler(shots, clips.Recipe(scales={str(scale): 1.0}, encoded=0.5), 1,
                                device, encoding.Encoder())
        others = [p for s, layers in trainer.model.trunk.items() if s != str(scale)
                  for p in layers.parameters()]
        before = [p.detach().clone() for p in others]
        batches = [sampler.begin(4, 0, 64, 64)() for _ in range(2)]
        seen = [float(trainer.step(*batches[i % 2], 0)["loss"]) for i in range(12)]
        good &= all(math.isfinite(v) for v in seen) and sum(seen[-2:]) < sum(seen[:2])
        good &= all(torch.equal(p, q) for p, q in zip(others, before))
        canvas, truth, _ = batches[0]
        row, = train.validate(trainer, [("one", canvas, truth, scale)]).values()
        good &= row[1] > row[0]
        print(f"{'ok' if good else 'FAIL':4}  trunk, {scale}x: loss of two batches "
              f"{sum(seen[:2]) / 2:.4f}, then {sum(seen[-2:]) / 2:.4f}, {row[1] - row[0]:+.3f} dB "
              "over bicubic")
    path = os.path.join(folder, "trunk.pt")
    trainer.save(path)
    run, again = torch.load(path), train.make_trainer(stage, 2, device, path)
    good &= all(torch.equal(p, q) for p, q in zip(trainer.averaged.parameters(),
                                                  again.model.parameters()))
    plain = export.fill(export.build(run["config"]), run["ema"])
    canvas = train.as_picture(batches[0][0]).cpu()
    with torch.no_grad():
        worst = (plain(canvas, 4) - trainer.averaged.cpu()(canvas, 4)).abs().max().item()
    good &= worst < 1e-4
    # without branches it begins where it was
    stage.update(branches=False)
    fresh = train.make_trainer(stage, 2, device, path).model.cpu()
    good &= all(torch.equal(v, run["ema"][k]) for k, v in fresh.folded().items())
    stage.update(tied=True)
    tied = train.make_trainer(stage, 2, device).model.trunk
    good &= tied["2"].blocks[2] is tied["4"].blocks[2] and tied["2"].last is not tied["4"].last
    good &= export_and_reload(trainer, folder)
    print(f"{'ok' if good else 'FAIL':4}  trunks: saved and exported, max |d| {worst:.1e}")
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
        good.append(smoke_trunks(folder, device))
    return 0 if all(good) and smoke_feeder(device) else 1


if __name__ == "__main__":
    sys.exit(main())
