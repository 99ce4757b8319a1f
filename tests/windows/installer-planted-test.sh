#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The installer under Wine, where another user was in its folder first: planted programs, libraries
# and lists are neither run nor left where they count, links are not followed, and a folder that took
# the place of the installed one is left alone.
#
# What Wine cannot show: it has no junctions, so symbolic links stand for them, and it turns rights
# into the nine bits of a file's mode, so the test sees that the folder was made with rights that shut
# others out, and not that files inherit them, nor the owner.
#
#	installer-planted-test.sh ROOT BUILD
#
# Exits with 77 where Wine or makensis is missing.
set -uo pipefail

root=$1 build=$2
umask 022
# shellcheck source=tests/windows/installer-setup.sh
. "$(dirname "$0")/installer-setup.sh"

FVSR_COMPRESSOR=zlib "$root/installer/windows.sh" "$build" "$work/out" >/dev/null || exit 1
installer=$(echo "$work"/out/*-installer.exe)
plugins=${plugin%/*}
mark=$WINEPREFIX/drive_c/planted-ran

# A program that says that it ran.
cat >"$work/planted.nsi" <<-'END'
	Unicode true
	Target amd64-unicode
	OutFile planted.exe
	RequestExecutionLevel user
	SilentInstall silent
	Section
	FileOpen $0 "C:\planted-ran" w
	FileClose $0
	SectionEnd
END
makensis -V1 "$work/planted.nsi" || exit 1
expect "a planted program would leave a mark" eval \
	'status_is 0 "$work/planted.exe" && test -e "$mark" && rm "$mark"'

plant() { # FOLDER
	mkdir -p "$1/bin/64bit" "$1/data/models"
	cp "$work/planted.exe" "$1/uninstall.exe"
	echo planted >"$1/bin/64bit/cublasLt64_13.dll"
	echo planted >"$1/data/models.json"
	echo planted >"$1/data/models/own.safetensors"
	echo planted >"$1/LICENSE.txt"
}
none_ran() { [ ! -e "$mark" ]; }
number() { stat -c %i "$1"; }
aside() { find "$plugins" -mindepth 1 -maxdepth 1 -name 'obs-flashvsr.replaced-*'; }
# What an installation leaves, wherever the folder was before.
is_proper() {
	[ ! -L "$plugin" ] && cmp "$plugin/data/models.json" "$root/data/models.json" &&
		[ -f "$plugin/bin/64bit/obs-flashvsr.dll" ] && ! grep -rl '^planted$' "$plugin" &&
		[ ! -e "$plugin/uninstall.exe" ] && [ ! -e "$plugin/bin/64bit/cublasLt64_13.dll" ]
}
# Nothing for others: an ordinary folder has 755 here.
shuts_others_out() { [[ $(stat -c %a "$plugin") == ?[05]0 ]]; }

others_cannot_write() { # FOLDER...
	[ -z "$(find "$@" -maxdepth 0 -perm /o+w)" ]
}

# ---- the folder is there before the first installation -----------------------------------------

plant "$plugin"
cp -r "$plugin" "$work/planted"
chmod 777 "$plugins" "${plugins%/*}"
# As the first version registered itself.
"$wine" reg add "$key" /v UninstallString /d \
	'"C:\ProgramData\obs-studio\plugins\obs-flashvsr\uninstall.exe"' >/dev/null 2>&1
"$wine" reg add "$key" /v InstallLocation /d 'C:\ProgramData\obs-studio\plugins\obs-flashvsr' \
	>/dev/null 2>&1
expect "installs where somebody was before" status_is 0 "$installer" /S
expect "no planted program ran" none_ran
expect "nothing planted is where it counts" is_proper
expect "the folder shuts others out" shuts_others_out
expect "and nobody else can exchange it" others_cannot_write "$plugins" "${plugins%/*}"
expect "what was there is aside, untouched" diff -r "$work/planted" "$(aside)"
"$wine" reg query "$key" /v UninstallString >"$work/said" 2>/dev/null
expect "the uninstaller is registered where users cannot write" grep -qF '"C:\Program Files\obs-flashvsr\uninstall.exe"' \
	"$work/said"
rm -rf "$(aside)"

# ---- its own folder is known again -------------------------------------------------------------

before=$(number "$plugin")
echo mine >"$plugin/data/models/mine.safetensors"
echo older >"$plugin/data/models.json"
expect "upgrades" status_is 0 "$installer" /S
expect "in the same folder" test "$(number "$plugin")" = "$before" -a -z "$(aside)"
expect "which is as after the first time" is_proper
expect "uninstalls" status_is 0 "$uninstaller" /S
expect "all of it" wait_until_gone "$tools"
expect "but somebody's model" diff <(cd "$plugin" && find . -type f) - \
	<<<./data/models/mine.safetensors
expect "installs again" status_is 0 "$installer" /S
expect "in the folder that stayed" test "$(number "$plugin")" = "$before" -a -z "$(aside)"
expect "with that model" grep -q mine "$plugin/data/models/mine.safetensors"

# ---- another folder takes the place of the installed one ---------------------------------------

mv "$plugin" "$work/installed"
plant "$plugin"
expect "installs over an exchanged folder" status_is 0 "$installer" /S
expect "no planted program ran" none_ran
expect "nothing planted is where it counts" is_proper
expect "what was there is aside, untouched" diff -r "$work/planted" "$(aside)"
rm -rf "$(aside)" "$work/installed"

mv "$plugin" "$work/installed"
plant "$plugin"
expect "uninstalls from an exchanged folder" status_is 0 "$uninstaller" /S
expect "itself" wait_until_gone "$tools"
expect "and its registration" eval '! registered'
expect "and nothing that is not ours" diff -r "$work/planted" "$plugin"
expect "no planted program ran" none_ran
rm -rf "$plugin" "$work/installed"

# ---- links -------------------------------------------------------------------------------------

plant "$work/elsewhere"
ln -s "$work/elsewhere" "$plugin"
expect "is refused where a link is" status_is 2 "$installer" /S
expect "and what that leads to is untouched" diff -r "$work/planted" "$work/elsewhere"
rm "$plugin"
rmdir "$plugins"

mkdir "$work/empty"
ln -s "$work/empty" "$plugins"
expect "is refused below a link" status_is 2 "$installer" /S
expect "and leaves nothing there" test -z "$(ls -A "$work/empty")"
plant "$work/empty/obs-flashvsr"
expect "is refused below a link to a folder of its name" status_is 2 "$installer" /S
expect "which is untouched" diff -r "$work/planted" "$work/empty/obs-flashvsr"
rm "$plugins"
rm -r "$work/empty/obs-flashvsr"
rmdir "${plugins%/*}"
ln -s "$work/empty" "${plugins%/*}"
expect "is refused below a link above" status_is 2 "$installer" /S
expect "and leaves nothing there either" test -z "$(ls -A "$work/empty")"
rm "${plugins%/*}"
expect "nothing is registered" eval '! registered'

# ---- other folders -----------------------------------------------------------------------------

mkdir -p "$WINEPREFIX/drive_c/games"
echo somebody >"$WINEPREFIX/drive_c/games/file"
expect "is refused in a folder of another name" status_is 2 "$installer" /S '/D=C:\games'
expect "which is untouched" test "$(ls "$WINEPREFIX/drive_c/games")" = file
expect "installs in another place" status_is 0 "$installer" /S '/D=C:\games\obs-flashvsr'
plugin=$WINEPREFIX/drive_c/games/obs-flashvsr
expect "as well" is_proper
expect "uninstalls from there" status_is 0 "$uninstaller" /S
expect "all of it" wait_until_gone "$plugin"
exit $failed
