#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where the files of the Flatpak extension come to lie below /app/plugins: configured as the manifest
# says, and installed with what this build has compiled.
#
#	flatpak-places-test.sh SOURCE BUILD
set -euo pipefail

source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mapfile -t options < <(python3 -c '
import json, sys
manifest = json.load(open(sys.argv[1]))
print(*(option for option in manifest["modules"][-1]["config-opts"] if option.startswith("-D")),
      sep="\n")' "$source/installer/flatpak/com.obsproject.Studio.Plugin.FlashVSR.json")
cmake -S "$source" -B "$work/build" "${options[@]}" -DFVSR_CUDA=OFF >"$work/log" || {
	cat "$work/log"
	exit 1
}
for file in core/libfvsr.a rundir/obs-flashvsr/bin/64bit/obs-flashvsr.so; do
	mkdir -p "$(dirname "$work/build/$file")"
	cp "$build/$file" "$work/build/$file"
done
cmake --install "$work/build" --prefix "$work/plugins" >"$work/log"
"$source/tests/packages/places.py" --flatpak "$work/plugins"
