/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/record_wire.h"

enum {
#define X(name, TYPE, text) FIELD_##name,
#include "analytics/record_fields.def"
#undef X
    FIELD_COUNT
};

struct str record_cut_text(struct str s, size_t max)
{
    if (likely(s.n <= max))
        return s;
    /* back over the continuation bytes of a character that would be cut in two */
    while (max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
        max--;
    return str_slice(s, 0, max);
}

static unsigned char *put_bytes(unsigned char *to, const void *p, size_t n)
{
    if (n > 0)
        memcpy(to, p, n);
    return to + n;
}

static unsigned char *put_text(unsigned char *to, struct str s, size_t max)
{
    s = record_cut_text(s, max);
    return put_bytes(varint_put(to, s.n), s.p, s.n);
}

/* Times before 1970 are a broken clock's, and all that a reader does with them is to say so. */
static unsigned char *put_time(unsigned char *to, struct wall t)
{
    return varint_put(to, t.us > 0 ? (uint64_t)t.us : 0);
}

/* The reason goes by its code: its number may be another in the next version. */
#define PUT_TIME(field) to = put_time(to, record->field)
#define PUT_UUID(field) to = put_bytes(to, record->field.b, sizeof(record->field.b))
#define PUT_TEXT(field) to = put_text(to, record->field, RECORD_TEXT_MAX)
#define PUT_UINT(field) to = varint_put(to, record->field)
#define PUT_IP(field) to = put_bytes(to, record->field.b, sizeof(record->field.b))
#define PUT_HEX(field) to = put_bytes(to, record->field, sizeof(record->field))
#define PUT_METHOD(field) to = varint_put(to, record->field)
#define PUT_REASON(field) to = put_text(to, reason_row(record->field)->code, RECORD_TEXT_MAX)

size_t record_encode(const struct record *record, unsigned char *out)
{
    unsigned char *to = varint_put(out, FIELD_COUNT);
#define X(name, TYPE, text) PUT_##TYPE(name);
#include "analytics/record_fields.def"
#undef X
    CHECK(record->quota_count <= RECORD_QUOTAS_MAX);
    to = varint_put(to, record->quota_count);
    for (unsigned i = 0; i < record->quota_count; i++) {
        const struct record_quota *quota = &record->quotas[i];
        to = put_text(to, quota->limit, RECORD_LIMIT_NAME_MAX);
        to = put_time(to, quota->window);
        to = varint_put(to, quota->cost);
    }
    return (size_t)(to - out);
}

static bool take_u64(struct str *from, uint64_t max, uint64_t *ret_v)
{
    return varint_take(from, ret_v) && *ret_v <= max;
}

static bool take_u32(struct str *from, uint32_t *ret_v)
{
    uint64_t v;
    if (!take_u64(from, UINT32_MAX, &v))
        return false;
    *ret_v = (uint32_t)v;
    return true;
}

static bool take_bool(struct str *from, bool *ret_v)
{
    uint64_t v;
    if (!take_u64(from, 1, &v))
        return false;
    *ret_v = v != 0;
    return true;
}

static bool take_time(struct str *from, struct wall *ret_t)
{
    uint64_t v;
    if (!take_u64(from, INT64_MAX, &v))
        return false;
    ret_t->us = (int64_t)v;
    return true;
}

static bool take_bytes(struct str *from, void *to, size_t n)
{
    if (from->n < n)
        return false;
    memcpy(to, from->p, n);
    *from = str_slice(*from, n, from->n);
    return true;
}

static bool take_text(struct str *from, size_t max, struct str *ret_s)
{
    uint64_t n;
    if (!take_u64(from, max, &n) || n > from->n)
        return false;
    *ret_s = str_slice(*from, 0, n);
    *from = str_slice(*from, n, from->n);
    return true;
}

static bool take_method(struct str *from, enum http_method *ret_method)
{
    uint64_t v;
    if (!varint_take(from, &v))
        return false;
    /* a method that a newer version knows is still a method */
    *ret_method = v < METHOD_COUNT ? (enum http_method)v : METHOD_OTHER;
    return true;
}

static bool take_reason(struct str *from, enum reason *ret_reason)
{
    struct str code;
    if (!take_text(from, RECORD_TEXT_MAX, &code))
        return false;
    *ret_reason = reason_find(code);
    return true;
}

/* The numbers of a record have three widths; the table does not tell which is which. */
#define TAKE_UINT_INTO(from, at)                                                                   \
    _Generic((at), uint64_t *: varint_take, uint32_t *: take_u32, bool *: take_bool)((from), (at))

#define TAKE_TIME(field) take_time(&bytes, &record.field)
#define TAKE_UUID(field) take_bytes(&bytes, record.field.b, sizeof(record.field.b))
#define TAKE_TEXT(field) take_text(&bytes, RECORD_TEXT_MAX, &record.field)
#define TAKE_UINT(field) TAKE_UINT_INTO(&bytes, &record.field)
#define TAKE_IP(field) take_bytes(&bytes, record.field.b, sizeof(record.field.b))
#define TAKE_HEX(field) take_bytes(&bytes, record.field, sizeof(record.field))
#define TAKE_METHOD(field) take_method(&bytes, &record.field)
#define TAKE_REASON(field) take_reason(&bytes, &record.field)

static bool take_quotas(struct str *from, struct record *record)
{
    uint64_t count;
    if (!take_u64(from, RECORD_QUOTAS_MAX, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct record_quota *quota = &record->quotas[i];
        if (!take_text(from, RECORD_LIMIT_NAME_MAX, &quota->limit) ||
            !take_time(from, &quota->window) || !take_u32(from, &quota->cost))
            return false;
    }
    record->quota_count = (unsigned)count;
    return true;
}

int record_decode(struct str bytes, struct record *ret_record)
{
    struct record record = {.time = {0}};
    uint64_t fields;
    bool good = varint_take(&bytes, &fields) && fields <= FIELD_COUNT;
#define X(name, TYPE, text)                                                                        \
    if (good && fields > FIELD_##name)                                                             \
        good = TAKE_##TYPE(name);
#include "analytics/record_fields.def"
#undef X
    if (!good || !take_quotas(&bytes, &record) || bytes.n > 0)
        return E_CORRUPT;
    *ret_record = record;
    return 0;
}

size_t amendment_encode(const struct record *record, unsigned char *out)
{
    unsigned char *to = out;
    CHECK(reason_row(record->reason)->code.n < RECORD_REASON_MAX);
    PUT_TIME(time);
    PUT_UINT(status);
    PUT_REASON(reason);
    PUT_UINT(bytes_out);
    PUT_UINT(duration_us);
    return (size_t)(to - out);
}

int amendment_decode_into(struct str bytes, struct record *ret_record)
{
    struct record record = *ret_record;
    if (!TAKE_TIME(time) || !TAKE_UINT(status) || !TAKE_REASON(reason) || !TAKE_UINT(bytes_out) ||
        !TAKE_UINT(duration_us) || bytes.n > 0)
        return E_CORRUPT;
    *ret_record = record;
    return 0;
}
