/* SPDX-License-Identifier: Apache-2.0 */
/* Path patterns as written -- "/users", "=/users", "/users/{id}", "~^/v[0-9]+/" -- to struct
 * pattern. */
#include "gateway/router_table.h"

#include <stdarg.h>
#include <stdio.h>

attr_printf(3, 4) static int fault(struct str path, struct error *err, const char *fmt, ...)
{
    char what[ERROR_TEXT_MAX / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return error_set(err, E_CONFIG, "the path \"%" STR_FMT "\" %s", STR_ARG(path), what);
}

/* NULL, or what is wrong with a segment that is no parameter. */
static const char *text_fault(struct str s)
{
    if (str_eq(s, STR(".")) || str_eq(s, STR("..")))
        return "can never match: dot segments are removed from the path before it is matched";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7f || c == '?' || c == '#')
            return "has a character that no path has; write it percent-encoded";
    }
    return NULL;
}

static size_t find_brace(struct str s)
{
    size_t open = str_find_char(s, '{', 0), close = str_find_char(s, '}', 0);
    return open < close ? open : close;
}

/* NULL, or what is wrong with the segment. */
static const char *segment_read(struct str s, struct segment *ret_segment)
{
    *ret_segment = (struct segment){.text = s};
    if (find_brace(s) == s.n)
        return text_fault(s);
    struct str name = str_slice(s, 1, s.n - 1);
    if (s.n < 3 || s.p[0] != '{' || s.p[s.n - 1] != '}' || find_brace(name) < name.n)
        return "has braces that are no parameter; a parameter is a whole segment, like /{id}/";
    *ret_segment = (struct segment){.text = name, .is_param = true};
    return NULL;
}

/* How many parameters there are; -1 where two have one name. */
static int count_params(const struct segment *segments, unsigned count)
{
    int params = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!segments[i].is_param)
            continue;
        params++;
        for (unsigned j = 0; j < i; j++)
            if (segments[j].is_param && str_eq(segments[i].text, segments[j].text))
                return -1;
    }
    return params;
}

/* `rest` is the pattern without its first slash; it has at least one segment. */
static int segments_parse(struct router *router, struct str rest, struct pattern *pattern,
                          struct error *err)
{
    struct segment segments[ROUTER_DEPTH_MAX];
    unsigned count = 0;
    while (rest.p != NULL) {
        if (count == ROUTER_DEPTH_MAX)
            return fault(pattern->text, err, "has more than %d segments", ROUTER_DEPTH_MAX);
        const char *what = segment_read(str_cut(&rest, '/'), &segments[count++]);
        if (what != NULL)
            return fault(pattern->text, err, "%s", what);
    }
    /* a slash at the end of a prefix means nothing, and "/" is the prefix of all */
    if (pattern->kind == PATH_PREFIX && segments[count - 1].text.n == 0)
        count--;
    int params = count_params(segments, count);
    if (params < 0)
        return fault(pattern->text, err, "has two parameters of one name");
    if (params > ROUTE_PARAMS_MAX)
        return fault(pattern->text, err, "has more than %d parameters", ROUTE_PARAMS_MAX);
    pattern->segments = arena_array(&router->arena, count, sizeof(*segments));
    if (pattern->segments == NULL)
        return error_set(err, E_NOMEM, "out of memory for the routes");
    if (count > 0)
        memcpy(pattern->segments, segments, count * sizeof(*segments));
    pattern->segment_count = count;
    return 0;
}

static int regex_parse(struct router *router, struct str source, struct pattern *pattern,
                       struct error *err)
{
    int code;
    size_t at;
    if (source.n == 0)
        return fault(pattern->text, err, "has no regular expression after the ~");
    /* `$` is the end and not also before a last newline; paths are bytes */
    uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    pcre2_code *regex = pcre2_compile((PCRE2_SPTR)source.p, source.n, options, &code, &at, NULL);
    if (regex == NULL) {
        PCRE2_UCHAR message[160];
        pcre2_get_error_message(code, message, sizeof(message));
        return fault(pattern->text, err, "is no valid regular expression: %s at character %zu",
                     (char *)message, at + 1);
    }
    pattern->regex = regex;
    pattern->next = router->regexes;
    router->regexes = pattern;
    uint32_t groups, names;
    pcre2_pattern_info(regex, PCRE2_INFO_CAPTURECOUNT, &groups);
    pcre2_pattern_info(regex, PCRE2_INFO_NAMECOUNT, &names);
    if (groups > ROUTER_GROUPS_MAX)
        return fault(pattern->text, err, "has more than %d groups", ROUTER_GROUPS_MAX);
    if (names > ROUTE_PARAMS_MAX)
        return fault(pattern->text, err, "has more than %d named groups", ROUTE_PARAMS_MAX);
    /* where memory may not be made executable there is no JIT: then the interpreter matches */
    (void)pcre2_jit_compile(regex, PCRE2_JIT_COMPLETE);
    return 0;
}

int router_pattern_parse(struct router *router, struct str text, struct pattern *ret_pattern,
                         struct error *err)
{
    *ret_pattern = (struct pattern){.text = text, .kind = PATH_PREFIX};
    if (text.n > 0 && text.p[0] == '~') {
        ret_pattern->kind = PATH_REGEX;
        return regex_parse(router, str_slice(text, 1, text.n), ret_pattern, err);
    }
    size_t at = 0;
    if (text.n > 0 && text.p[0] == '=') {
        ret_pattern->kind = PATH_EXACT;
        at = 1;
    }
    if (at == text.n || text.p[at] != '/')
        return fault(text, err, "does not begin with /, =/ or ~");
    return segments_parse(router, str_slice(text, at + 1, text.n), ret_pattern, err);
}

int router_path_check(struct str path, struct error *err)
{
    struct pattern pattern;
    struct router *router = router_alloc(err);
    if (router == NULL)
        return E_NOMEM;
    int r = router_pattern_parse(router, path, &pattern, err);
    router_destroy(router);
    return r;
}
