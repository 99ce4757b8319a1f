#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The one list of what Debian must have to build, test and show obs-flashvsr: 12, and where a group
# says so 11, 13 and sid.
#
#	install-deps.sh [build|test|demo|windows|root|release|portable]...	only these groups; without
#				an argument all but the last two
#
# Installs what is missing, through sudo unless root, and does nothing at all when nothing is.
set -euo pipefail

# Compilers, libobs, oneDNN (CPU path), libzip and Jansson (weights), libcurl (downloading them),
# FFmpeg (fvsr upscale), Python (scripts/sbom.py, when packages are made).
build="build-essential cmake pkg-config file python3
	libobs-dev libdnnl-dev libzip-dev libjansson-dev libcurl4-openssl-dev
	libavformat-dev libavcodec-dev libavutil-dev libswscale-dev"
# The second compiler with its sanitizers, OpenMP and fuzzer runtimes; what scripts/lint.sh runs;
# libobs' OpenGL renderer and its stock modules under a virtual X server; makers and readers of test
# files; certificates for the test's web servers.
test="clang clang-tidy clang-format shellcheck python3-pyflakes libclang-rt-dev libomp-dev
	obs-plugins xvfb xauth libx11-dev libgl1-mesa-dri libegl1 valgrind ffmpeg python3 zip
	python3-numpy python3-pil python3-torch libx264-dev man-db openssl"
# Debian 13 and sid, too: what `test.sh --root` needs beside build and demo.
release="xauth libx11-dev python3-numpy python3-pil zip unzip man-db openssl"
# OBS Studio itself, a window manager so that its dialogs get the focus, and its remote control.
demo="obs-studio obs-plugins xvfb openbox xdotool libgl1-mesa-dri libegl1 ffmpeg
	fonts-dejavu-core python3 python3-websocket"

# The cross compiler for Windows, sources of libraries that Debian has not built for it, pip for
# oneDNN, and Wine to run what comes out. Its preloader keeps 0x7ffe0000 free, where every program
# for Windows has a page: without it newer kernels put Wine's heap there once in 8000 starts, and
# Wine ends at once with status 1, without a word when WINEDEBUG is -all.
windows="gcc-mingw-w64-x86-64-posix libz-mingw-w64-dev libobs-dev dpkg-dev
	wine64 wine64-preloader nsis zip unzip python3 python3-pip"

# What makes other Debian systems to build and test in (scripts/debian-root.sh, and the packages'
# own test).
root="mmdebstrap debootstrap debian-archive-keyring util-linux git wget"

# Debian 11: the portable build for Linux (cmake/portable.cmake).
portable="build-essential pkg-config file git dpkg-dev patchelf xz-utils libcurl4-openssl-dev
	python3 python3-pip"

packages=
for group in "${@:-all}"; do
	case $group in
	build) packages+=" $build" ;;
	test) packages+=" $test" ;;
	demo) packages+=" $demo" ;;
	windows) packages+=" $windows" ;;
	root) packages+=" $root" ;;
	release) packages+=" $release" ;;
	portable) packages+=" $portable" ;;
	all) packages+=" $build $test $demo $windows $root" ;;
	*)
		echo "install-deps.sh: unknown group '$group' (build, test, demo, windows, root," \
			"release, portable)" >&2
		exit 2
		;;
	esac
done

# dpkg-query knows names that were removed again, too: only 'installed' counts.
missing=()
for package in $packages; do
	status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | head -n 1 || true)
	[ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
	as_root=(env)
else
	command -v sudo >/dev/null || {
		echo "install-deps.sh: not root and no sudo; please install the packages above" >&2
		exit 1
	}
	as_root=(sudo env)
fi
install=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive
	apt-get install -y -q --no-install-recommends "${missing[@]}")
# A machine with old package lists finds no file, one without lists finds no package.
if ! "${install[@]}" </dev/null; then
	"${as_root[@]}" apt-get update -q </dev/null
	"${install[@]}" </dev/null
fi
