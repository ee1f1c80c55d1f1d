/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "gateway/limiter.h"

#include <pthread.h>
#include <stdlib.h>

static struct wall at(const char *text)
{
    struct wall t;
    assert_int_equal(wall_parse(str_from(text), &t), 0);
    return t;
}

static struct mono mono(int64_t us)
{
    return (struct mono){.us = us};
}

static struct limit_conf rate(uint64_t requests, int64_t per_us, uint64_t burst)
{
    return (struct limit_conf){.kind = LIMIT_RATE,
                               .name = STR("burst"),
                               .requests = requests,
                               .per_us = per_us,
                               .burst = burst};
}

static struct limit_conf quota(const char *name, uint64_t requests, enum calendar window)
{
    return (struct limit_conf){
        .kind = LIMIT_QUOTA, .name = str_from(name), .requests = requests, .window = window};
}

struct fixture {
    struct limiter limiter;
    struct limiter_rules rules;
};

static void start(struct fixture *f, const struct limit_conf *limits, size_t count)
{
    struct error err = ERROR_INIT;
    if (limiter_rules_init(&f->rules, limits, count, &err) != 0)
        fail_msg("%s", err.text);
    limiter_init(&f->limiter);
    limiter_configure(&f->limiter, &f->rules, mono(0));
}

/* How many of `calls` at one moment pass. */
static unsigned pass(struct fixture *f, unsigned calls, int64_t us, const char *wall)
{
    unsigned passed = 0;
    struct limiter_answer a;
    while (calls-- > 0)
        passed += limiter_take(&f->limiter, mono(us), at(wall), &a);
    return passed;
}

#define NOON "2026-11-23T12:00:00Z"

static void without_limits_everything_passes(void **state)
{
    (void)state;
    struct limiter limiter;
    struct limiter_answer a;
    limiter_init(&limiter);
    assert_true(limiter_take(&limiter, mono(0), at(NOON), &a));
    assert_int_equal(a.count, 0);
    assert_null(a.rules);
    limiter_configure(&limiter, NULL, mono(0));
    assert_true(limiter_take(&limiter, mono(0), at(NOON), &a));
    limiter_refund(&limiter, &a);
    assert_int_equal(limiter_restore(&limiter, STR("month"), CAL_MONTH, at("2026-11-01"), 1), 0);
}

static void a_bucket_begins_full_and_refills_all_the_time(void **state)
{
    (void)state;
    struct fixture f;
    struct limit_conf limits[] = {rate(10, US_PER_S, 20)};
    start(&f, limits, 1);
    assert_int_equal(pass(&f, 30, 0, NOON), 20);
    assert_int_equal(pass(&f, 1, 99999, NOON), 0);
    assert_int_equal(pass(&f, 2, 100000, NOON), 1);
    assert_int_equal(pass(&f, 2, 199999, NOON), 0);
    assert_int_equal(pass(&f, 2, 200000, NOON), 1);
    assert_int_equal(pass(&f, 9, 700000, NOON), 5);
    /* never more than the burst, however long nothing came */
    assert_int_equal(pass(&f, 99, 365 * US_PER_DAY, NOON), 20);
    /* a carrier whose clock was read a little earlier */
    assert_int_equal(pass(&f, 1, 365 * US_PER_DAY - 50, NOON), 0);
    assert_int_equal(pass(&f, 2, 365 * US_PER_DAY + 100000, NOON), 1);
}

__extension__ typedef __int128 wide;

static uint64_t seed;

static uint64_t draw(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 20) % n;
}

static const struct bucket_case {
    uint64_t requests;
    int64_t per_us;
    uint64_t burst;
    uint64_t step_us; /* largest time between two calls */
} BUCKETS[] = {
    {1, 31 * US_PER_DAY, 1, 20 * US_PER_DAY},
    {1, 31 * US_PER_DAY, 3, 5 * US_PER_DAY},
    {1, 1, 1, 3},
    {3, 7, 1, 4},
    {7, 3, 50, 30},
    {10, US_PER_S, 20, 200000},
    {999983, 1000003, 10, 3},
    {1000000, US_PER_MS, 1000, 3},
    {1000000, US_PER_MS, UINT64_C(1) << 40, US_PER_HOUR},
    {UINT64_MAX, INT64_MAX, 2, 2},
    {UINT64_MAX, 1, UINT64_MAX, 3},
    {1, INT64_MAX, UINT64_MAX, US_PER_DAY},
};

/*
 * The same bucket told as the theoretical time of the next call (GCRA), in exact
 * fractions of 1/requests microseconds: another formula with the same answers.
 */
struct model {
    wide next;
    const struct bucket_case *c;
};

static bool model_take(struct model *m, int64_t now)
{
    wide t = (wide)now * (wide)m->c->requests;
    wide slack = (wide)(m->c->burst - 1) * m->c->per_us;
    if (m->next - t > slack)
        return false;
    m->next = (m->next > t ? m->next : t) + m->c->per_us;
    return true;
}

static void the_bucket_agrees_with_exact_arithmetic(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BUCKETS); i++) {
        const struct bucket_case *c = &BUCKETS[i];
        struct fixture f;
        struct limit_conf limits[] = {rate(c->requests, c->per_us, c->burst)};
        start(&f, limits, 1);
        struct model model = {.c = c, .next = 0};
        int64_t now = 0;
        unsigned passed = 0;
        seed = i;
        for (unsigned k = 0; k < 20000; k++) {
            /* bursts at one moment, trickles, and now and then a long pause */
            if (draw(3) == 0)
                now += (int64_t)draw(c->step_us + 1);
            if (draw(500) == 0)
                now += (int64_t)(c->step_us * draw(40));
            struct limiter_answer a;
            bool got = limiter_take(&f.limiter, mono(now), at(NOON), &a);
            if (got != model_take(&model, now))
                fail_msg("bucket %zu, call %u at %lld", i, k, (long long)now);
            passed += got;
        }
        assert_true(passed > 0);
    }
}

static void no_interval_sees_more_than_burst_and_rate(void **state)
{
    (void)state;
    enum { CALLS = 2000 };
    static int64_t times[CALLS];
    for (size_t i = 0; i < 8; i++) {
        const struct bucket_case *c = &BUCKETS[i];
        struct fixture f;
        struct limit_conf limits[] = {rate(c->requests, c->per_us, c->burst)};
        start(&f, limits, 1);
        int64_t now = 0;
        unsigned passed = 0;
        seed = 100 + i;
        for (unsigned k = 0; k < 100000 && passed < CALLS; k++) {
            now += (int64_t)draw(c->step_us / (1 + draw(20)) + 1);
            struct limiter_answer a;
            if (limiter_take(&f.limiter, mono(now), at(NOON), &a))
                times[passed++] = now;
        }
        assert_true(passed > 10);
        for (unsigned from = 0; from < passed; from++) {
            for (unsigned to = from; to < passed; to++) {
                wide over = (wide)(to - from + 1) - (wide)c->burst;
                assert_true(over * c->per_us <=
                            (wide)(times[to] - times[from]) * (wide)c->requests);
            }
        }
    }
}

static void nothing_drifts_over_a_million_steps(void **state)
{
    (void)state;
    struct fixture f;
    struct limit_conf limits[] = {rate(3, 7, 5)};
    start(&f, limits, 1);
    uint64_t passed = 0, steps = 1000000;
    struct limiter_answer a;
    for (uint64_t t = 0; t <= steps; t++)
        while (limiter_take(&f.limiter, mono((int64_t)t), (struct wall){.us = 0}, &a))
            passed++;
    assert_int_equal(passed, 5 + steps * 3 / 7);
}

static void tells_when_the_next_call_will_pass(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_answer a;
    struct limit_conf limits[] = {rate(1, 10 * US_PER_S, 2)};
    start(&f, limits, 1);
    assert_true(limiter_take(&f.limiter, mono(0), at(NOON), &a));
    assert_int_equal(a.limits[0].remaining, 1);
    assert_int_equal(a.limits[0].reset_s, 10);
    assert_true(limiter_take(&f.limiter, mono(0), at(NOON), &a));
    assert_false(limiter_take(&f.limiter, mono(1), at(NOON), &a));
    assert_int_equal(a.retry_after_s, 10); /* 9.999999, rounded up */
    assert_false(limiter_take(&f.limiter, mono(10 * US_PER_S - 1), at(NOON), &a));
    assert_int_equal(a.retry_after_s, 1);
    assert_str_equal(limit_rule_name(a.refused_by), "burst");
    assert_true(limiter_take(&f.limiter, mono(10 * US_PER_S), at(NOON), &a));
    assert_null(a.refused_by);
    assert_int_equal(a.retry_after_s, 0);
    assert_true(limiter_look(&f.limiter, mono(99 * US_PER_S), at(NOON), &a));
    assert_int_equal(a.limits[0].remaining, 2);
    assert_int_equal(a.limits[0].reset_s, 0);
}

static void a_quota_lets_exactly_n_through_in_each_window(void **state)
{
    (void)state;
    static const struct {
        enum calendar window;
        const char *first, *last, *next;
    } cases[] = {
        {CAL_MINUTE, "2026-12-31T23:59:00Z", "2026-12-31T23:59:59.999999Z", "2027-01-01"},
        {CAL_HOUR, "2026-12-31T23:00:00Z", "2026-12-31T23:59:59.999999Z", "2027-01-01"},
        {CAL_DAY, "2028-02-29", "2028-02-29T23:59:59.999999Z", "2028-03-01"},
        {CAL_WEEK, "2026-12-28", "2027-01-03T23:59:59.999999Z", "2027-01-04"},
        {CAL_MONTH, "2026-02-01", "2026-02-28T23:59:59.999999Z", "2026-03-01"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct limiter_answer a;
        struct limit_conf limits[] = {quota("q", 5, cases[i].window)};
        start(&f, limits, 1);
        assert_int_equal(pass(&f, 3, 0, cases[i].first), 3);
        assert_int_equal(pass(&f, 9, 0, cases[i].last), 2);
        assert_false(limiter_take(&f.limiter, mono(0), at(cases[i].last), &a));
        assert_int_equal(a.retry_after_s, 1);
        assert_int_equal(a.limits[0].remaining, 0);
        assert_true(limiter_take(&f.limiter, mono(0), at(cases[i].next), &a));
        assert_int_equal(a.limits[0].remaining, 4);
        assert_int_equal(a.limits[0].window.us, at(cases[i].next).us);
        assert_int_equal(pass(&f, 9, 0, cases[i].next), 4);
    }
}

static void a_quota_of_nothing_refuses_everything(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_answer a;
    struct limit_conf limits[] = {quota("day", 0, CAL_DAY)};
    start(&f, limits, 1);
    assert_false(limiter_take(&f.limiter, mono(0), at(NOON), &a));
    assert_int_equal(a.retry_after_s, 12 * 3600);
}

static void all_limits_take_or_none(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_answer a;
    struct limit_conf limits[] = {rate(1, US_PER_S, 3), quota("minute", 5, CAL_MINUTE),
                                  quota("day", 6, CAL_DAY)};
    start(&f, limits, 3);
    assert_int_equal(pass(&f, 9, 0, NOON), 3); /* the bucket refuses, the quotas lose nothing */
    assert_int_equal(pass(&f, 9, 9 * US_PER_S, "2026-11-23T12:00:09Z"), 2); /* the minute does */
    assert_false(limiter_take(&f.limiter, mono(9 * US_PER_S), at("2026-11-23T12:00:09Z"), &a));
    assert_str_equal(limit_rule_name(a.refused_by), "minute");
    assert_int_equal(a.retry_after_s, 51);
    assert_int_equal(a.limits[0].remaining, 1); /* nine refusals took nothing from the bucket */
    assert_int_equal(a.limits[1].remaining, 0);
    assert_int_equal(a.limits[2].remaining, 1);
    assert_int_equal(pass(&f, 9, 60 * US_PER_S, "2026-11-23T12:01:00Z"), 1); /* the day does */
    assert_false(limiter_take(&f.limiter, mono(60 * US_PER_S), at("2026-11-23T12:01:00Z"), &a));
    assert_str_equal(limit_rule_name(a.refused_by), "day");
    assert_int_equal(a.retry_after_s, 11 * 3600 + 59 * 60);
}

static void of_several_refusals_the_longest_is_told(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_answer a;
    struct limit_conf limits[] = {rate(1, US_PER_MINUTE, 1), quota("minute", 1, CAL_MINUTE)};
    start(&f, limits, 2);
    assert_int_equal(pass(&f, 2, 0, "2026-11-23T12:00:50Z"), 1);
    assert_false(limiter_look(&f.limiter, mono(0), at("2026-11-23T12:00:50Z"), &a));
    assert_str_equal(limit_rule_name(a.refused_by), "burst");
    assert_int_equal(a.retry_after_s, 60);
    assert_int_equal(a.limits[1].reset_s, 10);
}

static void looking_takes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_answer a;
    struct limit_conf limits[] = {rate(1, US_PER_S, 1), quota("day", 1, CAL_DAY)};
    start(&f, limits, 2);
    for (unsigned i = 0; i < 5; i++)
        assert_true(limiter_look(&f.limiter, mono(0), at(NOON), &a));
    assert_int_equal(pass(&f, 2, 0, NOON), 1);
    assert_false(limiter_look(&f.limiter, mono(0), at(NOON), &a));
}

/* Each step: the wall clock, seconds since the start, how many of 100 calls pass. A quota of 10. */
struct jump_case {
    enum calendar window;
    struct {
        const char *wall;
        int64_t elapsed_s;
        unsigned passes;
    } steps[5];
};

static void wall_clock_jumps_reopen_nothing(void **state)
{
    (void)state;
    static const struct jump_case cases[] = {
        /* a step back over the border, then over it again: December was opened once */
        {CAL_MONTH,
         {{"2026-12-01T00:00:01Z", 0, 10},
          {"2026-11-30T23:59:59Z", 1, 0},
          {"2026-12-01T00:00:00Z", 2, 0},
          {"2027-01-01", 3, 10}}},
        /* two hours ahead by mistake, then right: today goes on with what was counted meanwhile */
        {CAL_DAY,
         {{"2026-11-23T23:00:00Z", 0, 10},
          {"2026-11-24T01:00:00Z", 1, 10},
          {"2026-11-23T22:00:00Z", 2, 0},
          {"2026-11-24T00:00:00Z", 7202, 10}}},
        /* years ahead by mistake: the window it comes back to is not lost for years */
        {CAL_DAY,
         {{"2030-01-01", 0, 10}, {"2026-11-23T12:00:00Z", 1, 0}, {"2026-11-24", 43201, 10}}},
        /* years behind for ten seconds, as at boot: this month is not opened a second time */
        {CAL_MONTH,
         {{"2026-11-23T12:00:00Z", 0, 10},
          {"2021-01-01", 5, 0},
          {"2026-11-23T12:00:10Z", 10, 0},
          {"2026-12-01", 691190, 10}}},
        /* a minute is left for an earlier one only when the clock is far behind it */
        {CAL_MINUTE,
         {{"2026-11-23T12:05:00Z", 0, 10},
          {"2026-11-23T12:04:30Z", 1, 0},
          {"2026-11-23T12:00:00Z", 2, 0},
          {"2026-11-23T12:01:00Z", 62, 10}}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct limit_conf limits[] = {quota("q", 10, cases[i].window)};
        start(&f, limits, 1);
        for (size_t k = 0; k < ARRAY_LEN(cases[i].steps) && cases[i].steps[k].wall != NULL; k++) {
            unsigned passed =
                pass(&f, 100, cases[i].steps[k].elapsed_s * US_PER_S, cases[i].steps[k].wall);
            if (passed != cases[i].steps[k].passes)
                fail_msg("case %zu, step %zu: %u pass, want %u", i, k, passed,
                         cases[i].steps[k].passes);
        }
    }
}

static void what_was_left_in_a_window_is_left_after_a_jump(void **state)
{
    (void)state;
    struct fixture f;
    struct limit_conf limits[] = {quota("day", 10, CAL_DAY)};
    start(&f, limits, 1);
    assert_int_equal(pass(&f, 4, 0, "2026-11-23T12:00:00Z"), 4);
    assert_int_equal(pass(&f, 3, US_PER_S, "2026-11-25T12:00:00Z"), 3);
    /* back where we came from: 4 and 3 are used, 3 are left */
    assert_int_equal(pass(&f, 10, 2 * US_PER_S, "2026-11-23T12:00:02Z"), 3);
}

static void a_restart_goes_on_where_the_window_was(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_rules after;
    struct limit_conf limits[] = {rate(100, US_PER_S, 100), quota("day", 10, CAL_DAY),
                                  quota("month", 12, CAL_MONTH)};
    struct wall november = at("2026-11-01");
    start(&f, limits, 3);
    assert_int_equal(limiter_restore(&f.limiter, STR("day"), CAL_DAY, at("2026-11-22"), 10), 0);
    assert_int_equal(limiter_restore(&f.limiter, STR("month"), CAL_MONTH, november, 10), 0);
    assert_int_equal(limiter_restore(&f.limiter, STR("month"), CAL_MONTH, at("2026-11-02"), 3),
                     E_INVALID);
    /* yesterday's day is over, this month is not */
    assert_int_equal(pass(&f, 50, 0, "2026-11-23T12:00:00Z"), 2);
    assert_int_equal(limiter_restore(&f.limiter, STR("month"), CAL_MONTH, november, 3), 0);
    assert_int_equal(pass(&f, 50, 0, "2026-11-23T12:00:00Z"), 8);
    /* what the plan has not is there when it has */
    assert_int_equal(limiter_restore(&f.limiter, STR("week"), CAL_WEEK, at("2026-11-23"), 7), 0);
    limits[1] = quota("week", 9, CAL_WEEK);
    assert_int_equal(limiter_rules_init(&after, limits, 2, NULL), 0);
    limiter_configure(&f.limiter, &after, mono(0));
    assert_int_equal(pass(&f, 50, 0, "2026-11-23T12:00:00Z"), 2);
}

static void a_refund_gives_back_what_was_taken(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_answer a, later;
    struct limit_conf limits[] = {rate(1, US_PER_DAY, 2), quota("minute", 2, CAL_MINUTE)};
    start(&f, limits, 2);
    assert_int_equal(pass(&f, 1, 0, NOON), 1);
    assert_true(limiter_take(&f.limiter, mono(0), at(NOON), &a));
    limiter_refund(&f.limiter, &a);
    assert_int_equal(pass(&f, 5, 0, NOON), 1);
    assert_true(limiter_take(&f.limiter, mono(US_PER_DAY), at("2026-11-24T12:00:00Z"), &later));
    assert_int_equal(later.limits[1].remaining, 1);
    /* that minute is over: only the bucket gets it back */
    limiter_refund(&f.limiter, &a);
    assert_true(limiter_look(&f.limiter, mono(US_PER_DAY), at("2026-11-24T12:00:00Z"), &later));
    assert_int_equal(later.limits[0].remaining, 1);
    assert_int_equal(later.limits[1].remaining, 1);
    /* and never more than fits */
    for (unsigned i = 0; i < 5; i++)
        limiter_refund(&f.limiter, &a);
    assert_true(limiter_look(&f.limiter, mono(US_PER_DAY), at("2026-11-24T12:00:00Z"), &later));
    assert_int_equal(later.limits[0].remaining, 2);
}

static void new_limits_keep_the_state_of_the_old_by_name(void **state)
{
    (void)state;
    static const struct {
        struct limit_conf before, after;
        unsigned taken;
        uint64_t left;
    } cases[] = {
#define RATE(r, p, b)                                                                              \
    {.kind = LIMIT_RATE, .name = STR_INIT("x"), .requests = r, .per_us = p, .burst = b}
#define QUOTA(r, w)                                                                                \
    {                                                                                              \
        .kind = LIMIT_QUOTA, .name = STR_INIT("x"), .requests = r, .window = w                     \
    }
        {RATE(10, US_PER_S, 20), RATE(10, US_PER_S, 20), 5, 15},
        {RATE(10, US_PER_S, 20), RATE(3, 7 * US_PER_HOUR, 20), 5, 15},
        {RATE(10, US_PER_S, 20), RATE(10, US_PER_S, 4), 5, 4},
        {RATE(10, US_PER_S, 20), RATE(10, US_PER_S, 1000), 20, 0},
        {RATE(1, INT64_MAX, UINT64_MAX), RATE(UINT64_MAX, INT64_MAX, 8), 1, 8},
        {RATE(UINT64_MAX, INT64_MAX, 8), RATE(1, INT64_MAX, UINT64_MAX), 3, 5},
        {QUOTA(10, CAL_DAY), QUOTA(100, CAL_DAY), 10, 90},
        {QUOTA(10, CAL_DAY), QUOTA(4, CAL_DAY), 7, 0},
        {QUOTA(10, CAL_DAY), QUOTA(10, CAL_MONTH), 7, 10},
        {QUOTA(10, CAL_DAY), RATE(10, US_PER_S, 6), 7, 6},
#undef RATE
#undef QUOTA
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct limiter_rules after;
        struct limiter_answer a;
        struct limit_conf other = quota("other", 1000, CAL_DAY);
        struct limit_conf limits[] = {cases[i].after, other};
        start(&f, &cases[i].before, 1);
        assert_int_equal(pass(&f, cases[i].taken, 0, NOON), cases[i].taken);
        assert_int_equal(limiter_rules_init(&after, limits, 2, NULL), 0);
        limiter_configure(&f.limiter, &after, mono(0));
        limiter_look(&f.limiter, mono(0), at(NOON), &a);
        assert_int_equal(a.count, 2);
        if (a.limits[0].remaining != cases[i].left)
            fail_msg("case %zu: %llu left", i, (unsigned long long)a.limits[0].remaining);
        assert_int_equal(a.limits[1].remaining, 1000);
    }
}

static void a_quota_that_comes_back_goes_on(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_rules after;
    struct limiter_answer a;
    struct limit_conf limits[] = {rate(100, US_PER_S, 100), quota("day", 10, CAL_DAY),
                                  quota("month", 30, CAL_MONTH)};
    struct limit_conf others[] = {quota("month", 40, CAL_MONTH), quota("hour", 50, CAL_HOUR)};
    start(&f, limits, 3);
    assert_int_equal(pass(&f, 6, 0, NOON), 6);
    assert_true(limiter_take(&f.limiter, mono(0), at(NOON), &a));
    assert_int_equal(limiter_rules_init(&after, others, 2, NULL), 0);
    limiter_configure(&f.limiter, &after, mono(0));
    assert_int_equal(pass(&f, 3, 0, NOON), 3);
    limiter_refund(&f.limiter, &a); /* of a day that is not in force, too */
    limiter_configure(&f.limiter, NULL, mono(0));
    assert_int_equal(pass(&f, 100, 0, NOON), 100);
    limiter_configure(&f.limiter, &f.rules, mono(0));
    assert_true(limiter_look(&f.limiter, mono(0), at(NOON), &a));
    assert_int_equal(a.limits[1].remaining, 4);
    assert_int_equal(a.limits[2].remaining, 21);
    limiter_configure(&f.limiter, &after, mono(0));
    assert_true(limiter_look(&f.limiter, mono(0), at(NOON), &a));
    assert_int_equal(a.limits[0].remaining, 31);
    assert_int_equal(a.limits[1].remaining, 47);
    /* the day it was counted in is over */
    limiter_configure(&f.limiter, &f.rules, mono(0));
    assert_int_equal(pass(&f, 50, 0, "2026-11-24T12:00:00Z"), 10);
}

static void part_of_a_call_is_kept_by_new_limits(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_rules after;
    struct limit_conf before[] = {rate(1, 10 * US_PER_S, 2)},
                      slower[] = {rate(1, 20 * US_PER_S, 2)};
    start(&f, before, 1);
    assert_int_equal(pass(&f, 3, 0, NOON), 2);
    assert_int_equal(limiter_rules_init(&after, slower, 1, NULL), 0);
    limiter_configure(&f.limiter, &after, mono(5 * US_PER_S)); /* half a call is there */
    assert_int_equal(pass(&f, 1, 15 * US_PER_S - 1, NOON), 0);
    assert_int_equal(pass(&f, 2, 15 * US_PER_S, NOON), 1);
}

static void faulty_limits_are_refused(void **state)
{
    (void)state;
    static const struct limit_conf cases[][2] = {
        {{.kind = LIMIT_RATE, .name = STR_INIT("r"), .requests = 0, .per_us = 1, .burst = 1}},
        {{.kind = LIMIT_RATE, .name = STR_INIT("r"), .requests = 1, .per_us = 0, .burst = 1}},
        {{.kind = LIMIT_RATE, .name = STR_INIT("r"), .requests = 1, .per_us = -1, .burst = 1}},
        {{.kind = LIMIT_RATE, .name = STR_INIT("r"), .requests = 1, .per_us = 1, .burst = 0}},
        {{.kind = LIMIT_QUOTA, .name = STR_INIT(""), .requests = 1}},
        {{.kind = LIMIT_QUOTA, .name = STR_INIT("a\"b"), .requests = 1}},
        {{.kind = LIMIT_QUOTA, .name = STR_INIT("a b"), .requests = 1}},
        {{.kind = LIMIT_QUOTA,
          .name = STR_INIT("a2345678901234567890123456789012"),
          .requests = 1}},
        {{.kind = LIMIT_QUOTA, .name = STR_INIT("a"), .requests = 1},
         {.kind = LIMIT_QUOTA, .name = STR_INIT("a"), .requests = 2}},
    };
    struct limiter_rules rules;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        size_t count = cases[i][1].name.n > 0 ? 2 : 1;
        assert_int_equal(limiter_rules_init(&rules, cases[i], count, &err), E_INVALID);
        assert_int_equal(err.code, E_INVALID);
    }
    assert_int_equal(limiter_rules_init(&rules, cases[0], PLAN_LIMITS_MAX + 1, NULL), E_INVALID);
    assert_int_equal(limiter_rules_init(&rules, NULL, 0, NULL), 0);
    assert_int_equal(limiter_policy(&rules).n, 0);
}

static void writes_the_headers(void **state)
{
    (void)state;
    struct fixture f;
    struct limiter_answer a;
    char mem[256];
    struct buf out;
    buf_init_fixed(&out, mem, sizeof(mem));
    struct limit_conf limits[] = {rate(100, US_PER_MINUTE, 100), quota("month", 10000, CAL_MONTH),
                                  quota("huge", UINT64_MAX, CAL_DAY)};
    start(&f, limits, 3);
    assert_str_equal(limiter_policy(&f.rules), "\"burst\";q=100;w=60, \"month\";q=10000;w=2592000, "
                                               "\"huge\";q=999999999999999;w=86400");
    assert_true(limiter_take(&f.limiter, mono(0), at("2026-11-30T23:00:00.5Z"), &a));
    limiter_write(&a, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str_equal(buf_str(&out), "\"burst\";r=99;t=1, \"month\";r=9999;t=3600, "
                                    "\"huge\";r=999999999999999;t=3600");
    struct limit_conf slow[] = {rate(3, US_PER_S, 10)};
    start(&f, slow, 1);
    assert_str_equal(limiter_policy(&f.rules), "\"burst\";q=10;w=4");
}

/* ---- many threads ---- */

#define THREADS 8
#define QUOTA_N 10000

struct crowd {
    struct fixture f;
    pthread_barrier_t start;
    _Atomic unsigned passed;
    _Atomic bool stop;
};

static void *take_many(void *arg)
{
    struct crowd *crowd = arg;
    unsigned passed = 0;
    struct limiter_answer a;
    struct wall noon = {.us = INT64_C(1795435200) * US_PER_S};
    pthread_barrier_wait(&crowd->start);
    for (unsigned i = 0; i < 2 * QUOTA_N / THREADS; i++) {
        if (!limiter_take(&crowd->f.limiter, mono(0), noon, &a))
            continue;
        /* now and then one is not served after all, and tried again */
        if (i % 64 == 5)
            limiter_refund(&crowd->f.limiter, &a);
        else
            passed++;
    }
    /* the refunds of the others may come late: take what is left */
    pthread_barrier_wait(&crowd->start);
    while (limiter_take(&crowd->f.limiter, mono(0), noon, &a))
        passed++;
    atomic_fetch_add(&crowd->passed, passed);
    return NULL;
}

static void exactly_n_pass_whatever_the_concurrency(void **state)
{
    (void)state;
    const struct limit_conf tables[][3] = {
        {quota("day", QUOTA_N, CAL_DAY), quota("month", QUOTA_N * 2, CAL_MONTH),
         rate(1, US_PER_DAY, QUOTA_N * 3)},
        {quota("day", QUOTA_N * 2, CAL_DAY), quota("month", QUOTA_N, CAL_MONTH),
         rate(1, US_PER_DAY, QUOTA_N * 3)},
        {quota("day", QUOTA_N * 2, CAL_DAY), quota("month", QUOTA_N * 3, CAL_MONTH),
         rate(1, US_PER_DAY, QUOTA_N)},
    };
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        static struct crowd crowd;
        pthread_t threads[THREADS];
        start(&crowd.f, tables[i], 3);
        atomic_store(&crowd.passed, 0);
        pthread_barrier_init(&crowd.start, NULL, THREADS);
        for (unsigned k = 0; k < THREADS; k++)
            assert_int_equal(pthread_create(&threads[k], NULL, take_many, &crowd), 0);
        for (unsigned k = 0; k < THREADS; k++)
            pthread_join(threads[k], NULL);
        pthread_barrier_destroy(&crowd.start);
        assert_int_equal(atomic_load(&crowd.passed), QUOTA_N);
        /* none of the other limits lost a call to a refusal */
        struct limiter_answer a;
        struct wall noon = {.us = INT64_C(1795435200) * US_PER_S};
        limiter_look(&crowd.f.limiter, mono(0), noon, &a);
        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(a.limits[k].remaining, a.limits[k].rule->quota - QUOTA_N);
    }
}

static void *take_until_stopped(void *arg)
{
    struct crowd *crowd = arg;
    unsigned passed = 0;
    struct limiter_answer a;
    struct wall noon = {.us = INT64_C(1795435200) * US_PER_S};
    pthread_barrier_wait(&crowd->start);
    while (!atomic_load_explicit(&crowd->stop, memory_order_relaxed))
        passed += limiter_take(&crowd->f.limiter, mono(0), noon, &a);
    atomic_fetch_add(&crowd->passed, passed);
    return NULL;
}

static void new_limits_under_load_lose_no_count(void **state)
{
    (void)state;
    static struct crowd crowd;
    static struct limiter_rules two[2];
    pthread_t threads[4];
    for (unsigned i = 0; i < 2; i++) {
        const struct limit_conf limits[] = {quota("day", 5000, CAL_DAY),
                                            rate(1 + i, US_PER_DAY, 1000000)};
        assert_int_equal(limiter_rules_init(&two[i], limits, 2, NULL), 0);
    }
    limiter_init(&crowd.f.limiter);
    limiter_configure(&crowd.f.limiter, &two[0], mono(0));
    atomic_store(&crowd.passed, 0);
    pthread_barrier_init(&crowd.start, NULL, 5);
    for (unsigned k = 0; k < 4; k++)
        assert_int_equal(pthread_create(&threads[k], NULL, take_until_stopped, &crowd), 0);
    pthread_barrier_wait(&crowd.start);
    struct limiter_answer a;
    struct wall noon = {.us = INT64_C(1795435200) * US_PER_S};
    for (unsigned i = 1; limiter_look(&crowd.f.limiter, mono(0), noon, &a); i++)
        limiter_configure(&crowd.f.limiter, &two[i % 2], mono(0));
    atomic_store(&crowd.stop, true);
    for (unsigned k = 0; k < 4; k++)
        pthread_join(threads[k], NULL);
    pthread_barrier_destroy(&crowd.start);
    assert_int_equal(atomic_load(&crowd.passed), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_everything_passes),
        cmocka_unit_test(a_bucket_begins_full_and_refills_all_the_time),
        cmocka_unit_test(the_bucket_agrees_with_exact_arithmetic),
        cmocka_unit_test(no_interval_sees_more_than_burst_and_rate),
        cmocka_unit_test(nothing_drifts_over_a_million_steps),
        cmocka_unit_test(tells_when_the_next_call_will_pass),
        cmocka_unit_test(a_quota_lets_exactly_n_through_in_each_window),
        cmocka_unit_test(a_quota_of_nothing_refuses_everything),
        cmocka_unit_test(all_limits_take_or_none),
        cmocka_unit_test(of_several_refusals_the_longest_is_told),
        cmocka_unit_test(looking_takes_nothing),
        cmocka_unit_test(wall_clock_jumps_reopen_nothing),
        cmocka_unit_test(what_was_left_in_a_window_is_left_after_a_jump),
        cmocka_unit_test(a_restart_goes_on_where_the_window_was),
        cmocka_unit_test(a_refund_gives_back_what_was_taken),
        cmocka_unit_test(new_limits_keep_the_state_of_the_old_by_name),
        cmocka_unit_test(a_quota_that_comes_back_goes_on),
        cmocka_unit_test(part_of_a_call_is_kept_by_new_limits),
        cmocka_unit_test(faulty_limits_are_refused),
        cmocka_unit_test(writes_the_headers),
        cmocka_unit_test(exactly_n_pass_whatever_the_concurrency),
        cmocka_unit_test(new_limits_under_load_lose_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
