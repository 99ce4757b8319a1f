# SPDX-License-Identifier: GPL-2.0-or-later
# Toolchain file of the portable build for Linux, to be used in Debian 11 with what
# scripts/portable-deps.sh made. Its files need nothing but libobs and a C library of 2.31: Jansson,
# libzip and zlib are inside them; OpenMP, libcurl and oneDNN are opened at run time. FFmpeg cannot
# be: its structures change from version to version, so `fvsr` is without `upscale`, as on Windows.
set(FVSR_PORTABLE ON)
if(NOT FVSR_PORTABLE_DEPS)
  get_filename_component(FVSR_PORTABLE_DEPS ${CMAKE_CURRENT_LIST_DIR}/../build-portable-deps ABSOLUTE)
endif()
set(FVSR_PORTABLE_DEPS ${FVSR_PORTABLE_DEPS} CACHE PATH "what scripts/portable-deps.sh made")
# Where everything lies below the home folder of whoever unpacks it.
set(FVSR_PORTABLE_FOLDER .local/share/obs-studio/plugins/obs-flashvsr)
set(CMAKE_INSTALL_DATAROOTDIR .local/share CACHE PATH "")
set(FVSR_DNNL_NAME fvsr-dnnl.so)
set(FVSR_FFMPEG OFF CACHE BOOL "upscaling of files, through FFmpeg's libraries")

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FVSR_PORTABLE_DEPS)
set(CMAKE_PREFIX_PATH ${FVSR_PORTABLE_DEPS})
set(ENV{PKG_CONFIG_LIBDIR} ${FVSR_PORTABLE_DEPS}/lib/pkgconfig)
set(PKG_CONFIG_ARGN --static)
include_directories(SYSTEM ${FVSR_PORTABLE_DEPS}/include)
