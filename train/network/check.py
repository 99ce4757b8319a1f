# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves that model.py and the engine compute the same, in both directions.

From the root of the tree, where `check` stands for `python3 -m train.network.check`:

    check --golden tests/golden/tiny-v1.1.safetensors --model synth:tests/golden/tiny.json:7
        compares PyTorch's stream with a golden file; --model may also be a packed file
    check --write OUT.safetensors --model PACKED [--size 256x384] [--chunks 3] [--kv-ratio 3]
          [--scale 4]
        writes a golden file with PyTorch, for `fvsr verify OUT.safetensors --model PACKED`
    check --parallel CONFIG.json|PACKED
        compares the training path with the streaming path, in float32
    check --all FVSR_BINARY [CONFIG.json ...]
        does all of it, for tests, with random models of the configurations and trunks that have
        learned a little, and checks that grow.py keeps the pictures
"""
import argparse
import copy
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

from train.network import export, grow, packed, trunk
from train.network import model as network

STEP = 0x9E3779B97F4A7C15
HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "..", "tests", "golden")

# As `fvsr verify` has them: relative L2 of tokens and latents, absolute of pictures, masks.
REL_L2, PICTURE_ABS, MASK_AGREEMENT = 2e-4, 2e-3, 0.999
PARALLEL_ABS = 1e-4
TRUNK_ABS = 1e-4      # of pictures: there is no hard choice that could tip over
FIRST_PICTURES = 21  # of a golden stream's first chunk


# The engine's random numbers (core/base/noise.h) ---------------------------------------------------


def noise_key(name, seed):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2 ** 64
    return (h + seed * STEP) % 2 ** 64


def noise_bits(key, first, count):
    with np.errstate(over="ignore"):
        i = np.arange(first + 1, first + count + 1, dtype=np.uint64)
        z = np.uint64(key) + i * np.uint64(STEP)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name, seed, count, mean=0.0, std=1.0, first=0):
    """Returns uniform noise, as golden streams and synthetic weights have it."""
    u = (noise_bits(noise_key(name, seed), first, count) >> np.uint64(40)).astype(np.float32)
    u *= np.float32(2.0 ** -24)
    return np.float32(mean) + np.float32(std * math.sqrt(3)) * (u + u - np.float32(1))


def log_of(n):
    """Returns ln(n / 2^24) in float32, rounded as the engine's noise rounds it."""
    f = np.float32
    m, exponent = n.astype(f), np.full(n.shape, -24, np.int32)
    while (m >= f(1.41421356)).any():
        big = m >= f(1.41421356)
        m, exponent = np.where(big, m * f(0.5), m), exponent + big
    s = (m - f(1)) / (m + f(1))
    square = s * s
    total = square * (f(1) / f(9))
    for k in (7, 5, 3):
        total = (total + f(1) / f(k)) * square
    total = total * s + s
    return exponent.astype(f) * f(0.693147181) + (total + total)


def turn_of(n):
    """Returns cosine and sine of 2 pi n / 2^24."""
    f = np.float32
    x = (n & 0x3FFFFF).astype(f) * (f(1.57079633) / f(4194304))
    square = x * x
    s = square * (f(-1) / f(39916800)) + f(1) / f(362880)
    s = s * square + f(-1) / f(5040)
    s = s * square + f(1) / f(120)
    s = s * square + f(-1) / f(6)
    s = s * square * x + x
    c = square * (f(1) / f(479001600)) + f(-1) / f(3628800)
    for k in (f(1) / f(40320), f(-1) / f(720), f(1) / f(24), f(-0.5), f(1)):
        c = c * square + k
    quarter = n >> 22
    cosine = np.choose(quarter, [c, -s, -c, s])
    return cosine, np.choose(quarter, [s, c, -s, -c])


def normal(name, seed, count):
    """Returns the engine's standard normal noise, of which elements 2 p and 2 p + 1 share a
    radius."""
    bits = noise_bits(noise_key(name, seed), 0, count + count % 2)
    a = (bits[0::2] >> np.uint64(41)).astype(np.int64) * 2 + 1
    b = (bits[1::2] >> np.uint64(40)).astype(np.int64)
    radius = np.sqrt(np.float32(-2) * log_of(a))
    return np.stack([radius * v for v in turn_of(b)], 1).reshape(-1)[:count]


# Synthetic models (docs/model-format.md) ----------------------------------------------------------


def synthetic_rule(name, shape):
    """Returns mean and standard deviation of a synthetic tensor."""
    if name == "prompt":
        return 0, 0.5
    if name.startswith("trunk.") and name.endswith(".weight"):
        gain = 0.15 if name.endswith(".head.weight") else 1.4
        return 0, gain / math.sqrt(np.prod(shape[1:]))
    if name.endswith((".gamma", "norm_q.weight", "norm_k.weight", "norm3.weight")):
        return 1, 0.1
    if name.endswith(".bias"):
        return (0.5 if name == "dec.decoder.26.bias" else 0), 0.05
    if name.endswith("modulation"):
        return 0, 1 / math.sqrt(shape[-1])
    gain = 1.0
    if name.startswith("dec."):
        gain = 0.15 if name == "dec.decoder.26.weight" else 0.5 if ".conv.4." in name else 1.2
    return 0, gain / math.sqrt(np.prod(shape[1:]))


def synthetic_tensors(config, seed):
    tensors = {}
    for name, shape in packed.shapes(config).items():
        mean, std = synthetic_rule(name, shape)
        a = uniform(name.replace(".", ":", 1), seed, int(np.prod(shape)), mean, std)
        if name == "prompt":
            a = (packed.to_bf16(a).astype(np.uint32) << 16).view(np.float32)
        tensors[name] = a.reshape(shape)
    return tensors


def load_config(path):
    with open(path) as f:
        config = json.load(f)
    return config.get("model", config)


def load_model(spec, version):
    """Loads a model from a packed file, synth:CONFIG.json:SEED, or CONFIG.json (random weights)."""
    if spec.startswith("synth:"):
        path, seed = spec[len("synth:"):].rsplit(":", 1)
        config = dict(load_config(path), lq_version=version)
        return export.fill(export.build(config), synthetic_tensors(config, int(seed)))
    if spec.endswith(".json"):
        return load_model(f"synth:{spec}:1", version)
    model = export.load_packed(spec)
    if not trunk.is_trunk(model.config):
        model.lq.version = version or model.lq.version
    return model


# Golden streams -----------------------------------------------------------------------------------


def golden_canvas(frames, height, width, seed):
    """Returns a canvas (1, frames, 3, height, width), rounded to float32 where the formula says
    so."""
    f = np.float32
    t, y, x = np.meshgrid(*(np.arange(n, dtype=f) for n in (frames, height, width)),
                          indexing="ij", copy=False)
    planes = []
    for c in range(3):
        slow = f(0.061) * x + f(0.043) * y + f(0.21) * t + f(1.3) * f(c)
        fast = f(0.37) * x - f(0.23) * y - f(0.4) * t + f(0.7) * f(c)
        n = uniform(f"lq{c}", seed, t.size, 0, 0.08).reshape(t.shape)
        planes.append(np.clip(f(0.45) * np.sin(slow) + f(0.3) * np.sin(fast) + n, -1, 1))
    return torch.from_numpy(np.stack(planes, 1)[None].astype(f))


def chunk_noise(k, channels, height, width, seed, draw=uniform):
    """Returns the noise of chunk k, channels last: (1, frames, H/8, W/8, channels)."""
    frames = 2 if k else 6
    count = channels * frames * (height // 8) * (width // 8)
    a = draw(f"noise{k}", seed, count).reshape(1, channels, frames, height // 8, width // 8)
    return torch.from_numpy(a).permute(0, 2, 3, 4, 1).contiguous()


def settings_of(metadata):
    number = {k: float(metadata[k]) for k in ("topk_ratio", "local_range", "kv_ratio")}
    height, width = int(metadata["height"]), int(metadata["width"])
    blocks = (height // 128) * (width // 128)
    return {"height": height, "width": width, "chunks": int(metadata["chunks"]),
            "seed": int(metadata["seed"]), "color": metadata["color_fix"],
            "scale": float(metadata.get("scale", 4)),
            "topk": int(math.floor(blocks * blocks * number["topk_ratio"])) - 1,
            "local_range": int(number["local_range"]), "kv_ratio": int(number["kv_ratio"])}


def trunk_tensors(model, s):
    """Returns the pictures of the first chunk's frames, as many as golden streams have."""
    canvas = golden_canvas(FIRST_PICTURES, s["height"], s["width"], s["seed"])
    pictures = trunk.picture_as_streamed(model, canvas, s["scale"])[0].numpy()
    return {f"chunk0.final.{j}": a.clip(-1, 1) for j, a in enumerate(pictures)}


def stream_tensors(model, s):
    """Returns all tensors of a stream by the golden files' names and shapes, float32 numpy."""
    if trunk.is_trunk(model.config):
        return trunk_tensors(model, s)
    color = {"adain": network.adain, "wavelet": network.wavelet}.get(
        s["color"], lambda x, canvas: x.clamp(-1, 1))
    canvas = golden_canvas(25 + 8 * (s["chunks"] - 1), s["height"], s["width"], s["seed"])
    stream = network.Stream(model, s["height"], s["width"], s["topk"], round(s["scale"]),
                            local_range=s["local_range"], kv_ratio=s["kv_ratio"])
    out = {}
    for k in range(s["chunks"]):
        noise = chunk_noise(k, model.config["in_dim"], s["height"], s["width"], s["seed"])
        got = stream.chunk(k, canvas, noise)
        tensors = {"mask_block0": got["mask_block0"][0].float(),
                   "latent": got["latent"].permute(0, 4, 1, 2, 3)}
        for name in ("lq_tokens", "after_block0"):
            tensors[name] = got[name].flatten(1, 3)
        for j, picture in enumerate(got["decoded"]):
            tensors[f"decoded.{j}"] = picture
            tensors[f"final.{j}"] = color(picture[None], got["canvas"][j][None])[0]
        out.update((f"chunk{k}.{name}", v.contiguous().numpy()) for name, v in tensors.items())
    return out


def compare(golden, got):
    """Prints every tensor's difference. Returns whether all are within tolerance."""
    good = True
    for name, want in golden.items():
        want, have = want.astype(np.float64), got[name].astype(np.float64)
        largest = np.abs(want - have).max()
        if ".mask_" in name:
            figure, limit, ok = "agreement", MASK_AGREEMENT, (want == have).mean()
            value, ok = ok, ok >= limit
        elif ".final." in name or ".decoded." in name:
            figure, limit, value = "max |d|", PICTURE_ABS, largest
            ok = value <= limit
        else:
            figure, limit = "rel L2", REL_L2
            value = np.linalg.norm(want - have) / np.linalg.norm(want)
            ok = value <= limit
        good &= bool(ok)
        print(f"{'ok' if ok else 'FAIL':4}  {name:22}  {figure} {value:.3g} (limit {limit:g}),"
              f" max |d| {largest:.2e}")
    return good


def check_golden(path, spec):
    metadata, golden = export.read_safetensors(path)
    model = load_model(spec, metadata["version"])
    return compare(golden, stream_tensors(model, settings_of(metadata)))


def write_safetensors(path, metadata, tensors):
    header, offset = {"__metadata__": metadata}, 0
    for name, a in tensors.items():
        header[name] = {"dtype": "F32", "shape": a.shape, "data_offsets": [offset,
                                                                         offset + a.nbytes]}
        offset += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for a in tensors.values():
            f.write(a.astype("<f4").tobytes())


def write_golden(path, spec, size, chunks, kv_ratio, scale, local_range=3, topk_ratio=1.2, seed=5):
    model = load_model(spec, None)
    width, height = size
    keep = ("dim", "num_heads", "num_layers", "ffn_dim", "lq_hidden1", "lq_hidden2")
    plain = trunk.is_trunk(model.config)
    metadata = {"model": json.dumps({k: model.config[k] for k in keep if k in model.config}),
                "seed": str(seed), "height": str(height), "width": str(width),
                "chunks": str(chunks), "version": "v1.1" if plain else model.lq.version,
                "topk_ratio": repr(topk_ratio), "local_range": str(local_range),
                "kv_ratio": str(kv_ratio), "color_fix": "off" if plain else "adain",
                "scale": str(scale)}
    tensors = stream_tensors(model, settings_of(metadata))
    last = chunks - 1
    kept = {k: v for k, v in tensors.items()
            if "decoded" not in k and "final" not in k or k.startswith((f"chunk{last}.", "chunk0"))}
    write_safetensors(path, metadata, kept)


# The training path --------------------------------------------------------------------------------


@torch.no_grad()
def check_parallel(model, kv_ratio=3, kv_cache=True, chunks=3, size=(256, 128), topk_ratio=1.2):
    """Returns the largest difference of pictures between one pass over a clip and a stream."""
    width, height = size
    blocks = (height // 128) * (width // 128)
    topk = int(blocks * blocks * topk_ratio) - 1
    options = {"local_range": 3, "kv_ratio": kv_ratio, "kv_cache": kv_cache}
    canvas = golden_canvas(25 + 8 * (chunks - 1), height, width, 3)
    noise = [chunk_noise(k, model.config["in_dim"], height, width, 3, normal)
             for k in range(chunks)]
    stream = network.Stream(model, height, width, topk, **options)
    streamed = torch.cat([stream.chunk(k, canvas, noise[k])["decoded"] for k in range(chunks)])
    attend = model.sparse(canvas, topk, **options)
    whole = model(canvas, torch.cat(noise, 1), attend)[0]
    return (whole - streamed).abs().max().item()


def report_parallel(spec):
    model, good = load_model(spec, "v1.1"), True
    for version, kv_ratio, kv_cache in (("v1.1", 3, True), ("v1", 2, True), ("v1.1", 3, False)):
        model.lq.version = version
        worst = check_parallel(model, kv_ratio, kv_cache)
        ok = worst <= PARALLEL_ABS
        good &= ok
        print(f"{'ok' if ok else 'FAIL':4}  parallel and streaming: {version}, kv_ratio {kv_ratio}"
              f"{'' if kv_cache else ', no cache'}: max |d| {worst:.2e}")
    return good


# Growing ------------------------------------------------------------------------------------------


def check_grow():
    """Checks that a last level with more channels and blocks, and a prompt for each scale, grown
    from a random model, make the same pictures at every scale, and that what is new gets a
    gradient."""
    config = dict(load_config(os.path.join(HERE, "bundled.json")), prompts=1)
    small = export.fill(network.FlashVSR(config), synthetic_tensors(config, 9))
    large, _ = grow.grow(small, dict(config, dec_channels=[96, 96, 48, 0], dec_blocks=[1, 4, 3],
                                     prompts=3))
    canvas = golden_canvas(25, 128, 128, 3)
    noise = chunk_noise(0, config["in_dim"], 128, 128, 3, normal)
    before = small(canvas, noise, network.Dense())
    after = torch.stack([large(canvas, noise, network.Dense(), None, scale) for scale in (2, 3, 4)])
    after.square().mean().backward()
    new = {name: p.grad for name, p in large.named_parameters()
           if name.endswith(".conv.4.weight") and name not in small.state_dict()}
    new["channels"] = large.dec.decoder["26"].weight.grad[:, config["dec_channels"][2]:]
    new.update((f"prompt {i}", gradient) for i, gradient in enumerate(large.prompt.grad))
    still = [name for name, gradient in new.items() if not gradient.any()]
    worst = (after - before).abs().max().item()
    good = worst <= PARALLEL_ABS and not still
    print(f"{'ok' if good else 'FAIL':4}  grown: max |d| {worst:.2e}, without a gradient: {still}")
    return good


def check_deeper():
    """Checks that another level of the decoder makes bicubic pictures at first, and that with a
    last convolution that is not zero, what is learned and what is new get gradients."""
    config = load_config(os.path.join(GOLDEN, "tiny.json"))
    config.update(residual=True, dec_depth_to_space=True, dec_levels=2, dec_blocks=[1, 2, 0],
                  dec_channels=config["dec_channels"][:2] + [0, 0])
    small = export.fill(network.FlashVSR(config), synthetic_tensors(config, 9))
    config.update(dec_levels=3, dec_blocks=[1, 2, 1],
                  dec_channels=config["dec_channels"][:2] + [8, 0])
    large, new = grow.grow(small, config)
    canvas = golden_canvas(25, 128, 128, 3)
    noise = chunk_noise(0, config["in_dim"], 128, 128, 3, normal)
    bicubic = torch.equal(large(canvas, noise, network.Dense()), canvas[:, :-4])
    torch.nn.init.normal_(large.dec.decoder["26"].weight, std=0.1)
    large(canvas, noise, network.Dense()).square().mean().backward()
    still = [name for name, p in large.named_parameters()
             if name.startswith("dec.") and not p.grad.any()]
    learned = all(torch.equal(p, small.state_dict()[name]) for name, p in large.named_parameters()
                  if name not in new)
    good = bicubic and learned and new and not still
    print(f"{'ok' if good else 'FAIL':4}  another level: bicubic at first {bicubic}, "
          f"{len(new)} new tensors, the others are the old ones {learned}, "
          f"without a gradient: {still}")
    return good


def check_forgetting():
    """Checks that a decoder that is told to forget decodes each latent frame as the first of a
    stream."""
    config = load_config(os.path.join(HERE, "bundled.json"))
    decoder = export.fill(network.FlashVSR(config), synthetic_tensors(config, 9)).dec
    seen = network.condition(golden_canvas(12, 128, 128, 3))
    latent = chunk_noise(0, config["in_dim"], 128, 128, 3, normal)[:, :3]
    remember = torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1, 1)
    with torch.no_grad():
        both = decoder(seen.repeat(2, 1, 1, 1, 1), latent.repeat(2, 1, 1, 1, 1), None, remember)
        alone = torch.cat([decoder(seen[:, i:i + 1], latent[:, i:i + 1]) for i in range(3)], 1)
        worst = max((both[0] - decoder(seen, latent)[0]).abs().max().item(),
                    (both[1] - alone[0]).abs().max().item())
    good = worst <= PARALLEL_ABS and not torch.equal(both[0], both[1])
    print(f"{'ok' if good else 'FAIL':4}  without a past: max |d| {worst:.2e}")
    return good


# All of it ----------------------------------------------------------------------------------------


def check_trunk(fvsr, model_path, stream_path):
    """Has the engine verify pictures of a packed trunk, at scales that have one and between, on
    both backends of processors."""
    good = True
    for scale, size in ((2, (130, 67)), (3, (99, 128)), (4, (128, 64)), (1.5, (64, 70)),
                        (2.75, (70, 64)), (6, (96, 80))):
        write_golden(stream_path, model_path, size, 1, 3, scale)
        for backend in ("cpu-plain", "cpu"):
            command = [fvsr, "verify", stream_path, "--model", model_path, "--backend", backend,
                       "-q", "--frame-tolerance", str(TRUNK_ABS)]
            result = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True)
            lines = result.stdout.splitlines()
            shown = [a for a in lines if "FAIL" in a or a == lines[-1]]
            print(f"{scale}x:", "\n".join(shown) if shown else "nothing")
            good &= result.returncode == 0
    return good


def check_learned(fvsr, folder):
    """Trains branched trunks for some steps, with large heads, so that every weight counts, and
    checks that what is exported makes the same pictures in the engine, and in PyTorch folded."""
    config = load_config(os.path.join(HERE, "trunk.json"))
    model = trunk.Trunk(config, branches=True)
    trunk.initialise(model)
    for p in (layers.head.weight for layers in model.trunk.values()):
        torch.nn.init.normal_(p, std=0.02)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    canvas, still = golden_canvas(2, 48, 48, 3), copy.deepcopy(model)
    for _ in range(3):
        optimizer.zero_grad()
        sum((model(canvas, s) + canvas).square().mean() for s in config["trunk_scales"]).backward()
        optimizer.step()
    idle = [name for (name, p), q in zip(model.named_parameters(), still.parameters())
            if torch.equal(p, q)]
    plain = export.fill(export.build(config), {k: v.numpy() for k, v in model.folded().items()})
    with torch.no_grad():
        worst = max((plain(canvas, s) - model(canvas, s)).abs().max().item() for s in (2, 3, 4))
    good = worst <= PARALLEL_ABS and not idle
    print(f"{'ok' if good else 'FAIL':4}  folded: max |d| {worst:.2e}, not learned: {idle}")
    path = os.path.join(folder, "learned.safetensors")
    export.save_packed(path, config, model.folded(), "learned")
    return check_trunk(fvsr, path, os.path.join(folder, "stream.safetensors")) and good


def check_engine(fvsr, config_path, folder):
    """Has the engine verify what PyTorch wrote for a random model of the configuration."""
    config = load_config(config_path)
    model_path = os.path.join(folder, "model.safetensors")
    stream_path = os.path.join(folder, "stream.safetensors")
    tensors = {k: torch.from_numpy(v) for k, v in synthetic_tensors(config, 9).items()}
    export.save_packed(model_path, config, tensors, "random")
    command = [fvsr, "verify", stream_path, "--model", model_path, "--backend", "cpu-plain", "-q"]
    good = True
    if trunk.is_trunk(config):
        return check_trunk(fvsr, model_path, stream_path)
    for prompt in range(config.get("prompts", 1)):
        chunks = 1 if prompt else 3
        write_golden(stream_path, model_path, (256, 128), chunks, 2, network.FIRST_SCALE + prompt)
        result = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True)
        lines = result.stdout.splitlines()
        print("\n".join(a for a in lines if "FAIL" in a or ".latent" in a or a == lines[-1]))
        good &= result.returncode == 0
    return good


def check_noise():
    """Compares first elements of the engine's normal noise, and its moments."""
    a = normal("noise0", 0, 1 << 18).astype(np.float64)
    good = abs(a.mean()) < 0.01 and abs(a.std() - 1) < 0.01 and abs((a ** 4).mean() - 3) < 0.1
    print(f"{'ok' if good else 'FAIL':4}  normal noise: mean {a.mean():.4f}, deviation {a.std():.4f}")
    return good


def check_all(fvsr, configs):
    checks = check_noise(), check_grow(), check_deeper(), check_forgetting()
    good = all(checks)
    synth = f"synth:{os.path.join(GOLDEN, 'tiny.json')}:7"
    for name in ("tiny-v1.1", "tiny-v1", "tiny-long"):
        print(name)
        good &= check_golden(os.path.join(GOLDEN, name + ".safetensors"), synth)
    print("learned trunks")
    with tempfile.TemporaryDirectory() as folder:
        good &= check_learned(fvsr, folder)
    for config in configs:
        print(os.path.basename(config))
        if not trunk.is_trunk(load_config(config)):
            good &= report_parallel(config)
        with tempfile.TemporaryDirectory() as folder:
            good &= check_engine(fvsr, config, folder)
    return 0 if good else 1


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--golden")
    ap.add_argument("--write")
    ap.add_argument("--parallel")
    ap.add_argument("--all", nargs="+")
    ap.add_argument("--model")
    ap.add_argument("--size", default="256x256")
    ap.add_argument("--chunks", type=int, default=3)
    ap.add_argument("--kv-ratio", type=int, default=3)
    ap.add_argument("--scale", type=float, default=4)
    args = ap.parse_args()
    if args.all:
        return check_all(args.all[0], args.all[1:] or [os.path.join(HERE, "bundled.json")])
    if args.parallel:
        return 0 if report_parallel(args.parallel) else 1
    if args.write:
        size = tuple(int(a) for a in args.size.split("x"))
        write_golden(args.write, args.model, size, args.chunks, args.kv_ratio, args.scale)
        return 0
    if args.golden:
        return 0 if check_golden(args.golden, args.model) else 1
    ap.print_usage()
    return 2


if __name__ == "__main__":
    sys.exit(main())
