# SPDX-License-Identifier: Apache-2.0
# The warnings of docs/style.md, as errors, and the hardening of release builds: one interface library that
# every room links.
add_library(weir_flags INTERFACE)

target_include_directories(weir_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(weir_flags INTERFACE _GNU_SOURCE WEIR_VERSION="${PROJECT_VERSION}")
target_compile_features(weir_flags INTERFACE c_std_17)
target_compile_options(weir_flags INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-std=gnu17;-include;${CMAKE_SOURCE_DIR}/base/banned.h>
  $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wswitch-enum;-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes;-Wvla;-Wformat=2;-Wwrite-strings;-Wundef;-fno-common;-Werror>
  # CHECK(!"reason") is how a place that cannot be reached is marked
  $<$<COMPILE_LANG_AND_ID:C,Clang>:-Wno-string-conversion>
  -g -fno-omit-frame-pointer)

# A stack of a fiber is small and guarded: a frame that could jump over the guard is an error.
target_compile_options(weir_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Wframe-larger-than=65536>)

set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_DEBUG "-O0")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(weir_flags INTERFACE
    $<$<COMPILE_LANGUAGE:C>:-D_FORTIFY_SOURCE=2;-fstack-protector-strong;-fstack-clash-protection>)
endif()
target_link_options(weir_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)

if(WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=undefined)
  target_link_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE})
  # each piece of an arena is a malloc of its own, so that an overrun is seen
  target_compile_definitions(weir_flags INTERFACE ARENA_MALLOC)
endif()
