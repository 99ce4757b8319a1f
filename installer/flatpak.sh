#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The extension for OBS Studio from Flathub, which sees no plugins of the system. It is compiled
# against the OBS and the libraries that it will meet there; only the device code is taken over from
# a build on this system, since their compilers know no nvcc.
#
#	flatpak.sh BUILD OUT			packs it (needs flatpak-builder and Flathub)
#	flatpak.sh --prepare BUILD FOLDER	only puts everything that flatpak-builder is given there
#
# Neither the command line nor oneDNN are in it: without a card it is too slow for live video.
# shellcheck disable=SC1003
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
id=com.obsproject.Studio.Plugin.FlashVSR
only_prepare=
if [ "${1:-}" = --prepare ]; then
	only_prepare=yes
	shift
fi
build=$(realpath "$1")
out=$(realpath -m "$2")
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }

prepare() { # FOLDER
	local code=$1/device-code images=$build/core/backend/cuda header

	mkdir -p "$1/source" "$code"
	cp "$root/installer/flatpak/$id.json" "$1/"
	git -C "$root" archive HEAD | tar -x -C "$1/source"
	if ! compgen -G "$images/*.fatbin" >/dev/null; then
		echo 'set(FVSR_CUDA OFF CACHE BOOL "")' >"$code/options.cmake"
		return
	fi
	cp "$images"/*.fatbin "$code/"
	# Not one name more than the two headers need.
	for header in cuda.h cublasLt.h; do
		"${CC:-cc}" -I"$(cached FVSR_CUDA_INCLUDE_DIR)" -M -x c - <<<"#include <$header>"
	done | tr -d '\\' | tr ' ' '\n' | grep "^$(cached FVSR_CUDA_INCLUDE_DIR)/" | sort -u |
		while read -r header; do
			install -Dm644 "$header" \
				"$code/include/${header#"$(cached FVSR_CUDA_INCLUDE_DIR)"/}"
		done
	cat >"$code/options.cmake" <<-CMAKE
		set(FVSR_CUDA_ARCHS "$(cached FVSR_CUDA_ARCHS)" CACHE STRING "")
		set(FVSR_CUDA_IMAGE_DIR "\${CMAKE_CURRENT_LIST_DIR}" CACHE PATH "")
		set(FVSR_CUDA_INCLUDE_DIR "\${CMAKE_CURRENT_LIST_DIR}/include" CACHE PATH "")
	CMAKE
}

if [ -n "$only_prepare" ]; then
	prepare "$out"
	exit
fi
command -v flatpak-builder >/dev/null || {
	echo "flatpak.sh: no flatpak-builder" >&2
	exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prepare "$work"
mkdir -p "$out"
(cd "$work" && flatpak-builder --user --install-deps-from=flathub --repo=repo build "$id.json" &&
	flatpak build-bundle --runtime repo \
		"$out/obs-flashvsr-$(cached CMAKE_PROJECT_VERSION)-linux-x86_64.flatpak" "$id" stable)
