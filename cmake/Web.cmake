# SPDX-License-Identifier: Apache-2.0
# The browser code of web/: bundled by esbuild at build time and embedded as the table `web_files` into the
# room that serves it. The names of the bundles carry a hash, so they are known only after the build: the
# table's source is written then, by this file run as a script (cmake -P) on the folder of bundles.
if(CMAKE_SCRIPT_MODE_FILE)
  include(${CMAKE_CURRENT_LIST_DIR}/Embed.cmake)
  file(GLOB files ${FOLDER}/*)
  list(SORT files)
  weir_embed_source(${OUTPUT} web_files ${files})
  # an unchanged table is not rewritten, but its bytes may be others
  file(TOUCH ${OUTPUT})
  return()
endif()

find_program(WEIR_NODE node REQUIRED)
find_program(WEIR_NPM npm REQUIRED)

set(web_out ${CMAKE_BINARY_DIR}/web)
set(web_table ${CMAKE_BINARY_DIR}/embed/web_files.S)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/* ${CMAKE_SOURCE_DIR}/web/*.html
     ${CMAKE_SOURCE_DIR}/web/messages/*.json)

add_custom_command(
  OUTPUT ${web_table}
  COMMAND ${CMAKE_SOURCE_DIR}/cmake/npm-ci ${CMAKE_SOURCE_DIR}/web
  COMMAND ${WEIR_NODE} ${CMAKE_SOURCE_DIR}/web/build.mjs ${web_out}
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${web_out} -DOUTPUT=${web_table} -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/web/build.mjs ${CMAKE_SOURCE_DIR}/web/package.json
          ${CMAKE_SOURCE_DIR}/web/package-lock.json ${CMAKE_SOURCE_DIR}/cmake/npm-ci
          ${CMAKE_CURRENT_LIST_FILE} ${CMAKE_CURRENT_LIST_DIR}/Embed.cmake
  COMMENT "Bundling the web assets"
  VERBATIM)
target_sources(weir_appliance PRIVATE ${web_table})
