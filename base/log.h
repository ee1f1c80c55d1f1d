/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h -- the program's own log: a constant message and typed fields, one line on stderr.
 *
 *     log_info("configuration loaded", kv_str("file", path), kv_u64("apis", n));
 *
 * Levels: error = someone must act, warn = we coped, info = the state changed, debug. Calls through
 * the gateway are records (analytics/), not log lines. No secret is ever a field: there is no kv_
 * function for struct secret.
 *
 * Threads: any; a line is one write(2), so lines of several threads never mix. It may block on a
 *          full pipe: not on a request's path.
 * Memory:  the line is built on the stack, up to LOG_LINE_MAX; a field that does not fit is left
 * out. Errors:  a line that cannot be written is lost; nothing else could be done with it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/compiler.h"
#include "base/str.h"

#define LOG_LINE_MAX 4096

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Set once at start, or again by a reload. The default is info and logfmt. */
void log_configure(enum log_level level, enum log_format format);

enum kv_type { KV_END, KV_STR, KV_U64, KV_I64, KV_DOUBLE, KV_BOOL };

struct kv {
    enum kv_type type;
    const char *key; /* lower_snake_case */
    union {
        struct str str;
        uint64_t u64;
        int64_t i64;
        double number;
        bool boolean;
    };
};

static inline struct kv kv_view(const char *key, struct str value)
{
    return (struct kv){.type = KV_STR, .key = key, .str = value};
}

static inline struct kv kv_str(const char *key, const char *value)
{
    return kv_view(key, str_from(value));
}

static inline struct kv kv_u64(const char *key, uint64_t value)
{
    return (struct kv){.type = KV_U64, .key = key, .u64 = value};
}

static inline struct kv kv_i64(const char *key, int64_t value)
{
    return (struct kv){.type = KV_I64, .key = key, .i64 = value};
}

static inline struct kv kv_double(const char *key, double value)
{
    return (struct kv){.type = KV_DOUBLE, .key = key, .number = value};
}

static inline struct kv kv_bool(const char *key, bool value)
{
    return (struct kv){.type = KV_BOOL, .key = key, .boolean = value};
}

/* The end of the fields; the macros add it. */
static inline struct kv kv_end(void)
{
    return (struct kv){.type = KV_END, .key = ""};
}

/* Use the macros. What follows the message are values of struct kv, the last of them kv_end(). */
void log_write(enum log_level level, const char *message, ...);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__, kv_end())
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__, kv_end())
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__, kv_end())
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__, kv_end())

#endif
