#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plants includes in a copy of the tree, and looks whether tests/build/includes.py names them: the
# arrows that are kept must also be arrows that would be missed.
#
#	includes-test.sh TREE
set -euo pipefail

tree=$1 check=$1/tests/build/includes.py
# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/docs"
cp "$tree/docs/architecture.md" "$work/docs/"
cp -r "$tree/core" "$tree/kernels" "$tree/plugin" "$tree/tools" "$work/"
"$check" "$work" >"$work/before" || true

# Adds a line to a file for as long as the check takes.
with_line() { # FILE LINE
	cp "$work/$1" "$work/kept"
	printf '%s\n' "$2" >>"$work/$1"
	"$check" "$work" >"$work/after" || true
	mv "$work/kept" "$work/$1"
}
newly_says() { grep -qxF "$1" <(comm -13 <(sort "$work/before") <(sort "$work/after")); }
plant() { # FILE LINE WORDS
	with_line "$1" "$2"
	expect "$1 with $2" newly_says "$1 includes $3"
}

plant core/net/net.h '#include "backend/cpu/plain/plain.h"' \
	"core/backend/cpu/plain/plain.h: no arrow from core/net"
plant core/backend/cpu/plain/matrix.c '#include "net/net.h"' \
	"core/net/net.h: no arrow from core/backend/cpu/plain"
plant core/model/sha256.c '	# include "stream/spread.h"' "core/stream/spread.h: no arrow from core/model"
plant kernels/generic/norm.cu '#include "../../core/base/dtype.h"' \
	"core/base/dtype.h: no arrow from kernels"
plant plugin/policy/ladder.c '#include "base/common.h"' "core/base/common.h: no arrow from plugin/policy"
plant tools/main.c '#include "model/new_file.h"' "core/model/new_file.h: no arrow from tools"
plant core/stream/spread.c '#include "spreed.h"' "spreed.h, which is nowhere"
plant plugin/session/job.c '#include <util/platform.h>' "<util/platform.h>: not for its room"
plant core/backend/cpu/plain/conv.c '#include <dnnl.h>' "<dnnl.h>: not for its room"

# Through a header of ours, where the first arrow is drawn.
with_line plugin/policy/sizes.h '#include <obs.h>'
expect "a header behind a header" newly_says \
	"plugin/policy/sizes.c includes <obs.h> through plugin/policy/sizes.h: not for its room"

# The page itself.
rm -r "$work/plugin/sound"
mkdir "$work/core/attic"
echo >"$work/core/attic/old.c"
sed -i '/^#include "model\/new_file.h"$/d' "$work/tools/target.h"
status=0
"$check" "$work" >"$work/after" || status=$?
expect "it fails" test "$status" = 1
expect "a room without files" grep -qxF "the room plugin/sound is empty" "$work/after"
expect "a file without a room" grep -qxF "core/attic/old.c lies in no room" "$work/after"
expect "an exception without a need" grep -qxF \
	"the exception of tools/target.h for core/model/new_file.h is not needed" "$work/after"
exit $failed
