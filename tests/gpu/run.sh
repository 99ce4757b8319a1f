#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Everything that needs a card, in one go, on a machine that has one: builds, op tests on both
# paths, golden streams, sharing, faults, speed. Prints a short table last; logs lie in $RESULTS.
#
#	run.sh [part ...]      parts: build ops verify full streams faults bench sanitize, or all
#
# Environment, all optional:
#	BUILD    build folder (default: build-gpu in $RESULTS); with a build in it, 'build' can be left out
#	ARCHS    device code to build (default 90a;80-virtual)
#	DEPS     folder with unpacked packages: headers, libraries and pkg-config files of Jansson
#	         and libzip under $DEPS/usr
#	FVSR_TEST_DATA  folder whose golden/ has the whole golden streams (docs/testing.md); without
#	         it they are skipped
#	RESULTS where logs and results go (default: a new folder in /tmp)
#	ROUNDS   rounds of each op test (default 25)
#	SEED     of the op tests (default: the time)
#	LIMIT_S  seconds that a single step may take (default 240)
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${RESULTS:-$(mktemp -d /tmp/fvsr-gpu-XXXXXX)}
build=${BUILD:-$out/build-gpu}
golden=${FVSR_TEST_DATA:-/none}/golden
archs=${ARCHS:-"90a;80-virtual"}
limit_s=${LIMIT_S:-240}
here=$root/tests/gpu
table=$out/table.txt
mkdir -p "$out" && : >"$table"

parts=${*:-build ops verify streams faults bench}
[ "$parts" = all ] && parts="build ops verify full streams faults bench sanitize"

if [ -n "$DEPS" ]; then
	lib=$DEPS/usr/lib/x86_64-linux-gnu
	export PKG_CONFIG_SYSROOT_DIR=$DEPS PKG_CONFIG_LIBDIR=$lib/pkgconfig
	export LD_LIBRARY_PATH=$lib:$DEPS/lib/x86_64-linux-gnu:$LD_LIBRARY_PATH
	export LIBRARY_PATH=$lib PATH=$PATH:$DEPS/usr/bin
fi
export OMP_WAIT_POLICY=passive
fvsr=$build/tools/fvsr

wants() {
	case " $parts " in *" $1 "*) return 0 ;; esac
	return 1
}

# step NAME COMMAND...: runs it with a log, notes the result, the last line and the time
step() {
	local name=$1 log began result word
	shift
	log=$out/$(echo "$name" | tr ' /' '__').log
	began=$(date +%s)
	timeout "$limit_s" "$@" >"$log" 2>&1
	result=$?
	case $result in
	0) word=ok ;;
	77) word=skipped ;;
	124) word="TOO LONG" ;;
	*) word="FAILED ($result)" ;;
	esac
	printf '%-34s %-12s %4d s  %s\n' "$name" "$word" $(($(date +%s) - began)) \
		"$(tail -n 1 "$log" | cut -c1-110)" | tee -a "$table"
	[ $result = 0 ] || grep -E "FAILED|fail|error|not true|bad " "$log" | head -12
}

with_path() {
	local path=$1
	shift
	FVSR_CUDA_PATH=$path "$@"
}
export -f with_path

verify() {
	local path=$1 file=$2 model=$3
	if [ ! -e "$file" ]; then
		echo "skipped: $file is not here (FVSR_TEST_DATA: docs/testing.md)"
		return 77
	fi
	FVSR_CUDA_PATH=$path "$fvsr" verify "$file" --model "$model" --backend cuda
}
export -f verify
export fvsr

configure() {
	cmake -S "$root" -B "$build" -DFVSR_CUDA_ARCHS="$archs" -DFVSR_BUILD_PLUGIN=OFF \
		-DFVSR_BUILD_TESTS=ON -DFVSR_ONEDNN=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo &&
		cmake --build "$build" -j "$(nproc)" --target fvsr-cli test_ops test_stream test_trunk \
			test_memory test_gpu_streams test_gpu_faults
}
export -f configure
export root build archs

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee -a "$table"
if wants build; then
	step "build" bash -c configure
fi
[ -x "$fvsr" ] || { echo "there is no build in $build"; exit 1; }
step "backends" "$fvsr" info --backends

if wants ops; then
	for path in native generic; do
		step "ops $path" bash -c "with_path $path $build/tests/ops/test_ops --backend cuda \
			--rounds ${ROUNDS:-25} ${SEED:+--seed $SEED}"
	done
	step "ops own products" env FVSR_CUBLASLT=off "$build/tests/ops/test_ops" --backend cuda \
		--op linear --rounds 100
fi
if wants verify; then
	for path in native generic; do
		for stream in tiny-v1.1 tiny-v1 tiny-long; do
			step "verify $stream $path" bash -c "verify $path \
				$root/tests/golden/$stream.safetensors \
				synth:$root/tests/golden/tiny.json:7"
		done
		step "verify whole tiny-v1.1 $path" bash -c "verify $path \
			$golden/tiny-v1.1.safetensors $golden/tiny-model"
	done
fi
if wants full; then
	step "verify full-256x384 native" bash -c \
		"verify native $golden/full-256x384.safetensors synth:full:3"
	step "verify full-256x384 generic" bash -c \
		"verify generic $golden/full-256x384.safetensors synth:full:3"
fi
if wants streams; then
	for path in native generic; do
		step "streams $path" bash -c "with_path $path \
			$build/tests/gpu/test_gpu_streams synth:$root/tests/golden/tiny.json:7"
		step "odd model $path" bash -c "with_path $path \
			$build/tests/stream/test_stream synth:$here/../stream/mini.json:5 cuda"
		step "less memory $path" bash -c "with_path $path \
			$build/tests/stream/test_memory synth:$here/../stream/deep.json:5 cuda"
		step "flat model $path" bash -c "with_path $path \
			$build/tests/stream/test_stream synth:$here/../stream/flat.json:5 cuda"
		step "half model $path" bash -c "with_path $path \
			$build/tests/stream/test_stream synth:$here/../stream/half.json:5 cuda"
		step "trunks $path" bash -c "with_path $path \
			$build/tests/stream/test_trunk synth:$here/../stream/trunk.json:5 cuda"
	done
fi
if wants faults; then
	step "faults" "$build/tests/gpu/test_gpu_faults" "synth:$root/tests/golden/tiny.json:7"
fi
if wants bench; then
	for size in 1408x768 1920x1080; do
		step "bench full $size" "$fvsr" bench --model synth:full:1 --size $size \
			--backend cuda --chunks 10
		cat "$out/bench_full_$size.log"
	done
	step "bench small 1280x720" "$fvsr" bench --model "synth:$root/tests/golden/tiny.json:7" \
		--size 1280x720 --backend cuda --chunks 20
	step "bench trunk 1920x1080" "$fvsr" bench --model "synth:$root/train/network/trunk.json:7" \
		--size 1920x1080 --backend cuda --chunks 50
	cat "$out/bench_trunk_1920x1080.log"
fi
if wants sanitize; then
	for tool in memcheck racecheck initcheck synccheck; do
		step "sanitize $tool" "$here/sanitize.sh" "$build" $tool
	done
fi

echo
cat "$table"
! grep -qE "FAILED|TOO LONG" "$table"
