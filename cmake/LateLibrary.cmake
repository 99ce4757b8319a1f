# SPDX-License-Identifier: GPL-2.0-or-later
# Libraries that the portable build opens at run time, on Linux as on Windows, so that no file of it
# names them and none need be there: what was compiled against their headers calls functions of our
# own by the same names, which jump to where the library has them.
#
#	fvsr_late_library(TARGET NAME FUNCTIONS name... [FILES library...] [WITHOUT header])
#
# FILES are tried in their order when the module is loaded. Without FILES nothing is opened, and the
# module calls fvsr_late_NAME() with what it has opened itself. WITHOUT is a header with functions
# without_NAME that stand in where the library is missing; other calls then return zero.
set(FVSR_LATE_TEMPLATE ${CMAKE_CURRENT_LIST_DIR}/late-library.c.in)

function(fvsr_late_library target library)
  cmake_parse_arguments(late "" "WITHOUT" "FILES;FUNCTIONS" ${ARGN})
  list(TRANSFORM late_FUNCTIONS REPLACE "(.+)" "X(\\1)")
  list(JOIN late_FUNCTIONS " \\\n\t" functions)
  list(TRANSFORM late_FILES REPLACE "(.+)" "\"\\1\",")
  list(JOIN late_FILES " " files)
  set(without)
  if(late_WITHOUT)
    set(without "#include \"${late_WITHOUT}\"")
  endif()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/late-${library}.c)
  configure_file(${FVSR_LATE_TEMPLATE} ${source} @ONLY)
  target_sources(${target} PRIVATE ${source})
endfunction()
