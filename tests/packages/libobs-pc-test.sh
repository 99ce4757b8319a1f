#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libobs.pc of OBS 32 names the folder above libobs' headers and OBS' own compiler flags, warnings as
# errors among them: the headers are found all the same, and the flags are not taken over.
#
#	libobs-pc-test.sh SOURCE_FOLDER
set -uo pipefail

source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/expect.sh
. "$source/tests/expect.sh"

headers=$(pkg-config --variable=includedir libobs)
[ -f "$headers/obs-module.h" ] || headers+=/obs
mkdir -p "$work/include" "$work/pc"
ln -s "$headers" "$work/include/obs"
cat >"$work/pc/libobs.pc" <<-END
	libdir=$(pkg-config --variable=libdir libobs)
	includedir=$work/include
	Name: libobs
	Description: as OBS 32 describes it
	Version: 32.2.2
	Cflags: -I\${includedir} -Werror -DHAVE_OBSCONFIG_H
	Libs: -L\${libdir} -lobs
END
cat >"$work/CMakeLists.txt" <<-END
	cmake_minimum_required(VERSION 3.22)
	project(finds-libobs C)
	find_package(PkgConfig REQUIRED)
	include($source/cmake/ObsForLinux.cmake)
	add_library(module MODULE module.c)
	target_compile_options(module PRIVATE -Wall)
	target_link_libraries(module PRIVATE PkgConfig::LIBOBS)
END
cat >"$work/module.c" <<-END
	#include <obs-module.h>
	OBS_DECLARE_MODULE()
	bool obs_module_load(void) { int not_used; return obs_get_version() > 0; }
END
export PKG_CONFIG_PATH=$work/pc
expect "libobs is found" cmake -S "$work" -B "$work/build"
expect "a module is built with it, warnings or not" cmake --build "$work/build"
expect "from these headers" grep -qF "$work/include/obs" "$work/build/CMakeCache.txt"
exit "$failed"
