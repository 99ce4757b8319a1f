#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs filter-test with a display of its own:
#
#	run-filter-test.sh [-w "WRAPPER..."] PROGRAM PLUGIN_FOLDER WORK_FOLDER CASE
#
# The media files are made in WORK_FOLDER, once. WRAPPER is put before the program (valgrind).
set -eu
wrapper=
if [ "$1" = -w ]; then
	wrapper=$2
	shift 2
fi
program=$1 plugin=$2 work=$3
shift 3
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

for tool in xvfb-run ffmpeg; do
	if ! command -v "$tool" >/dev/null; then
		echo "skipped: $tool is not installed"
		exit 77
	fi
done

make_media() {
	ffmpeg -nostdin -loglevel error -y "$@"
}

# Levels are kept away from black and white, so that nothing the network does is clipped.
if [ ! -e "$work/media-complete" ]; then
	mkdir -p "$work"
	levels="lutrgb=r=64+val/2:g=64+val/2:b=64+val/2"
	make_media -f lavfi -i testsrc2=s=64x64:r=30 \
		-vf "trim=start_frame=20:end_frame=21,loop=30:1,setpts=N/30/TB,$levels,format=bgr0" \
		-r 30 -c:v ffv1 "$work/still.mkv"
	make_media -f lavfi -i mandelbrot=s=80x48:r=30:start_scale=0.5 -t 3 \
		-vf "$levels,format=bgr0" -c:v ffv1 "$work/moving.mkv"
	make_media -f lavfi -i testsrc2=s=64x64:r=1 -frames:v 1 \
		-vf "$levels,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='clip(8*X-64,0,255)'" \
		"$work/alpha.png"
	make_media -f lavfi -i color=gray:s=64x64:r=30,format=gbrp \
		-vf "geq=r='64+mod(N,120)+8*sin(X/4)':g='64+mod(N,120)+8*sin(Y/4)':b='64+mod(N,120)'" \
		-t 40 -pix_fmt bgr0 -c:v ffv1 "$work/ramp.mkv"
	: >"$work/media-complete"
fi

# Blocks of colours, as wide as bicubic reaches and more: by each way that SDR comes, with alpha, and
# as PQ (up to 1000 nits).
if [ ! -e "$work/colors-complete" ]; then
	mkdir -p "$work"
	blocks="geq=r='48*floor(X/16)+40':g='48*floor(Y/16)+40':b='16*mod(floor(X/16)*3+floor(Y/16)*5,14)+24'"
	make_media -f lavfi -i color=black:s=64x64:r=1,format=gbrp -vf "$blocks" -frames:v 1 \
		-pix_fmt rgb24 "$work/blocks.png"
	make_media -i "$work/blocks.png" -vf "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255-64*mod(floor(X/16),4)'" \
		"$work/blocks-alpha.png"
	# What frames say goes before options in newer FFmpeg, not in older.
	tags() { # MATRIX RANGE PRIMARIES TRANSFER
		echo "setparams=colorspace=$1:range=$2:color_primaries=$3:color_trc=$4"
	}
	for matrix in bt709 smpte170m; do
		for range in tv pc; do
			make_media -loop 1 -i "$work/blocks.png" -t 2 -r 30 \
				-vf "scale=out_color_matrix=$matrix:out_range=$range,format=yuv444p,$(tags \
					$matrix $range $matrix $matrix)" \
				-colorspace $matrix -color_range $range -color_trc $matrix \
				-color_primaries $matrix -c:v ffv1 "$work/blocks-$matrix-$range.mkv"
		done
	done
	make_media -f lavfi -i color=black:s=64x64:r=30,format=yuv420p10le \
		-vf "geq=lum='64+(X/16-mod(X/16,1))*150+50*floor(Y/32)+230':cb=512:cr=512,$(
			tags bt2020nc tv bt2020 smpte2084)" -t 2 \
		-pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 \
		-colorspace bt2020nc -color_range tv -c:v ffv1 "$work/pq.mkv"
	: >"$work/colors-complete"
fi

# Mesa's software renderer: the same pictures on every machine.
LIBGL_ALWAYS_SOFTWARE=1 HOME=$work exec xvfb-run -a -s "-screen 0 1280x720x24" \
	$wrapper "$program" "$plugin" "$work" \
	"synth:$here/tiny.json:7" "synth:$here/slow.json:7" "$@"
