#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of what obs.dll 29 exports, which is read out of source, against a libobs 29 that was
compiled: check_list.py LIST. What only Windows has (read off its prefix or from the few names
below) is not in a libobs for Linux. Exits with 77 where that library is missing."""
import subprocess
import sys
from pathlib import Path

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/libobs.so.0")
WINDOWS = ("gs_duplicator_", "gs_gdi_", "gs_texture_", "gs_stagesurface_create_", "gs_shared_",
           "gs_get_", "ms_", "get_", "is_")
WINDOWS_NAMES = {"enum_graphics_device_luids", "gs_register_loss_callbacks",
                 "gs_unregister_loss_callbacks", "obs_init_win32_crash_handler", "os_stat"}

if not LIBRARY.exists():
    print("skipped: libobs is not installed")
    sys.exit(77)
version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libobs0"], text=True,
                         stdout=subprocess.PIPE).stdout
if not version.startswith("29."):
    print("skipped: needs another Debian: the installed libobs is",
          version or "of an unknown version")
    sys.exit(77)
symbols = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
there = {line.split()[2] for line in symbols.splitlines() if line.split()[1] == "T"}
listed = {line for line in Path(sys.argv[1]).read_text().split("\n")
          if line and not line.startswith("#")}
unknown = {name for name in listed - there
           if name not in WINDOWS_NAMES and not name.startswith(WINDOWS)}
missing = {name for name in there - listed
           if name.startswith(("obs_", "gs_", "os_")) and "nix" not in name and
           not name.startswith(("gs_query_dmabuf", "gs_texture_create_from_"))}
print(f"{len(listed)} names listed, {len(listed & there)} of them in {LIBRARY.name} {version}")
print("only listed:", *sorted(unknown))
print("not listed:", *sorted(missing))
sys.exit(1 if unknown or missing or len(listed & there) < 1500 else 0)
