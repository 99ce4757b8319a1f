# SPDX-License-Identifier: GPL-2.0-or-later
"""Trains the small model, one stage a run (docs/network.md, section 10), or trunks (section 11).

    python3 -m train.training.train train/training/stage1.json --data DATASET --out RUN
        [--init RUN/stage1.pt] [--minutes M] [--seed S] [--part FROM TO] [--gpus N]
        [--encoder FILE.so] [--model CONFIG.json] [--compile]

Writes RUN/STAGE.pt (every two minutes and at the end), RUN/STAGE.csv (losses) and
RUN/STAGE-val.csv (PSNR of bicubic and of the network by kind of clip).
"""
import argparse
import collections
import contextlib
import copy
import csv
import json
import math
import os
import queue
import sys
import threading
import time

import numpy as np
import torch
import torch.distributed as dist

from train.data import clips, encoding
from train.network import model as network
from train.network import trunk
from train.training import losses

SAVE_EVERY_S = 120
LOG_EVERY = 25
AHEAD = 3  # batches in the making: a small encoding takes as long as a step
READY = 2  # batches that wait for their step
PORT = 29517

DEFAULTS = {
    "model": "../network/bundled.json",  # beside the stage's file
    "attention": "sparse",             # or "dense"
    # height, width, slices (0: single frames), batch, how often
    "shapes": [[256, 256, 4, 16, 1.0]],
    "topk_ratio": [0.8, 2.5],          # kept blocks over blocks^2, drawn anew for each batch
    "local_range": [9, 11],
    "kv_ratio": [3],
    "losses": {"charbonnier": 1.0, "temporal": 0.2},
    "adversarial": 0.0,                # norm of its gradient over the other losses'
    "lr": 5e-4,
    "last": 0.3,                       # of it for the last convolution
    "warmup": 200,                     # steps
    "settle": 0,                       # steps in which learned weights, beside new ones, get there
    "forget": 0.0,                     # share of clips whose decoder has no past
    "branches": False,                 # of trunks: beside each convolution while it learns
    "tied": False,                     # trunks of one width share their blocks
    "betas": [0.9, 0.99],
    "decay": 1e-4,                     # of weights
    "last_lr": 0.01,                   # share of lr at the end
    "clip": 1.0,
    "ema": 0.999,
    "minutes": 10,
    "validate_s": 120,
    "data": {},
}


def load_stage(path, config=None):
    """Returns a stage's settings, with the network of another configuration if one is given."""
    with open(path) as f:
        given = json.load(f)
    unknown = set(given) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
    stage = dict(DEFAULTS, **given)
    with open(config or os.path.join(os.path.dirname(path), stage["model"])) as f:
        stage["model"] = json.load(f)
    return stage


def as_picture(levels):
    return levels.float().mul_(2 / 255).sub_(1)


# Validation ---------------------------------------------------------------------------------------


def psnr(x, truth):
    """Returns the mean PSNR of clips as they are shown; a clip's PSNR is that of its frames' mean
    error."""
    levels = ((x.clamp(-1, 1) + 1) * 127.5 + 0.5).floor()
    mse = (levels - truth.float()).square().mean((1, 2, 3, 4)).clamp(min=1e-3)
    return (10 * torch.log10(255 ** 2 / mse)).mean().item()


@torch.no_grad()
def validate(trainer, items):
    """Returns {kind: PSNR} of bicubic and of what the trainer shows."""
    kinds = {}
    for kind, levels, truth, scale in items:
        canvas = as_picture(levels)
        row = [canvas[:, :truth.shape[1]], *trainer.shown(canvas, scale)]
        kinds.setdefault(kind, []).append([psnr(a[:, :truth.shape[1]], truth) for a in row])
    return {k: np.mean(v, 0) for k, v in sorted(kinds.items())}


# Training -----------------------------------------------------------------------------------------


def average_gradients(parameters):
    """Averages gradients over the processes, one for each GPU."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    parts = flat.div_(dist.get_world_size()).split([g.numel() for g in gradients])
    torch._foreach_copy_(gradients, [p.view_as(g) for p, g in zip(parts, gradients)])


class Clock:
    """Tells how much of a stage's time is over, from 'first' on, and the same in all processes."""

    STEPS = 16  # between two looks at it, where the others have to be told

    def __init__(self, minutes, first, device):
        self.seconds, self.first, self.device = 60 * minutes, first, device
        self.start, self.value = time.monotonic(), first

    def progress(self, step):
        if dist.is_initialized() and step % self.STEPS:
            return self.value
        value = torch.tensor(self.first + self.elapsed() / self.seconds, device=self.device)
        if dist.is_initialized():
            dist.broadcast(value, 0)
        self.value = value.item()
        return self.value

    def elapsed(self):
        return time.monotonic() - self.start


class Recorded:
    """Records losses and gradients of batches of one shape once, as a CUDA graph, because the
    thousands of kernels of a step take twice as long to launch as to run. Graphs share memory: what
    one returns is good until the next one runs."""

    WARM_UP = 3

    def __init__(self, trainer, levels, truth, scale, attend):
        self.inputs = levels.clone(), truth.clone(), scale.clone()
        self.attend = attend.copy()
        self.parameters = list(trainer.model.parameters())
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(self.WARM_UP):
                trainer.backward(*self.inputs, self.attend)
        torch.cuda.current_stream().wait_stream(side)
        self._forget()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, trainer.pool, capture_error_mode="thread_local"):
            self.result = trainer.backward(*self.inputs, self.attend)
        self.gradients = [p.grad for p in self.parameters]
        self._forget()

    def _forget(self):
        for p in self.parameters:
            p.grad = None

    def backward(self, levels, truth, scale, attend):
        for ours, theirs in zip((*self.inputs, *self.attend.tensors()),
                                (levels, truth, scale, *attend.tensors())):
            ours.copy_(theirs)
        self.graph.replay()
        for p, gradient in zip(self.parameters, self.gradients):
            p.grad = gradient
        return self.result


class Trainer:
    """Trains FlashVSR's kind of network."""

    # columns of the validation, after bicubic
    SHOWN = ("network", "network_adain", "without_cache", "without_past", "with_neither")

    def __init__(self, stage, seed, device, init=None, compiled=False, bf16=None):
        torch.manual_seed(seed)
        self.stage, self.seed, self.device, self.steps = stage, seed, device, 0
        self.rng = np.random.default_rng(seed)
        self.bf16 = device.type == "cuda" if bf16 is None else bf16
        self.new = set()  # what grow.py has added, by name
        self.model = self._make_model()
        if init:
            self._begin_with(torch.load(init, map_location="cpu"))
        self.model.to(device)
        self.averaged = copy.deepcopy(self.model).requires_grad_(False)
        for m in (self.model, self.averaged):
            m.dtype = torch.bfloat16 if self.bf16 else torch.float32
        self.optimizer = self._adam(self._groups(), stage["lr"], tuple(stage["betas"]))
        self.centred = [(p, self._centre(p).clone()) for p in self._kept_centred()]
        self.critic = None
        if stage["adversarial"]:
            self.critic = losses.Critic().to(device).to(memory_format=torch.channels_last)
            self.critic_optimizer = self._adam(self.critic.parameters(), 2e-4, (0.5, 0.9))
        if compiled:
            self._compile()
        self.recorded = {}  # by key(); a critic's steps are not
        self.pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None
        if dist.is_initialized():  # the same weights, other noise
            torch.manual_seed(seed + 1000 * dist.get_rank())

    def _make_model(self):
        model = network.FlashVSR(self.stage["model"])
        network.initialise(model, self.seed)
        return model

    def _begin_with(self, run):
        self.model.load_state_dict(run["ema"])
        self.new.update(run.get("new", ()))

    def _kept_centred(self):
        return [p for p in self.model.dec.parameters() if p.shape[-2:] == (3, 3)]

    def _compiled_parts(self):
        """Returns the modules that are worth it: those where memory traffic is."""
        return [self.model.dec]

    def shown(self, canvas, scale):
        """Returns what SHOWN names: the network's pictures, and those with adain, without the KV
        cache, without the decoder's past, and with neither."""
        noise = self.model.noise(canvas, torch.Generator(canvas.device).manual_seed(0))
        blocks = (canvas.shape[-2] // 128) * (canvas.shape[-1] // 128)

        def made(cache, past):
            attend = self.averaged.sparse(canvas, 2 * blocks * blocks - 1, kv_cache=cache)
            remember = canvas.new_full((1, 1, 1, 1, 1), past)
            with self.autocast():
                return self.averaged(canvas, noise, attend, remember, scale)
        x = made(True, 1)
        return [x, network.adain(x, canvas[:, :x.shape[1]]), made(False, 1), made(True, 0),
                made(False, 0)]

    def told(self, scale):
        """Returns a batch's scale, which comes as a tensor on the CPU, where it is used."""
        return scale.to(self.device)

    def key(self, levels, scale):
        """Returns what batches have in common that the same recorded step serves."""
        return levels.shape

    def _adam(self, parameters, lr, betas):
        fused = {"fused": True} if self.device.type == "cuda" else {}
        return torch.optim.AdamW(parameters, lr, betas, weight_decay=self.stage["decay"], **fused)

    def _groups(self):
        """Groups parameters by their share of the rate, and by whether they have been learned
        already."""
        groups = {}
        for name, p in self.model.named_parameters():
            last = name.startswith("dec.decoder.26.")
            groups.setdefault((last, bool(self.new) and name not in self.new), []).append(p)
        return [{"params": ps, "share": self.stage["last"] if last else 1.0, "learned": learned}
                for (last, learned), ps in groups.items()]

    @staticmethod
    def _centre(weight):
        """Returns the mean of each output channel's kernel."""
        return weight.detach().mean((1, 2, 3), keepdim=True)

    @torch.no_grad()
    def _recentre(self):
        """Keeps the sums of kernels. Features behind a ReLU are positive, so a change of a kernel's
        sum moves whole pictures at once, and the first thing that training would find is that no
        features at all are better than wrong ones."""
        for p, centre in self.centred:
            p -= self._centre(p) - centre

    def _compile(self):
        """Compiles parts of the network; goes on uncompiled after any failure."""
        for part in self._compiled_parts():
            self._compile_part(part)

    @staticmethod
    def _compile_part(part):
        plain = part.forward
        fast = torch.compile(plain, dynamic=False)

        def forward(*args):
            try:
                return fast(*args)
            except Exception as error:  # whatever a compiler may throw
                print("torch.compile failed, going on without:", str(error).splitlines()[0])
                part.forward = plain
                return plain(*args)
        part.forward = forward

    def autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def attention(self, canvas):
        s = self.stage
        if s["attention"] == "dense":
            return network.Dense()
        blocks = (canvas.shape[-2] // 128) * (canvas.shape[-1] // 128)
        topk = int(blocks * blocks * self.rng.uniform(*s["topk_ratio"])) - 1
        return self.model.sparse(canvas, topk, local_range=int(self.rng.choice(s["local_range"])),
                                 kv_ratio=int(self.rng.choice(s["kv_ratio"])))

    def _set_lr(self, progress):
        s = self.stage
        warm = min(1.0, (self.steps + 1) / s["warmup"])
        wave = s["last_lr"] + (1 - s["last_lr"]) * (1 + math.cos(math.pi * progress)) / 2
        settled = min(1.0, (self.steps + 1) / max(1, s["settle"])) ** 2
        for group in self.optimizer.param_groups:
            group["lr"] = s["lr"] * warm * wave * group["share"]
            if group["learned"]:
                group["lr"] *= settled
        return s["lr"] * warm * wave

    def _average(self):
        """Updates the weights' moving average, which is short at first, so that the start is
        forgotten."""
        keep = min(self.stage["ema"], (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            ours, theirs = list(self.averaged.parameters()), list(self.model.parameters())
            torch._foreach_mul_(ours, keep)
            torch._foreach_add_(ours, theirs, alpha=1 - keep)

    def _critic_step(self, real, fake, canvas):
        self.critic.requires_grad_(True)
        with self.autocast():
            loss = losses.critic_loss(self.critic(real, canvas).float(),
                                      self.critic(fake.detach(), canvas).float())
        self.critic_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if dist.is_initialized():
            average_gradients(list(self.critic.parameters()))
        self.critic_optimizer.step()
        self.critic.requires_grad_(False)
        return loss.detach()

    def _adversarial_gradient(self, x, truth, canvas, gradient):
        """Returns the gradient of the critic's opinion by the pictures, scaled to a share of
        'gradient'."""
        starts = self.rng.choice(x.shape[1] - 2, 3, replace=False)
        fake, middle = losses.triples(x, canvas, starts)
        real, _ = losses.triples(truth, canvas, starts)
        loss = self._critic_step(real, fake, middle)
        with self.autocast():
            opinion = losses.adversarial_loss(self.critic(real, middle).float().detach(),
                                              self.critic(fake, middle).float())
        (g,) = torch.autograd.grad(opinion, x)
        return g * (self.stage["adversarial"] * gradient.norm() / (g.norm() + 1e-12)), loss

    def backward(self, levels, truth, scale, attend):
        """Returns the loss and its terms; adds gradients to the weights'."""
        canvas, truth = as_picture(levels), as_picture(truth)
        remember = None
        if self.stage["forget"]:
            remember = (torch.rand(len(canvas), 1, 1, 1, 1, device=canvas.device)
                        >= self.stage["forget"]).to(self.model.dtype)
        with self.autocast():
            out = self.model(canvas, self.model.noise(canvas), attend, remember, scale)
        x = out.detach().requires_grad_()
        loss, terms = losses.pixel_losses(x, truth, self.stage["losses"])
        (gradient,) = torch.autograd.grad(loss, x)
        if self.critic is not None:
            more, terms["critic"] = self._adversarial_gradient(x, truth, canvas[:, :-4], gradient)
            gradient = gradient + more
        out.backward(gradient)
        return loss.detach(), {k: v.detach() for k, v in terms.items()}

    def _pass(self, *batch):
        """Does what backward() does, recorded where that is possible."""
        if self.device.type != "cuda" or self.critic is not None:
            return self.backward(*batch)
        key = self.key(batch[0], batch[2])
        if key not in self.recorded:
            self.recorded[key] = Recorded(self, *batch)
        return self.recorded[key].backward(*batch)

    def step(self, levels, truth, scale, progress):
        lr = self._set_lr(progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss, terms = self._pass(levels, truth, self.told(scale), self.attention(levels))
        if dist.is_initialized():
            average_gradients(list(self.model.parameters()))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.stage["clip"])
        self.optimizer.step()
        self._recentre()
        self._average()
        self.steps += 1
        return dict(terms, loss=loss, lr=lr)

    def save(self, path):
        """Writes a file that appears under its name only when it is complete."""
        state = {"config": self.stage["model"], "steps": self.steps, **self.learned()}
        torch.save(state, path + ".part")
        os.replace(path + ".part", path)

    def learned(self):
        """Returns the averaged weights: "ema" has the tensors of a packed file."""
        return {"ema": {k: v.cpu() for k, v in self.averaged.state_dict().items()}}


class TrunkTrainer(Trainer):
    """Trains trunks. A parameter that a batch does not reach, because it is another scale's, has no
    gradient and stays."""

    SHOWN = ("network",)

    def __init__(self, stage, *args, **options):
        if stage["adversarial"] or stage["forget"]:
            raise ValueError("trunks have no memory, and no critic yet")
        super().__init__(stage, *args, **options)

    def _make_model(self):
        model = trunk.Trunk(self.stage["model"], self.stage["branches"], self.stage["tied"])
        trunk.initialise(model, self.seed)
        return model

    def _begin_with(self, run):
        """Takes over a run with the same branches, or the folded weights of another one."""
        if run.get("branched", {}).keys() == self.model.state_dict().keys():
            self.model.load_state_dict(run["branched"])
        else:
            self.model.unfold(run["ema"])

    def _kept_centred(self):
        return []

    def _compiled_parts(self):
        return list(self.model.trunk.values())

    def attention(self, canvas):
        return network.Dense()

    def told(self, scale):
        return scale

    def key(self, levels, scale):
        return levels.shape, scale.item()

    def shown(self, canvas, scale):
        with self.autocast():
            return [self.averaged(canvas, scale)]

    def backward(self, levels, truth, scale, attend):
        """Returns the loss and its terms; adds gradients to the weights'."""
        with self.autocast():
            x = self.model(as_picture(levels)[:, :truth.shape[1]], scale.item())
        loss, terms = losses.pixel_losses(x, as_picture(truth), self.stage["losses"])
        loss.backward()
        return loss.detach(), {k: v.detach() for k, v in terms.items()}

    def _pass(self, *batch):
        result = super()._pass(*batch)
        if dist.is_initialized():  # other processes may be at another scale
            for p in self.model.parameters():
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        return result

    def learned(self):
        branched = {k: v.cpu() for k, v in self.averaged.state_dict().items()}
        return {"ema": {k: v.cpu() for k, v in self.averaged.folded().items()},
                "branched": branched}


def make_trainer(stage, *args, **options):
    kind = TrunkTrainer if trunk.is_trunk(stage["model"]) else Trainer
    return kind(stage, *args, **options)


class Log:
    """Writes two CSV files and a line on the terminal."""

    def __init__(self, out, name, shown):
        self.shown = shown
        self.values, self.sums, self.count = None, {}, 0
        self.file = open(os.path.join(out, name + ".csv"), "w", newline="")
        self.checks = open(os.path.join(out, name + "-val.csv"), "w", newline="")
        csv.writer(self.checks).writerow(["step", "kind", "bicubic", *shown])

    def add(self, values, step, minutes):
        for key, v in values.items():
            self.sums[key] = self.sums.get(key, 0) + v
        self.count += 1
        if self.count < LOG_EVERY and step > 1:
            return
        row = {"step": step, "minutes": round(minutes, 3)}
        row.update((k, float(v) / self.count) for k, v in self.sums.items())
        if self.values is None:
            self.values = csv.DictWriter(self.file, list(row))
            self.values.writeheader()
        self.values.writerow(row)
        self.file.flush()
        self.sums, self.count = {}, 0
        if not math.isfinite(row["loss"]):
            raise FloatingPointError(f"the loss is {row['loss']} at step {step}")

    def validation(self, kinds, step):
        for kind, row in kinds.items():
            csv.writer(self.checks).writerow([step, kind, *(f"{v:.3f}" for v in row)])
        self.checks.flush()
        mean = np.mean(list(kinds.values()), 0)
        gains = (f"{name.replace('_', ' ')} {value - mean[0]:+.3f}"
                 for name, value in zip(self.shown, mean[1:]))
        print(f"step {step}: bicubic {mean[0]:.2f} dB, {', '.join(gains)}", flush=True)


class Keeper:
    """Logs, validates and saves while a stage runs, in one process only."""

    def __init__(self, trainer, items, out, name):
        self.trainer, self.items = trainer, items
        self.log = Log(out, name, trainer.SHOWN)
        self.path = os.path.join(out, name + ".pt")
        self.saved = self.checked = 0
        self._validate()

    def _validate(self):
        self.log.validation(validate(self.trainer, self.items), self.trainer.steps)

    def look(self, values, seconds):
        self.log.add(values, self.trainer.steps, seconds / 60)
        if seconds - self.saved > SAVE_EVERY_S:
            self.trainer.save(self.path)
            self.saved = seconds
        if seconds - self.checked > self.trainer.stage["validate_s"]:
            self._validate()
            self.checked = seconds

    def finish(self):
        self._validate()
        self.trainer.save(self.path)
        print(f"{self.trainer.steps} steps, saved {self.path}")


class Feeder:
    """Makes batches on a thread of its own and, on a GPU, on a stream of its own, so that steps and
    batches do not wait for each other."""

    def __init__(self, sampler, shapes, seed):
        self.sampler, self.shapes, self.device = sampler, shapes, sampler.device
        self.rng = np.random.default_rng(seed)
        self.ready, self.over = queue.Queue(READY), False
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _begin(self):
        p = np.array([s[4] for s in self.shapes])
        height, width, slices, size = self.shapes[self.rng.choice(len(p), p=p / p.sum())][:4]
        return self.sampler.begin(size, slices, height, width)

    def _make(self):
        coming = collections.deque(self._begin() for _ in range(AHEAD))
        while not self.over:
            batch = coming.popleft()()
            coming.append(self._begin())
            made = None
            if self.device.type == "cuda":
                made = torch.cuda.Event()
                made.record()
            self.ready.put((batch, made))

    def _work(self):
        try:
            with contextlib.ExitStack() as stack:
                if self.device.type == "cuda":
                    stack.enter_context(torch.cuda.device(self.device))
                    stack.enter_context(torch.cuda.stream(torch.cuda.Stream()))
                self._make()
        except BaseException as error:  # for who waits for a batch
            self.ready.put(error)

    def next(self):
        item = self.ready.get()
        if isinstance(item, BaseException):
            raise item
        batch, made = item
        if made:
            made.wait()
            for a in (a for a in batch if a.is_cuda):
                a.record_stream(torch.cuda.current_stream())
        return batch

    def stop(self):
        self.over = True
        while self.thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self.ready.get(timeout=0.1)


def run(trainer, sampler, minutes, part=(0.0, 1.0), keeper=None):
    """Trains until the time of this part is over."""
    feeder = Feeder(sampler, trainer.stage["shapes"], trainer.seed)
    clock = Clock(minutes, part[0], trainer.device)
    try:
        while (progress := clock.progress(trainer.steps)) < part[1]:
            values = trainer.step(*feeder.next(), progress)
            if keeper:
                keeper.look(values, clock.elapsed())
    finally:
        feeder.stop()
    if keeper:
        keeper.finish()


# Processes ----------------------------------------------------------------------------------------


def train(rank, args):
    """Runs one process of args.gpus."""
    stage, device = load_stage(args.stage, args.model), torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", rank)
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
    if args.gpus > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", world_size=args.gpus,
                                rank=rank, init_method=f"tcp://127.0.0.1:{PORT}")
    start = time.monotonic()
    shots, held = clips.held_out(clips.load(args.data, device))
    if rank == 0:
        print(f"{len(shots)} shots for training, {len(held)} held out, "
              f"{time.monotonic() - start:.0f} s to load", flush=True)
    trainer = make_trainer(stage, args.seed, device, args.init, args.compile)
    recipe = clips.Recipe(**stage["data"])
    encoder = encoding.Encoder(args.encoder) if recipe.encoded else None
    sampler = clips.Sampler(shots, recipe, args.seed + rank, device, encoder)
    name = os.path.splitext(os.path.basename(args.stage))[0]
    keeper = Keeper(trainer, clips.validation_items(held), args.out, name) if rank == 0 else None
    run(trainer, sampler, args.minutes or stage["minutes"], args.part, keeper)
    if args.gpus > 1:
        dist.destroy_process_group()


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("stage", nargs="?")
    ap.add_argument("--data")
    ap.add_argument("--out")
    ap.add_argument("--init", help="a checkpoint to begin with")
    ap.add_argument("--model", help="configuration instead of the stage's")
    ap.add_argument("--minutes", type=float)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--part", type=float, nargs=2, default=(0.0, 1.0), metavar=("FROM", "TO"),
                    help="of the stage's time, 0 to 1: for a stage in more than one run")
    ap.add_argument("--gpus", type=int, default=1, help="one process each; batches are of one")
    ap.add_argument("--encoder", help="what encoding.py compiled; else it is compiled now")
    ap.add_argument("--compile", action="store_true")
    args = ap.parse_args()
    if not (args.stage and args.data and args.out):
        ap.error("a stage, --data and --out are needed")
    os.makedirs(args.out, exist_ok=True)
    if args.gpus > 1:
        torch.multiprocessing.spawn(train, (args,), args.gpus)
    else:
        train(0, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
