#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/test-report.py on what ctest writes about tests that pass, fail and are skipped.
#
#	report-test.sh TREE
set -euo pipefail

report=$1/scripts/test-report.py
# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs tests of these names: what each does is in its name.
sums() { # NAME...
	local name body

	{
		echo 'cmake_minimum_required(VERSION 3.22)'
		echo 'project(report NONE)'
		echo 'enable_testing()'
		for name in "$@"; do
			case $name in
			pass) body=true ;;
			fail) body=false ;;
			card) body='seq 2000; echo skipped: needs a card: no driver; exit 77' ;;
			long) body='echo skipped: takes long: three minutes; exit 77' ;;
			package) body='echo skipped: ffmpeg is not installed; exit 77' ;;
			silent) body='exit 77' ;;
			late) body='exec sleep 60' ;;
			esac
			echo "add_test(NAME $name COMMAND sh -c \"$body\")"
			echo "set_tests_properties($name PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 5)"
		done
	} >"$work/CMakeLists.txt"
	cmake -S "$work" -B "$work/gcc" >/dev/null
	(cd "$work/gcc" && ctest --output-junit "$work/gcc/tests.xml" >/dev/null 2>&1) || true
	status=0
	"$report" "$work/gcc/tests.xml" >"$work/said" || status=$?
	last=$(tail -n 1 "$work/said")
}
says() { grep -qxF "$1" "$work/said" || { cat "$work/said"; return 1; }; }

sums pass card long
expect "a card and time are no fault" test "$status: $last" = "0: 1 passed, 0 failed, 2 skipped"
expect "the reasons are listed" \
	says "skipped: 1 need a card, 1 take long (FVSR_TEST_LONG=1 runs them)"
sums pass package
expect "a missing package is a failure" test "$status: $last" = "1: 1 passed, 1 failed, 0 skipped"
expect "and it is named" \
	says "failed, because it did not run: gcc: package: ffmpeg is not installed"
sums silent
expect "so is a skip without a word" test "$status: $last" = "1: 0 passed, 1 failed, 0 skipped"
sums pass fail late
expect "failures stay failures" test "$status: $last" = "1: 1 passed, 2 failed, 0 skipped"
expect "and are named" says "failed: gcc: late"
exit $failed
