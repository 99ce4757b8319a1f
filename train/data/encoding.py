# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes small pictures through H.264 and back, as a stream's viewer gets them, many clips at once.

    python3 -m train.data.encoding OUT.so
        compiles encode.c, for a machine that has no compiler or no x264.h

Colours are converted on the training device; x264 encodes on threads of its own.
"""
import concurrent.futures
import ctypes
import os
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F

from train.data.clips import to_bytes

HERE = os.path.dirname(os.path.abspath(__file__))
KR, KB = 0.2126, 0.0722  # of BT.709


def build(path):
    subprocess.check_call([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", "-o", path,
                           os.path.join(HERE, "encode.c"), "-lx264"])


def open_library(path=None):
    """Opens the library in the file that 'path' names, or compiles it now."""
    if path:
        library = ctypes.CDLL(os.path.abspath(path))
    else:
        with tempfile.TemporaryDirectory() as folder:
            build(os.path.join(folder, "encode.so"))
            library = ctypes.CDLL(os.path.join(folder, "encode.so"))
    library.reconstruct.restype = ctypes.c_int64
    return library


# Colours ------------------------------------------------------------------------------------------


def to_planes(rgb):
    """Converts levels (n, 3, h, w), h and w even, to bytes (n, h * w * 3 / 2): limited range,
    4:2:0."""
    r, g, b = rgb.float().unbind(1)
    y = KR * r + (1 - KR - KB) * g + KB * b
    chroma = torch.stack([(b - y) / (2 - 2 * KB), (r - y) / (2 - 2 * KR)], 1)
    planes = [16 + y * (219 / 255), 128 + F.avg_pool2d(chroma, 2) * (224 / 255)]
    return torch.cat([to_bytes(p).byte().flatten(1) for p in planes], 1)


def from_planes(planes, height, width):
    """Reverses to_planes()."""
    n, size = len(planes), height * width
    y = (planes[:, :size].reshape(n, height, width).float() - 16) * (255 / 219)
    c = (planes[:, size:].reshape(n, 2, height // 2, width // 2).float() - 128) * (255 / 224)
    cb, cr = F.interpolate(c, scale_factor=2, mode="bilinear", align_corners=False).unbind(1)
    r, b = y + (2 - 2 * KR) * cr, y + (2 - 2 * KB) * cb
    return to_bytes(torch.stack([r, (y - KR * r - KB * b) / (1 - KR - KB), b], 1)).byte()


# Clips --------------------------------------------------------------------------------------------


class Encoder:
    """Encodes many clips of one size at once, on threads of its own."""

    def __init__(self, library=None, threads=None):
        self.library = open_library(library)
        self.pool = concurrent.futures.ThreadPoolExecutor(threads or os.cpu_count())

    def reconstruct(self, planes, height, width, how, stream=None):
        """Replaces planes in host memory by what a decoder makes of them. 'stream' is room for the
        stream. Returns the stream's size. The interpreter's lock is free meanwhile."""
        preset, tune, crf = how
        result = self.library.reconstruct(
            ctypes.c_void_p(planes.data_ptr()), len(planes), width, height, preset.encode(),
            tune.encode() if tune else None, crf,
            ctypes.c_void_p(stream.data_ptr()) if stream is not None else None)
        if result < 0:
            raise RuntimeError(f"x264 refuses {width}x{height}, {how}")
        return result

    def begin(self, clips, ways):
        """Begins to encode 'clips', bytes (n, frames, 3, h, w), in 'ways', n times (preset, tune or
        None, CRF). Returns a function whose result is the clips as they come out."""
        n, frames, _, height, width = clips.shape
        flat = F.pad(clips.flatten(0, 1).float(), (0, width % 2, 0, height % 2), "replicate")
        h, w = flat.shape[2:]
        planes = to_planes(flat).reshape(n, frames, -1)
        host = torch.empty(planes.shape, dtype=torch.uint8, pin_memory=planes.is_cuda)
        host.copy_(planes, non_blocking=True)
        arrived = torch.cuda.Event() if planes.is_cuda else None
        if arrived:
            arrived.record()

        def encode(i):
            if arrived:
                arrived.synchronize()
            return self.reconstruct(host[i], h, w, ways[i])

        jobs = [self.pool.submit(encode, i) for i in range(n)]

        def finish():
            for job in jobs:
                job.result()
            back = from_planes(host.to(clips.device).flatten(0, 1), h, w)
            return back[..., :height, :width].reshape(clips.shape)
        return finish


if __name__ == "__main__":
    build(sys.argv[1])
