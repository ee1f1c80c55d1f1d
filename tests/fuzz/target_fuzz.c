/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request target and a host out of arbitrary bytes. The normalised path must be its own normal
 * form, without dot segments, control characters or escapes that could be plain.
 */
#include "base/error.h"
#include "base/http/target.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_plain(uint64_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void check_normal(struct str path)
{
    for (size_t i = 0; i < path.n; i++) {
        uint64_t c;
        if (path.p[i] != '%')
            continue;
        CHECK(path.n - i >= 3 && str_hex_to_u64(str_slice(path, i + 1, i + 3), 255, &c) == 0);
        CHECK(c >= ' ' && c != 0x7f && !is_plain(c));
        CHECK(str_find_char(STR("abcdef"), path.p[i + 1], 0) == 6);
        CHECK(str_find_char(STR("abcdef"), path.p[i + 2], 0) == 6);
    }
    while (path.p != NULL) {
        struct str segment = str_cut(&path, '/');
        CHECK(!str_eq(segment, STR(".")) && !str_eq(segment, STR("..")));
    }
}

static void check_path(struct str path)
{
    char *once = malloc(path.n + 1), *twice = malloc(path.n + 1);
    struct str normal, again;
    CHECK(once != NULL && twice != NULL);
    if (target_normalize(path, once, &normal) == NULL && path.n > 0 && path.p[0] == '/') {
        CHECK(normal.n > 0 && normal.n <= path.n && normal.p[0] == '/');
        check_normal(normal);
        CHECK(target_normalize(normal, twice, &again) == NULL && str_eq(normal, again));
    }
    free(once);
    free(twice);
}

static void check_host(struct str text)
{
    char out[256], again[256];
    struct str host, same;
    uint16_t port;
    if (target_host(text, out, &host, &port) != NULL)
        return;
    CHECK(host.n > 0 && host.n <= 255 && host.n <= text.n);
    for (size_t i = 0; i < host.n; i++)
        CHECK(host.p[i] > ' ' && host.p[i] < 0x7f && host.p[i] == str_lower_char(host.p[i]));
    /* but for a second dot at the end, a host is its own normal form */
    if (host.p[host.n - 1] != '.') {
        CHECK(target_host(host, again, &same, &port) == NULL && port == 0);
        CHECK(str_eq(host, same));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make((const char *)data, size);
    struct http_target t;
    check_host(text);
    if (target_parse(&t, STR("GET"), text) != NULL)
        return 0;
    CHECK(t.path.n > 0 && t.path.p[0] == '/');
    CHECK(t.path.n + t.query.n + t.authority.n <= size + 1);
    check_path(t.path);
    check_host(t.authority);
    return 0;
}
