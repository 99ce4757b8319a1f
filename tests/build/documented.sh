#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs the README's line that configures a build, in a folder of its own, and looks at what would be
# built: what a user needs and no test, on all cores.
#
#	documented.sh TREE
set -euo pipefail

tree=$1
# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

configure=$(grep -m 1 '^    cmake -S \. -B build ' "$tree/README.md")
build=$(grep -m 1 '^    cmake --build build\b' "$tree/README.md")
words=" $build "
expect "the README builds on all cores" test "$words" != "${words/ --parallel / }"

# Device code is what takes long, and none is built here.
cd "$tree"
eval "${configure/-B build /-B \"\$work/build\" } -DFVSR_CUDA=OFF" >"$work/log" 2>&1 || {
	cat "$work/log"
	exit 1
}
cmake --build "$work/build" --target help >"$work/targets"
expect "the plugin is built" grep -qE '^(\.\.\. )?obs-flashvsr\b' "$work/targets"
expect "the command line is built" grep -qE '^(\.\.\. )?fvsr-cli\b' "$work/targets"
tests=$(grep -E 'test|fuzz|tsan|asan' "$work/targets" || true)
expect "no test is built (found: ${tests:-none})" test -z "$tests"
expect "ctest finds none" grep -q 'No tests were found\|Total Tests: 0' \
	<(cd "$work/build" && ctest -N 2>&1)
exit $failed
