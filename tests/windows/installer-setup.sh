# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced by tests of the installer, with 'root' and 'build' set: a drive C of the test's own,
# where nothing is installed, the installer's places on it, and what the tests ask. Exits with 77
# where Wine or makensis is missing.
# shellcheck shell=bash disable=SC2034,SC2154
wine=$root/cmake/run-under-wine.sh
command -v makensis >/dev/null || {
	echo "skipped: makensis is not installed (nsis)"
	exit 77
}
"$wine" cmd /c exit 0 >/dev/null || {
	status=$?
	echo "skipped: Wine does not run programs (status $status)"
	exit 77
}

work=$(mktemp -d)
running=
wine_server() {
	[ ! -x /usr/lib/wine/wineserver64 ] || /usr/lib/wine/wineserver64 "$1" >/dev/null 2>&1
}
cleanup() {
	[ -z "$running" ] || kill "$running" 2>/dev/null
	wine_server -k
	rm -rf "$work"
}
trap cleanup EXIT
# A drive C of its own, where nothing but this was installed. Its server stays (see scripts/test.sh).
export WINEPREFIX=$work/wine
mkdir "$WINEPREFIX"
wine_server -p
"$wine" wineboot -i >/dev/null 2>&1

# shellcheck source=tests/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/../expect.sh"
# Wine may start its desktop with a program, which outlives that program and keeps what it inherits:
# were that the end of a pipe that the test writes to, closing the pipe would end nothing.
status_is() { # STATUS PROGRAM ARGUMENT...
	local want=$1 got=0
	shift
	timeout 120 "$wine" "$@" >"$work/said" 2>&1 3>&- || got=$?
	[ "$got" = "$want" ] || {
		echo "exit status $got instead of $want: $*"
		tail -n 5 "$work/said"
		return 1
	}
}
registered() { "$wine" reg query "$key" >/dev/null 2>&1; }
# The uninstaller goes on in a copy of itself, so that it can delete its own file.
wait_until_gone() {
	local i
	for i in $(seq 100); do
		[ -e "$1" ] || return 0
		sleep 0.2
	done
	return 1
}

key='HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\obs-flashvsr'
data=$WINEPREFIX/drive_c/ProgramData
plugin=$data/obs-studio/plugins/obs-flashvsr
# Not in the plugin's folder: see installer/windows-folder.nsh.
tools=$WINEPREFIX/drive_c/Program\ Files/obs-flashvsr
uninstaller=$tools/uninstall.exe
