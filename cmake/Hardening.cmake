# SPDX-License-Identifier: GPL-2.0-or-later
# What makes a memory error harder to exploit, in every file that is built: the plugin parses files
# and downloads inside another program. tests/packages/hardening.py reads the outcome from the
# installed files. A sanitized build has its own checks, and they see less where the C library's
# checked functions stand in for the ordinary ones.
if(FVSR_SANITIZE OR FVSR_BUILD_FUZZERS)
  return()
endif()

include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

# Windows needs neither of the other two: its compiler touches every page of a large stack frame
# anyway, and its loader has no use for the landing marks of indirect branches that gcc writes.
set(flags -fstack-protector-strong)
if(NOT WIN32)
  list(APPEND flags -fstack-clash-protection -fcf-protection=full)
endif()
foreach(flag IN LISTS flags)
  string(MAKE_C_IDENTIFIER "FVSR_HAS${flag}" known)
  check_c_compiler_flag(${flag} ${known})
  if(${known})
    add_compile_options(${flag})
  endif()
endforeach()

# Level 3 also checks buffers whose size is known at run time only. It needs the optimizer.
set(level 2)
if((CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
   OR (CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12))
  set(level 3)
endif()
add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
                    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=${level}>)

if(WIN32)
  # The linker is told, too: what a failed check calls is in a library of the compiler's own.
  add_link_options(-fstack-protector-strong -Wl,--dynamicbase,--high-entropy-va,--nxcompat)
else()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
