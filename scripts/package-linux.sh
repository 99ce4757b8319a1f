#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# All packages for Linux, each made in a fresh Debian of its own (scripts/debian-root.sh; root only)
# from what is committed, and left in out/packages-linux or the folder that is named:
#
#	obs-flashvsr_VERSION~deb12u1_amd64.deb		filter, command line, manual page: Debian 12
#	obs-flashvsr_VERSION~deb13u1_amd64.deb		Debian 13
#	obs-flashvsr_VERSION~sid1_amd64.deb		Debian sid
#	libfvsr-dev_...					library and header for programs, three likewise
#	obs-flashvsr-VERSION-linux-x86_64-portable.tar.gz	filter and command line for a user's home,
#			on every Linux with a C library of 2.31 (cmake/portable.cmake)
#	PACKAGE.spdx.json				what is in each of them
#	SHA256SUMS
#
#	package-linux.sh [FOLDER]
#	package-linux.sh --inside SUITE OUT [IMAGES ARCHS]	inside such a Debian: its packages
#
# Device code is compiled once, here, for every kind of card; FVSR_CUDA_ARCHS in the environment names
# fewer, FVSR_CUDA_IMAGE_DIR a folder where it is ready. Without nvcc the packages know processors
# only. FVSR_SUITES names fewer releases than "bookworm trixie sid bullseye"; the last makes the tarball.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
step() { printf '\n== %s\n' "$*"; }

all_packages() { # FOLDER
	local out images=${FVSR_CUDA_IMAGE_DIR:-} archs=${FVSR_CUDA_ARCHS:-} device=() suite
	local build=$root/build-packages/device-code package

	out=$(realpath -m "$1")
	mkdir -p "$out"
	rm -f "$out"/{obs-flashvsr,libfvsr-dev}* "$out/SHA256SUMS"
	if [ -z "$images" ]; then
		step "Device code"
		"$root/scripts/install-deps.sh" build
		cmake -S "$root" -B "$build" -DFVSR_BUILD_TESTS=OFF ${archs:+"-DFVSR_CUDA_ARCHS=$archs"}
		if grep -q '^FVSR_NVCC:FILEPATH=/' "$build/CMakeCache.txt"; then
			cmake --build "$build" --parallel "$(nproc)" --target fvsr_device_code
			images=$build/core/backend/cuda
			archs=$(sed -n 's/^FVSR_CUDA_ARCHS:[A-Z]*=//p' "$build/CMakeCache.txt")
		fi
	fi
	[ -z "$images" ] || device=("$images" "${archs:?which cards the device code is for}")
	for suite in ${FVSR_SUITES:-bookworm trixie sid bullseye}; do
		step "$suite"
		"$root/scripts/debian-root.sh" "$suite" -o "$out" ${images:+-b "$images"} -- \
			scripts/package-linux.sh --inside "$suite" /out "${device[@]}"
	done

	step "Checks"
	for package in "$out"/obs-flashvsr*.{deb,tar.gz}; do
		[ -f "$package" ] || continue
		echo "${package##*/}"
		"$root/tests/packages/places.py" "$package"
	done
	for package in "$out"/*-portable.tar.gz; do
		[ ! -f "$package" ] || "$root/tests/packages/portable-test.sh" "$package"
	done
	(cd "$out" && find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%P\n' |
		LC_ALL=C sort | xargs sha256sum -- >SHA256SUMS && ls -l && cat SHA256SUMS)
}

# ---- inside --------------------------------------------------------------------------------------

if [ "${1:-}" != --inside ]; then
	all_packages "${1:-$root/out/packages-linux}"
	exit
fi
suite=$2 out=$3 images=${4:-} archs=${5:-}
build=$root/build-packages/$suite
options=(-DCMAKE_BUILD_TYPE=Release -DFVSR_BUILD_TESTS=OFF)
if [ -n "$images" ]; then
	options+=("-DFVSR_CUDA_IMAGE_DIR=$images" "-DFVSR_CUDA_ARCHS=$archs")
else
	options+=(-DFVSR_CUDA=OFF)
fi
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH
umask 022

# In the order in which a Debian is upgraded, all before the version without an ending.
case $suite in
bullseye) ;;
bookworm) ending='~deb12u1' ;;
trixie) ending='~deb13u1' ;;
sid) ending='~sid1' ;;
*)
	echo "package-linux.sh: no packages are made for '$suite'" >&2
	exit 2
	;;
esac

debian_packages() {
	"$root/scripts/install-deps.sh" build
	cmake -S "$root" -B "$build" -DCMAKE_INSTALL_PREFIX=/usr "-DFVSR_DEB_SUITE=$suite" \
		"-DFVSR_DEB_ENDING=$ending" "${options[@]}"
	cmake --build "$build" --parallel "$(nproc)"
	(cd "$build" && cpack -G DEB -B "$build/cpack")
	cp "$build"/cpack/*.deb "$out/"
	"$root/scripts/sbom.py" "$out"
}

portable_tarball() {
	local deps=$root/build-packages/portable-deps stage=$build/stage doc name

	"$root/scripts/install-deps.sh" portable
	"$root/scripts/portable-deps.sh" "$deps"
	PATH=$deps/bin:$PATH
	cmake -S "$root" -B "$build" --toolchain "$root/cmake/portable.cmake" \
		"-DFVSR_PORTABLE_DEPS=$deps" "${options[@]}"
	cmake --build "$build" --parallel "$(nproc)"
	cmake --install "$build" --prefix "$stage" --component Unspecified --strip
	doc=$stage/.local/share/doc/obs-flashvsr
	cp "$root/THIRD_PARTY_NOTICES.md" "$root/LICENSE" "$doc/"
	cp -r "$deps/licences" "$doc/"
	name=obs-flashvsr-$(sed -n 's/^CMAKE_PROJECT_VERSION:[A-Z]*=//p' \
		"$build/CMakeCache.txt")-linux-x86_64-portable.tar.gz
	# No folders: unpacked in a home, it leaves the rights of those that are there as they are.
	(cd "$stage" && find . ! -type d -printf '%P\n' | LC_ALL=C sort |
		tar --create --no-recursion --files-from=- --mtime="@$SOURCE_DATE_EPOCH" \
			--owner=root:0 --group=root:0 --mode=go=u-w) | gzip -9 -n >"$out/$name"
	"$root/scripts/sbom.py" "$out" "*-portable.tar.gz=$deps/components"
}

if [ "$suite" = bullseye ]; then
	portable_tarball
else
	debian_packages
fi
