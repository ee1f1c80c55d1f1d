/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/sink.h"

#include "analytics/sink_cursor.h"
#include "analytics/store_count.h"
#include "base/cond.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* An open file of a deleted day would keep its space: the store is closed now and then. */
#define STORE_OPEN_MAX_US (10 * US_PER_MINUTE)
#define DROPS_LOGGED_EVERY_US US_PER_MINUTE
#define BACKOFF_DOUBLINGS_MAX 20

struct sink {
    const struct sink_type *type; /* const after start, as all up to the thread's own */
    void *state;                  /* the type's; the thread's own but for cancel() */
    int64_t wait_us;
    struct sink_options options;
    char *dir;

    /* the thread's own */
    struct store *store; /* NULL while not open */
    struct mono store_opened;
    struct sink_cursor cursor;
    struct sink_place place;
    bool looked;         /* known_to is of this run */
    uint64_t read_to;    /* rows up to this number were read, and are in the batch or done with */
    unsigned batch_rows; /* rows in the batch */
    bool batch_full;
    unsigned failures; /* one after another */
    bool failing;      /* has been logged */
    bool cursor_failing;
    struct mono drops_logged;

    /* for sink_collect() */
    _Atomic uint64_t shown_known_to, shown_unsent; /* atomic, relaxed */
    _Atomic uint64_t shown[SINK_COUNTERS];         /* atomic, relaxed counters */

    pthread_t thread;
    pthread_mutex_t mtx;
    pthread_cond_t changed; /* stop was asked for, or the thread has ended */
    bool stop;              /* guarded by mtx */
    struct mono stop_until; /* guarded by mtx: the last attempt ends then */
    bool ended;             /* guarded by mtx */
};

/* ---- what is known of the store ---- */

static int open_store(struct sink *sink, struct error *err)
{
    struct mono now = clock_mono();
    if (sink->store != NULL && mono_since(now, sink->store_opened) > STORE_OPEN_MAX_US) {
        store_close(sink->store);
        sink->store = NULL;
    }
    if (sink->store != NULL)
        return 0;
    sink->store_opened = now;
    return store_open(&sink->store, sink->dir, STORE_READ, err);
}

static void close_store(struct sink *sink)
{
    store_close(sink->store);
    sink->store = NULL;
}

static void show(struct sink *sink)
{
    atomic_store_explicit(&sink->shown_known_to, sink->looked ? sink->place.known_to : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&sink->shown_unsent, sink->place.pending + sink->batch_rows,
                          memory_order_relaxed);
    for (unsigned i = 0; i < SINK_COUNTERS; i++)
        atomic_store_explicit(&sink->shown[i], sink->place.counters[i], memory_order_relaxed);
}

static void save(struct sink *sink)
{
    struct error err = ERROR_INIT;
    struct sink_place place = sink->place;
    place.pending += sink->batch_rows; /* not sent, so they will be read again */
    int r = sink_cursor_save(&sink->cursor, &place, &err);
    if (r != 0 && !sink->cursor_failing)
        log_warn("a sink cannot save its place, and may repeat records after a restart",
                 kv_str("sink", sink->type->name), kv_str("error", err.text));
    sink->cursor_failing = r != 0;
    show(sink);
}

/*
 * Looks how many rows are ahead. Those that were there the last time and are not any more were
 * deleted before they could be read.
 */
static int take_stock(struct sink *sink, struct error *err)
{
    struct sink_place *place = &sink->place;
    uint64_t known, fresh = 0, up_to = sink->options.committed(sink->options.ctx);
    int r = store_rows_count(sink->store, sink->read_to, place->known_to, &known, err);
    if (r == 0 && up_to > place->known_to)
        r = store_rows_count(sink->store, place->known_to, up_to, &fresh, err);
    if (r != 0)
        return r;
    if (known < place->pending)
        place->counters[SINK_DROPPED_RETENTION] += place->pending - known;
    place->pending = known + fresh;
    if (up_to > place->known_to)
        place->known_to = up_to;
    sink->looked = true;
    return 0;
}

/* ---- one batch ---- */

static int add_row(void *ctx, const struct row *row)
{
    struct sink *sink = ctx;
    if (!sink->type->add(sink->state, row)) {
        sink->batch_full = true;
        return E_FULL; /* ends the reading */
    }
    sink->batch_rows++;
    sink->read_to = row->seq;
    return 0;
}

/* Reads the next batch: an empty one where nothing is left. */
static int fill(struct sink *sink, struct error *err)
{
    struct sink_place *place = &sink->place;
    struct rows_range range = {
        .after = sink->read_to, .up_to = place->known_to, .max = SINK_BATCH_ROWS};
    sink->batch_full = false;
    int r = store_rows_read(sink->store, range, add_row, sink, err);
    place->pending -= sink->batch_rows < place->pending ? sink->batch_rows : place->pending;
    if (r < 0 && !sink->batch_full)
        return r;
    if (sink->batch_full || sink->batch_rows == SINK_BATCH_ROWS)
        return 0;
    /* to the end: what is missing was deleted since the stock was taken */
    sink->read_to = place->known_to;
    place->counters[SINK_DROPPED_RETENTION] += place->pending;
    place->pending = 0;
    return 0;
}

/* The batch needs no more attention. */
static void batch_done(struct sink *sink, const struct sink_report *report)
{
    struct sink_place *place = &sink->place;
    place->counters[SINK_SENT] += report->sent;
    place->counters[SINK_DROPPED_REJECTED] += report->rejected;
    place->counters[SINK_DROPPED_TOO_LARGE] += report->too_large;
    struct mono now = clock_mono();
    if (report->rejected + report->too_large > 0 &&
        (sink->drops_logged.us == 0 ||
         mono_since(now, sink->drops_logged) > DROPS_LOGGED_EVERY_US)) {
        log_warn("a sink's receiver refuses records for good, and they are dropped",
                 kv_str("sink", sink->type->name), kv_u64("rejected", report->rejected),
                 kv_u64("too_large", report->too_large), kv_str("error", report->err.text));
        sink->drops_logged = now;
    }
    if (sink->batch_rows > 0)
        sink->type->clear(sink->state);
    sink->batch_rows = 0;
    place->seq = sink->read_to;
    save(sink);
}

static bool past_stop(struct sink *sink)
{
    pthread_mutex_lock(&sink->mtx);
    bool past = sink->stop && clock_mono().us >= sink->stop_until.us;
    pthread_mutex_unlock(&sink->mtx);
    return past;
}

/* Delivers all that is committed. 0, or why it could not go on. */
static int deliver_all(struct sink *sink, enum sink_verdict *verdict, struct sink_report *report)
{
    *verdict = SINK_LATER;
    int r = open_store(sink, &report->err);
    if (r == 0)
        r = take_stock(sink, &report->err);
    while (r == 0) {
        if (past_stop(sink))
            return E_CANCELED;
        if (sink->batch_rows == 0)
            r = fill(sink, &report->err);
        if (r != 0)
            break;
        *report = (struct sink_report){.sent = 0};
        *verdict = SINK_DELIVERED;
        if (sink->batch_rows > 0)
            *verdict = sink->type->deliver(sink->state, report);
        if (*verdict != SINK_DELIVERED)
            return report->err.code != 0 ? report->err.code : E_UNAVAILABLE;
        if (sink->place.seq != sink->read_to)
            batch_done(sink, report);
        if (sink->read_to >= sink->place.known_to)
            break;
    }
    return r;
}

/* ---- the thread ---- */

static int64_t at_random(int64_t from, int64_t to)
{
    uint64_t chance;
    randombytes_buf(&chance, sizeof(chance));
    return from + (int64_t)(chance % (uint64_t)(to - from + 1));
}

/* Full jitter: many senders that failed together must not come back together. */
static int64_t backoff(const struct sink *sink, enum sink_verdict verdict, int64_t retry_after_us)
{
    int64_t min = sink->options.backoff_min_us, max = sink->options.backoff_max_us;
    unsigned doublings = sink->failures - 1;
    if (verdict == SINK_REFUSED)
        return at_random(max / 2, max);
    if (doublings > BACKOFF_DOUBLINGS_MAX)
        doublings = BACKOFF_DOUBLINGS_MAX;
    int64_t bound = min << doublings < max ? min << doublings : max;
    int64_t delay = at_random(0, bound);
    if (retry_after_us > SINK_RETRY_AFTER_MAX_US)
        retry_after_us = SINK_RETRY_AFTER_MAX_US;
    return delay > retry_after_us ? delay : retry_after_us;
}

static void log_failure(struct sink *sink, enum sink_verdict verdict, const struct error *err)
{
    if (sink->failing)
        return;
    sink->failing = true;
    if (verdict == SINK_REFUSED)
        log_error("a sink's receiver refuses what it is sent; records wait in the store",
                  kv_str("sink", sink->type->name), kv_str("error", err->text));
    else
        log_warn("a sink cannot deliver; records wait in the store",
                 kv_str("sink", sink->type->name), kv_str("error", err->text));
}

/* One turn; returns how long to rest. */
static int64_t turn(struct sink *sink)
{
    struct sink_report report = {.err = ERROR_INIT};
    enum sink_verdict verdict;
    int r = deliver_all(sink, &verdict, &report);
    if (r == 0) {
        if (sink->failing)
            log_info("a sink delivers again", kv_str("sink", sink->type->name));
        sink->failing = false;
        sink->failures = 0;
        show(sink);
        return sink->wait_us;
    }
    close_store(sink);
    if (r != E_CANCELED) {
        sink->place.counters[SINK_ERRORS]++;
        sink->failures++;
        log_failure(sink, verdict, &report.err);
    }
    save(sink);
    return sink->failures > 0 ? backoff(sink, verdict, report.retry_after_us) : 0;
}

/* Rests for so long, or until the sink is stopped: true then. */
static bool rest(struct sink *sink, int64_t us)
{
    struct mono until = mono_after(clock_mono(), us);
    pthread_mutex_lock(&sink->mtx);
    while (!sink->stop && cond_wait_until(&sink->changed, &sink->mtx, until))
        ;
    bool stop = sink->stop;
    pthread_mutex_unlock(&sink->mtx);
    return stop;
}

static void *run(void *arg)
{
    struct sink *sink = arg;
    while (!rest(sink, turn(sink)))
        ;
    turn(sink);
    pthread_mutex_lock(&sink->mtx);
    sink->ended = true;
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->mtx);
    return NULL;
}

/* ---- start and stop ---- */

static int open_cursor(struct sink *sink, struct error *err)
{
    struct error why = ERROR_INIT;
    const char *name = sink->type->name;
    int r = sink_cursor_open(&sink->cursor, sink->dir, name, &sink->place, &why);
    if (r == E_CORRUPT) {
        log_warn("a sink lost its place and begins again with the oldest record",
                 kv_str("sink", name), kv_str("error", why.text));
        unlink(sink->cursor.path);
        why = (struct error)ERROR_INIT;
        r = sink_cursor_open(&sink->cursor, sink->dir, name, &sink->place, &why);
    }
    if (r != 0)
        return error_set(err, r, "%s", why.text);
    if (sink->place.seq > sink->options.committed(sink->options.ctx)) {
        log_warn("a sink's place is ahead of the store, which must be another one: it begins again",
                 kv_str("sink", name));
        sink->place.seq = sink->place.known_to = sink->place.pending = 0;
    }
    sink->read_to = sink->place.seq;
    return 0;
}

static void destroy(struct sink *sink)
{
    sink->type->destroy(sink->state);
    sink_cursor_close(&sink->cursor);
    close_store(sink);
    pthread_cond_destroy(&sink->changed);
    pthread_mutex_destroy(&sink->mtx);
    free(sink->dir);
    free(sink);
}

static int start_thread(struct sink *sink, struct error *err)
{
    char name[16];
    sigset_t all, before;
    /* signals are the main thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(&sink->thread, NULL, run, sink);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e != 0)
        return error_set_errno(err, E_UNAVAILABLE, e, "cannot start the thread of sink %s",
                               sink->type->name);
    snprintf(name, sizeof(name), "sink-%s", sink->type->name);
    pthread_setname_np(sink->thread, name);
    return 0;
}

int sink_start(struct sink **ret_sink, const struct sink_type *type, void *state, int64_t wait_us,
               const struct sink_options *options, struct error *err)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    CHECK(sink != NULL);
    sink->type = type;
    sink->state = state;
    sink->wait_us = wait_us;
    sink->options = *options;
    if (options->backoff_min_us == 0)
        sink->options.backoff_min_us = SINK_BACKOFF_MIN_US;
    if (options->backoff_max_us == 0)
        sink->options.backoff_max_us = SINK_BACKOFF_MAX_US;
    sink->dir = strdup(options->dir);
    CHECK(sink->dir != NULL);
    sink->cursor.fd = -1;
    pthread_mutex_init(&sink->mtx, NULL);
    cond_init(&sink->changed);
    int r = open_cursor(sink, err);
    if (r == 0) {
        show(sink);
        r = start_thread(sink, err);
    }
    if (r != 0) {
        destroy(sink);
        return r;
    }
    *ret_sink = sink;
    return 0;
}

void sink_stop(struct sink *sink)
{
    if (sink == NULL)
        return;
    pthread_mutex_lock(&sink->mtx);
    sink->stop = true;
    sink->stop_until = mono_after(clock_mono(), SINK_STOP_US);
    pthread_cond_broadcast(&sink->changed);
    while (!sink->ended && cond_wait_until(&sink->changed, &sink->mtx, sink->stop_until))
        ;
    bool ended = sink->ended;
    pthread_mutex_unlock(&sink->mtx);
    if (!ended)
        sink->type->cancel(sink->state);
    pthread_join(sink->thread, NULL);
    destroy(sink);
}

/* ---- metrics ---- */

void sink_collect(struct metrics_out *out, const struct sink *sink)
{
    static const struct {
        enum sink_counter counter;
        struct str reason;
    } drops[] = {{SINK_DROPPED_RETENTION, STR_INIT("retention")},
                 {SINK_DROPPED_REJECTED, STR_INIT("rejected")},
                 {SINK_DROPPED_TOO_LARGE, STR_INIT("too_large")}};
    struct str name = str_from(sink->type->name);
    uint64_t shown[SINK_COUNTERS];
    for (unsigned i = 0; i < SINK_COUNTERS; i++)
        shown[i] = atomic_load_explicit(&sink->shown[i], memory_order_relaxed);
    /* what was stored since the sink looked has hardly a hole */
    uint64_t committed = sink->options.committed(sink->options.ctx);
    uint64_t known_to = atomic_load_explicit(&sink->shown_known_to, memory_order_relaxed);
    uint64_t backlog = atomic_load_explicit(&sink->shown_unsent, memory_order_relaxed);
    if (known_to > 0 && committed > known_to)
        backlog += committed - known_to;
    metrics_u64(out, METRIC_SINK_BACKLOG, METRIC_LABELS(name), backlog);
    metrics_u64(out, METRIC_SINK_SENT, METRIC_LABELS(name), shown[SINK_SENT]);
    metrics_u64(out, METRIC_SINK_ERRORS, METRIC_LABELS(name), shown[SINK_ERRORS]);
    for (size_t i = 0; i < ARRAY_LEN(drops); i++)
        metrics_u64(out, METRIC_SINK_DROPPED, METRIC_LABELS(name, drops[i].reason),
                    shown[drops[i].counter]);
}
