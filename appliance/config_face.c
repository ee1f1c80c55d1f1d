/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/config_face.h"

#define THEME_FORM "must be one `:root { --name: value; ... }` and nothing else but comments"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim(struct str s)
{
    size_t from = 0;
    while (from < s.n && is_space(s.p[from]))
        from++;
    while (s.n > from && is_space(s.p[s.n - 1]))
        s.n--;
    return str_slice(s, from, s.n);
}

const char *config_logo_fault(struct str text)
{
    struct str rest = trim(text);
    while (str_starts(rest, STR("<?")) || str_starts(rest, STR("<!"))) {
        bool comment = str_starts(rest, STR("<!--"));
        struct str end = comment ? STR("-->") : STR(">");
        size_t at = str_find(rest, end);
        rest = at == rest.n ? STR_EMPTY : trim(str_slice(rest, at + end.n, rest.n));
    }
    if (!str_starts(rest, STR("<svg")) || !str_ends(rest, STR(">")))
        return "must be an SVG document";
    return NULL;
}

/* Takes spaces and comments off the front; false where a comment does not end. */
static bool skip_blank(struct str *rest)
{
    for (;;) {
        *rest = trim(*rest);
        if (!str_starts(*rest, STR("/*")))
            return true;
        size_t end = str_find(*rest, STR("*/"));
        if (end == rest->n)
            return false;
        *rest = str_slice(*rest, end + 2, rest->n);
    }
}

static bool take(struct str *rest, struct str what)
{
    if (!skip_blank(rest) || !str_starts(*rest, what))
        return false;
    *rest = str_slice(*rest, what.n, rest->n);
    return true;
}

static bool is_name(struct str name)
{
    if (!str_starts(name, STR("--")) || name.n < 3)
        return false;
    for (size_t i = 2; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

/* What could load something, or end the rule and begin another. */
static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (strchr("{}<>@\\", value.p[i]) != NULL)
            return false;
        if (str_starts_nocase(str_slice(value, i, value.n), STR("url(")) ||
            str_starts_nocase(str_slice(value, i, value.n), STR("image-set(")) ||
            str_starts(str_slice(value, i, value.n), STR("/*")))
            return false;
    }
    return trim(value).n > 0;
}

const char *config_theme_fault(struct str text)
{
    struct str rest = text;
    if (!take(&rest, STR(":root")) || !take(&rest, STR("{")))
        return THEME_FORM;
    while (skip_blank(&rest) && rest.n > 0 && rest.p[0] != '}') {
        size_t colon = str_find_char(rest, ':', 0), end = str_find_char(rest, ';', 0);
        if (end == rest.n || colon > end)
            return "must have `--name: value;` between its braces, each with its `;`";
        if (!is_name(trim(str_slice(rest, 0, colon))))
            return "must set tokens only, whose names begin with `--`, in lower case";
        if (!is_plain(str_slice(rest, colon + 1, end)))
            return "must have plain values: no url(), no braces, no `@`, no `\\`, no `<`";
        rest = str_slice(rest, end + 1, rest.n);
    }
    if (!take(&rest, STR("}")) || !skip_blank(&rest) || rest.n > 0)
        return THEME_FORM;
    return NULL;
}
