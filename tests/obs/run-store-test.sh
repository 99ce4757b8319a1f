#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs store-test with a web server of its own on this machine:
#
#	run-store-test.sh PROGRAM LIST
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v python3 >/dev/null; then
	echo "SKIPPED: python3 is not installed"
	exit 77
fi
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
"$1" "$work" released
: >"$work/log"
python3 "$here/range-server.py" "$work/released" "$work/log" -- \
	"$1" "$work" "$work/log" "$2"
