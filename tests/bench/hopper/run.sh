#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds and runs the bench of the Hopper kernels: run.sh [check|time]. See bench_hopper.c.
set -e
here=$(dirname "$0")
root=$here/../../..
cuda_backend=$root/core/backend/cuda
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
nvcc="${NVCC:-nvcc} -gencode arch=compute_90a,code=sm_90a -cubin -O3"
cuda=$(dirname "$(command -v ${NVCC:-nvcc})")/../include

kernels() { # VARIANT OPTION...
	variant=$1
	shift
	for family in attention conv; do
		$nvcc "$@" -o "$out/$family-$variant.cubin" "$root/kernels/hopper/$family.cu" &
	done
}
kernels fast
kernels watched -DFVSR_HOPPER_WATCHDOG
$nvcc -o "$out/check.cubin" "$here/check.cu" &
${CC:-cc} -std=c11 -O2 -D_GNU_SOURCE -isystem "$cuda" -I"$root" -I"$root/core" \
	-I"$root/core/include" -o "$out/bench_hopper" "$here/bench_hopper.c" "$here/machine.c" \
	"$cuda_backend/hopper/attention.c" "$cuda_backend/hopper/common.c" \
	"$cuda_backend/runtime/driver.c" "$cuda_backend/runtime/kernel_list.c" -ldl -lm &
wait
[ "$(ls "$out" | wc -l)" = 6 ] || { echo "the build failed"; exit 1; }
timeout 240 "$out/bench_hopper" "$out" "$@"
