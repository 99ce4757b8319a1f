#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the golden files of this folder from the full ones.

    reduce.py FULL_DIR OUT_DIR

The full streams are several times larger than they have to be for a test that runs anywhere.
Of each stream this keeps all masks and the tensors listed below: later chunks depend on the
caches that earlier ones leave behind, so a late latent or picture that is right says that
everything before it was. Of the colour pictures it keeps the first frame. Names, values and
metadata stay as they are.
"""
import json
import re
import struct
import sys
from pathlib import Path

KEEP = {
    "tiny-v1.1": r".*\.mask_block0|chunk[12]\.latent|chunk1\.after_block0|chunk2\.final\.3",
    "tiny-v1": r"chunk1\.lq_tokens|chunk2\.latent",
    "tiny-long": r".*\.mask_block0|.*\.latent|chunk5\.final\.5",
    "color-and-scale": r".*",
}


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = (entry["dtype"], entry["shape"], data[begin:end])
    return metadata, tensors


def first_frame(dtype, shape, data):
    """(1, 3, frames, height, width) to (1, 3, 1, height, width)."""
    step = len(data) // 3
    frame = step // shape[2]
    kept = b"".join(data[c * step:c * step + frame] for c in range(3))
    return dtype, [1, 3, 1, *shape[3:]], kept


def write(path, metadata, tensors):
    header, offset = {"__metadata__": metadata}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    blob = json.dumps(header).encode()
    blob += b" " * (-len(blob) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(blob)))
        file.write(blob)
        for _, _, data in tensors.values():
            file.write(data)


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    for name, pattern in KEEP.items():
        metadata, tensors = read(source / f"{name}.safetensors")
        kept = {}
        for key, tensor in tensors.items():
            if not re.fullmatch(pattern, key):
                continue
            kept[key] = first_frame(*tensor) if key.startswith("color.") else tensor
        write(target / f"{name}.safetensors", metadata, kept)
        print(f"{name}: {len(kept)} of {len(tensors)} tensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
