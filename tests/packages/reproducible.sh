#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two builds of one commit make packages of the same bytes, wherever, whenever and by whomever they
# are built. Where they differ, says in which files and where in them.
#
#	reproducible.sh BUILD		builds the tree of BUILD once more, with BUILD's own options, in
#					another folder with another language, time zone and file mode,
#					and compares the packages of both; device code is taken over
#	reproducible.sh --long [WORK]	clones the last commit to two folders, lets scripts/package.sh
#					make everything in each, and compares; takes as long as that
#					does, twice (FVSR_CUDA_ARCHS names fewer kinds of cards)
#
# Exits with 77 where a tool for packing is missing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
[ -n "${1:-}" ] || {
	sed -n '4,/^$/s/^#[ \t]\?//p' "$0" >&2
	exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---- comparing ------------------------------------------------------------------------------------

unpack() { # PACKAGE FOLDER
	mkdir -p "$2"
	case $1 in
	*.deb) dpkg-deb -R "$1" "$2" ;;
	*.tar.gz) tar -xzf "$1" -C "$2" ;;
	*.zip) unzip -q "$1" -d "$2" ;;
	*) cp "$1" "$2/" ;;
	esac
}
explain() { # PACKAGE PACKAGE
	local a=$work/unpacked/a b=$work/unpacked/b name

	if command -v diffoscope >/dev/null; then
		diffoscope --max-report-size 8000 "$1" "$2" || true
		return
	fi
	rm -rf "$work/unpacked"
	unpack "$1" "$a"
	unpack "$2" "$b"
	(cd "$a" && find . -printf '%P %y %m %s %TY-%Tm-%Td %TT\n' | sort) >"$work/list-a"
	(cd "$b" && find . -printf '%P %y %m %s %TY-%Tm-%Td %TT\n' | sort) >"$work/list-b"
	diff "$work/list-a" "$work/list-b" | head -n 20 || true
	(cd "$a" && find . -type f | sort) | while read -r name; do
		cmp -s "$a/$name" "$b/$name" && continue
		echo "$name: bytes that differ (decimal offset, both values in octal)"
		{ cmp -l "$a/$name" "$b/$name" || true; } 2>&1 | head -n 5
		diff <(strings -a "$a/$name") <(strings -a "$b/$name") | head -n 10 || true
	done
	echo "(files that are the same in another order, or in another archive, are not shown)"
}
compare() { # FOLDER FOLDER
	local failed=0 count=0 name

	diff <(ls "$1") <(ls "$2") || failed=1
	for name in "$1"/*; do
		name=${name##*/}
		count=$((count + 1))
		if cmp -s "$1/$name" "$2/$name"; then
			echo "ok      $name: $(sha256sum <"$1/$name" | cut -c 1-16)"
		else
			echo "FAILED  $name differs"
			explain "$1/$name" "$2/$name"
			failed=1
		fi
	done
	[ $count != 0 ] || failed=1
	return $failed
}

# ---- all packages, twice --------------------------------------------------------------------------

if [ "$1" = --long ]; then
	place=$(realpath -m "${2:-$work}")
	for folder in "$place/first" "$place/the second one"; do
		rm -rf "$folder"
		git clone -q "$tree" "$folder"
		"$folder/scripts/package.sh" "$folder/out/packages"
	done
	compare "$place/first/out/packages" "$place/the second one/out/packages"
	exit
fi

# ---- one build, once more -------------------------------------------------------------------------

build=$(realpath "$1")
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
windows=
case $(cached CMAKE_TOOLCHAIN_FILE) in
*windows*) windows=1 ;;
esac
for tool in ${windows:+makensis zip unzip} ${windows:-dpkg-deb}; do
	[ "$tool" = 1 ] || command -v "$tool" >/dev/null || {
		echo "skipped: there is no $tool"
		exit 77
	}
done
# BUILD may have been configured before the last commit.
SOURCE_DATE_EPOCH=$(cached FVSR_EPOCH)
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1700000000}"
export FVSR_COMPRESSOR=zlib

pack() { # BUILD OUT TREE
	mkdir -p "$2"
	if [ -n "$windows" ]; then
		"$3/installer/windows.sh" "$1" "$2" >"$work/log" 2>&1
	else
		(cd "$1" && umask 022 && for kind in DEB TGZ; do
			cpack -G $kind -B "$work/cpack"
		done) >"$work/log" 2>&1
		"$3/scripts/repack-tar.sh" "$work"/cpack/*.tar.gz
		mv "$work"/cpack/*.deb "$work"/cpack/*.tar.gz "$2/"
		rm -rf "$work/cpack"
	fi
}
fail() {
	tail -n 25 "$work/log"
	exit 1
}

options=(-DFVSR_BUILD_TESTS=OFF)
while read -r option; do
	options+=("-D$option")
done < <(grep -E '^(FVSR_[A-Z_]+:(BOOL|STRING|PATH)|CMAKE_(BUILD_TYPE|C_COMPILER|C_FLAGS|INSTALL_PREFIX|TOOLCHAIN_FILE):[A-Z]+)=' \
	"$build/CMakeCache.txt" | grep -vE '^FVSR_(BUILD_TESTS|CUDA_IMAGE_DIR|OBS_LIBDIR)')
images=$(cached FVSR_CUDA_IMAGE_DIR)
images=${images:-$build/core/backend/cuda}
if compgen -G "$images/*.fatbin" >/dev/null; then
	options+=("-DFVSR_CUDA_IMAGE_DIR=$images")
else
	options+=(-DFVSR_CUDA=OFF)
fi
# Everything that git would take, as it is now, and built in the folder BUILD beside it.
build_copy() { # FOLDER BUILD
	mkdir "$1"
	cd "$tree"
	if git rev-parse 2>/dev/null; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -path './build*' -prune -o -path ./out -prune -o -type f -print0
	fi >"$work/names"
	tar -c --null -T "$work/names" | tar -x -C "$1"
	cmake -S "$1" -B "$2" "${options[@]}" >"$work/log" 2>&1 &&
		# Compilers and linkers must not need it: scripts/package.sh sets it when it packs.
		env -u SOURCE_DATE_EPOCH cmake --build "$2" --parallel "$(nproc)" >>"$work/log" 2>&1
}

first=$tree first_build=$build
# A compiler's cache may have rewritten the names of files, so it has no part in this.
if [ -n "$(cached CMAKE_C_COMPILER_LAUNCHER)" ]; then
	first=$work/tree first_build=$work/tree/build
	build_copy "$first" "$first_build" || fail
fi
second=$work/a-copy-of-the-tree second_build=$work/built-elsewhere
(
	umask 077
	export TZ=Asia/Kathmandu LC_ALL=C HOME=$work
	build_copy "$second" "$second_build"
) || fail
pack "$first_build" "$work/first" "$first" || fail
TZ=Asia/Kathmandu LC_ALL=C pack "$second_build" "$work/second" "$second" || fail
compare "$work/first" "$work/second"
