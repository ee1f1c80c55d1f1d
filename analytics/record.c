/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/record.h"

#include "base/jsonw.h"

static const struct reason_row REASONS[] = {
    [REASON_NONE] = {.code = STR_INIT(""), .title = "", .meaning = "", .advice = ""},
#define X(name, code_text, status_number, title_text, meaning_text, advice_text)                   \
    [REASON_##name] = {.code = STR_INIT(code_text),                                                \
                       .status = (status_number),                                                  \
                       .title = (title_text),                                                      \
                       .meaning = (meaning_text),                                                  \
                       .advice = (advice_text)},
#include "analytics/reasons.def"
#undef X
};

static const struct str METHODS[METHOD_COUNT] = {
    [METHOD_OTHER] = STR_INIT("_OTHER"),    [METHOD_GET] = STR_INIT("GET"),
    [METHOD_HEAD] = STR_INIT("HEAD"),       [METHOD_POST] = STR_INIT("POST"),
    [METHOD_PUT] = STR_INIT("PUT"),         [METHOD_DELETE] = STR_INIT("DELETE"),
    [METHOD_CONNECT] = STR_INIT("CONNECT"), [METHOD_OPTIONS] = STR_INIT("OPTIONS"),
    [METHOD_TRACE] = STR_INIT("TRACE"),     [METHOD_PATCH] = STR_INIT("PATCH"),
};

const struct reason_row *reason_row(enum reason reason)
{
    CHECK((unsigned)reason < REASON_COUNT);
    return &REASONS[reason];
}

enum reason reason_find(struct str code)
{
    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        if (str_eq(REASONS[i].code, code))
            return (enum reason)i;
    }
    return REASON_NONE;
}

enum outcome outcome_of(uint32_t status, enum reason reason)
{
    if (reason == REASON_CLIENT_CLOSED)
        return OUTCOME_GONE;
    if (status >= 500)
        return OUTCOME_ERROR;
    return reason != REASON_NONE ? OUTCOME_REFUSED : OUTCOME_ANSWERED;
}

struct str http_method_name(enum http_method method)
{
    CHECK((unsigned)method < METHOD_COUNT);
    return METHODS[method];
}

enum http_method http_method_find(struct str name)
{
    for (unsigned i = METHOD_OTHER + 1; i < METHOD_COUNT; i++) {
        if (str_eq(METHODS[i], name))
            return (enum http_method)i;
    }
    return METHOD_OTHER;
}

bool record_used_key(const struct record *record)
{
    return record->key.n > 0 && reason_row(record->reason)->status != 401;
}

/* All zero means "none" in ids and addresses. */
static bool all_zero(const unsigned char *p, size_t n)
{
    unsigned char any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

static void put_time(struct jsonw *w, struct wall t)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_str(w, str_make(text, wall_format(t, text)));
}

static void put_uuid(struct jsonw *w, struct uuid id)
{
    char text[UUID_TEXT_LEN];
    uuid_format(id, text);
    jsonw_str(w, str_make(text, sizeof(text)));
}

static void put_ip(struct jsonw *w, struct ip ip)
{
    char text[IP_TEXT_MAX];
    jsonw_str(w, all_zero(ip.b, sizeof(ip.b)) ? STR_EMPTY : str_make(text, ip_format(ip, text)));
}

static void put_hex(struct jsonw *w, const unsigned char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char text[32];
    CHECK(2 * n <= sizeof(text));
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    jsonw_str(w, all_zero(p, n) ? STR_EMPTY : str_make(text, 2 * n));
}

#define PUT_TIME(field) put_time(&w, record->field)
#define PUT_UUID(field) put_uuid(&w, record->field)
#define PUT_TEXT(field) jsonw_str(&w, record->field)
#define PUT_UINT(field) jsonw_u64(&w, record->field)
#define PUT_IP(field) put_ip(&w, record->field)
#define PUT_HEX(field) put_hex(&w, record->field, sizeof(record->field))
#define PUT_METHOD(field) jsonw_str(&w, http_method_name(record->field))
#define PUT_REASON(field) jsonw_str(&w, reason_row(record->field)->code)

void record_json(struct buf *out, const struct record *record)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
#define X(name, TYPE, text) jsonw_key(&w, #name), PUT_##TYPE(name);
#include "analytics/record_fields.def"
#undef X
    jsonw_end(&w);
}
