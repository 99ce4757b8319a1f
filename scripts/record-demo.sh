#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Records the demo clip, data/demo/demo.mp4, anew: twelve seconds of a race in Extreme Tux Racer,
# with the game's own sound, played by a short list of keys on a virtual screen. The clip is in the
# tree, so nobody needs this to build or to try the filter; it is here to show where every pixel
# and sample of the clip comes from, and to make another one.
#
# The game runs at 960x540 and the clip is that picture at a third of the size: what a viewer gets
# from a slow line or a small capture. Needs Debian's extremetuxracer and pulseaudio.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/data/demo/demo.mp4}
seconds=12
large=960x540
small=320:180

if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
packages="extremetuxracer pulseaudio pulseaudio-utils xvfb xdotool ffmpeg"
# shellcheck disable=SC2086
dpkg -s $packages >/dev/null 2>&1 ||
	$sudo apt-get install -y --no-install-recommends $packages

work=$(mktemp -d)
pids=()
cleanup() {
	local pid
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

# A home of its own: the game starts with default settings, the sound server is nobody else's.
export HOME=$work/home XDG_RUNTIME_DIR=$work/run
export PULSE_SERVER=unix:$work/pulse
mkdir -p "$HOME"
mkdir -m 700 "$XDG_RUNTIME_DIR"

exec 3<>"$work/display"
Xvfb -displayfd 3 -screen 0 "${large}x24" -nolisten tcp 2>"$work/xvfb.log" &
pids+=($!)
for _ in $(seq 50); do
	[ -s "$work/display" ] && break
	sleep 0.1
done
DISPLAY=:$(cat "$work/display")
export DISPLAY

pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no \
	-L "module-native-protocol-unix auth-anonymous=1 socket=$work/pulse" \
	-L "module-null-sink sink_name=game rate=48000" 2>"$work/pulse.log" &
pids+=($!)
sleep 1

# The game repeats an OpenAL warning for ever when it closes: keep none of it.
/usr/games/etr >/dev/null 2>&1 &
pids+=($!)
sleep 6

# Player, main menu, event, cup, course: the first choice everywhere, Bunny Hill.
for _ in 1 2 3 4 5; do
	xdotool key Return
	sleep 2
done
# The sound starts with a fade and the race with a jump: skip them, then play.
xdotool keydown Up
sleep 1.5
ffmpeg -nostdin -loglevel error -y \
	-thread_queue_size 512 -f x11grab -draw_mouse 0 -framerate 30 -video_size "$large" \
	-i "$DISPLAY" -thread_queue_size 512 -f pulse -i game.monitor -t "$seconds" \
	-c:v libx264 -preset ultrafast -qp 0 -c:a pcm_s16le "$work/large.mkv" &
recorder=$!

# Steering: seconds to wait, the key, seconds to hold it.
while read -r wait key hold; do
	sleep "$wait"
	xdotool keydown "$key"
	sleep "$hold"
	xdotool keyup "$key"
done <<-KEYS
	1.5 Right 0.35
	1.0 Left 0.50
	1.2 Right 0.45
	1.2 Left 0.40
	1.0 Right 0.50
	1.0 Left 0.40
KEYS
wait "$recorder"
xdotool keyup Up

mkdir -p "$(dirname "$out")"
encode=(ffmpeg -nostdin -loglevel error -y -i "$work/large.mkv"
	-vf "fps=30,scale=$small:flags=area:out_color_matrix=bt709:out_range=tv,format=yuv420p"
	-c:v libx264 -preset veryslow -b:v 300k -passlogfile "$work/pass"
	-color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv)
"${encode[@]}" -pass 1 -an -f null -
"${encode[@]}" -pass 2 -c:a aac -b:a 64k -ar 48000 -ac 2 -movflags +faststart \
	-metadata title="Extreme Tux Racer, Bunny Hill" \
	-metadata comment="Recorded from Debian's extremetuxracer; game content GPL-2+" "$out"
ls -l "$out"
