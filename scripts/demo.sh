#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shows the filter at work, from a fresh Debian 12: installs what is missing, builds, starts OBS
# Studio on a virtual screen with the demo clip and the filter on it, lets OBS record ten seconds,
# checks the recording and leaves it with two pictures in out/.
#
#	demo.sh [--out DIR] [--build DIR|--installed|--portable TARBALL] [--scale 2|3|4]
#
#	--out DIR	where the results go; out/ of this tree by default
#	--build DIR	use what is already built there, install and build nothing
#	--installed	show the filter that this system has installed, install and build nothing
#	--portable TARBALL	the same with a portable tarball, unpacked into the home that OBS gets
#	--scale N	how many times larger, 2 by default: what two processor cores can do live
#
# OBS gets a home, a profile and a scene of its own and touches nobody's settings. Neither a screen,
# a sound card nor a graphics card is needed, and it runs as root or not.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/out
build=
installed=
portable=
scale=2
while [ $# -gt 0 ]; do
	case $1 in
	--installed)
		installed=yes
		shift
		continue
		;;
	--out) out=$2 ;;
	--build) build=$2 ;;
	--portable) installed=yes portable=$(realpath "$2") ;;
	--scale) scale=$2 ;;
	*)
		sed -n '3,/^$/s/^#[ \t]\?//p' "$0" >&2
		exit 2
		;;
	esac
	shift 2
done
clip=$root/data/demo/demo.mp4
parts=$root/scripts/demo
width=$((320 * scale))
height=$((180 * scale))
# Fewer pictures of OBS leave the filter more of a small processor.
fps=15
seconds=10

step() { printf '\n== %s\n' "$*"; }
die() {
	printf '\ndemo.sh: %s\n' "$*" >&2
	if [ -f "$out/obs.log" ]; then
		echo "OBS' last words (all of them: $out/obs.log):" >&2
		tail -n 15 "$out/obs.log" >&2
	fi
	exit 1
}

mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -f "$out"/{modules.json,recording.mkv,side-by-side.png,obs-filter-dialog.png,obs.log}

if [ -z "$build$installed" ]; then
	build=$root/build
	step "Packages"
	"$root/scripts/install-deps.sh" build demo
	step "Build"
	cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFVSR_CUDA=OFF
	cmake --build "$build" --parallel "$(nproc)" --target obs-flashvsr-rundir
fi
plugin=$build/rundir/obs-flashvsr
for file in bin/64bit/obs-flashvsr.so data/locale/en-US.ini data/models/bundled.safetensors; do
	[ -n "$installed" ] || [ -f "$plugin/$file" ] || die "the build has no $plugin/$file"
done

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
trap 'exit 130' INT TERM

# ---------------------------------------------------------------------------------------------
step "OBS Studio with the demo clip and the filter"

export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config XDG_RUNTIME_DIR=$work/run
export QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1
# OBS and the filter share the processor: threads that wait must not spin.
export OMP_WAIT_POLICY=passive
unset XDG_SESSION_TYPE WAYLAND_DISPLAY XDG_CURRENT_DESKTOP XDG_DATA_HOME XDG_CACHE_HOME
config=$XDG_CONFIG_HOME/obs-studio
mkdir -p "$config/basic/profiles/demo" "$config/basic/scenes" "$config/plugins"
mkdir -m 700 "$XDG_RUNTIME_DIR"
[ -n "$installed" ] || cp -rL "$plugin" "$config/plugins/"
[ -z "$portable" ] || tar -xzf "$portable" -C "$HOME"

# A port that nobody listens on, for OBS' remote control.
port=4455
while (exec 4<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
	port=$((port + 1))
done
# It listens on the network: only with a password of this run.
OBS_REMOTE_PASSWORD=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
export OBS_REMOTE_PASSWORD
fill() {
	sed -e "s|@PASSWORD@|$OBS_REMOTE_PASSWORD|g" -e "s|@SCALE@|$scale|g" \
		-e "s|@PORT@|$port|g" -e "s|@OUT@|$out|g" -e "s|@CLIP@|$clip|g" -e "s|@FPS@|$fps|g" \
		-e "s|@WIDTH@|$width|g" -e "s|@HEIGHT@|$height|g" "$1"
}
fill "$parts/global.ini" >"$config/global.ini"
fill "$parts/basic.ini" >"$config/basic/profiles/demo/basic.ini"
fill "$parts/scene.json" >"$config/basic/scenes/demo.json"

exec 3<>"$work/display"
Xvfb -displayfd 3 -screen 0 1600x1200x24 -nolisten tcp >"$work/xvfb.log" 2>&1 3>&3 &
pids+=($!)
for _ in $(seq 100); do
	[ -s "$work/display" ] && break
	sleep 0.1
done
[ -s "$work/display" ] || die "Xvfb does not start: $(cat "$work/xvfb.log")"
DISPLAY=:$(cat "$work/display")
export DISPLAY
openbox >"$work/openbox.log" 2>&1 &
pids+=($!)

obs --multi --disable-updater --disable-missing-files-check --verbose >"$out/obs.log" 2>&1 &
obs=$!
pids+=("$obs")
ask() { "$parts/obs-remote.py" "$port" "$@"; }
for _ in $(seq 60); do
	kill -0 "$obs" 2>/dev/null || die "OBS ended while it started"
	ask GetVersion >/dev/null 2>&1 && break
	sleep 1
done
ask GetVersion >/dev/null || die "OBS is not ready after a minute"
# A scene keeps filters that OBS does not know: ask for the kind, too.
ask GetSourceFilterDefaultSettings '{"filterKind": "flashvsr_filter"}' >/dev/null ||
	die "OBS does not list the filter: the plugin was not loaded"
filter=$(ask GetSourceFilter '{"sourceName": "Demo clip", "filterName": "FlashVSR Upscale"}') ||
	die "the filter is not on the clip"
echo "filter: $filter"

# The filter logs when its first upscaled picture is on screen; until then it shows bicubic ones.
for _ in $(seq 240); do
	grep -q '\] upscaling' "$out/obs.log" && break
	kill -0 "$obs" 2>/dev/null || die "OBS ended"
	sleep 1
done
grep '\] upscaling' "$out/obs.log" ||
	die "no upscaled picture after four minutes: is the machine busy?"
# Until its delay has passed for the first time the picture stands still.
delay=$(sed -n 's/.*\] upscaling.* delay \([0-9]*\).*/\1/p' "$out/obs.log" | tail -n 1)
sleep $((delay + 1))

# ---------------------------------------------------------------------------------------------
# The filter starts over, with bicubic pictures, when it finds that it can be faster: then again.
for attempt in 1 2 3; do
	step "Recording $seconds s through OBS"
	rm -f "$out/recording.mkv"
	ask StartRecord >/dev/null || die "OBS does not record"
	sleep "$seconds"
	ask GetStats
	ask StopRecord >/dev/null || die "OBS does not stop recording"
	for _ in $(seq 30); do
		ask GetRecordStatus | grep -q '"outputActive": false' && break
		sleep 1
	done
	phase=$(grep -o '\] \(upscaling\|fell behind\|too slow\).*' "$out/obs.log" | tail -n 1)
	echo "the filter:${phase#]}"

	step "Checks"
	rate=$(sed -n 's/.* \([0-9.]*\) frames\/s.*/\1/p' <<<"$phase")
	status=0
	"$parts/check-recording.py" "$clip" "$out/recording.mkv" "$width" "$height" "$seconds" \
		"$fps" "$rate" >"$work/checks" || status=$?
	cat "$work/checks"
	case $status in
	0) break ;;
	3) [ "$attempt" -lt 3 ] || die "the filter did not upscale all the time, three times" ;;
	*) die "the recording is not what it should be" ;;
	esac
	sleep 20
done

step "The filter's dialog"
ask OpenInputFiltersDialog '{"inputName": "Demo clip"}' >/dev/null || die "no filters dialog"
window=$(timeout 30 xdotool search --sync --onlyvisible --name "^Filters for 'Demo clip'" |
	head -n 1) || die "the filters dialog did not open"
xdotool windowactivate --sync "$window" windowmove --sync "$window" 120 30 \
	windowsize --sync "$window" 1360 1140
sleep 1
# Its settings appear when the filter in the lower left list gets the focus.
xdotool mousemove --window "$window" 200 645 click 1
sleep 2
ffmpeg -nostdin -loglevel error -y -f x11grab -draw_mouse 0 -video_size 1600x1200 -i "$DISPLAY" \
	-frames:v 1 "$out/obs-filter-dialog.png"
# Where the settings are it is dark with bright letters; without them the picture is there.
ffmpeg -nostdin -loglevel error -i "$out/obs-filter-dialog.png" -vf \
	"crop=1000:560:420:575,format=gray,signalstats,metadata=print:file=$work/light" -f null -
light() { sed -n "s/.*signalstats\.Y$1=\([0-9]*\).*/\1/p" "$work/light"; }
if [ "$(light AVG)" -gt 75 ] || [ "$(light MAX)" -lt 180 ]; then
	die "the dialog does not show the filter's settings"
fi

step "Closing OBS"
kill -INT "$obs"
for _ in $(seq 300); do
	kill -0 "$obs" 2>/dev/null || break
	sleep 0.1
done
kill -0 "$obs" 2>/dev/null && die "OBS does not end"
wait "$obs" || die "OBS ended with status $?"

step "OBS' log and its plugin manager"
if grep -iE '^(warning|error): .*flashvsr' "$out/obs.log"; then
	die "OBS warns of the filter"
fi
grep -qx 'info:  *obs-flashvsr\.so' "$out/obs.log" || die "the filter is not among the loaded modules"
version=$(sed -n 's/^info: OBS \([0-9]*\)\..*/\1/p' "$out/obs.log" | head -n 1)
if [ "${version:-0}" -ge 32 ]; then
	cp "$config/plugin_manager/modules.json" "$out/" || die "OBS has no list of plugins"
	grep -q '"display_name": *"FlashVSR Upscale"' "$out/modules.json" ||
		die "the plugin manager does not list the filter"
	echo "OBS $version: the plugin manager lists the filter"
else
	echo "OBS $version has no plugin manager"
fi

# ---------------------------------------------------------------------------------------------
read -r _ recorded source_frame < <(grep '^pair ' "$work/checks")

# Three panels: the whole picture above, a part of it larger below.
panel() { # NAME TEXT
	local font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf

	printf '[%s]split[%s-whole][%s-part];' "$1" "$1" "$1"
	printf '[%s-part]crop=iw*2/5:ih*2/5:iw*3/5:0,' "$1"
	printf 'scale=%d:%d:flags=neighbor[%s-large];' "$width" "$height" "$1"
	printf '[%s-whole][%s-large]vstack,' "$1" "$1"
	printf 'drawtext=fontfile=%s:text=%s:fontsize=h/28:fontcolor=white:' "$font" "'$2'"
	printf 'box=1:boxcolor=black@0.6:boxborderw=6:x=12:y=h/2-text_h-12[%s-panel];' "$1"
}
rgb="in_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int,format=gbrp"
ffmpeg -nostdin -loglevel error -y -i "$clip" -i "$out/recording.mkv" -frames:v 1 -filter_complex "
	[0:v]select='eq(n,$source_frame)',split[low][high];
	[low]scale=iw:ih:$rgb,scale=$width:$height:flags=neighbor[source];
	[high]scale=$width:$height:${rgb}[bicubic];
	[1:v]select='eq(n,$recorded)',scale=iw:ih:${rgb}[filter];
	$(panel source "source, its pixels enlarged")
	$(panel bicubic "bicubic")
	$(panel filter "FlashVSR Upscale, recorded by OBS")
	[source-panel][bicubic-panel][filter-panel]hstack=3" "$out/side-by-side.png"

echo
echo "The recording:                    $out/recording.mkv"
echo "Source, bicubic, filter:          $out/side-by-side.png"
echo "OBS with the filter's dialog:     $out/obs-filter-dialog.png"
echo "OBS' log:                         $out/obs.log"
