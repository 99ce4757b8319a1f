# SPDX-License-Identifier: GPL-2.0-or-later
"""The network of docs/network.md in PyTorch, with the packed file's tensor names.

There are two ways through the same modules: `FlashVSR.forward` takes all slices of a clip at once,
with the visibility of streaming as a mask, and `Stream` goes chunk by chunk with caches, as the
engine does.

Pictures are (batch, frames, 3, H, W) in [-1, 1]. Everything inside is channels last, (batch,
frames, height, width, channels), because one copy then makes features of pixels, and because
convolutions want that order. A clip of S slices has 8 S + 1 frames in, 2 S latent frames and
8 S - 3 frames out.
"""
import copy
import functools
import math

import torch
import torch.nn.functional as F
from torch import nn

from train.network import packed

EPS = 1e-6
TIMESTEP = 1000.0
SLICE = 2           # latent frames
SIDE = 8            # rows and columns of a block
TOKENS = SLICE * SIDE * SIDE
FIRST_SLICES = 3    # of chunk 0
AREA = 768 * 1280   # that sparse_ratio is relative to
FIRST_SCALE = 2     # that the first prompt is for


def topk_of(sparse_ratio, height, width):
    """Returns the number of values kept per head and query slice, from the ratio that users set
    (section 6)."""
    blocks = (height // 128) * (width // 128)
    return int(math.floor(blocks * blocks * (sparse_ratio * AREA / (height * width)))) - 1


def full_precision(x):
    return torch.autocast(x.device.type, enabled=False)


# Layout ------------------------------------------------------------------------------------------


def to_windows(x):
    """Orders (b, 2 S, h, w, c) as (b, tokens, c), by slice, block, and inside a block."""
    b, f, h, w, c = x.shape
    x = x.reshape(b, f // SLICE, SLICE, h // SIDE, SIDE, w // SIDE, SIDE, c)
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(b, -1, c)


def from_windows(x, h, w):
    b, n, c = x.shape
    x = x.reshape(b, n // (SLICE * h * w), h // SIDE, w // SIDE, SLICE, SIDE, SIDE, c)
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(b, -1, h, w, c)


def unshuffle_pairs(canvas):
    """Turns (b, 2 n, 3, H, W) into (b, n, H/16, W/16, 2 x 768), which a projection's tap pair
    reads."""
    b, f, c, height, width = canvas.shape
    x = canvas.reshape(b, f // 2, 2, c, height // 16, 16, width // 16, 16)
    return x.permute(0, 1, 4, 6, 2, 3, 5, 7).reshape(b, f // 2, height // 16, width // 16, -1)


def condition(canvas):
    """Turns (b, 4 n, 3, H, W) into (b, n, H/8, W/8, 768), channel c * 256 + f * 64 + y * 8 + x."""
    b, f, c, height, width = canvas.shape
    x = canvas.reshape(b, f // 4, 4, c, height // 8, 8, width // 8, 8)
    return x.permute(0, 1, 4, 6, 3, 2, 5, 7).reshape(b, f // 4, height // 8, width // 8, -1)


def patchify(noise):
    """Turns (b, f, H/8, W/8, c) into (b, f, H/16, W/16, 4 c), feature c * 4 + y * 2 + x."""
    b, f, height, width, c = noise.shape
    x = noise.reshape(b, f, height // 2, 2, width // 2, 2, c)
    return x.permute(0, 1, 2, 4, 6, 3, 5).reshape(b, f, height // 2, width // 2, -1)


def unpatchify(x):
    """Turns the head's features, (y * 2 + x) * c + channel, back into (b, f, H/8, W/8, c)."""
    b, f, h, w, c = x.shape
    x = x.reshape(b, f, h, w, 2, 2, c // 4).permute(0, 1, 2, 4, 3, 5, 6)
    return x.reshape(b, f, 2 * h, 2 * w, c // 4)


def spread(x, frames, colours, side):
    """Turns (b, n, h, w, frames * colours * side^2) into (b, n * frames, colours, h * side, w *
    side)."""
    b, n, h, w, _ = x.shape
    x = x.reshape(b, n, h, w, frames, colours, side, side).permute(0, 1, 4, 5, 2, 6, 3, 7)
    return x.reshape(b, n * frames, colours, h * side, w * side)


def clamped(canvas, first, count):
    """Returns frames first .. first + count - 1, where those before frame 0 repeat it."""
    before = max(0, min(count, -first))
    x = canvas[:, first + before:first + count]
    return torch.cat([canvas[:, :1].expand(-1, before, -1, -1, -1), x], 1) if before else x


def conv(x, weight, bias=None, padding=1):
    """Convolves (b, n, h, w, c) with a 3x3 kernel; outside of the picture there is zero."""
    b, n = x.shape[:2]
    y = F.conv2d(x.flatten(0, 1).permute(0, 3, 1, 2), weight, bias, padding=padding)
    y = y.permute(0, 2, 3, 1)
    return y.reshape(b, n, *y.shape[1:])


def repeat_border(x):
    x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], 2)
    return torch.cat([x[:, :, :, :1], x, x[:, :, :, -1:]], 3)


# LQ projection (section 4) -----------------------------------------------------------------------


class PositionNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, 1, 1, 1))

    def forward(self, x):
        scale = math.sqrt(x.shape[-1]) * self.gamma.flatten()
        return F.silu(F.normalize(x.float(), dim=-1, eps=1e-12) * scale).to(x.dtype)


class Projection(nn.Module):
    """Projects the canvas to tokens. Both convolutions have four taps in time and stride two, so
    each pair of taps is one 2-D convolution over a pair of frames, which is computed once for every
    pair and added up."""

    def __init__(self, c):
        super().__init__()
        self.version = c.get("lq_version", "v1.1")
        self.conv1 = nn.Conv3d(768, c["lq_hidden1"], (4, 3, 3))
        self.norm1 = PositionNorm(c["lq_hidden1"])
        self.conv2 = nn.Conv3d(c["lq_hidden1"], c["lq_hidden2"], (4, 3, 3))
        self.norm2 = PositionNorm(c["lq_hidden2"])
        self.linear_layers = nn.ModuleList(
            nn.Linear(c["lq_hidden2"], c["dim"]) for _ in range(c["lq_layers"]))

    @staticmethod
    def _halves(layer, pairs):
        """Returns what a pair adds as the earlier, and as the later, half of a kernel (with
        bias)."""
        outputs, inputs = layer.weight.shape[:2]
        w = layer.weight.permute(0, 2, 1, 3, 4).reshape(outputs, 2, 2 * inputs, 3, 3)
        w = w.transpose(0, 1).reshape(2 * outputs, 2 * inputs, 3, 3)
        y = conv(repeat_border(pairs), w, torch.cat([torch.zeros_like(layer.bias), layer.bias]), 0)
        return y[..., :outputs], y[..., outputs:]

    def _join(self, earlier, later, pairs_per_clip):
        """Puts a pair before the clip's own pairs: in v1.1 the pair before, in v1 the clip's own
        last pair."""
        if self.version == "v1.1":
            return earlier[:, :-1] + later[:, 1:]
        own = earlier[:, 1:]
        own = own.reshape(own.shape[0], -1, pairs_per_clip, *own.shape[2:]).roll(1, 2)
        return own.reshape(later[:, 1:].shape) + later[:, 1:]

    def forward(self, pairs, middle=None):
        """Returns tokens (b, 2 S, h, w, dim) for each linear layer, and the new 'middle'. 'pairs'
        are those of the slices, and the one before; 'middle' is what the call before returned."""
        earlier, later = self._halves(self.conv1, pairs)
        x = self.norm1(self._join(earlier, later, 2))
        if middle is None:  # the priming clip: frame 0 only
            prime = self.norm1(earlier[:, :1] + later[:, :1])
            middle = torch.cat([prime, prime], -1)
        b, n, h, w, c = x.shape
        x = x.reshape(b, n // 2, 2, h, w, c).permute(0, 1, 3, 4, 2, 5).reshape(b, -1, h, w, 2 * c)
        x = torch.cat([middle, x], 1)
        y = self.norm2(self._join(*self._halves(self.conv2, x), 1))
        return [layer(y) for layer in self.linear_layers], x[:, -1:]


# Attention (sections 5 and 6) --------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def rope_table(first, frames, h, w, head_dim, device):
    """Returns cosines and sines (tokens, 1, head_dim / 2) in window order."""
    part = head_dim // 3 & ~1
    sizes = (head_dim - 2 * part, part, part)
    positions = (torch.arange(first, first + frames), torch.arange(h), torch.arange(w))
    angles = []
    for axis, (size, position) in enumerate(zip(sizes, positions)):
        rate = 10000.0 ** (-2 * torch.arange(size // 2, dtype=torch.float64) / size)
        angle = torch.outer(position.double(), rate)
        shape = [1, 1, 1, size // 2]
        shape[axis] = len(position)
        angles.append(angle.reshape(shape).expand(frames, h, w, -1))
    angle = to_windows(torch.cat(angles, -1)[None])[0][:, None] % (2 * math.pi)
    return angle.cos().float().to(device), angle.sin().float().to(device)


def rotate(x, rope):
    """Turns neighbouring pairs of (b, tokens, heads, head_dim)."""
    cos, sin = rope
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def manual_attention(q, k, v, bias=None):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if bias is not None:
        scores = scores + bias
    return scores.softmax(-1) @ v


def attention(q, k, v, bias=None):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    return manual_attention(q, k, v, bias)


@functools.lru_cache(maxsize=64)
def visibility(slices, kv_ratio, kv_cache, device):
    """Returns which slices each slice attends to in a stream: rows of booleans."""
    seen = torch.zeros(slices, slices, dtype=torch.bool)
    first = min(slices, FIRST_SLICES)
    seen[:first, :first] = True
    held = list(range(first))
    for s in range(first, slices):
        held = held[1:] if len(held) > kv_ratio else held
        held.append(s)
        seen[s, held if kv_cache else s] = True
    return seen.to(device)


@functools.lru_cache(maxsize=64)
def inside_window(rows, columns, local_range, device):
    """Returns (blocks, blocks): whether a key block is near enough to a query block."""
    def axis(n):
        d = torch.arange(n)[None] - torch.arange(n)[:, None] + local_range // 2
        return (d >= 0) & (d < local_range)
    inside = axis(rows)[:, None, :, None] & axis(columns)[None, :, None, :]
    return inside.reshape(rows * columns, -1).to(device)


def block_means(x):
    return x.float().unflatten(2, (-1, TOKENS)).mean(3)


@torch.no_grad()
def select_blocks(q, k, seen, inside, topk):
    """Returns the map (b, heads, query blocks, key blocks) of what is kept. q and k are (b, heads,
    tokens, head_dim) in window order, 'seen' is (query slices, key slices), and 'topk' may be a
    tensor."""
    blocks = inside.shape[0]
    with full_precision(q):
        scores = block_means(q) @ block_means(k).transpose(-1, -2) / math.sqrt(q.shape[-1])
    allowed = (seen[:, None, :, None] & inside[None, :, None, :]).flatten(2).flatten(0, 1)
    values = scores.masked_fill(~allowed, -math.inf).softmax(-1)
    values = values.unflatten(2, (-1, blocks)).flatten(3)
    # slices that are not seen only add zeros to the end of the order
    count = seen.sum(1) * blocks * blocks
    place = (count - 1).clamp(max=topk).clamp(min=0)
    order = values.sort(-1, descending=True).values
    limit = order.gather(-1, place[:, None].expand(*order.shape[:2], -1, 1))
    return (values > limit).unflatten(3, (blocks, -1)).flatten(2, 3)


def masked_attention(q, k, v, kept):
    """Attends to the kept blocks; a query block that keeps none gives zero."""
    some = kept.any(-1, keepdim=True)
    bias = torch.zeros_like(kept, dtype=q.dtype).masked_fill(~(kept | ~some), -math.inf)
    b, heads, m, n = bias.shape
    bias = bias[:, :, :, None, :, None].expand(-1, -1, -1, TOKENS, -1, TOKENS)
    out = attention(q, k, v, bias.reshape(b, heads, m * TOKENS, n * TOKENS))
    return (out.unflatten(2, (-1, TOKENS)) * some[..., None].to(out.dtype)).flatten(2, 3)


class Dense:
    """Lets every token of a clip see every other, as in stage 1."""

    def __call__(self, layer, q, k, v):
        return attention(q, k, v)

    def tensors(self):
        return ()

    def copy(self):
        return self


class Sparse:
    """Attends in all slices at once, each with the keys and the selection that it has in a stream.
    Everything that this depends on is a tensor, because a recorded step is replayed with other
    ones."""

    def __init__(self, slices, h, w, topk, local_range=11, kv_ratio=3, kv_cache=True, device="cpu"):
        self.seen = visibility(slices, kv_ratio, kv_cache, device)
        self.inside = inside_window(h // SIDE, w // SIDE, local_range, device)
        self.topk = torch.full((), topk, device=device)

    def __call__(self, layer, q, k, v):
        return masked_attention(q, k, v, select_blocks(q, k, self.seen, self.inside, self.topk))

    def tensors(self):
        return self.seen, self.inside, self.topk

    def copy(self):
        """Returns one with tensors of its own."""
        other = copy.copy(self)
        other.seen, other.inside, other.topk = (a.clone() for a in self.tensors())
        return other


class Cached:
    """Attends in one chunk after another, with the keys and values of earlier slices."""

    def __init__(self, layers, h, w, topk, local_range=11, kv_ratio=3, kv_cache=True, device="cpu"):
        self.held = [[] for _ in range(layers)]
        self.inside = inside_window(h // SIDE, w // SIDE, local_range, device)
        self.topk, self.kv_ratio, self.kv_cache = topk, kv_ratio, kv_cache
        self.mask = None  # of layer 0, for comparisons

    def __call__(self, layer, q, k, v):
        rows, held = self.inside.shape[0] * TOKENS, self.held[layer]
        held += zip(k.split(rows, 2), v.split(rows, 2))
        keys, values = (torch.cat(x, 2) for x in zip(*held))
        seen = torch.ones(q.shape[2] // rows, len(held), dtype=torch.bool, device=q.device)
        kept = select_blocks(q, keys, seen, self.inside, self.topk)
        self.mask = kept if layer == 0 else self.mask
        if not self.kv_cache:
            held.clear()
        elif len(held) > self.kv_ratio:
            held.pop(0)
        return masked_attention(q, keys, values, kept)


# Transformer (section 5) -------------------------------------------------------------------------


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.weight


class Projections(nn.Module):
    """Has the tensors of one attention."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = RMSNorm(dim), RMSNorm(dim)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1))

    def qkv(self, x, rope):
        """Returns queries, keys and values (b, heads, tokens, head_dim), rotated."""
        layers = (self.q, self.k, self.v)
        y = F.linear(x, torch.cat([a.weight for a in layers]), torch.cat([a.bias for a in layers]))
        q, k, v = y.chunk(3, -1)
        q = rotate(self.split(self.norm_q(q)), rope).to(v.dtype)
        k = rotate(self.split(self.norm_k(k)), rope).to(v.dtype)
        return [a.transpose(1, 2) for a in (q, k, self.split(v))]

    def prompt(self, x, context):
        """Attends to the prompt. A single token gets all the weight, whatever the query is."""
        if context.shape[0] == 1:
            return self.o(self.v(context))
        q = self.split(self.norm_q(self.q(x))).transpose(1, 2)
        k = self.split(self.norm_k(self.k(context))).transpose(0, 1)[None]
        v = self.split(self.v(context)).transpose(0, 1)[None]
        y = manual_attention(q.to(v.dtype), k.to(v.dtype), v)
        return self.o(y.transpose(1, 2).flatten(2))


def modulate(x, shift, scale):
    return F.layer_norm(x.float(), x.shape[-1:], eps=EPS) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        dim = c["dim"]
        self.modulation = nn.Parameter(torch.zeros(1, 6, dim))
        self.self_attn = Projections(dim, c["num_heads"])
        self.cross_attn = Projections(dim, c["num_heads"])
        self.norm3 = nn.LayerNorm(dim, EPS)
        self.ffn = nn.Sequential(nn.Linear(dim, c["ffn_dim"]), nn.GELU(approximate="tanh"),
                                 nn.Linear(c["ffn_dim"], dim))

    def forward(self, x, t_mod, context, rope, attend):
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.modulation[0] + t_mod).unbind(0)
        q, k, v = self.self_attn.qkv(modulate(x, shift1, scale1), rope)
        x = x + gate1 * self.self_attn.o(attend(q, k, v).transpose(1, 2).flatten(2))
        x = x + self.cross_attn.prompt(self.norm3(x), context)
        return x + gate2 * self.ffn(modulate(x, shift2, scale2))


class Head(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.modulation = nn.Parameter(torch.zeros(1, 2, c["dim"]))
        self.head = nn.Linear(c["dim"], 4 * c["out_dim"])

    def forward(self, x, t):
        shift, scale = (self.modulation[0] + t).unbind(0)
        return self.head(modulate(x, shift, scale))


class Patch(nn.Module):
    """Convolves 1 x 2 x 2 without overlap, on patches that are laid out already."""

    def __init__(self, c):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(c["dim"], c["in_dim"], 1, 2, 2))
        self.bias = nn.Parameter(torch.zeros(c["dim"]))

    def forward(self, x):
        return F.linear(x, self.weight.flatten(1), self.bias)


def two_linears(inputs, dim, activation):
    return nn.Sequential(nn.Linear(inputs, dim), activation, nn.Linear(dim, dim))


@functools.lru_cache(maxsize=8)
def time_features(size, dtype, device):
    """Returns the sinusoids of TIMESTEP."""
    half = size // 2
    angle = TIMESTEP * 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    return torch.cat([angle.cos(), angle.sin()]).to(device, dtype)


class Transformer(nn.Module):
    def __init__(self, c):
        super().__init__()
        dim = c["dim"]
        self.head_dim, self.freq_dim = dim // c["num_heads"], c["freq_dim"]
        self.patch_embedding = Patch(c)
        self.text_embedding = two_linears(c["text_dim"], dim, nn.GELU(approximate="tanh"))
        self.time_embedding = two_linears(c["freq_dim"], dim, nn.SiLU())
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["num_layers"]))
        self.head = Head(c)

    def time(self):
        """Returns t (dim) and t_mod (6, dim) of the only timestep that there is."""
        weight = self.time_embedding[0].weight
        t = self.time_embedding(time_features(self.freq_dim, weight.dtype, weight.device))
        return t, self.time_projection(t).unflatten(0, (6, -1))

    def forward(self, noise, lq, prompt, first, attend, tap=None):
        """Returns latents (b, 2 S, H/8, W/8, c) from noise of that shape. 'first' is the index of
        the first latent frame, and 'attend(layer, q, k, v)' the attention."""
        frames, h, w = lq[0].shape[1:4]
        with full_precision(noise):
            t, t_mod = self.time()
            context = self.text_embedding(prompt)
        rope = rope_table(first, frames, h, w, self.head_dim, noise.device)
        x = to_windows(self.patch_embedding(patchify(noise)))
        for i, block in enumerate(self.blocks):
            if i < len(lq):
                x = x + to_windows(lq[i])
            x = block(x, t_mod, context, rope, functools.partial(attend, i))
            if tap is not None and i == 0:
                tap["after_block0"] = from_windows(x, h, w)
        return noise - unpatchify(from_windows(self.head(x, t), h, w))


# Decoder (section 7) -----------------------------------------------------------------------------


class MemBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(2 * c, c, 3), nn.ReLU(), nn.Conv2d(c, c, 3), nn.ReLU(),
                                  nn.Conv2d(c, c, 3))

    def _first(self, x, past, remember):
        """Computes conv.0 of [x, x one frame earlier]: both halves of the kernel run on every frame
        once, then one result is moved by a frame. 'past' (b, 1, h, w, c) is the frame before, or
        None."""
        layer, c = self.conv[0], x.shape[-1]
        weight = torch.cat([layer.weight[:, :c], layer.weight[:, c:]])
        bias = torch.cat([layer.bias, torch.zeros_like(layer.bias)])
        if past is not None:
            y = conv(torch.cat([past, x], 1), weight, bias)
            return y[:, 1:, ..., :c] + y[:, :-1, ..., c:]
        y = conv(x, weight, bias)
        earlier = F.pad(y[:, :-1, ..., c:], (0, 0, 0, 0, 0, 0, 1, 0))
        return y[..., :c] + (earlier if remember is None else earlier * remember)

    def forward(self, x, past=None, remember=None):
        y = F.relu(self._first(x, past, remember))
        y = F.relu(conv(y, self.conv[2].weight, self.conv[2].bias))
        return F.relu(x + conv(y, self.conv[4].weight, self.conv[4].bias))


class Grow(nn.Module):
    """Makes 'grow' frames of one by a 1x1 convolution: TGrow."""

    def __init__(self, c, grow):
        super().__init__()
        self.conv = nn.Conv2d(c, c * grow, 1, bias=False)


def flat_end(c):
    """Returns the frames and the pixels a side that the last convolution makes of one position."""
    levels = c.get("dec_levels", 4)
    return {2: 4, 3: 2, 4: 1}[levels], 2 ** (4 - levels)


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        ch, self.levels = c["dec_channels"], c.get("dec_levels", 4)
        self.blocks = c.get("dec_blocks", [3, 3, 3])
        self.shuffle = bool(c.get("dec_depth_to_space"))
        self.frames, self.side = flat_end(c)
        phases = 4 if self.shuffle else 1
        d = {"1": nn.Conv2d(768 + c["in_dim"], ch[0], 3),
             "3": nn.Conv2d(ch[0], ch[0], 3, bias=False)}
        for level in range(min(3, self.levels)):
            first = 5 + 6 * level
            for j in range(self.blocks[level]):
                d[str(first + j)] = MemBlock(ch[level])
            if level < self.levels - 1:
                d[str(first + 4)] = Grow(ch[level], 2 if level else 1)
                d[str(first + 5)] = nn.Conv2d(ch[level], phases * ch[level + 1], 3, bias=False)
        if self.levels == 4:
            d["24"] = nn.Conv2d(ch[3], ch[3], 3, bias=False)
        d["26"] = nn.Conv2d(ch[self.levels - 1], 3 * self.frames * self.side ** 2, 3)
        self.decoder = nn.ModuleDict(d)

    def _input(self, condition_, latent):
        """Computes decoder.1 in two parts, because only the latent's part needs a gradient for its
        input."""
        w, bias = self.decoder["1"].weight, self.decoder["1"].bias
        x = conv(3 * torch.tanh(condition_ / 3), w[:, :768], bias)
        return x + conv(3 * torch.tanh(latent / 3), w[:, 768:])

    def _upsample(self, x, level):
        """Folds the 1x1 convolution into the 3x3 behind it, as the engine does."""
        grow = self.decoder[str(9 + 6 * level)].conv.weight
        w3 = self.decoder[str(10 + 6 * level)].weight
        with full_precision(w3):
            grow = grow.reshape(-1, w3.shape[1], grow.shape[1])
            w = torch.einsum("omyx,gmi->goiyx", w3, grow).flatten(0, 1)
        g = grow.shape[0]
        if not self.shuffle:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        x = conv(x, w)
        b, n, h, width, _ = x.shape
        side = 2 if self.shuffle else 1
        x = x.reshape(b, n, h, width, g, -1, side, side).permute(0, 1, 4, 2, 6, 3, 7, 5)
        return x.reshape(b, n * g, h * side, width * side, -1)

    def _mem_blocks(self, x, level, past, remember):
        if remember is not None and level == 2:  # the second frame of a latent one knows the first
            odd = torch.arange(x.shape[1], device=x.device).reshape(1, -1, 1, 1, 1) % 2
            remember = torch.maximum(remember, odd.to(remember.dtype))
        for j in range(self.blocks[level]):
            name = str(5 + 6 * level + j)
            before = None if past is None else past.get(name)
            if past is not None:
                past[name] = x[:, -1:]
            x = self.decoder[name](x, before, remember)
        return x

    def forward(self, condition_, latent, past=None, remember=None):
        """Returns pictures (b, 4 n, 3, H, W) from n latent frames. 'past' is a dictionary that
        keeps what the next call needs, or None for a whole clip. For a whole clip, 'remember' (b,
        1, 1, 1, 1) may be 0: then each latent frame is decoded as if it were the first."""
        x = F.relu(self._input(condition_, latent))
        x = F.relu(conv(x, self.decoder["3"].weight))
        for level in range(self.levels - 1):
            x = self._upsample(self._mem_blocks(x, level, past, remember), level)
        if self.levels == 4:
            x = F.relu(conv(F.relu(x), self.decoder["24"].weight))
        else:
            x = self._mem_blocks(x, self.levels - 1, past, remember)
        last = self.decoder["26"]
        return spread(conv(x, last.weight, last.bias), self.frames, 3, self.side)


# The whole ---------------------------------------------------------------------------------------


class FlashVSR(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = dict(config)
        self.dtype = torch.float32  # of features made from the canvas
        self.dit = Transformer(config)
        self.lq = Projection(config)
        self.dec = Decoder(config)
        self.prompt = nn.Parameter(torch.zeros(config.get("prompts", 1), config["text_len"],
                                               config["text_dim"]))
        shapes = {k: tuple(v.shape) for k, v in self.state_dict().items()}
        assert shapes == packed.shapes(config), "names or shapes differ from the packed file's"

    def noise(self, canvas, generator=None):
        """Draws standard normal noise for a clip."""
        b, f, _, height, width = canvas.shape
        return torch.randn(b, (f - 1) // 4, height // 8, width // 8, self.config["in_dim"],
                           device=canvas.device, generator=generator)

    def pictures(self, decoded, canvas):
        if self.config.get("residual"):
            return canvas + decoded.float()
        return decoded.float() * 2 - 1

    def told(self, scale):
        """Returns the prompt for how much the canvas was enlarged: a whole number, or a tensor of
        one."""
        index = torch.as_tensor(scale, device=self.prompt.device).reshape(1) - FIRST_SCALE
        return self.prompt.index_select(0, index.clamp(0, len(self.prompt) - 1))[0]

    def forward(self, canvas, noise, attend, remember=None, scale=4):
        """Returns all pictures (b, 8 S - 3, ...) of canvases (b, 8 S + 1, ...) at once. Decoder
        describes 'remember', and told() 'scale'."""
        frames = canvas.shape[1] - 1
        features = canvas.to(self.dtype)
        lq, _ = self.lq(unshuffle_pairs(clamped(features, -1, frames + 2)))
        latent = self.dit(noise, lq, self.told(scale), 0, attend)
        seen = condition(clamped(features, -3, frames))
        decoded = self.dec(seen, latent.to(self.dtype), None, remember)
        return self.pictures(decoded[:, 3:], canvas[:, :frames - 3])

    def sparse(self, canvas, topk, **options):
        """Returns the attention of a stream, for a clip."""
        slices, (height, width) = (canvas.shape[1] - 1) // 8, canvas.shape[-2:]
        return Sparse(slices, height // 16, width // 16, topk, device=canvas.device, **options)


class Stream:
    """Computes one video, chunk by chunk. The caller keeps the canvases."""

    def __init__(self, model, height, width, topk, scale=4, **options):
        self.model, self.past, self.middle = model, {}, None
        self.prompt = model.told(scale)
        self.cached = Cached(len(model.dit.blocks), height // 16, width // 16, topk,
                             device=model.prompt.device, **options)

    @torch.no_grad()
    def chunk(self, k, canvas, noise):
        """Returns the tensors of chunk k by the golden streams' names, pictures as (frames, 3, H,
        W). 'canvas' is (1, frames, 3, H, W) from frame 0 on, 'noise' (1, 2 n, H/8, W/8, c)."""
        model, first = self.model, k + 2 if k else 0
        slices = 1 if k else FIRST_SLICES
        pairs = unshuffle_pairs(clamped(canvas, 8 * first - 1, 8 * slices + 2))
        lq, self.middle = model.lq(pairs, self.middle)
        tap = {"lq_tokens": lq[0]}
        latent = model.dit(noise, lq, self.prompt, 2 * first, self.cached, tap)
        seen = clamped(canvas, 8 * first - 3, 8 * slices)
        decoded = model.dec(condition(seen), latent, self.past)
        skip = 0 if k else 3
        picture = model.pictures(decoded, seen)[0, skip:]
        return dict(tap, latent=latent, mask_block0=self.cached.mask, decoded=picture,
                    canvas=seen[0, skip:])


# Colour correction (section 8) -------------------------------------------------------------------


def adain(x, canvas):
    """Gives each picture and channel the canvas's statistics over the last two dimensions."""
    def statistics(a):
        mean = a.mean((-2, -1), keepdim=True)
        return mean, ((a - mean).square().mean((-2, -1), keepdim=True) + 1e-5).sqrt()
    (mean, deviation), (mean_c, deviation_c) = statistics(x), statistics(canvas)
    return ((x - mean) / deviation * deviation_c + mean_c).clamp(-1, 1)


def wavelet(x, canvas):
    """Returns x + low(canvas - x), with five levels of a dilated [1 2 1] blur that repeats
    borders."""
    low = (canvas - x).flatten(0, -4)
    for level in range(5):
        step = 2 ** level
        kernel = torch.tensor([0.25, 0.5, 0.25], device=x.device)
        kernel = (kernel[:, None] * kernel).expand(3, 1, 3, 3)
        low = F.pad(low, (step,) * 4, mode="replicate")
        low = F.conv2d(low, kernel, dilation=step, groups=3)
    return (x + low.reshape(x.shape)).clamp(-1, 1)


# Beginning ---------------------------------------------------------------------------------------


def _spread_of(name, shape):
    """Returns the standard deviation of a weight at the start, times the root of its fan-in."""
    if name.startswith("dec."):
        return 0.3 if ".conv.4." in name else math.sqrt(2)
    if name.endswith((".o.weight", "ffn.2.weight")):
        return 0.5
    return 1.0


@torch.no_grad()
def initialise(model, seed=1):
    """Sets random weights from which training starts well. The last convolution is zero, so the
    picture is the canvas. The tokens carry the noise beside the projection's features and the
    head takes the noise out again, so the decoder finds features and not noise in the latents. A
    decoder of two or three levels hands the pixels that a canvas at 4x was made of on to its
    second level."""
    rng = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if name.endswith((".gamma", "norm_q.weight", "norm_k.weight", "norm3.weight")):
            p.fill_(1)
        elif name.endswith((".bias", "modulation")) or name.startswith(
                ("dec.decoder.26.", "dit.time_projection")):
            p.zero_()
        elif name == "prompt":
            p.copy_(0.5 * torch.randn(p.shape, generator=rng))
        else:
            std = _spread_of(name, p.shape) / math.sqrt(p[0].numel())
            p.copy_(std * torch.randn(p.shape, generator=rng))
    for block in model.dit.blocks:
        block.modulation[0, 2::3] = 1  # gates
        _look_near(block.self_attn)
    _pass_noise(model)
    _balance_decoder(model)
    if model.dec.levels < 4 and model.dec.shuffle:
        _pass_pixels(model.dec.decoder, rng)


def _look_near(attention):
    """Gives queries and keys a common part in the fastest turning features of height and width, so
    that a token sees those around its place, in all slices alike. (Random ones see everything,
    which is the same as nothing, and leave training no reason to look back.)"""
    heads, head_dim = attention.heads, attention.norm_q.weight.shape[0] // attention.heads
    part = head_dim // 3 & ~1
    near = min(6, part)
    for layer in (attention.q, attention.k):
        layer.weight *= 0.5
        bias = layer.bias.view(heads, head_dim)
        for axis in (1, 2):
            first = head_dim - axis * part
            bias[:, first:first + near] = 0.5 * math.sqrt(4 * head_dim / (2 * near))


def _pass_noise(model):
    dit, c = model.dit, model.config["in_dim"]
    dim, features = model.config["dim"], 4 * c
    n = min(dim, features)
    dit.patch_embedding.weight.zero_()
    dit.patch_embedding.weight.view(dim, features)[:n, :n] = torch.eye(n)
    feature = torch.arange(n)  # c * 4 + y * 2 + x; the head's is (y * 2 + x) * c
    dit.head.head.weight[:, :n] = 0
    dit.head.head.weight[feature % 4 * c + feature // 4, feature] = 1


def _balance_decoder(model):
    """Lets as much of the first convolution's output come from the latents as from the 768 other
    channels."""
    d, c = model.dec, model.config["in_dim"]
    d.decoder["1"].weight[:, 768:] *= math.sqrt(768 / c) / 2
    for level in range(d.levels - 1):
        grow = d.decoder[str(9 + 6 * level)].conv.weight
        grow.mul_(0.1)
        eye = torch.eye(grow.shape[1]).repeat(grow.shape[0] // grow.shape[1], 1)
        grow += eye[:, :, None, None]


def _random(weight, size, rng):
    """Draws He's weights, 'size' times as large."""
    std = size * math.sqrt(2 / weight[0].numel())
    weight.copy_(std * torch.randn(weight.shape, generator=rng))


def _pass_pixels(d, rng):
    """Makes channels 2 i and 2 i + 1 of level 0 pixel i and its negative, i = (place * 4 +
    frame) * 3 + colour for the 2 x 2 places of 4 x 4 canvas pixels; at level 1 each place has
    its own pixels first. Pixels for which there are no channels are left out. ReLUs keep such
    pairs as they are."""
    first, up, grow = d["1"].weight, d["10"].weight, d["9"].conv.weight
    level0, level1 = first.shape[0] // 2, up.shape[0] // 8
    _random(first, 0.07, rng)
    first[:, 768:] *= 15  # the latents are few
    boxes = first[:, :768].view(-1, 3, 4, 2, 4, 2, 4, 3, 3)  # colour, frame, y, within, x, within
    for i in range(min(48, level0)):
        place, frame, colour = i // 12, i // 3 % 4, i % 3
        boxes[2 * i:2 * i + 2] = 0
        for channel, sign in ((2 * i, 1), (2 * i + 1, -1)):
            boxes[channel, colour, frame, place // 2, :, place % 2, :, 1, 1] = sign / 16
    _random(d["3"].weight, 0.1, rng)
    d["3"].weight[range(2 * level0), range(2 * level0), 1, 1] += 1
    grow.copy_(torch.eye(grow.shape[0])[:, :, None, None])
    _random(up, 1, rng)
    places = up.view(-1, 4, *up.shape[1:])
    for i in range(min(12, level1)):
        for place in range(4):
            if place * 12 + i < level0:
                for sign in range(2):
                    places[2 * i + sign, place] = 0
                    places[2 * i + sign, place, 2 * (place * 12 + i) + sign, 1, 1] = 1
    for name, block in d.items():
        if isinstance(block, MemBlock) and int(name) < 15:  # on these two levels
            block.conv[4].weight *= 0.3
