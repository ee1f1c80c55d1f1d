/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/limiter.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#define SPINS_BEFORE_YIELD 100

/* The largest integer of a structured field (RFC 8941 §3.3.1). */
#define SF_INTEGER_MAX UINT64_C(999999999999999)

#define WALL_NONE ((struct wall){.us = INT64_MIN})

/* What w says of a month: the header is a promise of the plan and must not change each month. */
#define MONTH_S UINT64_C(2592000)

_Static_assert(offsetof(struct limiter, aside) <= 5 * CACHE_LINE, "a call touches few lines");

/* ---- rules ---- */

static unsigned count_of(const struct limiter_rules *rules)
{
    return rules != NULL ? rules->count : 0;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Names go into a header and into metrics as they are. */
static bool name_is_fine(struct str name)
{
    if (name.n == 0 || name.n > LIMIT_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = str_lower_char(name.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

static limiter_level level_max(const struct limit_rule *rule)
{
    return (limiter_level)rule->quota * rule->cost;
}

static uint64_t divide_up(limiter_level a, uint64_t b)
{
    limiter_level q = (a + b - 1) / b;
    return q > UINT64_MAX ? UINT64_MAX : (uint64_t)q;
}

static uint64_t calendar_seconds(enum calendar unit)
{
    switch (unit) {
    case CAL_MINUTE:
        return 60;
    case CAL_HOUR:
        return 3600;
    case CAL_DAY:
        return 86400;
    case CAL_WEEK:
        return 604800;
    case CAL_MONTH:
        break;
    }
    return MONTH_S;
}

static int rule_init(struct limit_rule *rule, const struct limit_conf *conf, struct error *err)
{
    if (!name_is_fine(conf->name))
        return error_set(err, E_INVALID,
                         "the limit \"%" STR_FMT "\" needs a name of 1 to %d letters and digits",
                         STR_ARG(conf->name), LIMIT_NAME_MAX);
    *rule = (struct limit_rule){.kind = conf->kind, .quota = conf->requests};
    rule->name_len = conf->name.n;
    memcpy(rule->name, conf->name.p, conf->name.n);
    if (conf->kind == LIMIT_QUOTA) {
        rule->window = conf->window;
        rule->window_s = calendar_seconds(conf->window);
        return 0;
    }
    if (conf->requests == 0 || conf->burst == 0 || conf->per_us <= 0)
        return error_set(err, E_INVALID, "the rate \"%" STR_FMT "\" and its burst must not be 0",
                         STR_ARG(conf->name));
    /*
     * A level counts parts of 1/cost of a call, so that a microsecond adds whole parts and nothing
     * is ever rounded: requests/per = gain/cost. The largest level, 2^64 * 2^63, and what the
     * longest time adds, 2^63 * 2^64, still add up within 128 bits.
     */
    uint64_t per = (uint64_t)conf->per_us, common = gcd(conf->requests, per);
    rule->quota = conf->burst;
    rule->gain = conf->requests / common;
    rule->cost = per / common;
    uint64_t fill_us = divide_up(level_max(rule), rule->gain);
    rule->window_s = divide_up(fill_us, (uint64_t)US_PER_S);
    return 0;
}

static uint64_t sf_integer(uint64_t v)
{
    return v < SF_INTEGER_MAX ? v : SF_INTEGER_MAX;
}

int limiter_rules_init(struct limiter_rules *rules, const struct limit_conf *limits, size_t count,
                       struct error *err)
{
    *rules = (struct limiter_rules){.count = (unsigned)count};
    if (count > PLAN_LIMITS_MAX)
        return error_set(err, E_INVALID, "a plan has at most %d limits, not %zu", PLAN_LIMITS_MAX,
                         count);
    struct buf policy;
    buf_init_fixed(&policy, rules->policy, sizeof(rules->policy));
    for (unsigned i = 0; i < count; i++) {
        struct limit_rule *rule = &rules->items[i];
        int r = rule_init(rule, &limits[i], err);
        if (r != 0)
            return r;
        for (unsigned j = 0; j < i; j++) {
            if (str_eq(limit_rule_name(rule), limit_rule_name(&rules->items[j])))
                return error_set(err, E_INVALID, "two limits have the name \"%s\"", rule->name);
        }
        buf_printf(&policy, "%s\"%s\";q=%" PRIu64 ";w=%" PRIu64, i > 0 ? ", " : "", rule->name,
                   sf_integer(rule->quota), sf_integer(rule->window_s));
    }
    CHECK(buf_finish(&policy) == 0);
    rules->policy_len = policy.n;
    return 0;
}

/* ---- the lock ---- */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/*
 * What it guards takes tens of nanoseconds and never waits, so spinning is shortest. A holder may
 * lose its core: then spinning on would only keep it from coming back.
 */
static void lock(struct limiter *limiter)
{
    /* pairs with the release of unlock() */
    while (atomic_exchange_explicit(&limiter->lock, 1, memory_order_acquire) != 0) {
        unsigned spins = 0;
        while (atomic_load_explicit(&limiter->lock, memory_order_relaxed) != 0) {
            if (++spins < SPINS_BEFORE_YIELD)
                relax();
            else
                sched_yield();
        }
    }
}

static void unlock(struct limiter *limiter)
{
    atomic_store_explicit(&limiter->lock, 0, memory_order_release); /* pairs with lock() */
}

/* ---- time ---- */

static void bucket_fill(const struct limit_rule *rule, struct limit_state *state, struct mono now)
{
    int64_t elapsed = mono_since(now, state->bucket.filled);
    if (elapsed <= 0) /* another carrier read its clock later than we did, and was here first */
        return;
    limiter_level max = level_max(rule);
    limiter_level level = state->bucket.level + (limiter_level)(uint64_t)elapsed * rule->gain;
    state->bucket.level = level < max ? level : max;
    state->bucket.filled = now;
}

static void quota_open(const struct limit_rule *rule, struct limit_state *state, struct wall start)
{
    state->quota.start = start;
    state->quota.next = wall_next(start, rule->window);
}

/* How far the clock may go back without leaving the window. */
static int64_t back_max(const struct limit_state *state)
{
    int64_t length = state->quota.next.us - state->quota.start.us;
    return length < LIMITER_BACK_MAX_US ? length : LIMITER_BACK_MAX_US;
}

/* Whether a clock that went back is only put right again: it arrives sooner than time passes. */
static bool put_right(const struct limit_state *state, struct wall start, struct mono now)
{
    return start.us == state->quota.other.us && start.us > state->quota.start.us &&
           mono_since(now, state->quota.back_at) < state->quota.back_by - back_max(state);
}

/* Opens the window that `wall` falls in, if it is another one; the head of limiter.h says how. */
static void quota_roll(const struct limit_rule *rule, struct limit_state *state, struct mono now,
                       struct wall wall)
{
    struct wall before = state->quota.start;
    bool opened = state->quota.next.us > before.us;
    if (opened && wall.us >= before.us && wall.us < state->quota.next.us)
        return;
    struct wall start = wall_floor(wall, rule->window);
    if (opened && wall.us < before.us) {
        if (before.us - wall.us <= back_max(state))
            return;
        if (start.us == state->quota.other.us)
            state->quota.used += state->quota.other_used;
        state->quota.other = before;
        state->quota.other_used = 0; /* carried over */
        state->quota.back_at = now;
        state->quota.back_by = before.us - wall.us;
    } else if (put_right(state, start, now)) {
        state->quota.other = WALL_NONE;
    } else {
        state->quota.other = opened ? before : WALL_NONE;
        state->quota.other_used = state->quota.used;
        state->quota.used = 0;
    }
    quota_open(rule, state, start);
}

/* ---- the decision ---- */

/* Brings every limit up to the moment; whether all have room. Under the lock. */
static bool refresh(struct limiter *limiter, struct mono now, struct wall wall)
{
    bool room = true;
    for (unsigned i = 0; i < limiter->rules->count; i++) {
        const struct limit_rule *rule = &limiter->rules->items[i];
        struct limit_state *state = &limiter->states[i];
        if (rule->kind == LIMIT_RATE) {
            bucket_fill(rule, state, now);
            room = room && state->bucket.level >= rule->cost;
        } else {
            quota_roll(rule, state, now, wall);
            room = room && state->quota.used < rule->quota;
        }
    }
    return room;
}

static void take_all(struct limiter *limiter)
{
    for (unsigned i = 0; i < limiter->rules->count; i++) {
        const struct limit_rule *rule = &limiter->rules->items[i];
        if (rule->kind == LIMIT_RATE)
            limiter->states[i].bucket.level -= rule->cost;
        else
            limiter->states[i].quota.used++;
    }
}

/* What the state means to a reader; outside the lock, for it divides. */
static struct limit_now tell(const struct limit_rule *rule, const struct limit_state *state,
                             struct wall wall)
{
    struct limit_now now = {.rule = rule};
    uint64_t reset_us = 0;
    if (rule->kind == LIMIT_RATE) {
        limiter_level level = state->bucket.level;
        limiter_level whole = level / rule->cost;
        now.remaining = (uint64_t)whole;
        if (now.remaining < rule->quota)
            reset_us = divide_up(rule->cost - (level - whole * rule->cost), rule->gain);
    } else {
        now.window = state->quota.start;
        now.remaining = state->quota.used < rule->quota ? rule->quota - state->quota.used : 0;
        reset_us = (uint64_t)(state->quota.next.us - wall.us);
    }
    now.reset_s = divide_up(reset_us, (uint64_t)US_PER_S);
    return now;
}

static void answer_refusal(struct limiter_answer *answer)
{
    for (unsigned i = 0; i < answer->count; i++) {
        const struct limit_now *limit = &answer->limits[i];
        if (limit->remaining > 0)
            continue;
        if (answer->refused_by == NULL || limit->reset_s > answer->retry_after_s) {
            answer->refused_by = limit->rule;
            answer->retry_after_s = limit->reset_s;
        }
    }
}

struct moment {
    struct mono now;
    struct wall wall;
};

static bool decide(struct limiter *limiter, struct moment at, bool take,
                   struct limiter_answer *ret_answer)
{
    struct limit_state states[PLAN_LIMITS_MAX];
    lock(limiter);
    const struct limiter_rules *rules = limiter->rules;
    unsigned count = count_of(rules);
    bool admitted = count == 0 || refresh(limiter, at.now, at.wall);
    if (admitted && take && count > 0)
        take_all(limiter);
    memcpy(states, limiter->states, count * sizeof(*states));
    unlock(limiter);

    ret_answer->admitted = admitted;
    ret_answer->refused_by = NULL;
    ret_answer->retry_after_s = 0;
    ret_answer->rules = rules;
    ret_answer->count = count;
    for (unsigned i = 0; i < count; i++)
        ret_answer->limits[i] = tell(&rules->items[i], &states[i], at.wall);
    if (!admitted)
        answer_refusal(ret_answer);
    return admitted;
}

bool limiter_take(struct limiter *limiter, struct mono now, struct wall wall,
                  struct limiter_answer *ret_answer)
{
    return decide(limiter, (struct moment){.now = now, .wall = wall}, true, ret_answer);
}

bool limiter_look(struct limiter *limiter, struct mono now, struct wall wall,
                  struct limiter_answer *ret_answer)
{
    return decide(limiter, (struct moment){.now = now, .wall = wall}, false, ret_answer);
}

/* ---- changes ---- */

void limiter_init(struct limiter *limiter)
{
    memset(limiter, 0, sizeof(*limiter));
    atomic_init(&limiter->lock, 0);
}

/* The place of the limit of this name and kind (and calendar unit); count_of(rules) where there is
 * none. */
static unsigned find_same(const struct limiter_rules *rules, const struct limit_rule *rule)
{
    unsigned i = 0;
    while (i < count_of(rules)) {
        const struct limit_rule *other = &rules->items[i];
        if (other->kind == rule->kind && other->window == rule->window &&
            str_eq(limit_rule_name(other), limit_rule_name(rule)))
            break;
        i++;
    }
    return i;
}

/* The same calls in parts of another size, rounded down, and no more than fit. */
static limiter_level level_convert(limiter_level level, const struct limit_rule *from,
                                   const struct limit_rule *to)
{
    limiter_level whole = level / from->cost, part = level % from->cost;
    if (whole >= to->quota)
        return level_max(to);
    return whole * to->cost + part * to->cost / from->cost;
}

static struct limit_state state_fresh(const struct limit_rule *rule, struct mono now)
{
    struct limit_state state;
    memset(&state, 0, sizeof(state));
    if (rule->kind == LIMIT_RATE) {
        state.bucket.level = level_max(rule);
        state.bucket.filled = now;
    } else {
        state.quota.other = WALL_NONE;
    }
    return state;
}

/* The place where a quota of that name and unit was put; NULL where none was. Under the lock. */
static struct limit_aside *find_aside(struct limiter *limiter, const struct limit_rule *rule)
{
    struct limit_aside *aside = &limiter->aside[rule->window];
    bool same = rule->kind == LIMIT_QUOTA &&
                str_eq(str_make(aside->name, aside->name_len), limit_rule_name(rule));
    return same ? aside : NULL;
}

static void put_aside(struct limiter *limiter, const struct limit_rule *rule,
                      const struct limit_state *state)
{
    struct limit_aside *aside = &limiter->aside[rule->window];
    if (rule->kind != LIMIT_QUOTA)
        return;
    aside->state = *state;
    aside->name_len = rule->name_len;
    memcpy(aside->name, rule->name, rule->name_len);
}

/* The state of `rule`, from the rules that were in force or from aside; under the lock. */
static struct limit_state state_carry(struct limiter *limiter, const struct limit_rule *rule,
                                      struct mono now)
{
    const struct limiter_rules *old = limiter->rules;
    unsigned at = find_same(old, rule);
    if (at == count_of(old)) {
        struct limit_aside *aside = find_aside(limiter, rule);
        if (aside == NULL)
            return state_fresh(rule, now);
        aside->name_len = 0;
        return aside->state;
    }
    struct limit_state *state = &limiter->states[at];
    if (rule->kind == LIMIT_RATE) {
        bucket_fill(&old->items[at], state, now);
        state->bucket.level = level_convert(state->bucket.level, &old->items[at], rule);
    }
    return *state;
}

void limiter_configure(struct limiter *limiter, const struct limiter_rules *rules, struct mono now)
{
    struct limit_state states[PLAN_LIMITS_MAX];
    unsigned count = count_of(rules);
    lock(limiter);
    const struct limiter_rules *old = limiter->rules;
    for (unsigned i = 0; i < count; i++)
        states[i] = state_carry(limiter, &rules->items[i], now);
    for (unsigned i = 0; i < count_of(old); i++) {
        if (find_same(rules, &old->items[i]) == count)
            put_aside(limiter, &old->items[i], &limiter->states[i]);
    }
    memcpy(limiter->states, states, count * sizeof(*states));
    limiter->rules = rules;
    unlock(limiter);
}

static void give_back(const struct limit_rule *rule, struct limit_state *state, struct wall window)
{
    if (rule->kind == LIMIT_RATE) {
        limiter_level level = state->bucket.level + rule->cost, max = level_max(rule);
        state->bucket.level = level < max ? level : max;
    } else if (state->quota.start.us == window.us && state->quota.used > 0) {
        state->quota.used--;
    } else if (state->quota.other.us == window.us && state->quota.other_used > 0) {
        state->quota.other_used--;
    }
}

void limiter_refund(struct limiter *limiter, const struct limiter_answer *answer)
{
    CHECK(answer->admitted);
    lock(limiter);
    const struct limiter_rules *rules = limiter->rules;
    for (unsigned i = 0; i < answer->count; i++) {
        const struct limit_now *taken = &answer->limits[i];
        struct limit_aside *aside = find_aside(limiter, taken->rule);
        unsigned at = find_same(rules, taken->rule);
        if (at < count_of(rules))
            give_back(&rules->items[at], &limiter->states[at], taken->window);
        else if (aside != NULL)
            give_back(taken->rule, &aside->state, taken->window);
    }
    unlock(limiter);
}

int limiter_restore(struct limiter *limiter, struct str name, enum calendar unit,
                    struct wall window, uint64_t used)
{
    struct limit_rule rule = {.kind = LIMIT_QUOTA, .window = unit, .name_len = name.n};
    if (!name_is_fine(name) || wall_floor(window, unit).us != window.us)
        return E_INVALID;
    memcpy(rule.name, name.p, name.n);
    struct limit_state state = state_fresh(&rule, (struct mono){.us = 0});
    quota_open(&rule, &state, window);
    state.quota.used = used;
    lock(limiter);
    unsigned at = find_same(limiter->rules, &rule);
    if (at < count_of(limiter->rules))
        limiter->states[at] = state;
    else
        put_aside(limiter, &rule, &state);
    unlock(limiter);
    return 0;
}

void limiter_write(const struct limiter_answer *answer, struct buf *out)
{
    for (unsigned i = 0; i < answer->count; i++) {
        const struct limit_now *limit = &answer->limits[i];
        if (i > 0)
            buf_add_lit(out, ", ");
        buf_add_char(out, '"');
        buf_add_str(out, limit_rule_name(limit->rule));
        buf_add_lit(out, "\";r=");
        buf_add_u64(out, sf_integer(limit->remaining));
        buf_add_lit(out, ";t=");
        buf_add_u64(out, sf_integer(limit->reset_s));
    }
}
