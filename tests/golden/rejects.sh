#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `fvsr verify` must not accept: rejects.sh FVSR GOLDEN_DIR.
fvsr=$1 dir=$2 failed=0

expect() {
	want=$1
	shift
	"$@" >/dev/null 2>&1
	got=$?
	if [ $got -ne "$want" ]; then
		echo "exit status $got instead of $want: $*"
		failed=1
	fi
}

# Weights of another seed: every tensor is wrong.
expect 1 "$fvsr" verify "$dir/tiny-long.safetensors" --model "synth:$dir/tiny.json:8"
# Right weights, but a tolerance that float32 cannot keep to.
expect 1 "$fvsr" verify "$dir/tiny-long.safetensors" --model "synth:$dir/tiny.json:7" \
	--frame-tolerance 1e-9
# A tensor that no stream produces.
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
sed 's/chunk5\.final\.5/chunk5.final.8/' "$dir/tiny-long.safetensors" >"$tmp/missing.safetensors"
expect 1 "$fvsr" verify "$tmp/missing.safetensors" --model "synth:$dir/tiny.json:7"
# No model, no file, a file that is no golden stream.
expect 2 "$fvsr" verify "$dir/tiny-long.safetensors"
expect 2 "$fvsr" verify "$tmp/nothing.safetensors" --model "synth:$dir/tiny.json:7"
expect 2 "$fvsr" verify "$dir/tiny.json" --model "synth:$dir/tiny.json:7"
exit $failed
