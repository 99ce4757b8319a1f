# SPDX-License-Identifier: GPL-2.0-or-later
# Packages for Linux: `cpack -G DEB` and `cpack -G TGZ` (scripts/package.sh calls both). Two Debian
# packages: what people use, and what programs are built with. Dependencies are found out from the
# files by dpkg-shlibdeps.
set(debian ${PROJECT_SOURCE_DIR}/installer/debian)
set(made ${PROJECT_BINARY_DIR}/packages)
# Which release of Debian the packages are for: they depend on the names that libraries have there.
set(FVSR_DEB_SUITE unstable CACHE STRING "suite that the Debian packages are for")
set(FVSR_DEB_ENDING "" CACHE STRING "end of their version, such as ~deb12u1")

# ---- the library, for other programs -----------------------------------------------------------

# Static, so whoever links it links what it uses, too.
set(FVSR_PC_LIBS "-lfvsr")
set(uses_dnnl ${FVSR_ONEDNN})
if(uses_dnnl AND DNNL_LIBRARY)
  string(APPEND FVSR_PC_LIBS " -ldnnl")
endif()
if(OpenMP_C_FOUND)
  string(APPEND FVSR_PC_LIBS " ${OpenMP_C_FLAGS}")
elseif(FVSR_OPENMP AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  string(APPEND FVSR_PC_LIBS " -fopenmp")
endif()
string(APPEND FVSR_PC_LIBS " -pthread -ldl -lm")
configure_file(${debian}/fvsr.pc.in ${made}/fvsr.pc @ONLY)
install(TARGETS fvsr ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/core/include/fvsr/fvsr.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fvsr COMPONENT dev)
install(FILES ${made}/fvsr.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

# ---- texts -------------------------------------------------------------------------------------

# The changelog's and the manual's date is the last commit's: the same files from the same tree.
set(epoch $ENV{SOURCE_DATE_EPOCH})
set(epoch_given ${epoch})
if(NOT epoch)
  execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct
                  OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT epoch)
  string(TIMESTAMP epoch %s UTC)
endif()
set(FVSR_EPOCH ${epoch} CACHE INTERNAL "date of the texts, seconds since 1970")
set(ENV{SOURCE_DATE_EPOCH} ${epoch})
string(TIMESTAMP FVSR_DATE "%Y-%m-%d" UTC)
string(TIMESTAMP FVSR_DATE_822 "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(ENV{SOURCE_DATE_EPOCH} ${epoch_given})
configure_file(${debian}/fvsr.1.in ${made}/fvsr.1 @ONLY)
configure_file(${debian}/changelog.in ${made}/changelog @ONLY)
set(FVSR_METAINFO com.obsproject.Studio.Plugin.FlashVSR.metainfo.xml)
configure_file(${PROJECT_SOURCE_DIR}/installer/flatpak/${FVSR_METAINFO}.in
               ${made}/${FVSR_METAINFO} @ONLY)
option(FVSR_FLATPAK "install the description of the Flatpak extension, too" OFF)
if(FVSR_FLATPAK)
  install(FILES ${made}/${FVSR_METAINFO} DESTINATION ${CMAKE_INSTALL_DATADIR}/metainfo)
endif()
find_program(GZIP gzip)
if(NOT GZIP)
  return()
endif()
foreach(text fvsr.1 changelog)
  execute_process(COMMAND ${GZIP} -9 -n -c ${made}/${text} OUTPUT_FILE ${made}/${text}.gz)
endforeach()
if(TARGET fvsr-cli)
  install(FILES ${made}/fvsr.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
foreach(pair "obs-flashvsr|Unspecified" "libfvsr-dev|dev")
  string(REPLACE "|" ";" pair ${pair})
  list(GET pair 0 package)
  list(GET pair 1 component)
  set(doc ${CMAKE_INSTALL_DATADIR}/doc/${package})
  install(FILES ${debian}/copyright DESTINATION ${doc} COMPONENT ${component})
  install(FILES ${made}/changelog.gz DESTINATION ${doc} COMPONENT ${component})
endforeach()

# ---- packages ----------------------------------------------------------------------------------

set(CPACK_PACKAGE_NAME obs-flashvsr)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "The obs-flashvsr authors")
set(CPACK_PACKAGE_CONTACT "The obs-flashvsr authors <obs-flashvsr@localhost.localdomain>")
set(CPACK_PACKAGE_FILE_NAME obs-flashvsr-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL Unspecified dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION}${FVSR_DEB_ENDING})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME obs-flashvsr)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_SECTION video)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_ENHANCES obs-studio)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_RECOMMENDS obs-studio)
# OBS refuses a plugin that was built against a later version than its own, except the last number.
if(LIBOBS_VERSION MATCHES "^[0-9]+\\.[0-9]+")
  set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_BREAKS "obs-studio (<< ${CMAKE_MATCH_0}~)")
endif()
set(CPACK_COMPONENT_UNSPECIFIED_DESCRIPTION
    "filter for OBS Studio that upscales live video with FlashVSR
Makes the picture of a source two, three or four times as large while it
plays, with a streaming diffusion network. Runs on NVIDIA graphics cards
and, with a small model, on processors.

The command line fvsr does the same to files and pipes, and converts released
weights.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libfvsr-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libjansson-dev, libzip-dev")
if(uses_dnnl AND DNNL_LIBRARY)
  string(APPEND CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ", libdnnl-dev")
endif()
set(CPACK_COMPONENT_DEV_DESCRIPTION
    "streaming video super-resolution with FlashVSR (development files)
The engine of obs-flashvsr as a static library: push frames in, pull upscaled
ones out.")
include(CPack)
