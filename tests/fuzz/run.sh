#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the fuzz targets with clang in a temporary folder and runs each for SECONDS from the
# corpus in the tree, corpus/TARGET.zip. Inputs that find something are kept in ./fuzz-findings (or
# $FINDINGS).
#
#	tests/fuzz/run.sh SECONDS [TARGET ...]
#
# With CORPUS_OUT=FOLDER set, inputs that reach new code are kept in FOLDER/TARGET.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:?usage: run.sh SECONDS [TARGET ...]}
shift
[ $# -gt 0 ] || set -- safetensors archive pickle packed config y4m directory stream

clang=${CLANG:-clang}
if ! command -v "$clang" >/dev/null; then
	echo "skipped: there is no clang to build fuzz targets with"
	exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n > 9 ? 0 : 0; }' \
	>"$work/probe.c"
if ! "$clang" -fsanitize=fuzzer,address,undefined "$work/probe.c" -o "$work/probe" 2>/dev/null; then
	echo "skipped: $clang has no fuzzer runtime (on Debian: libclang-rt-dev)"
	exit 77
fi

cmake -S "$root" -B "$work/build" -DCMAKE_C_COMPILER="$clang" -DCMAKE_BUILD_TYPE=Debug \
	-DFVSR_BUILD_TESTS=ON -DFVSR_BUILD_FUZZERS=ON -DFVSR_BUILD_PLUGIN=OFF -DFVSR_BUILD_TOOLS=OFF -DFVSR_ONEDNN=OFF \
	>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/build" --target fvsr_fuzzers -j 2 >"$work/log" 2>&1 ||
	{ cat "$work/log"; exit 1; }

findings=${FINDINGS:-fuzz-findings}
failed=0
for target in "$@"; do
	dict=-dict=$here/json.dict
	case $target in
	pickle | archive) dict=-dict=$here/pickle.dict ;;
	y4m | directory | stream) dict= ;;
	esac
	new=${CORPUS_OUT:-$work}/$target
	corpus=$work/corpus/$target
	mkdir -p "$corpus"
	(cd "$corpus" && cmake -E tar xf "$here/corpus/$target.zip")
	# A frame of raw video is as large as its header says; chunks of a stream take their time.
	malloc_mb=512 length=65536 timeout=10
	case $target in
	y4m) malloc_mb=900 ;;
	directory) length=1024 timeout=60 ;;
	stream) length=512 timeout=60 ;;
	esac
	mkdir -p "$new" "$work/found/$target"
	if TMPDIR=$work "$(find "$work/build" -type f -name "fuzz_$target")" "$new" "$corpus" \
		${dict:+"$dict"} -max_total_time="$seconds" -max_len="$length" -timeout="$timeout" \
		-rss_limit_mb=1024 -malloc_limit_mb="$malloc_mb" -print_final_stats=1 \
		-artifact_prefix="$work/found/$target/" >"$work/log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
		echo "$target: $runs executions in $seconds s, no finding"
	else
		tail -40 "$work/log"
		mkdir -p "$findings"
		cp -r "$work/found/$target" "$findings/"
		echo "$target: a finding, see $findings/$target"
		failed=1
	fi
done
exit $failed
