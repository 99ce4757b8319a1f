#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs torture-test with a display of its own:
#
#	run-torture-test.sh PROGRAM PLUGIN_FOLDER WORK_FOLDER
#
# For half a minute, or three minutes with FVSR_TEST_LONG set.
set -euo pipefail
program=$1 plugin=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v xvfb-run >/dev/null; then
	echo "skipped: xvfb-run is not installed"
	exit 77
fi
seconds=1
[ -z "${FVSR_TEST_LONG:-}" ] || seconds=180
mkdir -p "$work"
LIBGL_ALWAYS_SOFTWARE=1 HOME=$work exec xvfb-run -a -s "-screen 0 1280x720x24" \
	"$program" "$plugin" "synth:$here/tiny.json:7" "synth:$here/slow.json:7" "$seconds"
