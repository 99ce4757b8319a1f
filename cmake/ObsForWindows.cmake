# SPDX-License-Identifier: GPL-2.0-or-later
# libobs for the Windows build: the headers of libobs-dev and an import library for obs.dll, as
# PkgConfig::LIBOBS. There is no obs.dll here to take one from, so it is made from the lists in
# obs-exports (see scripts/obs-exports.py). It has what the oldest and newer versions of OBS all
# export: whatever else the plugin called would not link.
find_path(FVSR_OBS_INCLUDE_DIR obs-module.h
          HINTS ENV OBS_INCLUDE_DIR
          PATHS /usr/include/obs /usr/local/include/obs
          NO_CMAKE_FIND_ROOT_PATH)
if(NOT FVSR_OBS_INCLUDE_DIR)
  return()
endif()
# They include SIMDe by its path in the system's own folder, which must not be searched itself.
find_path(FVSR_SIMDE_INCLUDE_DIR simde/x86/sse2.h
          PATHS /usr/include /usr/local/include
          NO_CMAKE_FIND_ROOT_PATH)
if(NOT FVSR_SIMDE_INCLUDE_DIR)
  return()
endif()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/obs-import/include)
file(CREATE_LINK ${FVSR_SIMDE_INCLUDE_DIR}/simde ${CMAKE_BINARY_DIR}/obs-import/include/simde
     SYMBOLIC)

file(STRINGS ${FVSR_OBS_INCLUDE_DIR}/obs-config.h lines REGEX "define LIBOBS_API_M[A-Z]+_VER ")
string(REGEX REPLACE "[^;0-9]+" "" numbers "${lines}")
string(REPLACE ";" "." LIBOBS_VERSION "${numbers}")

file(GLOB exports CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/obs-exports/*.txt)
set(common)
foreach(list IN LISTS exports)
  file(STRINGS ${list} names REGEX "^[a-z_]")
  if(NOT common)
    set(common ${names})
    continue()
  endif()
  list(REMOVE_ITEM names ${common})
  file(STRINGS ${list} there REGEX "^[a-z_]")
  list(REMOVE_ITEM there ${names})
  set(common ${there})
endforeach()
set(import_dir ${CMAKE_BINARY_DIR}/obs-import)
set(FVSR_OBS_NAMES ${common} CACHE INTERNAL "what every supported obs.dll exports")
list(JOIN common "\n" common)
file(GENERATE OUTPUT ${import_dir}/obs.def CONTENT "LIBRARY obs.dll\nEXPORTS\n${common}\n")
add_custom_command(
  OUTPUT ${import_dir}/libobs.dll.a
  COMMAND ${CMAKE_DLLTOOL} -d ${import_dir}/obs.def -l ${import_dir}/libobs.dll.a
  DEPENDS ${import_dir}/obs.def
  COMMENT "Import library of obs.dll"
  VERBATIM)
add_custom_target(obs-import DEPENDS ${import_dir}/libobs.dll.a)

add_library(PkgConfig::LIBOBS INTERFACE IMPORTED GLOBAL)
target_include_directories(PkgConfig::LIBOBS INTERFACE ${FVSR_OBS_INCLUDE_DIR}
                           ${import_dir}/include)
target_link_libraries(PkgConfig::LIBOBS INTERFACE ${import_dir}/libobs.dll.a)
add_dependencies(PkgConfig::LIBOBS obs-import)
