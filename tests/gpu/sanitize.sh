#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A whole tiny stream and all ops under one tool of compute-sanitizer:
#	sanitize.sh BUILD memcheck|racecheck|initcheck|synccheck [native|generic]
# Exit 77 where there is no compute-sanitizer.
build=$1 tool=$2 paths=${3:-native generic}
here=$(dirname "$0")

if ! command -v compute-sanitizer >/dev/null; then
	echo "skipped: there is no compute-sanitizer"
	exit 77
fi
# Products of the vendor's library are not ours to check, and its kernels read what they ignore.
export FVSR_CUBLASLT=off
set -e
for path in $paths; do
	export FVSR_CUDA_PATH=$path
	compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 \
		"$build/tests/ops/test_ops" --backend cuda --rounds 2 --seed 1
	compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 \
		"$build/tools/fvsr" verify "$here/../golden/tiny-v1.1.safetensors" \
		--model "synth:$here/../golden/tiny.json:7" --backend cuda
done
echo "$tool found nothing on a whole stream and all ops ($paths)"
