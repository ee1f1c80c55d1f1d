# SPDX-License-Identifier: Apache-2.0
# Each tests/unit/ROOM/x_test.c is a program that links ROOM's library and what lies below it, nothing above.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
foreach(room base analytics gateway portal appliance)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${room}/*_test.c)
  foreach(source ${tests})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${room}_${name} ${source})
    target_link_libraries(${room}_${name} PRIVATE weir_${room} PkgConfig::CMOCKA)
    target_include_directories(${room}_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit)
    set_target_properties(${room}_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
    add_test(NAME ${room}/${name} COMMAND ${room}_${name})
    set_tests_properties(${room}/${name} PROPERTIES TIMEOUT 300)
  endforeach()
endforeach()

# The pages of docs/reference/ are what their generator prints now.
if(TARGET weir_appliance)
  add_executable(reference docs/reference/generate.c)
  target_link_libraries(reference PRIVATE weir_appliance)
  set_target_properties(reference PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
  foreach(page commands configuration metrics policies problems record)
    add_test(NAME docs/${page} COMMAND sh -c
      "'$<TARGET_FILE:reference>' ${page} | diff -u '${CMAKE_SOURCE_DIR}/docs/reference/${page}.md' - || { echo 'run docs/reference/update'; exit 1; }")
  endforeach()
endif()
