#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Libraries that are opened at run time (cmake/LateLibrary.cmake): a program that was compiled against
# zlib's header calls zlib without naming it; where the library is missing, or lacks one of the
# functions, all calls return zero, or do what stands in for them.
#
#	late-library-test.sh SOURCE_FOLDER
set -uo pipefail

source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/expect.sh
. "$source/tests/expect.sh"

cat >"$work/CMakeLists.txt" <<-END
	cmake_minimum_required(VERSION 3.22)
	project(late C)
	include($source/cmake/LateLibrary.cmake)
	foreach(name there missing lacking standing_in)
	  add_executable(\${name} main.c)
	  target_compile_options(\${name} PRIVATE -Wall -Wextra -Werror)
	  target_link_libraries(\${name} PRIVATE \${CMAKE_DL_LIBS})
	endforeach()
	fvsr_late_library(there one FILES libnone.so.7 libz.so.1 FUNCTIONS zlibVersion crc32)
	fvsr_late_library(missing two FILES libnone.so.7 FUNCTIONS zlibVersion crc32)
	fvsr_late_library(lacking three FILES libz.so.1 FUNCTIONS zlibVersion crc32 no_such_function)
	fvsr_late_library(standing_in four FILES libnone.so.7 FUNCTIONS zlibVersion crc32
	                  WITHOUT $work/alone.h)
END
# The header's two functions, so that the test needs no more than zlib itself.
cat >"$work/main.c" <<-END
	#include <stdio.h>
	const char *zlibVersion(void);
	unsigned long crc32(unsigned long sum, const unsigned char *data, unsigned count);
	int main(void)
	{
		const char *version = zlibVersion();
		printf("%s %lx\n", version ? version : "none",
		       crc32(0, (const unsigned char *)"123456789", 9));
		return 0;
	}
END
cat >"$work/alone.h" <<-END
	#define FVSR_LATE_WITHOUT(name) (function) without_##name
	static const char *without_zlibVersion(void) { return "alone"; }
	static unsigned long without_crc32(void) { return 7; }
END
says() { # PROGRAM PATTERN
	local said

	said=$("$work/build/$1")
	grep -qxE "$2" <<<"$said" || {
		echo "$said"
		return 1
	}
}
expect "the programs are made" cmake -S "$work" -B "$work/build"
expect "and built" cmake --build "$work/build"
expect "no program names the library" [ -z "$(readelf -d "$work"/build/{there,missing} |
	grep 'NEEDED.*libz')" ]
expect "the second file is found, and called" says there '1\.[0-9.a-z]+ cbf43926'
expect "without the library calls return zero" says missing 'none 0'
expect "all functions or none" says lacking 'none 0'
expect "others stand in for them" says standing_in 'alone 7'
exit "$failed"
