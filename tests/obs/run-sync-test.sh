#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sound and picture in sync, in a recording that OBS made:
#
#	run-sync-test.sh PROGRAM PLUGIN_FOLDER WORK_FOLDER FPS EVENT...
#
# With FVSR_TEST_LONG set, all events are played, the overload for 20 seconds. With FVSR_TEST_SOAK_S
# set, it is a soak of as many seconds instead.
set -euo pipefail
program=$1 plugin=$2 work=$3 fps=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)

for tool in xvfb-run ffmpeg ffprobe python3; do
	if ! command -v "$tool" >/dev/null; then
		echo "skipped: $tool is not installed"
		exit 77
	fi
done
[ -z "${FVSR_TEST_LONG:-}" ] ||
	set -- steady:0 pause:1.3 pause:0.2 seek:0 back:0 scene:1.5 overload:20 busy:20

seconds=60
if [ -n "${FVSR_TEST_SOAK_S:-}" ]; then
	set -- "soak:$FVSR_TEST_SOAK_S"
	seconds=$((FVSR_TEST_SOAK_S + 60)) # the seam where a clip begins again is not the filter's
fi

mkdir -p "$work"
clip=$work/beeps-$fps-$seconds.mkv recording=$work/sync-$fps.mkv log=$work/sync-$fps.log
rm -f "$recording"
if [ ! -e "$clip" ]; then
	flash="if(lt(mod(N,$fps),$fps/5),90+18*mod(floor(N/$fps),8),40)"
	beep="if(lt(mod(t,1),0.2),0.4*sin(2*PI*(400+150*mod(floor(t),8))*t),0)"
	ffmpeg -nostdin -loglevel error -y \
		-f lavfi -i "color=s=64x64:r=$fps,format=yuv420p,geq=lum='$flash':cb=128:cr=128" \
		-f lavfi -i "aevalsrc='$beep|$beep':s=48000" -t "$seconds" \
		-c:v ffv1 -g "$fps" -c:a pcm_s16le "$clip.part.mkv"
	mv "$clip.part.mkv" "$clip"
fi

LIBGL_ALWAYS_SOFTWARE=1 HOME=$work xvfb-run -a -s "-screen 0 1280x720x24" \
	"$program" "$plugin" "synth:$here/tiny.json:7" "synth:$here/slow.json:7" "$fps" "$clip" \
	"$recording" "$@" | tee "$log"
"$here/sync-check.py" "$recording" "$fps" "$log"
