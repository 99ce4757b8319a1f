#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The fast CPU path with and without what it needs: the DLL beside the program, and the Visual C++
# runtime. Whatever is missing, the reason is named and the plain backend does the work.
#
#	onednn-test.sh FVSR.EXE FVSR-DNNL.DLL MODEL
#
# Exits with 77 where Wine is missing.
set -uo pipefail

program=$1 library=$2 model=$3
wine=$(dirname "$0")/../../cmake/run-under-wine.sh
"$wine" "$program" --version >/dev/null || {
	status=$?
	echo "skipped: Wine does not run programs (status $status)"
	exit 77
}

# A folder with a name that is not ASCII, as a user's may be.
work=$(mktemp -d --suffix=-grün)
trap 'rm -rf "$work"' EXIT
cp "$program" "$work/fvsr.exe"

# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"
backends_say() { # PATTERN
	timeout 60 "$wine" "$work/fvsr.exe" info --backends >"$work/said" 2>&1
	grep -Eq "$1" "$work/said" || {
		cat "$work/said"
		return 1
	}
}
computes_on() { # BACKEND
	timeout 120 "$wine" "$work/fvsr.exe" bench --model "$model" --size 64x64 --chunks 1 \
		>"$work/said" 2>&1
	grep -q " on $1, " "$work/said" || {
		cat "$work/said"
		return 1
	}
}

expect "without the DLL it says so" backends_say 'no fvsr-dnnl.dll'
expect "and the plain backend computes" computes_on cpu-plain
ln "$library" "$work/fvsr-dnnl.dll" 2>/dev/null || cp "$library" "$work/fvsr-dnnl.dll"
expect "with it there is oneDNN" backends_say '^cpu .*oneDNN [0-9.]+'
expect "which computes" computes_on cpu
# The module that OBS 33 loads lies two folders above the one of OBS 32 and its libraries.
mkdir -p "$work/bin/64bit"
mv "$work/fvsr-dnnl.dll" "$work/bin/64bit/"
expect "from below it is found, too" backends_say '^cpu .*oneDNN [0-9.]+'
mv "$work/bin/64bit/fvsr-dnnl.dll" "$work/"
for dll in vcomp140 msvcp140 vcruntime140 vcruntime140_1; do
	export WINEDLLOVERRIDES=$dll=
	expect "without $dll.dll it says so" \
		backends_say 'fvsr-dnnl.dll cannot be loaded .error 126.: the Visual C\+\+ runtime is missing'
done
expect "and the plain backend computes" computes_on cpu-plain
printf 'MZ' >"$work/none" && mv "$work/none" "$work/fvsr-dnnl.dll"
unset WINEDLLOVERRIDES
expect "what is no DLL is refused" backends_say 'fvsr-dnnl.dll cannot be loaded .error 193.'
exit $failed
