/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

/* atomic, relaxed: written at start and by a reload */
static _Atomic int current_level = LOG_INFO;
static _Atomic int current_format = LOG_LOGFMT;

static const char *const LEVELS[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

void log_configure(enum log_level level, enum log_format format)
{
    atomic_store_explicit(&current_level, level, memory_order_relaxed);
    atomic_store_explicit(&current_format, format, memory_order_relaxed);
}

/*
 * A logfmt value needs quotes when a reader could take it apart: spaces, quotes, '=', controls; and
 * where it is not UTF-8, which quoting mends.
 */
static bool needs_quotes(struct str s)
{
    if (s.n == 0 || !str_is_utf8(s))
        return true;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return true;
    }
    return false;
}

static void add_text(struct buf *b, struct str s, bool quote)
{
    if (quote)
        jsonw_quote(b, s);
    else
        buf_add_str(b, s);
}

static void add_value(struct buf *b, const struct kv *f, bool json)
{
    switch (f->type) {
    case KV_STR:
        add_text(b, f->str, json || needs_quotes(f->str));
        break;
    case KV_U64:
        buf_add_u64(b, f->u64);
        break;
    case KV_I64:
        buf_add_i64(b, f->i64);
        break;
    case KV_DOUBLE:
        if (json && !isfinite(f->number))
            buf_add_lit(b, "null");
        else
            buf_printf(b, "%.6g", f->number);
        break;
    case KV_BOOL:
        buf_add_cstr(b, f->boolean ? "true" : "false");
        break;
    case KV_END:
        break;
    }
}

/* A field that does not fit is left out as a whole: a reader could not take half of one apart. */
static void add_fields(struct buf *b, va_list fields, bool json)
{
    for (;;) {
        struct kv f = va_arg(fields, struct kv);
        size_t before = b->n;
        if (f.type == KV_END)
            return;
        buf_printf(b, json ? ",\"%s\":" : " %s=", f.key);
        add_value(b, &f, json);
        if (b->failed) {
            b->n = before;
            b->failed = false;
        }
    }
}

void log_write(enum log_level level, const char *message, ...)
{
    if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed))
        return;
    bool json = atomic_load_explicit(&current_format, memory_order_relaxed) == LOG_JSON;
    char line[LOG_LINE_MAX], time[CLOCK_TEXT_MAX];
    struct buf b;
    /* two bytes are kept back for the end of the line */
    buf_init_fixed(&b, line, sizeof(line) - 2);
    wall_format(clock_wall(), time);
    buf_printf(&b,
               json ? "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":" : "time=%s level=%s msg=", time,
               LEVELS[level]);
    add_text(&b, str_from(message), json || needs_quotes(str_from(message)));
    va_list fields;
    va_start(fields, message);
    add_fields(&b, fields, json);
    va_end(fields);
    size_t n = b.n;
    if (json)
        line[n++] = '}';
    line[n++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored;
}
