/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/form.h"

#include "base/buf.h"
#include "base/error.h"

int form_decode(struct arena *arena, struct str s, struct str *ret_text)
{
    size_t n = 0;
    char *out = arena_alloc(arena, s.n + 1);
    if (out == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t c = (unsigned char)s.p[i];
        if (c == '%') {
            if (s.n - i < 3 || str_hex_to_u64(str_slice(s, i + 1, i + 3), 255, &c) != 0)
                return E_INVALID;
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out[n++] = (char)(unsigned char)c;
    }
    *ret_text = str_make(out, n);
    return 0;
}

int form_next(struct arena *arena, struct str *rest, struct str *ret_name, struct str *ret_value)
{
    while (rest->p != NULL) {
        struct str value = str_cut(rest, '&');
        if (value.n == 0)
            continue;
        struct str name = str_cut(&value, '=');
        int r = form_decode(arena, name, ret_name);
        if (r == 0)
            r = form_decode(arena, value, ret_value);
        return r == 0 ? 1 : r;
    }
    return 0;
}

void form_encode(struct buf *out, struct str s)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            buf_add_char(out, (char)c);
            continue;
        }
        buf_add_char(out, '%');
        buf_add_char(out, HEX[c >> 4]);
        buf_add_char(out, HEX[c & 15]);
    }
}
