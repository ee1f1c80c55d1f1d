/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32.h"

#include <zlib.h>

uint32_t crc32_add(uint32_t crc, const void *p, size_t n)
{
    /* zlib takes a NULL pointer as "give me the initial value", whatever crc is */
    if (n == 0)
        return crc;
    return (uint32_t)crc32_z(crc, p, n);
}
