# SPDX-License-Identifier: GPL-2.0-or-later
# What Explorer shows of a file: name, version, licence. The version is the project's.
enable_language(RC)

function(fvsr_version_resource target description file)
  string(REPLACE "." "," numbers ${PROJECT_VERSION})
  set(resource ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/windows-version.rc.in ${resource} @ONLY)
  target_sources(${target} PRIVATE ${resource})
endfunction()
