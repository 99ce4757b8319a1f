# SPDX-License-Identifier: GPL-2.0-or-later
# libobs for the Linux build, as PkgConfig::LIBOBS. pkg-config tells the version and the library, but
# its flags are not taken over: those of libobs 32 name the folder above the headers, and bring the
# warnings and the visibility that OBS itself is compiled with.
pkg_check_modules(LIBOBS QUIET "libobs>=29.0")
if(NOT LIBOBS_FOUND)
  return()
endif()
pkg_get_variable(obs_include_dir libobs includedir)
find_path(FVSR_OBS_INCLUDE_DIR obs-module.h
          HINTS ${LIBOBS_INCLUDE_DIRS} ${obs_include_dir}
          PATH_SUFFIXES obs)
if(NOT FVSR_OBS_INCLUDE_DIR)
  message(WARNING "libobs ${LIBOBS_VERSION} has no obs-module.h in ${obs_include_dir}")
  return()
endif()

add_library(PkgConfig::LIBOBS INTERFACE IMPORTED GLOBAL)
target_include_directories(PkgConfig::LIBOBS INTERFACE ${FVSR_OBS_INCLUDE_DIR})
target_link_libraries(PkgConfig::LIBOBS INTERFACE ${LIBOBS_LINK_LIBRARIES})
if(EXISTS ${FVSR_OBS_INCLUDE_DIR}/obsconfig.h)
  target_compile_definitions(PkgConfig::LIBOBS INTERFACE HAVE_OBSCONFIG_H)
endif()
