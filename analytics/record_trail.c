/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/record_trail.h"

/* Takes the text before the next space off *rest. */
static struct str take_word(struct str *rest)
{
    while (rest->n > 0 && rest->p[0] == ' ')
        *rest = str_slice(*rest, 1, rest->n);
    size_t end = str_find_char(*rest, ' ', 0);
    struct str word = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->n);
    return word;
}

bool trail_next(struct str *rest, struct trail_note *ret_note)
{
    struct str note = STR_EMPTY;
    while (note.n == 0) {
        if (rest->n == 0)
            return false;
        note = str_trim(str_cut(rest, ';'));
    }
    ret_note->policy = take_word(&note);
    ret_note->verdict = take_word(&note);
    ret_note->numbers = str_trim(note);
    return true;
}

bool trail_refused(const struct trail_note *note)
{
    return str_eq(note->verdict, STR("refused"));
}

/* Where the next " name=" begins: a value may hold spaces. */
static size_t value_end(struct str s)
{
    size_t at = 0;
    while ((at = str_find_char(s, ' ', at)) < s.n) {
        size_t equals = str_find_char(s, '=', at), space = str_find_char(s, ' ', at + 1);
        if (equals < space)
            return at;
        at++;
    }
    return s.n;
}

bool trail_pair_next(struct str *numbers, struct trail_pair *ret_pair)
{
    struct str s = str_trim(*numbers);
    if (s.n == 0)
        return false;
    size_t equals = str_find_char(s, '=', 0);
    struct str value = str_slice(s, equals + 1, s.n);
    size_t end = value_end(value);
    ret_pair->name = str_slice(s, 0, equals);
    ret_pair->value = str_slice(value, 0, end);
    *numbers = str_slice(value, end, value.n);
    return true;
}

static bool is_number(struct str s)
{
    uint64_t number;
    return str_to_u64(s, 0, UINT64_MAX, &number) == 0;
}

static void add_name(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        buf_add_char(out, name.p[i] == '_' ? ' ' : name.p[i]);
}

static void add_pair(struct buf *out, const struct trail_pair *pair)
{
    size_t slash = str_find_char(pair->value, '/', 0);
    struct str left = str_slice(pair->value, 0, slash);
    struct str of = str_slice(pair->value, slash + 1, pair->value.n);
    bool seconds = str_ends(pair->name, STR("_s")) && is_number(pair->value);
    add_name(out, seconds ? str_slice(pair->name, 0, pair->name.n - 2) : pair->name);
    buf_add_char(out, ' ');
    if (is_number(left) && is_number(of)) {
        buf_printf(out, "%" STR_FMT " of %" STR_FMT " left", STR_ARG(left), STR_ARG(of));
        return;
    }
    buf_add_str(out, pair->value);
    if (seconds)
        buf_add_lit(out, " s");
}

void trail_words(struct str numbers, struct buf *out)
{
    struct trail_pair pair;
    for (bool first = true; trail_pair_next(&numbers, &pair); first = false) {
        if (!first)
            buf_add_lit(out, ", ");
        add_pair(out, &pair);
    }
}

/* --- what a record says, without saying it in a field --- */

bool record_refusal(const struct record *record, struct trail_note *ret_note)
{
    struct str rest = record->trail;
    while (trail_next(&rest, ret_note)) {
        if (trail_refused(ret_note))
            return true;
    }
    return false;
}

struct str record_decider(const struct record *record)
{
    struct trail_note note;
    if (record->reason == REASON_NONE)
        return STR("upstream");
    if (record_refusal(record, &note))
        return note.policy;
    if (record->reason == REASON_NO_ROUTE || record->reason == REASON_METHOD_NOT_ALLOWED)
        return STR("router");
    return STR("gateway");
}

uint64_t record_gateway_us(const struct record *record)
{
    return record->duration_us > record->upstream_us ? record->duration_us - record->upstream_us
                                                     : 0;
}

struct wall record_try_again(const struct record *record)
{
    struct trail_note note;
    struct trail_pair pair;
    uint64_t seconds;
    if (!record_refusal(record, &note))
        return (struct wall){.us = 0};
    while (trail_pair_next(&note.numbers, &pair)) {
        if (str_eq(pair.name, STR("retry_after_s")) &&
            str_to_u64(pair.value, 0, UINT32_MAX, &seconds) == 0)
            return (struct wall){.us = record->time.us + (int64_t)seconds * US_PER_S};
    }
    return (struct wall){.us = 0};
}
