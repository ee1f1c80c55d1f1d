/* SPDX-License-Identifier: Apache-2.0 */
#include "base/libraries.h"
#include "base/str.h"

#include <civetweb.h>

void http_library_version(char out[static LIBRARY_VERSION_MAX])
{
    str_copy(str_from(mg_version()), out, LIBRARY_VERSION_MAX);
}
