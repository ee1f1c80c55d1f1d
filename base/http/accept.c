/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/accept.h"

/* "0.5" as 500, "1" as 1000 (RFC 9110 §12.4.2); false where it is no weight. */
static bool parse_weight(struct str s, unsigned *ret_weight)
{
    uint64_t whole, part = 0;
    size_t dot = str_find_char(s, '.', 0);
    struct str decimals = str_slice(s, dot + 1, s.n);
    if (str_to_u64(str_slice(s, 0, dot), 0, 1, &whole) != 0 || decimals.n > 3)
        return false;
    if (decimals.n > 0 && str_to_u64(decimals, 0, 999, &part) != 0)
        return false;
    for (size_t i = decimals.n; i < 3; i++)
        part *= 10;
    if (whole == 1 && part > 0)
        return false;
    *ret_weight = (unsigned)(whole * QUALITY_MAX + part);
    return true;
}

/* Takes "name;a=b;q=0.5" apart: the name and its weight. False where it cannot be read. */
static bool parse_element(struct str element, struct str *ret_name, unsigned *ret_weight)
{
    *ret_weight = QUALITY_MAX;
    *ret_name = str_trim(str_cut(&element, ';'));
    while (element.p != NULL) {
        struct str parameter = str_trim(str_cut(&element, ';'));
        if (str_starts_nocase(parameter, STR("q=")) &&
            !parse_weight(str_slice(parameter, 2, parameter.n), ret_weight))
            return false;
    }
    return ret_name->n > 0;
}

/* How closely a range fits: 0 not at all, 1 "*", 2 "text" + "/" + "*", 3 the same. */
static unsigned closeness(struct str range, struct str wanted)
{
    if (str_eq_nocase(range, wanted))
        return 3;
    if (str_eq(range, STR("*")) || str_eq(range, STR("*/*")))
        return 1;
    size_t slash = str_find_char(range, '/', 0);
    bool any_subtype = str_eq(str_slice(range, slash, range.n), STR("/*"));
    return any_subtype && str_starts_nocase(wanted, str_slice(range, 0, slash + 1)) ? 2 : 0;
}

/* The weight of `wanted` in all fields of that name; `absent` where there is none. */
static unsigned weigh(const struct head *head, struct str field, struct str wanted, unsigned absent)
{
    unsigned closest = 0, best = 0;
    bool seen = false;
    for (unsigned i = 0; i < head->count; i++) {
        struct str rest = head->fields[i].value, element, name;
        unsigned weight;
        if (!str_eq_nocase(head->fields[i].name, field))
            continue;
        seen = true;
        while (http_list_next(&rest, &element)) {
            if (!parse_element(element, &name, &weight))
                continue;
            unsigned close = closeness(name, wanted);
            if (close > closest || (close == closest && close > 0 && weight > best)) {
                closest = close;
                best = weight;
            }
        }
    }
    return seen ? best : absent;
}

unsigned http_accept_type(const struct head *head, struct str type)
{
    return weigh(head, STR("Accept"), type, QUALITY_MAX);
}

unsigned http_accept_coding(const struct head *head, struct str coding)
{
    return weigh(head, STR("Accept-Encoding"), coding, 0);
}

bool http_etag_matches(const struct head *head, struct str etag)
{
    for (unsigned i = 0; i < head->count; i++) {
        struct str rest = head->fields[i].value, tag;
        if (head->fields[i].id != FIELD_IF_NONE_MATCH)
            continue;
        while (http_list_next(&rest, &tag)) {
            if (str_starts(tag, STR("W/")))
                tag = str_slice(tag, 2, tag.n);
            if (str_eq(tag, etag) || str_eq(tag, STR("*")))
                return true;
        }
    }
    return false;
}
