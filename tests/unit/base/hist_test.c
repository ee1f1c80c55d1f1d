/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"
#include "base/hist.h"

#include <stdlib.h>

/* A small generator, so that a failure repeats. */
static uint64_t next_value(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33 >> (*seed >> 59);
}

static void buckets_tile_the_numbers(void **state)
{
    (void)state;
    assert_int_equal(hist_bucket(0), 0);
    for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
        uint64_t floor = hist_bucket_floor(b), next = hist_bucket_floor(b + 1);
        assert_true(next > floor);
        assert_int_equal(hist_bucket(floor), b);
        if (b + 1 < HIST_BUCKETS)
            assert_int_equal(hist_bucket(next - 1), b);
        assert_true(next - floor <= floor / 16 + 1);
    }
    assert_int_equal(hist_bucket(UINT64_C(1) << 40), HIST_BUCKETS - 1);
    assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

static void an_empty_histogram_answers_nothing(void **state)
{
    (void)state;
    struct hist h = {.counts = NULL};
    assert_int_equal(hist_quantile(&h, 0.5), 0);
    hist_add(&h, 7);
    hist_clear(&h);
    assert_int_equal(h.count, 0);
    assert_int_equal(hist_quantile(&h, 0.99), 0);
    hist_finish(&h);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_within_a_bucket(void **state)
{
    (void)state;
    enum { N = 10000 };
    static uint64_t values[N];
    struct hist h = {.counts = NULL};
    uint64_t seed = 1, sum = 0;
    for (int i = 0; i < N; i++) {
        values[i] = next_value(&seed);
        sum += values[i];
        hist_add(&h, values[i]);
    }
    qsort(values, N, sizeof(values[0]), compare);
    assert_int_equal(h.count, N);
    assert_int_equal(h.sum, sum);
    assert_int_equal(h.max, values[N - 1]);
    static const double qs[] = {0.01, 0.5, 0.9, 0.99, 0.999, 1.0};
    for (size_t i = 0; i < ARRAY_LEN(qs); i++) {
        uint64_t exact = values[(size_t)(qs[i] * N) - 1], got = hist_quantile(&h, qs[i]);
        uint64_t off = got > exact ? got - exact : exact - got;
        if (off > exact / 14 + 1)
            fail_msg("q %f: got %llu, exact %llu", qs[i], (unsigned long long)got,
                     (unsigned long long)exact);
    }
    hist_finish(&h);
}

static void assert_same(const struct hist *a, const struct hist *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->sum, b->sum);
    assert_int_equal(a->max, b->max);
    for (int q = 0; q <= 100; q++)
        assert_int_equal(hist_quantile(a, q / 100.0), hist_quantile(b, q / 100.0));
}

static void a_sum_is_the_histogram_of_all_values(void **state)
{
    (void)state;
    struct hist all = {.counts = NULL}, parts[3] = {{.counts = NULL}}, sum = {.counts = NULL};
    uint64_t seed = 7;
    for (int i = 0; i < 3000; i++) {
        uint64_t v = next_value(&seed);
        hist_add(&all, v);
        hist_add(&parts[i % 3], v);
    }
    for (int i = 0; i < 3; i++) {
        hist_merge(&sum, &parts[i]);
        hist_finish(&parts[i]);
    }
    hist_merge(&sum, &parts[0]); /* empty now */
    assert_same(&all, &sum);
    hist_finish(&all);
    hist_finish(&sum);
}

static void an_encoding_comes_back_whole(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int n = 0; n < 200; n++) {
        struct hist h = {.counts = NULL}, back = {.counts = NULL};
        struct buf b;
        buf_init(&b, HIST_BLOB_MAX);
        for (int i = 0; i < n; i++)
            hist_add(&h, n % 7 == 0 ? UINT64_MAX >> i % 64 : next_value(&seed));
        hist_encode(&h, &b);
        assert_int_equal(buf_finish(&b), 0);
        assert_int_equal(hist_decode_add(&back, buf_str(&b)), 0);
        assert_same(&h, &back);
        /* twice is the sum */
        assert_int_equal(hist_decode_add(&back, buf_str(&b)), 0);
        assert_int_equal(back.count, 2 * h.count);
        /* and every cut is noticed */
        for (size_t cut = 1; cut < b.n; cut++) {
            struct hist broken = {.counts = NULL};
            assert_int_equal(hist_decode_add(&broken, str_slice(buf_str(&b), 0, cut)), E_CORRUPT);
            hist_finish(&broken);
        }
        buf_free(&b);
        hist_finish(&h);
        hist_finish(&back);
    }
}

static void an_empty_blob_is_an_empty_histogram(void **state)
{
    (void)state;
    struct hist h = {.counts = NULL};
    assert_int_equal(hist_decode_add(&h, STR_EMPTY), 0);
    assert_int_equal(h.count, 0);
    assert_int_equal(hist_decode_add(&h, STR("\x02\x00\x00\x00")), E_CORRUPT);
    assert_int_equal(hist_decode_add(&h, STR("\x01\x00\x00\x01\xff\x7f\x01")), E_CORRUPT);
    hist_finish(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_tile_the_numbers),
        cmocka_unit_test(an_empty_histogram_answers_nothing),
        cmocka_unit_test(quantiles_are_within_a_bucket),
        cmocka_unit_test(a_sum_is_the_histogram_of_all_values),
        cmocka_unit_test(an_encoding_comes_back_whole),
        cmocka_unit_test(an_empty_blob_is_an_empty_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
