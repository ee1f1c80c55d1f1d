/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const TEXTS[] = {
#define X(name, text) [name##_INDEX_] = text,
#include "base/errors.def"
#undef X
};

void check_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "weir: bug: %s:%d: %s does not hold\n", file, line, cond);
    abort();
}

const char *error_text(int code)
{
    if (code == 0)
        return "no error";
    if (code >= E_BEFORE_FIRST)
        return "unknown error";
    int index = E_BEFORE_FIRST - code;
    if (index >= (int)ARRAY_LEN(TEXTS) || TEXTS[index] == NULL)
        return "unknown error";
    return TEXTS[index];
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
    CHECK(code != 0);
    if (err == NULL || err->code != 0)
        return code;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    err->code = code;
    return code;
}

int error_set_errno(struct error *err, int code, int saved_errno, const char *fmt, ...)
{
    CHECK(code != 0);
    if (err == NULL || err->code != 0)
        return code;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(err->text)) {
        char text[128];
        /* glibc's GNU variant: the result may or may not be in the buffer */
        const char *why = strerror_r(saved_errno, text, sizeof(text));
        snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", why);
    }
    err->code = code;
    return code;
}

void error_prefix(struct error *err, const char *fmt, ...)
{
    if (err == NULL || err->code == 0)
        return;
    char prefix[ERROR_TEXT_MAX / 4], old[ERROR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(prefix, sizeof(prefix), fmt, ap);
    va_end(ap);
    memcpy(old, err->text, sizeof(old));
    /* the cut of an over-long text is wanted: the head says where, the rest is detail */
    size_t n = strlen(prefix);
    memcpy(err->text, prefix, n);
    snprintf(err->text + n, sizeof(err->text) - n, ": %.*s", (int)(sizeof(old) - n - 4), old);
}

void error_place(struct error *err, unsigned line, unsigned column)
{
    if (err == NULL || err->code == 0 || err->line != 0)
        return;
    err->line = line;
    err->column = column;
}

int error_from_errno(int saved_errno)
{
    switch (saved_errno) {
    case ENOMEM:
        return E_NOMEM;
    case EINVAL:
        return E_INVALID;
    case ENOENT:
        return E_NOT_FOUND;
    case EEXIST:
        return E_EXISTS;
    case EADDRINUSE:
    case EBUSY:
    case ETXTBSY:
        return E_BUSY;
    case ETIMEDOUT:
        return E_TIMEOUT;
    case ECANCELED:
        return E_CANCELED;
    case EPIPE:
        return E_CLOSED;
    case ECONNRESET:
    case ECONNABORTED:
        return E_RESET;
    case ECONNREFUSED:
        return E_REFUSED;
    case EACCES:
    case EPERM:
    case EROFS:
        return E_DENIED;
    case ENOSPC:
    case EDQUOT:
        return E_NO_SPACE;
    default:
        return E_IO;
    }
}
