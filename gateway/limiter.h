/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limiter.h -- the rate and the quotas of one subject (an app), decided together: all take, or none
 * does.
 *
 * A rate is a bucket of `burst` calls, refilled all the time at requests/per, in integers without
 * rounding: in any interval T at most burst + T * requests/per calls pass. A quota is a count in a
 * window of the calendar (UTC); exactly N pass in each, whatever the concurrency. A refused call
 * uses nothing up.
 *
 * The wall clock may jump. Forward: the window it lands in begins unused. Back by no more than the
 * window's length, and at most LIMITER_BACK_MAX_US: calls go on counting in the window that was
 * reached, so the one before is not opened again. Back by more: the clock was wrong before, the
 * window it lands in goes on from what was used there if it is the one we came from, and what was
 * counted meanwhile is added; nothing is forgotten. Should the clock then come forward to where it
 * had been sooner than time passes, that was the mistake, and the window goes on with all that was
 * counted. The bucket knows only the monotonic clock.
 *
 * Threads: any may take, look, give back and configure; one short spin lock on the subject's own
 * lines. Memory:  a limiter is the caller's, on lines of its own; it borrows its rules until the
 * next limiter_configure(), and answers borrow them too: whoever replaces rules retires the old
 * ones (base/epoch.h). Nothing is allocated. Errors:  limiter_rules_init() reports to `struct
 * error`; a refusal is an answer.
 */
#ifndef GATEWAY_LIMITER_H
#define GATEWAY_LIMITER_H

#include "base/buf.h"
#include "base/error.h"
#include "gateway/config.h"

#include <stdatomic.h>

#define LIMIT_NAME_MAX 31
#define LIMITER_POLICY_MAX 320
#define LIMITER_BACK_MAX_US US_PER_HOUR

/* One limit of a plan, ready to be applied. */
struct limit_rule {
    enum limit_kind kind;
    enum calendar window; /* quota only */
    uint64_t quota;       /* q: the bucket's capacity, or how many pass in a window */
    uint64_t
        window_s; /* w: the window's length; of a bucket, how long an empty one takes to fill */
    uint64_t gain,
        cost; /* bucket: its level grows by `gain` each microsecond, a call takes `cost` */
    size_t name_len;
    char name[LIMIT_NAME_MAX + 1];
};

static inline struct str limit_rule_name(const struct limit_rule *rule)
{
    return str_make(rule->name, rule->name_len);
}

/* The limits of a plan. Never changes after init. */
struct limiter_rules {
    unsigned count;
    struct limit_rule items[PLAN_LIMITS_MAX];
    size_t policy_len;
    char policy[LIMITER_POLICY_MAX];
};

/*
 * 0, or E_INVALID: more than PLAN_LIMITS_MAX, two of one name, a name that is empty, too long or
 * has more than letters, digits, '-', '_' and '.', a rate or burst of 0. A quota of 0 lets nothing
 * through.
 */
must_check int limiter_rules_init(struct limiter_rules *rules, const struct limit_conf *limits,
                                  size_t count, struct error *err);

/* The value of RateLimit-Policy: "burst";q=100;w=60, "month";q=10000;w=2592000 */
static inline struct str limiter_policy(const struct limiter_rules *rules)
{
    return str_make(rules->policy, rules->policy_len);
}

/* What is left of a bucket, in units of 1/cost of a call. */
__extension__ typedef unsigned __int128 limiter_level;

struct limit_state {
    union {
        struct {
            limiter_level level;
            struct mono filled; /* when it had this level */
        } bucket;
        struct {
            struct wall start, next; /* next == start: no window yet */
            uint64_t used;
            struct wall other; /* begin of the window we came from; WALL_NONE for none */
            uint64_t other_used;
            struct mono back_at; /* where `other` is later than start: when the clock went back, */
            int64_t back_by;     /* and how long it takes to come to `other` again */
        } quota;
    };
};

/* A quota that is not in force, should it come back. */
struct limit_aside {
    size_t name_len; /* 0: none */
    char name[LIMIT_NAME_MAX + 1];
    struct limit_state state;
};

/* The limits of one subject. Initialised by limiter_init(); all fields are the module's. */
struct limiter {
    cache_aligned _Atomic uint32_t lock;
    const struct limiter_rules *rules;          /* guarded by lock; NULL: no limits */
    struct limit_state states[PLAN_LIMITS_MAX]; /* guarded by lock; as rules->items */
    struct limit_aside aside[CAL_MONTH + 1];    /* guarded by lock; the latest of each unit */
};

/* One without limits. Nothing needs to be given back. */
void limiter_init(struct limiter *limiter);

/*
 * Puts these rules (NULL: none) in force. A limit of a name and kind that was there before keeps
 * its state: a bucket what is left, down to the new burst, a quota what was used, also where it was
 * away meanwhile. A new bucket is full.
 */
void limiter_configure(struct limiter *limiter, const struct limiter_rules *rules, struct mono now);

/* One limit after the decision. */
struct limit_now {
    const struct limit_rule *rule;
    uint64_t remaining; /* r: calls left */
    uint64_t reset_s; /* t: seconds, rounded up, until `remaining` can grow; 0 for a full bucket */
    struct wall window; /* quota: begin of the window it was taken from, for record_quota */
};

struct limiter_answer {
    bool admitted;
    const struct limit_rule
        *refused_by;        /* NULL where admitted; of several, the one that takes longest */
    uint64_t retry_after_s; /* where refused: t of that one, at least 1 */
    const struct limiter_rules *rules; /* NULL where there are no limits */
    unsigned count;
    struct limit_now limits[PLAN_LIMITS_MAX]; /* in the order of the rules */
};

/* Takes one call from every limit, or from none. Returns ret_answer->admitted. */
bool limiter_take(struct limiter *limiter, struct mono now, struct wall wall,
                  struct limiter_answer *ret_answer);

/* The same without taking: what would be answered, and what is left. */
bool limiter_look(struct limiter *limiter, struct mono now, struct wall wall,
                  struct limiter_answer *ret_answer);

/*
 * Gives back what an admitted call took, where we then did not serve it. Once a call. A window that
 * is over by now is left alone.
 */
void limiter_refund(struct limiter *limiter, const struct limiter_answer *answer);

/*
 * After a restart: `used` calls were let through in the window of quota `name` that began at
 * `window`, be the quota in force or come back later. 0; E_INVALID where no window of that unit
 * begins then, or for a name that no limit has.
 */
must_check int limiter_restore(struct limiter *limiter, struct str name, enum calendar unit,
                               struct wall window, uint64_t used);

/* Appends the value of RateLimit: "burst";r=50;t=30, "month";r=9000;t=86400 */
void limiter_write(const struct limiter_answer *answer, struct buf *out);

#endif
