/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_text.h"

void store_bind_uuid_or_null(struct db_stmt *st, int index, const struct uuid *id)
{
    if (uuid_is_none(id))
        db_bind_null(st, index);
    else
        store_bind_uuid(st, index, id);
}

struct uuid store_uuid(struct db_stmt *st, int column)
{
    struct uuid id = {.b = {0}};
    struct str blob = db_blob(st, column);
    if (blob.n == sizeof(id.b))
        memcpy(id.b, blob.p, sizeof(id.b));
    return id;
}

size_t store_name_index(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(name, names[i]))
            return i;
    }
    CHECK(false);
    return 0;
}

void store_bind_time(struct db_stmt *st, int index, struct wall t)
{
    if (t.us != 0)
        db_bind_i64(st, index, t.us);
    else
        db_bind_null(st, index);
}

struct str store_like(struct buf *out, struct str what)
{
    what = str_slice(what, 0, STORE_SEARCH_MAX);
    buf_add_char(out, '%');
    for (size_t i = 0; i < what.n; i++) {
        if (what.p[i] == '%' || what.p[i] == '_' || what.p[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, what.p[i]);
    }
    buf_add_char(out, '%');
    CHECK(buf_finish(out) == 0); /* the ceiling has room for every character escaped */
    return buf_str(out);
}
