#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What OBS' process sees of us: the plugin exports the functions by which OBS knows a module and
# nothing else, the same as on Windows; no name of the library is without its prefix, and visible
# are those that its header declares.
#
#	exports-test.sh SOURCE_FOLDER PLUGIN LIBRARY
set -euo pipefail
source=$1 plugin=$2 library=$3
# shellcheck source=tests/expect.sh
. "$source/tests/expect.sh"

same() { # NAMES NAMES: one a line; tells what is in only one of them
	[ -n "$1" ] && diff <(sort <<<"$1") <(sort <<<"$2")
}

expect "the plugin exports a module's entry points" same \
	"$(sed -n 's/^\t\([a-z_]*\)$/\1/p' "$source/plugin/obs-flashvsr.def")" \
	"$(nm -D --defined-only "$plugin" | awk '{ print $3 }')"
expect "the library has no names but fvsr_*" same \
	"$(nm -g --defined-only "$library" | awk 'NF == 3 { print $3 }' | grep '^fvsr_')" \
	"$(nm -g --defined-only "$library" | awk 'NF == 3 { print $3 }')"
expect "the library shows what its header declares" same \
	"$(grep -A 1 '^FVSR_API' "$source/core/include/fvsr/fvsr.h" | grep -oE '\bfvsr_[a-z0-9_]+\(' |
		tr -d '(' | sort -u)" \
	"$(readelf -sW "$library" 2>/dev/null |
		awk '$5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" { print $8 }')"
exit "$failed"
