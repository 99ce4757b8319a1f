#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The filter in OBS on a card: textures shared with CUDA, picture by picture against the CPU engine,
# and live, with what it costs OBS. Prints a short table last; logs lie in $RESULTS.
#
#	obs.sh [part ...]      parts: transport live readback full; handover: two filters beside a
#	                       busy neighbour, every picture compared; fault: the engine's calls of
#	                       the driver begin to fail, and then no longer; kernels: how long each
#	                       of the engine's kernels keeps the card in the live part
#
# Environment, all optional:
#	BUILD    build folder, made with -DFVSR_BUILD_TESTS=ON, or a folder with the same files of
#	         it (obs.sh pack makes one)
#	KIT      the unpacked kit that runs libobs without OBS, X or Mesa; else the installed OBS is
#	         used, on an Xvfb
#	MEDIA    folder of the media files; else they are made with ffmpeg
#	BACKEND  cuda, or another one to try the script where there is no card
#	LIVE_SIZE, FULL_SIZE  of the source in the live parts (default 960x540 and 704x384)
#	SECONDS_EACH  how long each live part is looked at (default 12)
#	RESULTS  where logs go (default: a new folder in /tmp)
#
#	obs.sh pack FOLDER     puts all that a machine with nothing but a driver needs into FOLDER; of a
#	                       build with FVSR_ONEDNN=OFF, because that library is not among it
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build}
backend=${BACKEND:-cuda}
seconds=${SECONDS_EACH:-12}
live_size=${LIVE_SIZE:-960x540} full_size=${FULL_SIZE:-704x384}

make_media() {
	local size=$1 file=$2 bar="lt(Y,W/20)*lt(X,W*8/20)" half="lt(Y,W/40)*lt(X,W*8/40)"
	# Picture N has its number, from 0 to 239, in eight blocks at the top, lowest bit first. The
	# clip goes through them seven times, because libobs stumbles where a clip begins again.
	[ -e "$file" ] || ffmpeg -nostdin -loglevel error -y -f lavfi \
		-i "mandelbrot=s=$size:r=60:start_scale=0.5" -t 28 -vf "trim=end_frame=240,format=yuv420p,\
lutyuv=y='64+val/2',geq=lum='if($bar,if(mod(floor(mod(N,240)/pow(2,floor(X*20/W))),2),210,50),\
lum(X,Y))':cb='if($half,128,cb(X,Y))':cr='if($half,128,cr(X,Y))',loop=loop=6:size=240" -r 60 -c:v libx264 -crf 30 \
		-pix_fmt yuv420p -colorspace bt709 -color_range tv "$file"
}

if [ "$1" = pack ]; then
	set -e
	out=$2
	mkdir -p "$out"/{build/tests/gpu,build/tests/obs,lib,media,golden}
	cp -rL "$build/rundir" "$out/build/"
	cp "$build/tests/gpu/obs_live" "$out/build/tests/gpu/"
	cp "$build/tests/obs/transport-test" "$build/tests/obs/handover-test" "$out/build/tests/obs/"
	strip "$out/build/tests/gpu/obs_live" "$out"/build/tests/obs/*
	strip --strip-unneeded "$out/build/rundir/obs-flashvsr/bin/64bit/obs-flashvsr.so"
	# What the plugin needs beside the kit.
	for lib in libjansson.so.4 libzip.so.4 libcrypto.so.3 libzstd.so.1 libbz2.so.1.0 \
		liblzma.so.5 libgomp.so.1; do
		cp -L "$(ldd "$build/rundir/obs-flashvsr/bin/64bit/obs-flashvsr.so" | awk -v l=$lib '$1 == l { print $3 }')" \
			"$out/lib/"
	done
	for size in $live_size $full_size; do
		make_media "$size" "$out/media/live-$size.mkv"
	done
	cp "$here/obs.sh" "$out/"
	cp "$root/tests/golden/tiny.json" "$out/golden/"
	du -sh "$out"
	exit
fi

out=${RESULTS:-$(mktemp -d /tmp/fvsr-obs-XXXXXX)}
media=${MEDIA:-$out}
golden=$root/tests/golden
table=$out/table.txt
mkdir -p "$out" && : >"$table"
if [ ! -d "$golden" ]; then # packed
	golden=$here/golden build=${BUILD:-$here/build} media=${MEDIA:-$here/media}
	libs=$here/lib
fi
parts=${*:-transport handover live readback full fault kernels}
plugin=$build/rundir/obs-flashvsr

wants() {
	case " $parts " in *" $1 "*) return 0 ;; esac
	return 1
}

# A display and libobs for a program.
if [ -n "$KIT" ]; then
	in_obs=(env LD_LIBRARY_PATH="$libs" "$KIT/run-headless.sh" "$KIT")
else
	in_obs=(env LIBGL_ALWAYS_SOFTWARE=1 xvfb-run -a -s "-screen 0 1280x720x24")
fi

# step NAME PROGRAM...: with a log; the result, and the line that it printed for the table
step() {
	local name=$1 began result word
	shift
	began=$(date +%s)
	timeout -k 5 90 "${in_obs[@]}" "$@" >"$out/$name.log" 2>&1
	result=$?
	case $result in
	0) word=ok ;;
	77) word=skipped ;;
	124 | 137) word="TOO LONG" ;;
	*) word="FAILED ($result)" ;;
	esac
	printf '%-12s %-12s %4d s  %s\n' "$name" "$word" $(($(date +%s) - began)) \
		"$(grep -E 'FAILED|skipped|^OK|wrong pictures' "$out/$name.log" | tail -n 2 | tr '\n' ' ' | cut -c1-110)" |
		tee -a "$table"
	# Kernels that are waited for one by one say nothing about speed.
	[ "$name" = kernels ] ||
		sed -n 's/^RESULT //p' "$out/$name.log" >>"$out/results.txt"
	case $word in
	FAILED* | TOO*)
		failed=1
		# Why it failed is in the status and the log's last lines; the folder may not outlive
		# the machine.
		grep -v '^ *$' "$out/$name.log" | tail -n 12 | sed 's/^/    /'
		;;
	skipped) skipped=1 ;;
	esac
}

: >"$out/results.txt"
failed=0 skipped=0
if [ "$backend" = cuda ]; then
	transport="shared textures"
	nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | tee -a "$table"
else
	transport=read-back
fi
if [ -z "$KIT" ] && ! command -v xvfb-run >/dev/null; then
	echo "skipped: neither a kit nor xvfb-run"
	exit 77
fi
if wants transport; then
	step transport "$build/tests/obs/transport-test" card "synth:$golden/tiny.json:7"
fi
if [ $skipped = 1 ] && [ "$backend" = cuda ]; then
	grep '^skipped: ' "$out/transport.log"
	exit 77
fi
if wants handover; then
	step handover "$build/tests/obs/handover-test" "$plugin/data/models/bundled.safetensors" \
		640 360 1100
fi
if wants live || wants readback || wants full || wants fault || wants kernels; then
	for size in $live_size $full_size; do
		make_media "$size" "$media/live-$size.mkv" || exit 77
	done
fi
live=$build/tests/gpu/obs_live
if wants live; then
	step live "$live" "$plugin" "$media/live-$live_size.mkv" ${live_size/x/ } bundled \
		"$backend" "$seconds" "$transport"
fi
if wants readback; then
	FLASHVSR_CUDA_DRIVER=/none step readback "$live" "$plugin" "$media/live-$live_size.mkv" \
		${live_size/x/ } bundled "$backend" "$seconds" read-back
fi
if wants full; then
	step full "$live" "$plugin" "$media/live-$full_size.mkv" ${full_size/x/ } \
		synth:full:1 "$backend" "$seconds" "$transport"
fi
if wants fault; then
	FVSR_CUDA_FAIL_AFTER=20000 step fault "$live" "$plugin" "$media/live-$live_size.mkv" \
		${live_size/x/ } bundled "$backend" 2 "$transport"
fi
if wants kernels; then
	FVSR_CUDA_PROFILE=1 step kernels "$live" "$plugin" "$media/live-$live_size.mkv" \
		${live_size/x/ } bundled "$backend" 2
fi

echo
cat "$table"
if wants kernels; then
	grep -h ' ms the longest' "$out/kernels.log" | sed 's/.*\] //' | sort -t, -k2 -rn >"$out/longest.txt"
	head -n 8 "$out/longest.txt"
	# Two milliseconds is what OBS can wait for without being late.
	awk -F, '$2 + 0 > 2 { bad = 1 } END { exit bad || !NR }' "$out/longest.txt" || {
		echo "FAILED: a kernel keeps the card for more than 2 ms"
		failed=1
	}
fi
echo "output | frames by | frames/s | new pictures of OBS's | frames that OBS took in | delay s | ms a chunk" \
	"| render ms (p99) | lagged | read-backs | PSNR to the source | VRAM GiB | left out"
sed 's/|/ | /g' "$out/results.txt"
[ $failed = 0 ] || exit 1
[ $skipped = 0 ] || {
	grep -h -m 1 '^skipped: ' "$out"/*.log
	exit 77
}
