/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/queries.h"

#include "base/cond.h"
#include "base/log.h"

#include <limits.h>
#include <stdlib.h>

struct queries {
    char dir[PATH_MAX]; /* const after creation; "" for none */
    pthread_mutex_t mtx;
    pthread_cond_t given;
    struct query_loan loans[QUERIES_AT_ONCE];
};

struct queries *queries_create(const char *dir)
{
    struct queries *q = calloc(1, sizeof(*q));
    CHECK(q != NULL);
    str_copy(str_from(dir != NULL ? dir : ""), q->dir, sizeof(q->dir));
    pthread_mutex_init(&q->mtx, NULL);
    cond_init(&q->given);
    return q;
}

void queries_destroy(struct queries *q)
{
    if (q == NULL)
        return;
    for (unsigned i = 0; i < QUERIES_AT_ONCE; i++) {
        CHECK(!q->loans[i].lent);
        query_close(q->loans[i].query);
    }
    pthread_cond_destroy(&q->given);
    pthread_mutex_destroy(&q->mtx);
    free(q);
}

/* One that is free, rather an open one; NULL where all are lent. With the mutex held. */
static struct query_loan *find_free(struct queries *q)
{
    struct query_loan *found = NULL;
    for (unsigned i = 0; i < QUERIES_AT_ONCE; i++) {
        struct query_loan *loan = &q->loans[i];
        if (!loan->lent && (found == NULL || found->query == NULL))
            found = loan;
    }
    return found;
}

static struct query_loan *borrow(struct queries *q)
{
    struct mono until = mono_after(clock_mono(), QUERIES_WAIT_US);
    struct query_loan *loan;
    pthread_mutex_lock(&q->mtx);
    while ((loan = find_free(q)) == NULL && cond_wait_until(&q->given, &q->mtx, until)) {
    }
    if (loan != NULL)
        loan->lent = true;
    pthread_mutex_unlock(&q->mtx);
    return loan;
}

static void bring_back(struct queries *q, struct query_loan *loan)
{
    pthread_mutex_lock(&q->mtx);
    loan->lent = false;
    pthread_cond_signal(&q->given);
    pthread_mutex_unlock(&q->mtx);
}

static void close_query(struct query_loan *loan)
{
    query_close(loan->query);
    loan->query = NULL;
}

int queries_take(struct queries *q, struct query_loan **ret_loan, struct error *err)
{
    struct mono now = clock_mono();
    if (q->dir[0] == '\0')
        return error_set(err, E_BUSY, "there is no store of calls");
    struct query_loan *loan = borrow(q);
    if (loan == NULL)
        return error_set(err, E_BUSY, "all %d readers of the store of calls are in use",
                         QUERIES_AT_ONCE);
    if (loan->query != NULL && mono_since(now, loan->opened) > QUERIES_OPEN_MAX_US)
        close_query(loan);
    if (loan->query == NULL) {
        int r = query_open(&loan->query, q->dir, err);
        loan->opened = now;
        if (r != 0) {
            loan->query = NULL;
            bring_back(q, loan);
            return r;
        }
    }
    query_limit(loan->query, QUERIES_LIMIT_US);
    *ret_loan = loan;
    return 0;
}

/* Failures that are not the reader's. */
static bool is_harmless(int result)
{
    return result >= 0 || result == E_TIMEOUT || result == E_INVALID || result == E_NOT_FOUND ||
           result == E_CANCELED;
}

void queries_give(struct queries *q, struct query_loan *loan, int result)
{
    if (!is_harmless(result))
        close_query(loan);
    bring_back(q, loan);
}

void queries_fail(struct endpoint_call *call, int code, const struct error *err)
{
    if (code != E_TIMEOUT && code != E_BUSY) {
        endpoint_fail_error(call, code, err);
        return;
    }
    log_warn("a question of a person was not answered", kv_view("path", call->path),
             kv_str("why", err->text));
    endpoint_fail_later(
        call, 503,
        code == E_TIMEOUT
            ? STR("This took too long. Ask for a shorter time, or filter for less.")
            : STR("The records of calls cannot be read just now. Try again in a moment."),
        5);
}
