#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The check of the demo's recording takes a good one and refuses every kind of bad one that it is
# there to find.
set -euo pipefail
clip=$1/data/demo/demo.mp4
check=$1/scripts/demo/check-recording.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make() { # NAME VIDEO-FILTER SOUND-FILTER [FFMPEG-INPUT-OPTION...]
	local name=$1 video=$2 sound=$3
	shift 3
	ffmpeg -nostdin -loglevel error -y "$@" -i "$clip" -t 10 -vf "$video" -af "$sound" \
		-c:v libx264 -preset ultrafast -crf 20 -c:a aac "$work/$name.mkv"
}
expect() { # STATUS NAME REASON
	local status=0
	"$check" "$clip" "$work/$2.mkv" 640 360 10 30 4 >"$work/said" || status=$?
	if [ "$status" != "$1" ] || ! grep -q "$3" "$work/said"; then
		echo "$2: status $status instead of $1, or not '$3':"
		cat "$work/said"
		exit 1
	fi
	echo "$2: as expected"
}
big="scale=640:360:flags=bicubic"
held="fps=4,$big,fps=30"
make good "$held" anull
make late "$held" anull -stream_loop 1 -ss 7
make bicubic "$big" anull
make interrupted "$big,select='lt(t,4)+not(mod(n,8))',fps=30" anull
make small "$held,scale=620:360" anull
make silent "$held" volume=0
make black "$held,drawbox=color=black:t=fill" anull
make frozen "$big,loop=-1:1:0,setpts=N/30/TB" anull
make half "$held,drawbox=w=iw/2:color=black:t=fill:enable='gte(t,5)'" anull
expect 0 good '^pair '
expect 0 late '^pair '
expect 3 bicubic 'FAILED  .* new pictures'
expect 3 interrupted 'FAILED  .* new pictures'
expect 1 small 'FAILED  size'
expect 1 silent 'FAILED  sound'
expect 1 black 'FAILED  all of'
expect 1 frozen 'FAILED  .* different frames'
expect 1 half 'FAILED  all of'
