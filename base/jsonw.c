/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonw.h"

#include <math.h>

void jsonw_init(struct jsonw *w, struct buf *out)
{
    *w = (struct jsonw){.out = out};
}

/* The comma before an item where one is due. */
static void begin_item(struct jsonw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    uint32_t bit = UINT32_C(1) << w->depth;
    CHECK(w->depth == 0 || !(w->is_object & bit));
    if (w->has_items & bit)
        buf_add_char(w->out, ',');
    w->has_items |= bit;
}

static void open_container(struct jsonw *w, bool object)
{
    begin_item(w);
    CHECK(w->depth < JSONW_DEPTH_MAX);
    w->depth++;
    uint32_t bit = UINT32_C(1) << w->depth;
    w->has_items &= ~bit;
    w->is_object = object ? w->is_object | bit : w->is_object & ~bit;
    buf_add_char(w->out, object ? '{' : '[');
}

void jsonw_object(struct jsonw *w)
{
    open_container(w, true);
}

void jsonw_array(struct jsonw *w)
{
    open_container(w, false);
}

void jsonw_end(struct jsonw *w)
{
    CHECK(w->depth > 0 && !w->after_key);
    buf_add_char(w->out, (w->is_object & (UINT32_C(1) << w->depth)) ? '}' : ']');
    w->depth--;
}

void jsonw_key_str(struct jsonw *w, struct str key)
{
    uint32_t bit = UINT32_C(1) << w->depth;
    CHECK(w->depth > 0 && (w->is_object & bit) && !w->after_key);
    if (w->has_items & bit)
        buf_add_char(w->out, ',');
    w->has_items |= bit;
    jsonw_quote(w->out, key);
    buf_add_char(w->out, ':');
    w->after_key = true;
}

void jsonw_key(struct jsonw *w, const char *key)
{
    jsonw_key_str(w, str_from(key));
}

void jsonw_str(struct jsonw *w, struct str value)
{
    begin_item(w);
    jsonw_quote(w->out, value);
}

void jsonw_cstr(struct jsonw *w, const char *value)
{
    jsonw_str(w, str_from(value));
}

void jsonw_u64(struct jsonw *w, uint64_t value)
{
    begin_item(w);
    buf_add_u64(w->out, value);
}

void jsonw_i64(struct jsonw *w, int64_t value)
{
    begin_item(w);
    buf_add_i64(w->out, value);
}

void jsonw_double(struct jsonw *w, double value)
{
    begin_item(w);
    if (isfinite(value))
        buf_printf(w->out, "%.15g", value);
    else
        buf_add_lit(w->out, "null");
}

void jsonw_bool(struct jsonw *w, bool value)
{
    begin_item(w);
    buf_add_cstr(w->out, value ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
    begin_item(w);
    buf_add_lit(w->out, "null");
}

void jsonw_raw(struct jsonw *w, struct str json)
{
    begin_item(w);
    buf_add_str(w->out, json);
}

/* How many bytes at p are one valid UTF-8 character; 0 where they are none. */
static size_t utf8_length(const char *p, size_t n)
{
    for (size_t len = 2; len <= 4 && len <= n; len++) {
        if (str_is_utf8(str_make(p, len)))
            return len;
    }
    return 0;
}

static void add_escape(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add_lit(out, "\\\"");
        break;
    case '\\':
        buf_add_lit(out, "\\\\");
        break;
    case '\n':
        buf_add_lit(out, "\\n");
        break;
    case '\r':
        buf_add_lit(out, "\\r");
        break;
    case '\t':
        buf_add_lit(out, "\\t");
        break;
    default:
        buf_printf(out, "\\u%04x", c);
    }
}

void jsonw_quote(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    size_t plain = 0; /* start of the run that needs no escape */
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        if (likely(c >= ' ' && c < 0x7f && c != '"' && c != '\\')) {
            i++;
            continue;
        }
        size_t len = c >= 0x80 ? utf8_length(s.p + i, s.n - i) : 0;
        if (len > 0) {
            i += len;
            continue;
        }
        buf_add(out, s.p + plain, i - plain);
        if (c >= 0x80)
            buf_add_lit(out, "\\ufffd");
        else
            add_escape(out, c);
        plain = ++i;
    }
    if (s.n > plain)
        buf_add(out, s.p + plain, s.n - plain);
    buf_add_char(out, '"');
}
