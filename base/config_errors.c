/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config_errors.h"

#include "base/error.h"

#include <stdio.h>

void config_errors_init(struct config_errors *errors, const char *file)
{
    errors->file = file;
    errors->count = 0;
}

unsigned config_errors_kept(const struct config_errors *errors)
{
    return errors->count < CONFIG_ERRORS_MAX ? errors->count : CONFIG_ERRORS_MAX;
}

/* The slot for a fault at that position, made free; NULL when later than all of a full list. */
static struct config_error *make_room(struct config_errors *errors, unsigned line, unsigned column)
{
    unsigned kept = config_errors_kept(errors), at = kept;
    while (at > 0) {
        const struct config_error *before = &errors->items[at - 1];
        if (before->line < line || (before->line == line && before->column <= column))
            break;
        at--;
    }
    if (at == CONFIG_ERRORS_MAX)
        return NULL;
    unsigned moved = (kept < CONFIG_ERRORS_MAX ? kept : CONFIG_ERRORS_MAX - 1) - at;
    memmove(&errors->items[at + 1], &errors->items[at], moved * sizeof(errors->items[0]));
    return &errors->items[at];
}

static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            *text = '?';
    }
}

int config_errors_vadd(struct config_errors *errors, unsigned line, unsigned column,
                       const char *fmt, va_list ap)
{
    struct config_error *item = make_room(errors, line, column);
    errors->count++;
    if (item == NULL)
        return E_CONFIG;
    size_t size = sizeof(item->text);
    int n = line > 0 ? snprintf(item->text, size, "%s:%u:%u: error: ", errors->file, line, column)
                     : snprintf(item->text, size, "%s: error: ", errors->file);
    if (n >= 0 && (size_t)n < size)
        vsnprintf(item->text + n, size - (size_t)n, fmt, ap);
    make_printable(item->text);
    item->line = line;
    item->column = column;
    return E_CONFIG;
}

int config_errors_add(struct config_errors *errors, unsigned line, unsigned column, const char *fmt,
                      ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = config_errors_vadd(errors, line, column, fmt, ap);
    va_end(ap);
    return r;
}

void config_errors_print(const struct config_errors *errors, struct buf *out)
{
    unsigned kept = config_errors_kept(errors);
    for (unsigned i = 0; i < kept; i++)
        buf_printf(out, "%s\n", errors->items[i].text);
    if (errors->count > kept)
        buf_printf(out, "%s: error: and %u more\n", errors->file, errors->count - kept);
}
