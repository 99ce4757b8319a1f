#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds and runs the bench of the Hopper kernels: run.sh [check|time]. See bench_hopper.c.
set -e
here=$(dirname "$0")
root=$here/../../..
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
nvcc="${NVCC:-nvcc} -gencode arch=compute_90a,code=sm_90a -cubin -O3"
cuda=$(dirname "$(command -v ${NVCC:-nvcc})")/../include

attention() {
	name=$1
	shift
	$nvcc "$@" -o "$out/attention-$name.cubin" "$root/kernels/hopper_attention.cu" &
}
conv() {
	name=$1
	shift
	$nvcc "$@" -o "$out/conv-$name.cubin" "$root/kernels/hopper_conv.cu" &
}
attention fast
attention watched -DFVSR_HOPPER_WATCHDOG
for turns in 0 1; do
	for early in 0 1; do
		attention turns$turns-early$early -DFVSR_HOPPER_TURNS=$turns \
			-DFVSR_HOPPER_EARLY=$early
	done
done
conv fast
conv watched -DFVSR_HOPPER_WATCHDOG
conv halo -DFVSR_HOPPER_HALO=1
conv halo-watched -DFVSR_HOPPER_HALO=1 -DFVSR_HOPPER_WATCHDOG
$nvcc -o "$out/check.cubin" "$here/check.cu" &
${CC:-cc} -std=c11 -O2 -D_GNU_SOURCE -isystem "$cuda" -I"$root/core" -I"$root/core/include" \
	-o "$out/bench_hopper" "$here/bench_hopper.c" "$here/machine.c" \
	"$root/core/backend/cuda/driver.c" -ldl -lm &
wait
[ "$(ls "$out" | wc -l)" = 12 ] || { echo "the build failed"; exit 1; }
timeout 240 "$out/bench_hopper" "$out" "$@"
