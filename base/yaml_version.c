/* SPDX-License-Identifier: Apache-2.0 */
#include "base/libraries.h"
#include "base/str.h"

#include <yaml.h>

void yaml_library_version(char out[static LIBRARY_VERSION_MAX])
{
    str_copy(str_from(yaml_get_version_string()), out, LIBRARY_VERSION_MAX);
}
