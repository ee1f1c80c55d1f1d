/* SPDX-License-Identifier: Apache-2.0 */
#include "base/gzip.h"

#define ZLIB_CONST /* its input is const */
#include <zlib.h>

#define LEVEL 3 /* log lines come to a seventh already; level 6 costs twice the time */
#define WINDOW_GZIP (15 + 16) /* the largest window, and gzip's header instead of zlib's */
#define MEMORY_LEVEL 8

int gzip_add(struct buf *out, struct str in)
{
    z_stream z = {.next_in = (const Bytef *)in.p, .avail_in = (uInt)in.n};
    CHECK(in.n <= UINT32_MAX);
    CHECK(deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) ==
          Z_OK);
    uLong bound = deflateBound(&z, (uLong)in.n);
    char *to = buf_reserve(out, bound);
    int r = to != NULL ? 0 : E_TOO_LARGE;
    if (r == 0) {
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)bound;
        /* with room for the worst case one call does it all */
        CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
        buf_advance(out, bound - z.avail_out);
    }
    deflateEnd(&z);
    return r;
}
