# SPDX-License-Identifier: Apache-2.0
# CivetWeb 1.15 from Debian's source package: fetched, checked, unpacked and patched in the build folder by
# cmake/fetch-civetweb; compiled into one translation unit of ours (base/http/civetweb_unit.c). No line of it
# is kept in this repository.
set(CIVETWEB_DIR ${CMAKE_BINARY_DIR}/civetweb)
execute_process(
  COMMAND ${CMAKE_SOURCE_DIR}/cmake/fetch-civetweb ${CIVETWEB_DIR} ${CMAKE_SOURCE_DIR}/base/http/civetweb.patch
          ${WEIR_CIVETWEB_SOURCE}
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "CivetWeb's source is not available: see the lines above")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/base/http/civetweb.patch ${CMAKE_SOURCE_DIR}/cmake/fetch-civetweb)

add_library(weir_civetweb INTERFACE)
target_include_directories(weir_civetweb SYSTEM INTERFACE ${CIVETWEB_DIR}/src ${CIVETWEB_DIR}/include)
