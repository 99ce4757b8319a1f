#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a build installs, read by hardening.py; and first, whether that notices what is missing, with a
# program that has nothing of it.
#
#	hardening-test.sh BUILD COMPILER
set -uo pipefail

build=$1 compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/expect.sh
. "$here/../expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '#include <stdio.h>\nint main(void) { return puts("%s"); }\n' "$here" >"$work/bare.c"
if [[ $compiler = *mingw* ]]; then
	# shellcheck disable=SC2054 # the commas are the linker's
	bare=("-Wl,--disable-dynamicbase,--disable-high-entropy-va,--disable-nxcompat"
		-Wl,--disable-reloc-section)
	lacks=(DYNAMIC_BASE relocations HIGH_ENTROPY_VA NX_COMPAT)
else
	bare=(-no-pie -fcf-protection=none "-Wl,-z,norelro,-z,lazy,-z,execstack")
	lacks=("binding of all symbols" RELRO PIE "a stack without code" "landing marks")
fi
"$compiler" -O0 -U_FORTIFY_SOURCE -fno-stack-protector "$work/bare.c" -o "$work/bare" "${bare[@]}" ||
	exit 1
# A function that expect calls:
# shellcheck disable=SC2317
refused() { ! "$here/hardening.py" "$@" >"$work/said"; }
expect "nothing to read is refused" refused "$work/bare.c"
expect "a bare program is refused" refused "$work"/bare*
for what in "${lacks[@]}" "the stack protector" "checked functions" "silence about"; do
	expect "because it lacks $what" grep -q "lacks $what" "$work/said"
done

cmake --install "$build" --prefix "$work/installed" >"$work/log" || {
	cat "$work/log"
	exit 1
}
expect "what is installed lacks nothing" "$here/hardening.py" "$work/installed"
exit $failed
