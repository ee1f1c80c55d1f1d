/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/target.h"

#include "base/error.h"
#include "base/ip.h"

const char *target_parse(struct http_target *target, struct str method, struct str text)
{
    *target = (struct http_target){.has_query = false};
    if (str_eq(text, STR("*"))) {
        if (!str_eq(method, STR("OPTIONS")))
            return "the target * belongs to OPTIONS alone";
        target->path = text;
        return NULL;
    }
    if (text.n == 0 || text.p[0] != '/') {
        size_t scheme = str_starts_nocase(text, STR("http://"))    ? 7
                        : str_starts_nocase(text, STR("https://")) ? 8
                                                                   : 0;
        if (scheme == 0)
            return "the target is neither a path nor an http URL";
        text = str_slice(text, scheme, text.n);
        size_t end = 0;
        while (end < text.n && text.p[end] != '/' && text.p[end] != '?')
            end++;
        target->authority = str_slice(text, 0, end);
        if (end == 0)
            return "the target URL has no host";
        text = str_slice(text, end, text.n);
    }
    size_t mark = str_find_char(text, '?', 0);
    target->path = str_slice(text, 0, mark);
    target->has_query = mark < text.n;
    target->query = str_slice(text, mark + 1, text.n);
    if (target->path.n == 0)
        target->path = STR("/");
    return NULL;
}

static bool is_unreserved(unsigned c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Whether the path is in normal form already: the usual case, decided in one pass. */
static bool is_normal(struct str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '%')
            return false;
        if (path.p[i] == '.' && i > 0 && path.p[i - 1] == '/')
            return false;
    }
    return true;
}

/* Decodes one escape at path.p[i]; the reason for a refusal, or NULL with what to write. */
static const char *normalize_escape(struct str path, size_t i, char out[3], size_t *ret_n)
{
    uint64_t c;
    if (str_hex_to_u64(str_slice(path, i + 1, i + 3), 255, &c) != 0 || path.n - i < 3)
        return "the path has a broken percent escape";
    if (c < 0x20 || c == 0x7f)
        return "the path has an encoded control character";
    if (is_unreserved((unsigned)c)) {
        out[0] = (char)c;
        *ret_n = 1;
        return NULL;
    }
    static const char digits[] = "0123456789ABCDEF";
    out[0] = '%';
    out[1] = digits[c >> 4];
    out[2] = digits[c & 15];
    *ret_n = 3;
    return NULL;
}

/* Removes dot segments in place (RFC 3986 §5.2.4); ".." at the root stays at the root. */
static size_t remove_dots(char *p, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i + 1; /* p[i] is '/' */
        while (end < n && p[end] != '/')
            end++;
        struct str segment = str_make(p + i + 1, end - i - 1);
        bool last = end == n;
        if (str_eq(segment, STR("."))) {
            if (last)
                p[to++] = '/';
        } else if (str_eq(segment, STR(".."))) {
            while (to > 0 && p[--to] != '/')
                continue;
            if (last)
                p[to++] = '/';
        } else {
            memmove(p + to, p + i, end - i);
            to += end - i;
        }
        i = end;
    }
    if (to == 0)
        p[to++] = '/';
    return to;
}

const char *target_unescape(struct str path, char *out, struct str *ret_path)
{
    size_t n = 0;
    for (size_t i = 0; i < path.n;) {
        if (path.p[i] != '%') {
            out[n++] = path.p[i++];
            continue;
        }
        char piece[3];
        size_t piece_n;
        const char *why = normalize_escape(path, i, piece, &piece_n);
        if (why != NULL)
            return why;
        memcpy(out + n, piece, piece_n);
        n += piece_n;
        i += 3;
    }
    *ret_path = str_make(out, n);
    return NULL;
}

const char *target_normalize(struct str path, char *out, struct str *ret_path)
{
    struct str unescaped;
    *ret_path = path;
    if (path.n == 0 || path.p[0] != '/' || is_normal(path))
        return NULL;
    const char *why = target_unescape(path, out, &unescaped);
    if (why != NULL)
        return why;
    *ret_path = str_make(out, remove_dots(out, unescaped.n));
    return NULL;
}

/* Letters, digits, '-', '.', '_': what a host name may hold (RFC 952, and the underscore people
 * use). */
static bool is_host_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool good = is_unreserved(c) && c != '~';
        if (!good)
            return false;
    }
    return s.n > 0;
}

/* ":80", ":" or nothing behind a host. */
static bool parse_port(struct str s, uint16_t *ret_port)
{
    uint64_t number = 0;
    if (s.n > 0 && s.p[0] != ':')
        return false;
    if (s.n > 1 && str_to_u64(str_slice(s, 1, s.n), 1, 65535, &number) != 0)
        return false;
    *ret_port = (uint16_t)number;
    return true;
}

const char *target_host(struct str text, char out[static 256], struct str *ret_host,
                        uint16_t *ret_port)
{
    struct str host = text, port = STR_EMPTY;
    if (text.n > 0 && text.p[0] == '[') {
        size_t end = str_find_char(text, ']', 0);
        struct ip ip;
        if (end == text.n || ip_parse(str_slice(text, 1, end), &ip) != 0 || ip_is_v4(ip))
            return "the host is not a valid IPv6 address";
        host = str_slice(text, 0, end + 1);
        port = str_slice(text, end + 1, text.n);
    } else {
        size_t colon = str_find_char(text, ':', 0);
        host = str_slice(text, 0, colon);
        port = str_slice(text, colon, text.n);
        if (!is_host_name(host))
            return "the host has a character that is not allowed";
    }
    if (!parse_port(port, ret_port))
        return "the host's port is not a number from 1 to 65535";
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--; /* the root's dot: the same name */
    if (host.n > 255 || host.n == 0)
        return "the host is longer than a name can be";
    for (size_t i = 0; i < host.n; i++)
        out[i] = str_lower_char(host.p[i]);
    *ret_host = str_make(out, host.n);
    return NULL;
}
