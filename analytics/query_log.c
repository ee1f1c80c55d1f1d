/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/query_log.h"

#include "analytics/query_inside.h"
#include "analytics/store_log.h"
#include "analytics/store_totals.h"

#include <stdlib.h>

#define DAYS_MAX 1024
/* The numbers of rows stay below it. */
#define SEQ_END ((uint64_t)INT64_MAX)

/*
 * Both directions are one: a rank grows in the order of the list, so that a page is always the
 * rows of the lowest ranks beyond the place.
 */
static uint64_t rank_of(bool oldest_first, uint64_t seq)
{
    return oldest_first ? seq : SEQ_END - seq;
}

/* A day's file and the ranks between which its rows lie. */
struct log_day {
    int64_t day;
    uint64_t first, last;
};

struct log_hit {
    uint64_t rank;
    int64_t day;
};

struct page {
    const struct log_ask *ask;
    struct store *store;
    struct mono deadline;
    uint64_t from;        /* ranks beyond it */
    uint64_t end;         /* ranks below it: where a walk gave up, or the end of what is whole */
    struct log_hit *hits; /* ascending; room for twice the limit */
    unsigned count;       /* at most the limit between two days */
    unsigned of_day;      /* hits added by the day that is walked */
    int64_t day;          /* that day */
    unsigned left;        /* rows that may be looked at yet */
    bool gave_up;
};

static int compare_days(const void *a, const void *b)
{
    uint64_t x = ((const struct log_day *)a)->first, y = ((const struct log_day *)b)->first;
    return (x > y) - (x < y);
}

static int compare_hits(const void *a, const void *b)
{
    uint64_t x = ((const struct log_hit *)a)->rank, y = ((const struct log_hit *)b)->rank;
    return (x > y) - (x < y);
}

static bool add_hit(void *ctx, uint64_t seq)
{
    struct page *page = ctx;
    page->hits[page->count + page->of_day++] =
        (struct log_hit){.rank = rank_of(page->ask->oldest_first, seq), .day = page->day};
    return page->of_day < page->ask->limit;
}

/* Puts the day's hits in their places and drops what the page has no room for or cannot be sure of.
 */
static void merge_hits(struct page *page)
{
    page->count += page->of_day;
    page->of_day = 0;
    qsort(page->hits, page->count, sizeof(*page->hits), compare_hits);
    if (page->count > page->ask->limit)
        page->count = page->ask->limit;
    while (page->count > 0 && page->hits[page->count - 1].rank >= page->end)
        page->count--;
}

/* No row of this rank or a higher one can be on the page. */
static uint64_t page_end(const struct page *page)
{
    if (page->count == page->ask->limit && page->hits[page->count - 1].rank < page->end)
        return page->hits[page->count - 1].rank;
    return page->end;
}

/* Takes a moment that does not lie in the day out of the question: all or nothing of it fits. */
static bool bounds_of_day(const struct log_filter *f, int64_t day, struct wall *ret_since,
                          struct wall *ret_until)
{
    int64_t begin = day * US_PER_DAY, end = begin + US_PER_DAY;
    if (f->since.us >= end || (f->until.us > 0 && f->until.us <= begin))
        return false;
    ret_since->us = f->since.us > begin ? f->since.us : 0;
    ret_until->us = f->until.us < end ? f->until.us : 0;
    return true;
}

static int walk_file(struct page *page, struct db *db, struct wall since, struct wall until,
                     struct error *err)
{
    bool up = page->ask->oldest_first;
    uint64_t end = page_end(page);
    /* of days that overlap with one that was given up, each must be looked at as far */
    struct log_walk walk = {.filter = &page->ask->filter,
                            .after = up ? page->from : SEQ_END - end,
                            .before = up ? end : SEQ_END - page->from,
                            .newest_first = !up,
                            .look_max = page->left > 0 ? page->left : LOG_LOOK_MAX};
    int r = store_log_narrow(db, since, until, &walk, err);
    if (r == 0)
        r = store_log_walk(db, &walk, add_hit, page, err);
    if (r != 0)
        return r;
    page->left -= walk.looked < page->left ? walk.looked : page->left;
    /* a page that is full ended the walk where it should; else rows were left unseen behind it */
    if (walk.last > 0 && page->of_day < page->ask->limit) {
        page->end = rank_of(up, walk.last) + 1;
        page->gave_up = true;
    }
    return 0;
}

static int walk_day(struct page *page, int64_t day, struct error *err)
{
    struct wall since, until;
    struct db *db;
    if (!bounds_of_day(&page->ask->filter, day, &since, &until))
        return 0;
    int r = store_day(page->store, day, &db, err);
    if (r != 0)
        return r == E_NOT_FOUND ? 0 : r; /* just deleted */
    page->day = day;
    db_set_deadline(db, page->deadline);
    r = walk_file(page, db, since, until, err);
    db_set_deadline(db, MONO_NEVER);
    merge_hits(page);
    return r;
}

/* The days in the order in which their first rows would be on the list. */
static int list_days(const struct page *page, struct log_day *days, size_t *ret_count,
                     struct error *err)
{
    struct day_range ranges[DAYS_MAX];
    bool up = page->ask->oldest_first;
    int r = store_days_after(store_totals(page->store), up ? page->from : 0, ranges, DAYS_MAX,
                             ret_count, err);
    for (size_t i = 0; r == 0 && i < *ret_count; i++)
        days[i] =
            (struct log_day){.day = ranges[i].day,
                             .first = rank_of(up, up ? ranges[i].first_seq : ranges[i].last_seq),
                             .last = rank_of(up, up ? ranges[i].last_seq : ranges[i].first_seq)};
    if (r == 0)
        qsort(days, *ret_count, sizeof(*days), compare_days);
    return r;
}

static int find_hits(struct page *page, struct error *err)
{
    struct log_day *days = calloc(DAYS_MAX, sizeof(*days));
    size_t count = 0;
    CHECK(days != NULL);
    int r = list_days(page, days, &count, err);
    for (size_t i = 0; r == 0 && i < count && days[i].first < page_end(page); i++) {
        if (days[i].last > page->from)
            r = walk_day(page, days[i].day, err);
    }
    free(days);
    return r;
}

static int visit_hits(const struct page *page, row_visit *visit, void *ctx, struct error *err)
{
    for (unsigned i = 0; i < page->count; i++) {
        const struct log_hit *hit = &page->hits[i];
        struct db *db;
        int r = store_day(page->store, hit->day, &db, err);
        if (r == E_NOT_FOUND)
            continue;
        if (r == 0)
            r = rows_visit_one(db, rank_of(page->ask->oldest_first, hit->rank), visit, ctx, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static uint64_t next_place(const struct page *page, uint64_t newest)
{
    bool up = page->ask->oldest_first;
    if (page->count == page->ask->limit)
        return rank_of(up, page->hits[page->count - 1].rank);
    if (page->gave_up)
        return rank_of(up, page->end - 1);
    return up ? newest : 0;
}

int query_log(struct query *query, const struct log_ask *ask, row_visit *visit, void *ctx,
              struct log_page *ret_page, struct error *err)
{
    struct page page = {
        .ask = ask, .store = query->store, .deadline = query_deadline(query), .left = LOG_LOOK_MAX};
    uint64_t newest;
    CHECK(ask->limit > 0 && ask->limit <= LOG_LIMIT_MAX);
    /* written last, when the rows up to it are committed in all files */
    int r = store_last_seq_get(store_totals(query->store), &newest, err);
    if (r != 0)
        return r;
    if (ask->oldest_first) {
        page.from = ask->place;
        page.end = newest + 1;
    } else {
        uint64_t place = ask->place > 0 && ask->place <= newest ? ask->place : newest + 1;
        page.from = rank_of(false, place);
        page.end = rank_of(false, 0);
    }
    page.hits = calloc(2 * (size_t)ask->limit, sizeof(*page.hits));
    CHECK(page.hits != NULL);
    db_set_deadline(store_totals(query->store), page.deadline);
    r = find_hits(&page, err);
    db_set_deadline(store_totals(query->store), MONO_NEVER);
    if (r == 0)
        r = visit_hits(&page, visit, ctx, err);
    if (r == 0)
        *ret_page = (struct log_page){
            .rows = page.count, .next = next_place(&page, newest), .newest = newest};
    free(page.hits);
    return r;
}
