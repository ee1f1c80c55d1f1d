/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/locale.h"

#define LANGUAGE_COOKIE "weir_language"

static const struct str NAMES[LOCALE_COUNT] = {
    [LOCALE_EN] = STR_INIT("en"),
    [LOCALE_TR] = STR_INIT("tr"),
};

struct str locale_name(enum locale locale)
{
    return NAMES[locale];
}

bool locale_find(struct str name, enum locale *ret_locale)
{
    name = str_slice(name, 0, str_find_char(name, '-', 0));
    for (enum locale l = 0; l < LOCALE_COUNT; l++) {
        if (str_eq_nocase(name, NAMES[l])) {
            *ret_locale = l;
            return true;
        }
    }
    return false;
}

/* The weight of "tr;q=0.8", in thousandths; what cannot be read is not wanted. */
static uint64_t weight_of(struct str parameters)
{
    struct str q = str_trim(parameters);
    uint64_t whole, part = 0;
    if (q.n == 0)
        return 1000;
    if (!str_starts_nocase(q, STR("q=")))
        return 0;
    q = str_slice(q, 2, q.n);
    struct str rest = q;
    struct str before = str_cut(&rest, '.');
    if (str_to_u64(before, 0, 1, &whole) != 0)
        return 0;
    if (rest.n > 0 && (rest.n > 3 || str_to_u64(rest, 0, 999, &part) != 0))
        return 0;
    for (size_t i = rest.n; i > 0 && i < 3; i++)
        part *= 10;
    return whole == 1 ? 1000 : part;
}

enum locale locale_negotiate(struct str accept)
{
    enum locale best = LOCALE_EN;
    uint64_t best_weight = 0;
    while (accept.p != NULL) {
        struct str parameters = str_cut(&accept, ',');
        struct str name = str_trim(str_cut(&parameters, ';'));
        uint64_t weight = weight_of(parameters);
        enum locale found = LOCALE_EN;
        if (weight > best_weight && (locale_find(name, &found) || str_eq(name, STR("*")))) {
            best = found;
            best_weight = weight;
        }
    }
    return best;
}

static struct str cookie(const struct endpoint_call *call)
{
    struct str rest = endpoint_header(call, STR("Cookie"));
    while (rest.p != NULL) {
        struct str pair = str_trim(str_cut(&rest, ';'));
        if (str_starts(pair, STR(LANGUAGE_COOKIE "=")))
            return str_slice(pair, sizeof(LANGUAGE_COOKIE), pair.n);
    }
    return STR_EMPTY;
}

enum locale locale_of(const struct endpoint_call *call)
{
    enum locale chosen;
    if (call->person != NULL && locale_find(call->person->locale, &chosen))
        return chosen;
    if (locale_find(cookie(call), &chosen))
        return chosen;
    return locale_negotiate(endpoint_header(call, STR("Accept-Language")));
}
