# SPDX-License-Identifier: Apache-2.0
# The libraries Weir links, all of them Debian's (appliance/packaging/packages lists them).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(PACKAGES REQUIRED IMPORTED_TARGET
  sqlite3 libsodium jansson yaml-0.1 libcurl zlib libpcre2-8)
add_library(weir_packages INTERFACE)
target_link_libraries(weir_packages INTERFACE PkgConfig::PACKAGES Threads::Threads m)
