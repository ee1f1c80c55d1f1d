/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/http/target.h"

#include <stdio.h>
#include <stdlib.h>

static void each_form_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *method, *text;
        const char *path; /* NULL: refused */
        const char *query, *authority;
    } cases[] = {
        {"GET", "/", "/", NULL, ""},
        {"GET", "/a/b", "/a/b", NULL, ""},
        {"GET", "/a?", "/a", "", ""},
        {"GET", "/a?b=c&d", "/a", "b=c&d", ""},
        {"GET", "/a?b?c", "/a", "b?c", ""},
        {"GET", "/?/..", "/", "/..", ""},
        {"GET", "//host/a", "//host/a", NULL, ""}, /* a path, not an authority */
        {"GET", "/http://h/", "/http://h/", NULL, ""},
        {"GET", "http://h/a?b", "/a", "b", "h"},
        {"GET", "HTTP://h:80/a", "/a", NULL, "h:80"},
        {"GET", "https://[::1]:8443/", "/", NULL, "[::1]:8443"},
        {"GET", "http://h", "/", NULL, "h"},
        {"GET", "http://h?q", "/", "q", "h"},
        {"GET", "http://u@h/", "/", NULL, "u@h"}, /* target_host() refuses that one */
        {"OPTIONS", "*", "*", NULL, ""},
        {"OPTIONS", "/a", "/a", NULL, ""},
        {"GET", "*", NULL, NULL, NULL},
        {"options", "*", NULL, NULL, NULL},
        {"OPTIONS", "*a", NULL, NULL, NULL},
        {"GET", "", NULL, NULL, NULL},
        {"GET", "a/b", NULL, NULL, NULL},
        {"GET", "?a", NULL, NULL, NULL},
        {"GET", "h:443", NULL, NULL, NULL},
        {"GET", "ftp://h/", NULL, NULL, NULL},
        {"GET", "http:/h/", NULL, NULL, NULL},
        {"GET", "http://", NULL, NULL, NULL},
        {"GET", "http:///a", NULL, NULL, NULL},
        {"GET", "http://?a", NULL, NULL, NULL},
        {"GET", "\\a", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_target t;
        const char *why = target_parse(&t, str_from(cases[i].method), str_from(cases[i].text));
        if ((why != NULL) != (cases[i].path == NULL))
            fail_msg("%s: %s", cases[i].text, why != NULL ? why : "accepted");
        if (why != NULL)
            continue;
        assert_str_equal(t.path, cases[i].path);
        assert_str_equal(t.authority, cases[i].authority);
        assert_int_equal(t.has_query, cases[i].query != NULL);
        assert_str_equal(t.query, cases[i].query != NULL ? cases[i].query : "");
    }
}

/* Normalises into a heap buffer of exactly the promised size. The result is copied to `text`. */
static const char *normalize(struct str path, char text[static 1024], struct str *ret_path)
{
    char *out = malloc(path.n + (path.n == 0));
    struct str normal;
    const char *why = target_normalize(path, out, &normal);
    if (why == NULL) {
        assert_true(normal.n <= path.n && normal.n < 1024);
        if (normal.n > 0)
            memcpy(text, normal.p, normal.n);
        *ret_path = str_make(text, normal.n);
    }
    free(out);
    return why;
}

static const struct {
    const char *path, *want; /* NULL: refused */
} NORMAL[] = {
    {"/", "/"},
    {"*", "*"},
    {"//", "//"},
    {"/a//b", "/a//b"},
    {"/a/b.c/d..e/...", "/a/b.c/d..e/..."},
    {"/a.", "/a."},
    {"/.a", "/.a"},
    {"/..a/", "/..a/"},
    {"/a/..b", "/a/..b"},
    /* dot segments */
    {"/.", "/"},
    {"/./", "/"},
    {"/..", "/"},
    {"/../", "/"},
    {"/../..", "/"},
    {"/../../a", "/a"},
    {"/a/.", "/a/"},
    {"/a/./b", "/a/b"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/../b", "/b"},
    {"/a/b/..", "/a/"},
    {"/a/b/../", "/a/"},
    {"/a/b/../../c", "/c"},
    {"/a/b/../../../c", "/c"},
    {"/a/b/c/./../../g", "/a/g"}, /* RFC 3986 §5.2.4's own example */
    {"/a//..", "/a/"},
    {"/a//../b", "/a/b"},
    {"//..", "/"},
    {"//../a", "/a"},
    {"/a/.../..", "/a/"},
    /* encoded dots are dots */
    {"/%2e", "/"},
    {"/%2E/a", "/a"},
    {"/%2e%2e", "/"},
    {"/a/%2e%2e/b", "/b"},
    {"/a/.%2E/b", "/b"},
    {"/a/%2e./b", "/b"},
    {"/a/%2e%2e%2fb", "/a/..%2Fb"}, /* one segment that begins with dots */
    {"/a/..%2f", "/a/..%2F"},
    {"/a%2e%2e/b", "/a../b"},
    /* unreserved characters are decoded, all others keep their escape, in upper case */
    {"/%41%5a%61%7a%30%39%2d%2e%5f%7e", "/AZaz09-._~"},
    {"/%2f", "/%2F"},
    {"/a%2Fb", "/a%2Fb"},
    {"/a%2f..%2fb", "/a%2F..%2Fb"},
    {"/%5c", "/%5C"},
    {"/%25", "/%25"},
    {"/%252e%252e/a", "/%252e%252e/a"}, /* decoded once, not twice */
    {"/%25%32%65", "/%252e"},
    {"/%3f%23%20%21%26%3b%40", "/%3F%23%20%21%26%3B%40"},
    {"/%c3%a9", "/%C3%A9"},
    {"/\xc3\xa9", "/\xc3\xa9"},
    {"/%ff%80", "/%FF%80"},
    {"/a\\..\\b", "/a\\..\\b"},
    {"/a/..;x/b", "/a/..;x/b"},
    /* refused */
    {"/%00", NULL},
    {"/a%00.html", NULL},
    {"/%0a", NULL},
    {"/%0D%0A", NULL},
    {"/%09", NULL},
    {"/%1f", NULL},
    {"/%7f", NULL},
    {"/%7F/..", NULL},
    {"/%", NULL},
    {"/%4", NULL},
    {"/a%", NULL},
    {"/%g0", NULL},
    {"/%0g", NULL},
    {"/%%41", NULL},
    {"/%-1", NULL},
    {"/%+1", NULL},
    {"/% 1", NULL},
    {"/%u002f", NULL},
    {"/a/../%", NULL},
};

static void paths_come_into_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(NORMAL); i++) {
        char text[1024];
        struct str got;
        const char *why = normalize(str_from(NORMAL[i].path), text, &got);
        if ((why != NULL) != (NORMAL[i].want == NULL))
            fail_msg("%s: %s", NORMAL[i].path, why != NULL ? why : "accepted");
        if (why == NULL)
            assert_str_equal(got, NORMAL[i].want);
    }
}

static void a_normal_path_is_given_back_as_it_is(void **state)
{
    (void)state;
    char out[8];
    struct str path = STR("/a/b.c"), got;
    assert_null(target_normalize(path, out, &got));
    assert_ptr_equal(got.p, path.p);
    assert_int_equal(got.n, path.n);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* A path of pieces that mean something to somebody. */
static struct str random_path(uint32_t *seed, char out[static 256])
{
    static const char *const pieces[] = {"/",   "/",    "/",   ".",   ".",   "..",   "%2e", "%2E",
                                         "%2f", "%2F",  "%25", "%41", "a",   "B",    "~",   "%7e",
                                         "%c3", "\xc3", ";",   "%3b", "/./", "/../", "//",  "\\"};
    size_t n = 0;
    unsigned count = next_random(seed) % 24;
    out[n++] = '/';
    for (unsigned i = 0; i < count; i++) {
        const char *piece = pieces[next_random(seed) % ARRAY_LEN(pieces)];
        memcpy(out + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return str_make(out, n);
}

static bool has_dot_segment(struct str path)
{
    while (path.p != NULL) {
        struct str segment = str_cut(&path, '/');
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return true;
    }
    return false;
}

static void normalising_twice_is_normalising_once(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (unsigned i = 0; i < 50000; i++) {
        char raw[256], a[1024], b[1024];
        struct str path = random_path(&seed, raw), once, twice;
        assert_null(normalize(path, a, &once));
        assert_null(normalize(once, b, &twice));
        if (!str_eq(once, twice) || once.n == 0 || once.p[0] != '/' || has_dot_segment(once))
            fail_msg("%" STR_FMT ": %" STR_FMT ", then %" STR_FMT, STR_ARG(path), STR_ARG(once),
                     STR_ARG(twice));
    }
}

/* RFC 3986 §5.2.4 by the letter, on a path that has no escape. */
static size_t reference_remove_dots(struct str in, char *out)
{
    size_t n = 0;
    while (in.n > 0) {
        if (str_starts(in, STR("/./"))) {
            in = str_slice(in, 2, in.n);
        } else if (str_eq(in, STR("/."))) {
            in = STR("/");
        } else if (str_starts(in, STR("/../")) || str_eq(in, STR("/.."))) {
            in = in.n > 3 ? str_slice(in, 3, in.n) : STR("/");
            while (n > 0 && out[--n] != '/')
                continue;
        } else {
            size_t end = str_find_char(in, '/', 1);
            memcpy(out + n, in.p, end);
            n += end;
            in = str_slice(in, end, in.n);
        }
    }
    return n;
}

static void dots_are_removed_as_the_rfc_describes_it(void **state)
{
    (void)state;
    static const char alphabet[] = "/.a";
    /* every path of up to nine characters */
    for (unsigned length = 0; length <= 9; length++) {
        unsigned count = 1;
        for (unsigned i = 0; i < length; i++)
            count *= 3;
        for (unsigned number = 0; number < count; number++) {
            char raw[16] = "/", want[16], text[1024];
            unsigned rest = number;
            for (unsigned i = 0; i < length; i++, rest /= 3)
                raw[i + 1] = alphabet[rest % 3];
            struct str path = str_make(raw, length + 1), got;
            size_t want_n = reference_remove_dots(path, want);
            assert_null(normalize(path, text, &got));
            if (!str_eq(got, str_make(want, want_n)))
                fail_msg("%s: %" STR_FMT ", want %.*s", raw, STR_ARG(got), (int)want_n, want);
        }
    }
}

static void every_escape_is_judged(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char path[8], text[1024], want[8];
        struct str got;
        snprintf(path, sizeof(path), "/a%%%02x", c);
        const char *why = normalize(str_from(path), text, &got);
        assert_int_equal(why != NULL, c < 0x20 || c == 0x7f);
        if (why != NULL)
            continue;
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (alnum || c == '-' || c == '.' || c == '_' || c == '~')
            snprintf(want, sizeof(want), "/a%c", (char)c);
        else
            snprintf(want, sizeof(want), "/a%%%02X", c);
        assert_str_equal(got, want);
    }
}

static void hosts_and_ports_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        {"example.com", "example.com", 0},
        {"EXAMPLE.Com:8080", "example.com", 8080},
        {"example.com.", "example.com", 0},
        {"example.com.:80", "example.com", 80},
        {"a", "a", 0},
        {"a_b-c.d", "a_b-c.d", 0},
        {"xn--bcher-kva.example", "xn--bcher-kva.example", 0},
        {"192.0.2.1:65535", "192.0.2.1", 65535},
        {"h:1", "h", 1},
        {"h:", "h", 0}, /* an empty port is none (RFC 3986 §3.2.3) */
        {"[::1]", "[::1]", 0},
        {"[2001:DB8::A]:443", "[2001:db8::a]", 443},
        {"[::1]:", "[::1]", 0},
        {"", NULL, 0},
        {".", NULL, 0},
        {":80", NULL, 0},
        {"h:0", NULL, 0},
        {"h:65536", NULL, 0},
        {"h:99999999999999999999", NULL, 0},
        {"h:8o", NULL, 0},
        {"h:+80", NULL, 0},
        {"h: 80", NULL, 0},
        {"h:80:80", NULL, 0},
        {"h h", NULL, 0},
        {" h", NULL, 0},
        {"h/", NULL, 0},
        {"h,i", NULL, 0},
        {"user@h", NULL, 0},
        {"user:pw@h", NULL, 0},
        {"h%2e", NULL, 0},
        {"h~", NULL, 0},
        {"h\x01", NULL, 0},
        {"b\xc3\xbc"
         "cher.example",
         NULL, 0},
        {"::1", NULL, 0},
        {"[::1", NULL, 0},
        {"[]", NULL, 0},
        {"[::1]80", NULL, 0},
        {"[::1].", NULL, 0},
        {"[127.0.0.1]", NULL, 0},
        {"[h]", NULL, 0},
        {"[::1%25eth0]", NULL, 0},
        {"[[::1]]", NULL, 0},
        {"h]", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[256];
        struct str host;
        uint16_t port;
        const char *why = target_host(str_from(cases[i].text), out, &host, &port);
        if ((why != NULL) != (cases[i].host == NULL))
            fail_msg("%s: %s", cases[i].text, why != NULL ? why : "accepted");
        if (why != NULL)
            continue;
        assert_str_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
    }
}

static void a_host_has_room_for_255_bytes(void **state)
{
    (void)state;
    char text[258], out[256];
    struct str host;
    uint16_t port;
    memset(text, 'A', sizeof(text));
    assert_null(target_host(str_make(text, 255), out, &host, &port));
    assert_int_equal(host.n, 255);
    assert_int_equal(host.p[254], 'a');
    assert_non_null(target_host(str_make(text, 256), out, &host, &port));
    text[255] = '.';
    assert_null(target_host(str_make(text, 256), out, &host, &port));
    assert_int_equal(host.n, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_taken_apart),
        cmocka_unit_test(paths_come_into_one_form),
        cmocka_unit_test(a_normal_path_is_given_back_as_it_is),
        cmocka_unit_test(normalising_twice_is_normalising_once),
        cmocka_unit_test(dots_are_removed_as_the_rfc_describes_it),
        cmocka_unit_test(every_escape_is_judged),
        cmocka_unit_test(hosts_and_ports_are_read),
        cmocka_unit_test(a_host_has_room_for_255_bytes),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
