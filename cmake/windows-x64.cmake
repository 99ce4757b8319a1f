# SPDX-License-Identifier: GPL-2.0-or-later
# Cross compiling for Windows x64 with Debian's mingw-w64.
#
# The variant with POSIX threads: its libgomp and its C11 atomics and pthreads are all the same
# winpthreads, which is linked statically, so a thread is the same thing everywhere in a module. The
# C runtime is msvcrt.dll, part of every Windows; nothing of it (files, heap blocks) is ever handed
# to OBS, which has another one. libgcc, libgomp and winpthreads are inside each file of ours: no
# DLL that another plugin might bring in another version, under the same name.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_VERSION 10.0)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(triplet x86_64-w64-mingw32)
set(CMAKE_C_COMPILER ${triplet}-gcc-posix)
set(CMAKE_RC_COMPILER ${triplet}-windres)
set(CMAKE_DLLTOOL ${triplet}-dlltool)

# Windows 10 and later, as OBS itself. 0x0A00 declares all that we ask it for.
add_compile_definitions(_WIN32_WINNT=0x0A00 WINVER=0x0A00)
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-static")
endforeach()

# FindOpenMP prefers the import library of a DLL.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libgomp.a
                OUTPUT_VARIABLE libgomp OUTPUT_STRIP_TRAILING_WHITESPACE)
set(OpenMP_gomp_LIBRARY ${libgomp} CACHE FILEPATH "GNU OpenMP, static")

# What scripts/windows-deps.sh made, then the compiler's own; nothing of the system that builds.
if(NOT FVSR_WINDOWS_DEPS)
  get_filename_component(FVSR_WINDOWS_DEPS ${CMAKE_CURRENT_LIST_DIR}/../build-windows-deps ABSOLUTE)
endif()
set(FVSR_WINDOWS_DEPS ${FVSR_WINDOWS_DEPS} CACHE PATH "libraries made by scripts/windows-deps.sh")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FVSR_WINDOWS_DEPS)
set(CMAKE_FIND_ROOT_PATH ${FVSR_WINDOWS_DEPS} /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${FVSR_WINDOWS_DEPS}/lib/pkgconfig)
set(PKG_CONFIG_ARGN --static)

# Tests run under Wine where it is installed; without it they are skipped.
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/run-under-wine.sh)
