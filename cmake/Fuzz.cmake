# SPDX-License-Identifier: Apache-2.0
# Each tests/fuzz/x_fuzz.c is a libFuzzer program (LLVMFuzzerTestOneInput) linked to the highest room there is
# and all below it; its corpus lies in tests/fuzz/corpus/x/, inputs that once broke it in
# tests/fuzz/regression/x/. tests/run gives each some seconds; to look for longer:
#   build-clang/fuzz/x_fuzz -max_total_time=3600 WORK tests/fuzz/corpus/x
if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "WEIR_FUZZ needs clang: cmake --preset clang")
endif()

# every room reports what it covers; only the harnesses have libFuzzer's main
target_compile_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)
target_link_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)

foreach(room base analytics gateway portal appliance)
  if(TARGET weir_${room})
    set(fuzz_room weir_${room})
  endif()
endforeach()

file(GLOB harnesses CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c)
foreach(source ${harnesses})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${fuzz_room})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_compile_options(${name} PRIVATE -Wno-missing-prototypes) # libFuzzer's entry point has no header
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endforeach()
