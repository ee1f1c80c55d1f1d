/* SPDX-License-Identifier: Apache-2.0 */
#include "base/embedded.h"

const struct embedded_file *embedded_find(const struct embedded_file *table, struct str name)
{
    for (const struct embedded_file *f = table; f->name != NULL; f++) {
        if (str_eq(str_from(f->name), name))
            return f;
    }
    return NULL;
}
