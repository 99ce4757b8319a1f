#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Records the project's own footage: what people stream (games with their displays, terminals,
# editors, web pages, text overlays), taken without loss from a virtual screen, from programs whose
# licences let the pictures be given away. Licensed video of this kind at full quality is hard to
# find; this script shows where every pixel of ours comes from, and can make the clips again.
#
#   train/data/record.sh OUT [NAME...]     all clips, or those named, into OUT/train and OUT/eval
#
# OUT/eval is for measuring only: its programs, levels, fonts and texts are none of OUT/train's.
#
# A software renderer cannot draw these games at 30 frames a second, so their clock is slowed
# (libfaketime) and the screen is read as much more slowly, so that each frame is a new one and all
# are evenly spaced. Games are not repeatable to the pixel: the clips come out alike, not the same.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 1 ] || { sed -n '4,16s/^# \?//p' "$0"; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
only=" $* "

# Frames a second of the clips; the largest file of each set, in bytes (quality gives way to it).
fps=30
limit_train=1450000
limit_eval=1150000

games="extremetuxracer neverball torcs torcs-data minetest teeworlds teeworlds-server
	chromium-bsu"
desktop="xterm openbox dillo netsurf-gtk geany l3afpad featherpad gnumeric galculator"
fonts="fonts-dejavu-core fonts-hack fonts-firacode fonts-jetbrains-mono fonts-roboto
	fonts-open-sans fonts-lato fonts-inconsolata fonts-comic-neue fonts-liberation"
tools="xvfb xdotool ffmpeg faketime python3-numpy python3-pil"
# Also used, unpacked and not installed, for a picture each: lomiri-wallpapers-16.04, python3-skimage.

if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
# shellcheck disable=SC2086
dpkg -s $games $desktop $fonts $tools >/dev/null 2>&1 ||
	$sudo apt-get install -y --no-install-recommends $games $desktop $fonts $tools

export PATH=$PATH:/usr/games
work=$(mktemp -d)
pids=()
stop() {
	local pid
	for pid in "${pids[@]}"; do
		# faketime and the games' start scripts have the game as a child.
		pkill -P "$pid" 2>/dev/null || true
		kill "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	pids=()
}
trap 'stop; rm -rf "$work"' EXIT

# Programs get a home of their own, with default settings and nobody else's files, and no sound.
export HOME=$work/home XDG_RUNTIME_DIR=$work/run SDL_AUDIODRIVER=dummy ALSOFT_DRIVERS=null
export LIBGL_ALWAYS_SOFTWARE=1 NO_AT_BRIDGE=1 GTK_USE_PORTAL=0
mkdir -p "$HOME"
mkdir -m 700 "$XDG_RUNTIME_DIR"

# screen WxH: a virtual screen of that size.
screen() {
	size=$1
	: >"$work/display"
	exec 3<>"$work/display"
	Xvfb -displayfd 3 -screen 0 "${size}x24" -nolisten tcp 2>/dev/null &
	pids+=($!)
	for _ in $(seq 100); do
		[ -s "$work/display" ] && break
		sleep 0.1
	done
	DISPLAY=:$(head -1 "$work/display")
	export DISPLAY
}

# play SPEED PROGRAM...: starts it with its clock at SPEED times ours.
play() {
	speed=$1
	shift
	if [ "$speed" = 1 ]; then "$@" >"$work/log" 2>&1 & else
		faketime -f "+0 x$speed" "$@" >"$work/log" 2>&1 &
	fi
	pids+=($!)
}

keys() {
	local key
	for key; do
		xdotool key "$key"
		sleep 1.5
	done
}

# grab FILE FRAMES [CROP]: reads the screen at the game's pace, in the background.
grab() {
	ffmpeg -nostdin -loglevel error -y -f x11grab -draw_mouse 0 \
		-framerate "$(awk "BEGIN { print $fps * $speed }")" -video_size "$size" -i "$DISPLAY" \
		-frames:v "$2" ${3:+-vf crop=$3} -c:v libx264rgb -preset ultrafast -qp 0 "$work/$1.mkv" &
	grabber=$!
}

# encode SET NAME INPUT...: near-lossless 4:4:4; quality steps down only to keep the file small.
encode() {
	local set=$1 name=$2 crf limit file
	shift 2
	file=$out/$set/$name.mp4
	mkdir -p "$out/$set"
	if [ "$set" = eval ]; then crf=6 limit=$limit_eval; else crf=12 limit=$limit_train; fi
	while :; do
		ffmpeg -nostdin -loglevel error -y "$@" \
			-vf "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int" \
			-pix_fmt yuv444p -c:v libx264 -preset slow -crf "$crf" -colorspace bt709 \
			-color_primaries bt709 -color_trc bt709 -color_range tv -movflags +faststart "$file"
		[ "$(stat -c %s "$file")" -gt $limit ] || break
		crf=$((crf + 1))
	done
	echo "$set/$name crf $crf, $(stat -c %s "$file") bytes"
}

# line SET NAME PACKAGES SHOWS LICENCE ATTRIBUTION: what the manifest says of a clip.
line() {
	local set=$1 name=$2 package versions=
	for package in $3; do
		versions+="${versions:+, }$package $(apt-cache policy "$package" |
			awk '/Candidate:/ { print $2 }')"
	done
	printf '%s\n' "$versions" "$4" "$5" "$6" >"$out/$set/.$name.txt"
}

# finish SET NAME PACKAGES SHOWS LICENCE ATTRIBUTION: the recording made by grab becomes a clip.
finish() {
	wait "$grabber"
	stop
	encode "$1" "$2" -r $fps -i "$work/$2.mkv"
	line "$@"
}

# shellcheck disable=SC2016 # the backquotes are Markdown's
manifest() {
	local set=$1 file name size fields
	{
		printf '# Own recordings: %s\n\nMade by `train/data/record.sh`; %s fps, x264 4:4:4, BT.709.\n\n' \
			"$set" $fps
		[ "$set" = eval ] && printf 'For measuring only: nothing here may be trained on.\n\n'
		echo "| file | size px | frames | KiB | shows | Debian package | licence, where stated | attribution |"
		echo "|---|---|---|---|---|---|---|---|"
		for file in "$out/$set"/*.mp4; do
			name=$(basename "$file" .mp4)
			[ -f "$out/$set/.$name.txt" ] || continue
			size=$(ffprobe -v error -select_streams v -of csv=p=0:s=x \
				-show_entries stream=width,height,nb_frames "$file")
			mapfile -t fields <"$out/$set/.$name.txt"
			printf '| `%s.mp4` | %s | %s | %s | %s | %s | %s | %s |\n' "$name" \
				"${size%x*}" "${size##*x}" $(($(stat -c %s "$file") / 1024)) "${fields[1]}" \
				"${fields[0]}" "${fields[2]}" "${fields[3]}"
		done
	} >"$out/$set/MANIFEST.md"
}

# ---- games -------------------------------------------------------------------------------------

# neverball NAME LEVEL
rec_neverball() {
	screen 960x540
	mkdir -p "$HOME/.neverball"
	printf 'fullscreen 0\nwidth 960\nheight 540\n' >"$HOME/.neverball/neverballrc"
	# The pointer would choose in the menus.
	xdotool mousemove 5 535
	play 0.1 neverball -l "$2"
	sleep 15
	xdotool key Return
	sleep 24
	xdotool keydown Up
	sleep 24
	grab "$1" 54 852:480:108:60
	sleep 6
	xdotool keydown Left
	sleep 5
	xdotool keyup Left
	finish train "$1" neverball "3D ball game, HUD, level $2" \
		"GPL-2+, /usr/share/doc/neverball-data/copyright" "Neverball, Robert Kooima and contributors"
}
neverball_coins() { rec_neverball neverball_coins map-easy/coins.sol; }
neverball_maze() { rec_neverball neverball_maze map-medium/multicurves.sol; }

# torcs NAME WAIT KEYS: quick race; the keys choose the camera and the car.
rec_torcs() {
	screen 960x540
	mkdir -p "$HOME/.torcs/config"
	sed 's/name="x" val="640"/name="x" val="960"/; s/name="y" val="480"/name="y" val="540"/' \
		/usr/share/games/torcs/config/screen.xml >"$HOME/.torcs/config/screen.xml"
	play 0.15 torcs
	sleep 8
	keys Return Return Return Return
	sleep 35
	# shellcheck disable=SC2086
	keys $3
	sleep "$2"
	grab "$1" 48 720:480:0:60
	finish train "$1" "torcs torcs-data" "3D car race, HUD, track Forza" \
		"Free Art License (track and cars), GPL-2+ (the rest), /usr/share/doc/torcs-data/copyright" \
		"TORCS: Eric Espié, Christophe Guionneau, Bernhard Wymann, Andrea Alfieri; track and cars: Jean-Christophe Durieu, ViPeR"
}
torcs_start() { rec_torcs torcs_start 10 "Page_Up Page_Up Page_Up F3"; }
torcs_race() { rec_torcs torcs_race 80 "Page_Up Page_Up F3 F3"; }

# minetest NAME SEED DEGREES
rec_minetest() {
	screen 960x540
	rm -rf "$HOME/.minetest"
	mkdir -p "$HOME/.minetest/worlds/w"
	printf 'gameid = minetest\nworld_name = w\nbackend = sqlite3\n' >"$HOME/.minetest/worlds/w/world.mt"
	cat >"$HOME/.minetest/minetest.conf" <<-CONF
		screen_w = 960
		screen_h = 540
		fixed_map_seed = $2
		mg_name = v7
		viewing_range = 90
		enable_sound = false
		autojump = true
		creative_mode = true
		time_speed = 0
		world_start_time = 9000
		give_initial_stuff = true
		show_debug = false
	CONF
	play 0.25 minetest --worldname w --go --name Rowan
	sleep 45
	xdotool search --onlyvisible --name Minetest windowfocus || true
	xdotool mousemove_relative -- "$3" 10
	xdotool keydown w
	sleep 4
	grab "$1" 54 864:486:48:54
	for _ in $(seq 24); do
		xdotool mousemove_relative -- 6 0
		sleep 0.25
	done
	finish train "$1" minetest "3D voxel world with HUD, walking and turning, seed $2" \
		"LGPL-2.1+, media CC BY-SA 3.0, /usr/share/doc/minetest-data/copyright" \
		"Minetest, Perttu Ahola (celeron55) and contributors; Minetest Game contributors"
}
minetest_hills() { rec_minetest minetest_hills 42 -600; }
minetest_shore() { rec_minetest minetest_shore 7 300; }

# teeworlds NAME MAP KEY: runs one way, jumping and shooting
rec_teeworlds() {
	screen 960x540
	play 1 teeworlds-server "sv_map $2; sv_port 8311; sv_register 0; sv_name local"
	sleep 3
	play 1 teeworlds "gfx_screen_width 960; gfx_screen_height 540; gfx_fullscreen 0; snd_enable 0; player_name Ilse; cl_skip_start_menu 1; ui_skip_intro 1; cl_showhud 1; connect localhost:8311"
	sleep 12
	xdotool keydown "$3"
	sleep 1
	grab "$1" 54 768:432:96:54
	for _ in 1 2 3; do
		xdotool key space
		sleep 0.6
		xdotool mousemove 700 200 click 1
		sleep 0.6
	done
	finish train "$1" "teeworlds teeworlds-server" "2D side-on shooter, map $2" \
		"zlib licence, media CC BY-SA 3.0, /usr/share/doc/teeworlds-data/copyright" \
		"Teeworlds, Magnus Auvinen and contributors"
}
teeworlds_ctf() { rec_teeworlds teeworlds_ctf ctf5 d; }
teeworlds_dm() { rec_teeworlds teeworlds_dm dm6 a; }

etr_course() {
	screen 960x540
	play 0.25 etr
	sleep 20
	for _ in 1 2 3; do
		xdotool key Return
		sleep 6
	done
	# Twisty Slope or later: Bunny Hill is the demo clip's.
	xdotool key Down
	sleep 3
	xdotool key Down
	sleep 3
	xdotool key Return
	sleep 12
	xdotool key Return
	sleep 10
	xdotool keydown Up
	sleep 16
	grab etr_course 33 480:432:480:0
	finish eval etr_course extremetuxracer "3D snow slope and trees, HUD; program not in train/" \
		"GPL-2+, /usr/share/doc/extremetuxracer-data/copyright" \
		"Extreme Tux Racer Team; Tux Racer, Jasmin F. Patry"
}

chromium_bsu() {
	screen 1280x960
	play 0.25 chromium-bsu -w -v 4 -na
	sleep 16
	xdotool key Return
	sleep 4
	xdotool mousemove 640 700 mousedown 1
	sleep 28
	grab chromium_bsu 33 768:480:0:480
	for x in 600 560 520 560 620 680; do
		xdotool mousemove $x 700
		sleep 0.6
	done
	finish eval chromium_bsu "chromium-bsu" "2D scrolling shooter, HUD; program not in train/" \
		"Clarified Artistic Licence, /usr/share/doc/chromium-bsu/copyright" \
		"Chromium B.S.U., Mark B. Allan, Brian Ashworth and contributors"
}

# ---- desktop -----------------------------------------------------------------------------------

# desktop WxH: window manager and a plain background.
desk() {
	screen "$1"
	xsetroot -solid "$2" 2>/dev/null || true
	play 1 openbox
	sleep 1
}

# scroll KEY TIMES PAUSE; KEY "wheel" turns the mouse's.
scroll() {
	local _
	for _ in $(seq "$2"); do
		if [ "$1" = wheel ]; then xdotool click 5; else xdotool key "$1"; fi
		sleep "$3"
	done
}

# place NAME X Y W H: a window, by a part of its title.
place() {
	local id
	id=$(xdotool search --onlyvisible --name "$1" | tail -1)
	xdotool windowsize "$id" "$4" "$5" windowmove "$id" "$2" "$3" windowactivate "$id"
	sleep 1
}

# drag NAME DX DY: a window taken by its title bar, moved in small steps and let go.
drag() {
	local i X Y WIDTH
	eval "$(xdotool getwindowgeometry --shell "$(xdotool search --onlyvisible --name "$1" | tail -1)" |
		grep -E '^(X|Y|WIDTH)=')"
	# xdotool counts the title bar, 20 high, twice.
	X=$((X + WIDTH / 2)) Y=$((Y - 30))
	xdotool mousemove $X $Y mousedown 1
	for i in $(seq 40); do
		xdotool mousemove $((X + $2 * i / 40)) $((Y + $3 * i / 40))
		sleep 0.03
	done
	xdotool mouseup 1
}

# Any text of this project with colours: keywords, strings, comments.
colours() {
	sed -E 's/(\/\*|\/\/|^ \*).*/\x1b[32m&\x1b[0m/; s/"[^"]*"/\x1b[33m&\x1b[0m/g
		s/\b(static|const|struct|int|float|void|return|if|for|while|size_t)\b/\x1b[36m&\x1b[0m/g' "$@"
}

own="own text; programs and fonts free"
terminals() {
	colours "$root"/core/stream/*.c >"$work/a.txt"
	colours "$root"/core/net/*/*.c >"$work/b.txt"
	desk 1280x720 '#30506a'
	play 1 xterm -fa 'Hack' -fs 10 -bg '#1d1f21' -fg '#c5c8c6' -geometry 84x44+10+10 -e less -R "$work/a.txt"
	sleep 1.5
	play 1 xterm -fa 'Inconsolata' -fs 13 -bg '#fdf6e3' -fg '#586e75' -geometry 70x20+500+250 \
		-T second -e less -R "$work/b.txt"
	sleep 2
	grab terminals 60 960:540:160:90
	drag second -180 -90
	scroll Down 8 0.05
	finish train terminals "xterm openbox fonts-hack fonts-inconsolata" \
		"two terminals with code, dark and light, one scrolled and dragged" \
		"GPL-2.0-or-later ($own: xterm MIT, openbox GPL-2+, /usr/share/doc/xterm/copyright, /usr/share/doc/openbox/copyright)" \
		"obs-flashvsr contributors"
}

editor() {
	cp "$root/core/include/fvsr/fvsr.h" "$work/fvsr.h"
	desk 1280x720 '#604040'
	play 1 geany -i -t "$work/fvsr.h"
	sleep 5
	place fvsr 20 30 1200 660
	xdotool mousemove 700 300
	grab editor 60 960:540:30:60
	scroll wheel 14 0.12
	finish train editor "geany openbox" "GTK code editor with menus, symbol list and tabs, scrolling" \
		"GPL-2.0-or-later ($own: geany GPL-2+, /usr/share/doc/geany-common/copyright)" \
		"obs-flashvsr contributors; Geany's authors"
}

# page FILE TITLE SEED FONT COLOURS: a page of made-up articles, table and lists.
page() {
	/usr/bin/python3 - "$@" <<-'PY'
		import random, sys
		path, title, seed, font, back, ink, mark = sys.argv[1:8]
		r = random.Random(int(seed))
		words = ("keel beacon gannet swell foghorn 0415 barometer squall lens wick paraffin stairs boat "
		         "lee knots NNW 29.8 rope cliff kettle letter gull the an at by from into through after "
		         "saw heard cleaned rowed lit wrote no. 7 12:30 fathoms" if int(sys.argv[3]) > 90 else
		         "river amber copper station morning quiet engine valley paper signal winter harbour "
		         "garden lantern velocity fabric orchard meridian the a of and with under between over "
		         "carries measures follows keeps turns opens 14 2.5 370 km 8:45 no. 61").split()
		def text(n):
		    return " ".join(r.choice(words) for _ in range(n)).capitalize() + "."
		rows = "".join("<tr><td>%s<td align=right>%d<td align=right>%.2f<td bgcolor='%s'>%s" % (
		    text(2), r.randrange(9999), r.random() * 90, r.choice(["#e0c080", "#80c0e0", "#c0e080"]),
		    text(3)) for _ in range(14))
		body = "".join("<h2><font color='%s'>%s</font></h2><p>%s</p><ul><li>%s<li>%s</ul><p><b>%s</b> "
		    "<i>%s</i> <tt>%s</tt></p>" % (mark, text(4), text(60), text(8), text(9), text(6), text(12),
		    text(7)) + ("<table border=1 cellpadding=4>" + rows + "</table>" if i % 2 else "")
		    for i in range(8))
		open(path, "w").write("<html><head><title>%s</title></head><body bgcolor='%s' text='%s' style=\"font-family:'%s'\">"
		    "<h1>%s</h1>%s</body></html>" % (title, back, ink, font, title, body))
	PY
}

dillo_font() {
	mkdir -p "$HOME/.dillo"
	printf 'font_serif="%s"\nfont_sans_serif="%s"\n' "$1" "$1" >"$HOME/.dillo/dillorc"
}

web_light() {
	page "$work/light.html" "Timetable of the coast line" 11 "Roboto" "#ffffff" "#202020" "#a03020"
	desk 1280x720 '#404040'
	dillo_font Roboto
	play 1 dillo -g 1000x640+20+20 "$work/light.html"
	sleep 3
	xdotool mousemove 500 400
	grab web_light 60 960:540:30:80
	scroll Down 45 0.04
	finish train web_light "dillo openbox fonts-roboto" "web page, light, scrolling: headings, lists, tables" \
		"GPL-2.0-or-later ($own: dillo GPL-3+, /usr/share/doc/dillo/copyright)" "obs-flashvsr contributors"
}
web_dark() {
	page "$work/dark.html" "Notes on weaving patterns" 23 "Lato" "#181c24" "#d8dee9" "#88c0d0"
	desk 1280x720 '#202830'
	dillo_font Lato
	play 1 dillo -g 900x680+100+10 "$work/dark.html"
	sleep 3
	xdotool mousemove 500 400
	grab web_dark 60 852:480:110:90
	scroll Down 20 0.05
	scroll Next 2 0.3
	finish train web_dark "dillo openbox fonts-lato" "web page, dark, scrolling and paging" \
		"GPL-2.0-or-later ($own: dillo GPL-3+, /usr/share/doc/dillo/copyright)" "obs-flashvsr contributors"
}

spreadsheet() {
	awk 'BEGIN { srand(5); print "Part,Width,Height,Price,Stock,Remark"
		for (i = 1; i < 90; i++) printf "Bracket %c-%d,%.1f,%.1f,%.2f,%d,shelf %d\n", 65 + i % 26, i,
			rand() * 99, rand() * 60, rand() * 400, rand() * 5000, i % 17 }' >"$work/parts.csv"
	desk 1280x720 '#385838'
	play 1 gnumeric "$work/parts.csv"
	sleep 8
	place parts 30 30 1100 640
	xdotool mousemove 400 400 click 1
	grab spreadsheet 60 960:540:30:20
	scroll Down 30 0.05
	finish train spreadsheet "gnumeric openbox" "GTK spreadsheet with menus and tool bars, cursor moving" \
		"GPL-2.0-or-later ($own: gnumeric GPL-2+, /usr/share/doc/gnumeric-common/copyright)" \
		"obs-flashvsr contributors; The Gnumeric Team"
}

qt_editor() {
	cp "$root/docs/architecture.md" "$work/notes.md"
	desk 1280x720 '#505070'
	play 1 featherpad "$work/notes.md"
	sleep 4
	place notes 60 50 800 520
	xdotool mousemove 400 300
	grab qt_editor 60 960:540:20:10
	scroll wheel 6 0.1
	drag notes 160 80
	finish train qt_editor "featherpad openbox" "Qt text editor, light theme, scrolled and dragged" \
		"GPL-2.0-or-later ($own: featherpad GPL-3+, /usr/share/doc/featherpad/copyright)" \
		"obs-flashvsr contributors; FeatherPad, Pedram Pourang"
}

notepad() {
	cp "$root/THIRD_PARTY_NOTICES.md" "$work/notices.txt"
	desk 1280x720 '#7a6a50'
	mkdir -p "$HOME/.config/gtk-3.0"
	printf '[Settings]\ngtk-application-prefer-dark-theme=1\ngtk-font-name=Open Sans 10\n' \
		>"$HOME/.config/gtk-3.0/settings.ini"
	play 1 galculator
	play 1 l3afpad "$work/notices.txt"
	sleep 4
	rm -f "$HOME/.config/gtk-3.0/settings.ini"
	place notices 80 60 760 480
	place alculator 560 240 300 320
	xdotool mousemove 300 400
	grab notepad 33 768:480:60:40
	drag alculator -160 -90
	finish eval notepad "l3afpad galculator openbox fonts-open-sans" \
		"text editor and calculator, dark GTK theme, window dragged; programs not in train/" \
		"GPL-2.0-or-later ($own: l3afpad GPL-2+, galculator GPL-2+, /usr/share/doc/l3afpad/copyright, /usr/share/doc/galculator/copyright)" \
		"obs-flashvsr contributors; L3afpad's and galculator's authors"
}

web_other() {
	page "$work/other.html" "Log of a lighthouse keeper" 97 "Comic Neue" "#f4ecd8" "#3b2f1e" "#205080"
	desk 1280x720 '#303030'
	play 1 netsurf-gtk --font_sans="Comic Neue" "file://$work/other.html"
	sleep 6
	place NetSurf 20 30 1000 660
	xdotool mousemove 500 400
	grab web_other 33 768:480:40:130
	scroll wheel 8 0.09
	finish eval web_other "netsurf-gtk openbox fonts-comic-neue" "web page scrolling; browser, font and text not in train/" \
		"GPL-2.0-or-later ($own: netsurf GPL-2, /usr/share/doc/netsurf-gtk/copyright)" "obs-flashvsr contributors"
}

# ---- drawn -------------------------------------------------------------------------------------

# overlay NAME SEED FRAMES FONT...: chat, score board, caption and credits over a moving gradient,
# as raw frames in $work/NAME.rgb, 852x480. Text moves by parts of a pixel.
overlay() {
	/usr/bin/python3 - "$work" "$@" <<-'PY'
		import random, subprocess, sys
		import numpy as np
		from PIL import Image, ImageDraw, ImageFont
		work, name, seed, frames, fonts = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]), sys.argv[5:]
		W, H, r = 852, 480, random.Random(seed)
		files = [subprocess.check_output(["fc-match", "-f", "%{file}", f], text=True) for f in fonts]
		words = {True: "keep left the gate is open nice shot where now again lol hello from Oslo who won "
		               "GG 3 more brb new record wait what please louder thanks".split(),
		         False: "tide lamp keeper north fog bell watch stair brass oil night ship signal rope salt "
		               "calm 0415 drift buoy gale harbour".split()}[seed < 100]
		def colour(lo, hi):
		    return tuple(r.randrange(lo, hi) for _ in range(3))
		def say(n):
		    return " ".join(r.choice(words) for _ in range(n))
		def layer(w, h, back):
		    im = Image.new("RGBA", (w, h), back)
		    return im, ImageDraw.Draw(im)
		def font(size):
		    return ImageFont.truetype(r.choice(files), size)
		def chat(h):
		    im, d = layer(290, h, (12, 12, 20, 190))
		    y = 6
		    while y < h:
		        f = font(r.choice([12, 13, 14, 16, 18]))
		        user = say(1).capitalize() + str(r.randrange(99)) + ": "
		        d.text((8, y), user, font=f, fill=colour(110, 256))
		        d.text((8 + f.getlength(user), y), say(r.randrange(1, 5)), font=f, fill=(235, 235, 235))
		        y += f.size + 8
		    return im
		def board():
		    im, d = layer(300, 170, colour(0, 90) + (230,))
		    f, g = font(15), font(22)
		    d.rectangle((0, 0, 299, 30), fill=colour(120, 220))
		    d.text((10, 3), say(2).upper(), font=g, fill=(10, 10, 10))
		    for i in range(6):
		        d.text((10, 36 + i * 22), "%d  %s" % (i + 1, say(1).title()), font=f, fill=(250, 250, 250))
		        d.text((190, 36 + i * 22), "%5d  %d:%02d" % (r.randrange(9999), r.randrange(9), r.randrange(60)),
		               font=f, fill=(255, 220, 90))
		    return im
		def caption(n):
		    im, d = layer(520, 90, (0, 0, 0, 0))
		    for i in range(2):
		        d.text((260, 24 + i * 40), say(n).capitalize(), font=font(r.choice([24, 28, 32])), anchor="mm",
		               fill=colour(200, 256), stroke_width=2, stroke_fill=(0, 0, 0))
		    return im
		def credits():
		    im, d = layer(230, 900, (0, 0, 0, 0))
		    for i in range(36):
		        d.text((115, 12 + i * 25), say(2).title(), font=font(r.choice([11, 14, 17, 20])), anchor="mm",
		               fill=colour(150, 256))
		    return im
		def put(base, im, x, y):
		    # The layer where it lands, at a place between pixels.
		    moved = im.transform((W, H), Image.AFFINE, (1, 0, -x, 0, 1, -y), Image.BICUBIC)
		    base.alpha_composite(moved)
		yy, xx = np.mgrid[0:H, 0:W]
		a, b = np.array(colour(20, 120)), np.array(colour(60, 200))
		things = [(chat(1300), 12, -30, 0, -r.choice([0.9, 1.6, 2.3])), (board(), 330, 20, 0.35, 0.12),
		          (caption(3), 300, 360, -0.55, 0), (credits(), 620, 60, 0, -r.choice([0.7, 1.25])),
		          (caption(2), 310, 220, 0.2, 0)]
		with open("%s/%s.rgb" % (work, name), "wb") as out:
		    for t in range(frames):
		        m = 0.5 + 0.5 * np.sin(xx * 0.011 + yy * 0.007 * (1 + seed % 3) + t * 0.07)
		        back = (a + (b - a) * m[..., None]).astype(np.uint8)
		        back[(xx // 40 + yy // 40 + seed) % 5 == 0] //= 2
		        im = Image.fromarray(back).convert("RGBA")
		        for layer_, x, y, dx, dy in things:
		            put(im, layer_, x + dx * t, y + dy * t)
		        out.write(im.convert("RGB").tobytes())
	PY
}

# rec_overlay SET NAME SEED FRAMES FONT-PACKAGES FONT...
rec_overlay() {
	local set=$1 name=$2 packages=$5
	overlay "$name" "$3" "$4" "${@:6}"
	encode "$set" "$name" -f rawvideo -pix_fmt rgb24 -s 852x480 -r $fps -i "$work/$name.rgb"
	line "$set" "$name" "$packages" "drawn text: chat, score board, captions, credits, moving by parts of a pixel" \
		"GPL-2.0-or-later (own text and drawing; fonts free, /usr/share/doc/*/copyright of their packages)" \
		"obs-flashvsr contributors"
}
text_sans() {
	rec_overlay train text_sans 31 54 "fonts-roboto fonts-lato fonts-dejavu-core" \
		Roboto "Roboto:bold" Lato "DejaVu Sans:bold" "Lato:italic"
}
text_mono() {
	rec_overlay train text_mono 72 54 "fonts-firacode fonts-jetbrains-mono fonts-inconsolata fonts-dejavu-core" \
		"Fira Code" "JetBrains Mono" Inconsolata "DejaVu Serif" "DejaVu Sans Mono:bold"
}
text_other() {
	rec_overlay eval text_other 131 33 "fonts-open-sans fonts-comic-neue fonts-liberation" \
		"Open Sans" "Open Sans:bold" "Comic Neue" "Liberation Serif" "Liberation Sans Narrow"
}

# picture PACKAGE PATH: a file out of a package that is not installed.
picture() {
	(cd "$work" && apt-get download -qq "$1" 2>/dev/null && dpkg -x "$1"_*.deb "$work/$1")
	echo "$work/$1/$2"
}

# pan NAME IMAGE WIDTH HEIGHT FRAMES X0 Y0 W0 X1 Y1 W1: a picture seen through a moving window
# (left, top and width in source pixels at the first and last frame), resampled by Lanczos.
pan() {
	/usr/bin/python3 - "$work/$1.rgb" "${@:2}" <<-'PY'
		import sys
		from PIL import Image
		out, path = sys.argv[1:3]
		w, h, n, *box = map(float, sys.argv[3:])
		image = Image.open(path).convert("RGB")
		with open(out, "wb") as f:
		    for t in range(int(n)):
		        x, y, s = (a + (b - a) * t / (n - 1) for a, b in zip(box[:3], box[3:]))
		        frame = image.resize((int(w), int(h)), Image.LANCZOS, box=(x, y, x + s, y + s * h / w))
		        f.write(frame.tobytes())
	PY
}

# rec_pan NAME PACKAGE PATH SIZE BOXES SHOWS LICENCE ATTRIBUTION
rec_pan() {
	local image
	image=$(picture "$2" "$3")
	# shellcheck disable=SC2086
	pan "$1" "$image" ${4/x/ } 33 $5
	encode eval "$1" -f rawvideo -pix_fmt rgb24 -s "$4" -r $fps -i "$work/$1.rgb"
	line eval "$1" "$2" "$6" "$7" "$8"
}
photo_dandelion() {
	rec_pan photo_dandelion lomiri-wallpapers-16.04 \
		usr/share/backgrounds/seeding_by_Clements_Engelhardt.jpg 768x432 \
		"500 200 1900 700 330 1760" "pan over a photo: dandelion heads, grass" \
		"CC0-1.0, /usr/share/doc/lomiri-wallpapers-16.04/copyright" \
		"\"seeding\", Clemens Engelhardt (none required)"
}
photo_stream() {
	rec_pan photo_stream lomiri-wallpapers-16.04 \
		usr/share/backgrounds/life_by_Aitzol_Berasategi.jpg 640x360 \
		"300 200 1500 420 260 1440" "pan over a photo: stream in a wood, leaves, rocks" \
		"CC BY 4.0, /usr/share/doc/lomiri-wallpapers-16.04/copyright" \
		"\"life\", Aitzol Berasategi, CC BY 4.0; cut, scaled and panned"
}
photo_face() {
	rec_pan photo_face python3-skimage \
		usr/lib/python3/dist-packages/skimage/data/astronaut.png 384x384 \
		"40 0 384 84 28 384" "pan over a photo: face, space suit, flag" \
		"public domain, stated by \`astronaut()\` in skimage/data/_fetchers.py" \
		"NASA photograph of Eileen Collins (none required)"
}

clips="neverball_coins neverball_maze torcs_start torcs_race minetest_hills minetest_shore
	teeworlds_ctf teeworlds_dm terminals editor web_light web_dark spreadsheet qt_editor
	text_sans text_mono
	etr_course chromium_bsu notepad web_other text_other photo_dandelion photo_stream
	photo_face"
for clip in $clips; do
	[ "$only" = "  " ] || [[ $only == *" $clip "* ]] || continue
	$clip
done
manifest train
manifest eval
du -sh "$out/train" "$out/eval"
