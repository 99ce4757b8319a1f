#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The installer under Wine: installs without a question, what it installed runs, an upgrade replaces,
# a running OBS stops it, and the uninstaller leaves nothing but a user's model.
#
#	installer-test.sh ROOT BUILD
#
# Exits with 77 where Wine or makensis is missing.
set -uo pipefail

root=$1 build=$2
# shellcheck source=tests/windows/installer-setup.sh
. "$(dirname "$0")/installer-setup.sh"

# What an optional part holds is all the same to the installer; NVIDIA's file has half a gigabyte.
mkdir "$work/part"
echo library >"$work/part/cublasLt64_13.dll"
echo licence >"$work/part/cuBLAS.txt"
FVSR_COMPRESSOR=zlib "$root/installer/windows.sh" "$build" "$work/out" "$work/part" || exit 1
installer=$(echo "$work"/out/*-x64-installer.exe)
with_part=$(echo "$work"/out/*-cublaslt-installer.exe)
find "$data" | sort >"$work/before"
expect "its headers ask for what Windows has against attacks" \
	"$root/tests/packages/hardening.py" --installer "$work"/out/*-installer.exe

expect "installs silently" status_is 0 "$installer" /S
expect "the plugin is where OBS looks" test -f "$plugin/bin/64bit/obs-flashvsr.dll"
expect "the uninstaller asks for the same" "$root/tests/packages/hardening.py" --installer \
	"$uninstaller"
expect "with what it loads" test -f "$plugin/data/locale/en-US.ini" -a \
	-f "$plugin/data/effects/flashvsr.effect" -a -f "$plugin/data/manifest.json"
expect "it is registered" registered
expect "and the fast CPU path" test -f "$plugin/bin/64bit/fvsr-dnnl.dll" -a \
	-f "$plugin/licences/oneDNN.txt"
expect "the command line runs from there" status_is 0 "$plugin/bin/64bit/fvsr.exe" --version
status_is 0 "$plugin/bin/64bit/fvsr.exe" info --backends || failed=1
expect "and has that path" grep -q '^cpu .*oneDNN' "$work/said"
expect "and finds the bundled model" status_is 0 "$plugin/bin/64bit/fvsr.exe" info \
	"$plugin/data/models/bundled.safetensors"
(cd "$data/obs-studio/plugins" && find obs-flashvsr -type f | sort) >"$work/installed"
unzip -Z1 "$work"/out/*.zip | sort >"$work/zipped"
expect "the zip holds the same files" diff "$work/installed" "$work/zipped"
expect "every OBS finds the filter, once" python3 "$root/tests/packages/places.py" "$work"/out/*.zip

# An older version had a file that there is no more; its uninstaller knows only what it brought.
echo changed >"$plugin/data/locale/en-US.ini"
echo mine >"$plugin/data/models/mine.safetensors"
expect "upgrades silently" status_is 0 "$installer" /S
expect "with its own files again" cmp -s "$plugin/data/locale/en-US.ini" "$root/locale/en-US.ini"
expect "the user's model stays" grep -q mine "$plugin/data/models/mine.safetensors"

# A program called obs64.exe that waits for its input.
cp "$build/tools/fvsr.exe" "$work/obs64.exe"
mkfifo "$work/input"
timeout 300 "$wine" "$work/obs64.exe" pipe --raw 16x16 \
	-m "synth:$root/tests/cli/tiny-residual.json:1" <"$work/input" >/dev/null 2>&1 &
running=$!
exec 3>"$work/input"
sleep 2
echo changed >"$plugin/data/locale/en-US.ini"
expect "is refused while OBS runs" status_is 3 "$installer" /S
expect "and changes nothing" grep -q changed "$plugin/data/locale/en-US.ini"
# NSIS takes the rest of the line, unquoted; as two words it is not quoted here either.
status_is 3 "$uninstaller" /S '_?=C:\Program' 'Files\obs-flashvsr' || failed=1
expect "so is the uninstaller" test -f "$plugin/bin/64bit/obs-flashvsr.dll"
exec 3>&-
expect "which ends with its input" wait "$running"
running=

expect "uninstalls silently" status_is 0 "$uninstaller" /S
expect "the plugin is gone" wait_until_gone "$tools"
expect "it is not registered any more" eval '! registered'
(cd "$plugin" && find . -type f) >"$work/left"
expect "nothing but the user's model is left" diff "$work/left" - <<<./data/models/mine.safetensors

rm -r "$data/obs-studio"
expect "installs with cuBLASLt" status_is 0 "$with_part" /S
expect "which is beside the plugin" cmp -s "$work/part/cublasLt64_13.dll" \
	"$plugin/bin/64bit/cublasLt64_13.dll"
expect "with its licence" cmp -s "$work/part/cuBLAS.txt" "$plugin/licences/cuBLAS.txt"
expect "installs without it" status_is 0 "$with_part" /S /NOCUBLASLT
expect "which takes it away" test ! -e "$plugin/bin/64bit/cublasLt64_13.dll" -a \
	! -e "$plugin/licences/cuBLAS.txt"
expect "the plugin is there" test -f "$plugin/bin/64bit/obs-flashvsr.dll"
expect "installs with it once more" status_is 0 "$with_part" /S
expect "uninstalls once more" status_is 0 "$uninstaller" /S
expect "the folder is gone" wait_until_gone "$plugin"
rmdir "$data/obs-studio/plugins" "$data/obs-studio" 2>/dev/null # OBS' own folders
find "$data" | sort >"$work/after"
expect "nothing is left" diff "$work/before" "$work/after"
exit $failed
