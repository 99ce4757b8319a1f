#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Planted libraries, in the folder that fvsr.exe is started in and in the program's own, are not run
# when it looks for a graphics card.
#
#	planted-test.sh FVSR.EXE PLANTED.DLL	(tests/unit/planted.c)
#
# Exits with 77 where Wine is missing.
set -uo pipefail

program=$1 planted=$2
wine=$(dirname "$0")/../../cmake/run-under-wine.sh
"$wine" "$program" --version >/dev/null || {
	status=$?
	echo "skipped: Wine does not run programs (status $status)"
	exit 77
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/program" "$work/current"
cp "$program" "$work/program/fvsr.exe"

# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"
plant() { # FOLDER
	local name
	for name in nvcuda.dll cublasLt64_13.dll cublasLt64_12.dll; do
		cp "$planted" "$1/$name"
	done
}
# The backend that looks for the driver is there, and finds none: Wine has no nvcuda.dll.
looks_for_driver() {
	(cd "$work/current" && timeout 60 "$wine" "$work/program/fvsr.exe" info --backends) \
		>"$work/said" 2>&1
	grep -q 'there is no NVIDIA driver (nvcuda.dll)' "$work/said" || {
		cat "$work/said"
		return 1
	}
}
none_ran() { [ ! -e "$work/current/planted-ran" ]; }

plant "$work/current"
expect "looks for a driver" looks_for_driver
expect "and runs nothing from the current folder" none_ran
rm -f "$work/current/planted-ran"
plant "$work/program"
expect "looks for a driver once more" looks_for_driver
expect "and runs nothing from the program's folder" none_ran
exit $failed
