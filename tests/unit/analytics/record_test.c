/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "analytics/record_wire.h"
#include "base/varint.h"

static void reasons_and_methods_are_found_by_their_names(void **state)
{
    (void)state;
    for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const struct reason_row *row = reason_row((enum reason)i);
        assert_true(row->code.n > 0 && row->code.n < RECORD_REASON_MAX);
        assert_true(row->status >= 400 && row->status < 600);
        assert_int_equal(reason_find(row->code), i);
    }
    assert_int_equal(reason_row(REASON_NONE)->code.n, 0);
    assert_int_equal(reason_find(STR("")), REASON_NONE);
    assert_int_equal(reason_find(STR("no_such_code")), REASON_NONE);
    for (unsigned i = 1; i < METHOD_COUNT; i++)
        assert_int_equal(http_method_find(http_method_name((enum http_method)i)), i);
    assert_int_equal(http_method_find(STR("get")), METHOD_OTHER);
    assert_int_equal(http_method_find(STR("")), METHOD_OTHER);
    assert_int_equal(http_method_find(STR("_OTHER")), METHOD_OTHER);
}

static void a_key_is_used_unless_it_was_not_recognised(void **state)
{
    (void)state;
    struct record r = {.key = STR("k"), .reason = REASON_NONE};
    assert_true(record_used_key(&r));
    r.reason = REASON_RATE_LIMITED;
    assert_true(record_used_key(&r));
    r.reason = REASON_KEY_REVOKED;
    assert_false(record_used_key(&r));
    r = (struct record){.reason = REASON_NONE};
    assert_false(record_used_key(&r));
}

static void json_has_every_field_in_order(void **state)
{
    (void)state;
    struct record r = make_record(9, a_day());
    struct buf b;
    r.path = STR("/a\"b\n");
    buf_init(&b, 65536);
    record_json(&b, &r);
    assert_int_equal(buf_finish(&b), 0);
    assert_str_equal(
        buf_str(&b),
        "{\"time\":\"2026-11-23T12:00:00.000000Z\","
        "\"request_id\":\"01a20846-fdff-7000-0000-000000000009\",\"client_request_id\":\"\","
        "\"trace_id\":\"01a20846fdff70000000000000000009\",\"span_id\":\"0000000000000009\","
        "\"api\":\"orders\",\"route\":\"default\",\"method\":\"POST\",\"path\":\"/a\\\"b\\n\","
        "\"query\":\"q=weir&page=2\",\"status\":429,\"reason\":\"rate_limited\",\"app\":\"acme\","
        "\"key\":\"k1234567\",\"plan\":\"free\",\"client_ip\":\"192.0.2.7\",\"country\":\"\","
        "\"asn\":0,\"bytes_in\":422,\"bytes_out\":1289,\"duration_us\":909,\"upstream_us\":0,"
        "\"queue_us\":12,\"upstream\":\"\",\"target\":\"\",\"attempts\":0,\"cache\":\"\","
        "\"protocol\":\"HTTP/1.1\",\"tls\":\"\",\"user_agent\":\"curl/7.88.1\",\"referer\":\"\","
        "\"metered\":0,\"trail\":\"key ok; rate 7/10 left; quota 9321/10000 left\"}");
    buf_free(&b);
}

static void assert_same_json(const struct record *a, const struct record *b)
{
    struct buf x, y;
    buf_init(&x, 1 << 20);
    buf_init(&y, 1 << 20);
    record_json(&x, a);
    record_json(&y, b);
    if (!str_eq(buf_str(&x), buf_str(&y)))
        fail_msg("%s\n%s", buf_cstr(&x), buf_cstr(&y));
    buf_free(&x);
    buf_free(&y);
}

static void a_record_comes_back_from_its_bytes(void **state)
{
    (void)state;
    static unsigned char bytes[RECORD_WIRE_MAX];
    for (uint64_t n = 0; n < 50; n++) {
        struct record r = make_record(n, a_day()), back;
        size_t size = record_encode(&r, bytes);
        assert_int_equal(record_decode(str_make((char *)bytes, size), &back), 0);
        assert_same_json(&r, &back);
        assert_int_equal(back.quota_count, r.quota_count);
        for (unsigned i = 0; i < r.quota_count; i++) {
            assert_true(str_eq(back.quotas[i].limit, r.quotas[i].limit));
            assert_int_equal(back.quotas[i].window.us, r.quotas[i].window.us);
            assert_int_equal(back.quotas[i].cost, r.quotas[i].cost);
        }
        /* no shorter or longer text is a record */
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(record_decode(str_make((char *)bytes, cut), &back), E_CORRUPT);
        bytes[size] = 0;
        assert_int_equal(record_decode(str_make((char *)bytes, size + 1), &back), E_CORRUPT);
    }
}

static void the_largest_record_fits_its_bound(void **state)
{
    (void)state;
    static unsigned char bytes[RECORD_WIRE_MAX];
    static char text[3 * RECORD_TEXT_MAX];
    struct record r, back;
    memset(&r, 0xff, sizeof(r)); /* every number at its largest */
    memset(text, 'x', sizeof(text));
    r.time.us = INT64_MAX;
    r.method = METHOD_PATCH;
    r.metered = true;
    r.reason = REASON_UPSTREAM_UNAVAILABLE;
#define X(name, TYPE, doc) SET_##TYPE(name)
#define SET_TIME(name)
#define SET_UUID(name)
#define SET_TEXT(name) r.name = str_make(text, sizeof(text));
#define SET_UINT(name)
#define SET_IP(name)
#define SET_HEX(name)
#define SET_METHOD(name)
#define SET_REASON(name)
#include "analytics/record_fields.def"
#undef X
    r.quota_count = RECORD_QUOTAS_MAX;
    for (unsigned i = 0; i < RECORD_QUOTAS_MAX; i++)
        r.quotas[i] = (struct record_quota){
            .limit = str_make(text, sizeof(text)), .window = {.us = INT64_MAX}, .cost = UINT32_MAX};
    size_t size = record_encode(&r, bytes);
    assert_true(size <= RECORD_WIRE_MAX);
    assert_int_equal(record_decode(str_make((char *)bytes, size), &back), 0);
    assert_int_equal(back.path.n, RECORD_TEXT_MAX);
    assert_int_equal(back.bytes_out, UINT64_MAX);
    assert_int_equal(back.quotas[3].limit.n, RECORD_LIMIT_NAME_MAX);
    assert_true(amendment_encode(&r, bytes) <= AMENDMENT_WIRE_MAX);
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    struct str s = STR("ab\xc3\xa9\xe2\x82\xac");
    static const size_t cuts[] = {0, 1, 2, 2, 4, 4, 4, 7, 7};
    for (size_t max = 0; max < ARRAY_LEN(cuts); max++)
        assert_int_equal(record_cut_text(s, max).n, cuts[max]);
    /* bytes that are no UTF-8 at all do not make it run away */
    assert_int_equal(record_cut_text(STR("\x80\x80\x80"), 2).n, 0);
}

static void an_older_record_lacks_only_the_newer_fields(void **state)
{
    (void)state;
    static unsigned char bytes[RECORD_WIRE_MAX];
    struct record r = make_record(1, a_day()), back;
    /* as a version before `trail` would have written it: one field less, then the limits */
    r.trail = STR_EMPTY;
    r.quota_count = 0;
    size_t size = record_encode(&r, bytes);
    bytes[0]--;
    bytes[size - 2] = bytes[size - 1];
    assert_int_equal(record_decode(str_make((char *)bytes, size - 1), &back), 0);
    assert_same_json(&r, &back);
    bytes[0] += 2; /* more fields than are known */
    assert_int_equal(record_decode(str_make((char *)bytes, size), &back), E_CORRUPT);
}

static void an_amendment_changes_what_it_may_and_no_more(void **state)
{
    (void)state;
    unsigned char bytes[AMENDMENT_WIRE_MAX];
    struct record r = make_record(2, a_day()), want = r, truth = make_record(77, a_day());
    truth.time.us += 5000;
    truth.status = 499;
    truth.reason = REASON_CLIENT_CLOSED;
    size_t size = amendment_encode(&truth, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(amendment_decode_into(str_make((char *)bytes, cut), &r), E_CORRUPT);
        assert_same_json(&r, &want);
    }
    assert_int_equal(amendment_decode_into(str_make((char *)bytes, size), &r), 0);
    want.time = truth.time;
    want.status = 499;
    want.reason = REASON_CLIENT_CLOSED;
    want.bytes_out = truth.bytes_out;
    want.duration_us = truth.duration_us;
    assert_same_json(&r, &want);
}

static void varints_keep_every_number(void **state)
{
    (void)state;
    for (int bit = 0; bit <= 64; bit++) {
        for (int d = -1; d <= 1; d++) {
            unsigned char bytes[VARINT_MAX];
            uint64_t v = (bit < 64 ? UINT64_C(1) << bit : 0) + (uint64_t)d, back;
            struct str s = str_make((char *)bytes, (size_t)(varint_put(bytes, v) - bytes));
            assert_true(varint_take(&s, &back));
            assert_int_equal(back, v);
            assert_int_equal(s.n, 0);
        }
    }
    struct str over = STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), unended = STR("\x80");
    uint64_t v;
    assert_false(varint_take(&over, &v));
    assert_false(varint_take(&unended, &v));
    assert_int_equal(unended.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_and_methods_are_found_by_their_names),
        cmocka_unit_test(a_key_is_used_unless_it_was_not_recognised),
        cmocka_unit_test(json_has_every_field_in_order),
        cmocka_unit_test(a_record_comes_back_from_its_bytes),
        cmocka_unit_test(the_largest_record_fits_its_bound),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(an_older_record_lacks_only_the_newer_fields),
        cmocka_unit_test(an_amendment_changes_what_it_may_and_no_more),
        cmocka_unit_test(varints_keep_every_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
