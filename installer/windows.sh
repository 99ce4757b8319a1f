#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packs a build for Windows (see CMakePresets.json): the installer, and a portable zip to be unpacked
# in %ProgramData%\obs-studio\plugins.
#
#	windows.sh BUILD OUT [CUBLASLT]
#
# With CUBLASLT, a folder with cublasLt64_13.dll and its licence, cuBLAS.txt, there is a second
# installer that has these as an optional part. FVSR_COMPRESSOR=zlib packs quickly, for tests.
#
# Dollars and backslashes are for NSIS:
# shellcheck disable=SC1003,SC2016
set -euo pipefail
# The same files make the same packages, whoever packs them.
export LC_ALL=C TZ=UTC
umask 022

root=$(cd "$(dirname "$0")/.." && pwd)
build=$1 out=$(realpath -m "$2") cublaslt=${3:+$(realpath "$3")}
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:[A-Z]*=//p' "$build/CMakeCache.txt")
deps=$(sed -n 's/^FVSR_WINDOWS_DEPS:[A-Z]*=//p' "$build/CMakeCache.txt")
name=obs-flashvsr-$version-windows-x64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work" --strip >/dev/null
stage=$work/obs-flashvsr
# Notepad of older Windows shows lines that end as they do there, and every text as UTF-8.
text() { sed 's/$/\r/' "$1" >"$stage/$2"; }
text "$root/LICENSE" LICENSE.txt
text "$root/THIRD_PARTY_NOTICES.md" THIRD_PARTY_NOTICES.txt
mkdir "$stage/licences"
for licence in "$deps"/licences/*; do
	text "$licence" "licences/${licence##*/}.txt"
done
find "$work" -exec touch -d "@${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null ||
	date +%s)}" {} +

# ---- what is in it, as code of NSIS ------------------------------------------------------------

back() { tr / '\\'; }
{
	echo '!macro PutFiles'
	(cd "$stage" && find . -type d | sort) | while read -r folder; do
		echo "SetOutPath \"\$INSTDIR$(back <<<"${folder#.}")\""
		find "$stage/$folder" -maxdepth 1 -type f | sort | sed 's|.*|File "&"|'
	done
	echo '!macroend'
	echo '!macro RemoveFiles'
	(cd "$stage" && find . -type f -printf '%P\n') | sort | back | sed 's|.*|Delete "$INSTDIR\\&"|'
	echo '!macroend'
	echo '!macro RemoveFolders'
	(cd "$stage" && find . -mindepth 1 -depth -type d -printf '%P\n') | back |
		sed 's|.*|RMDir "$INSTDIR\\&"|'
	echo '!macroend'
} >"$work/files.nsh"

# ---- packing -----------------------------------------------------------------------------------

mkdir -p "$out"
rm -f "$out/$name"*
pack() { # OUTPUT MORE...
	local output=$1
	shift
	makensis -V2 -NOCD "-DVERSION=$version" "-DSTAGE=$stage" "-DFILES=$work/files.nsh" \
		"-DKIB=$(du -sk "$stage" | cut -f 1)" "-DOUTPUT=$output" \
		"-DCOMPRESSOR=${FVSR_COMPRESSOR:-lzma}" "$@" "$root/installer/windows.nsi"
}
pack "$out/$name-installer.exe"
[ -z "$cublaslt" ] || pack "$out/$name-cublaslt-installer.exe" "-DCUBLASLT=$cublaslt"
(cd "$work" && find obs-flashvsr -type f | sort | zip -q -X -9 "$out/$name.zip" -@)
(cd "$out" && ls -l "$name"*)
echo "installed: $(du -sk --apparent-size "$stage" | cut -f 1) KiB"
