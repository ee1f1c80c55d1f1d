/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/writer.h"

#include "analytics/batch.h"
#include "analytics/writer_store.h"
#include "base/cond.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define TICK_US (20 * US_PER_MS)         /* between two looks at the rings */
#define BATCH_EVERY_US (200 * US_PER_MS) /* between two batches of a quiet gateway */
#define SYNC_EVERY_US US_PER_S
#define CHORES_EVERY_US US_PER_MINUTE
#define RETRY_AFTER_US (500 * US_PER_MS) /* after a batch that failed */
#define SETTLE_POLL_US (2 * US_PER_MS)   /* while a flush waits for an answer to be written */
#define UNREAD_SOON 0.125                /* of a ring: a batch at once */
#define UNRELEASED_SOON 0.25             /* of a ring: a sync at once */

struct writer {
    struct writer_options options; /* const after create; the paths are the caller's until then */
    struct batch batch;            /* the thread's, as all up to the atomics */
    struct writer_store ws;
    bool running, started;
    bool unsynced; /* something was committed since the last sync */
    bool failing;  /* the last batch failed */
    bool rows_failing;
    bool sync_failing;
    bool changed; /* since the last snapshot of the cells */
    struct mono next_batch, next_sync, next_chores;
    struct retain_clock clock;
    uint64_t *flush_targets; /* positions that the flush under way waits for */
    uint64_t flushing;       /* its number; 0 where there is none */

    _Atomic uint64_t committed; /* atomic, release: pairs with writer_committed() */
    _Atomic uint64_t records;   /* atomic, relaxed counters, of writer_stats() */
    _Atomic uint64_t rows_skipped;
    _Atomic uint64_t late;
    _Atomic uint64_t torn;
    _Atomic uint64_t failures;
    _Atomic bool shown_rows_failing;
    _Atomic bool shown_totals_failing;

    pthread_t thread;
    pthread_mutex_t mtx;
    pthread_cond_t wake;              /* for the thread */
    pthread_cond_t flushed;           /* for who waits in writer_flush() */
    bool stop;                        /* guarded by mtx */
    uint64_t flush_wanted;            /* guarded by mtx: number of the newest request */
    uint64_t flush_done;              /* guarded by mtx */
    struct metric_snapshot *snapshot; /* guarded by mtx */
};

/* ---- one batch ---- */

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void publish_snapshot(struct writer *w)
{
    struct metric_snapshot *fresh = metric_cells_snapshot(w->ws.cells), *old;
    w->changed = false;
    pthread_mutex_lock(&w->mtx);
    old = w->snapshot;
    w->snapshot = fresh;
    pthread_mutex_unlock(&w->mtx);
    metric_snapshot_unref(old);
}

/* The log and the counters hear of a state when it changes, not at every batch. */
static void show_rows_state(struct writer *w)
{
    bool failing = w->ws.rows_error.code != 0;
    if (failing && !w->rows_failing)
        log_error("rows of requests are left out, counting goes on",
                  kv_str("error", w->ws.rows_error.text));
    else if (!failing && w->rows_failing)
        log_info("rows of requests are written again", kv_u64("left_out", w->ws.rows_skipped));
    w->rows_failing = failing;
    atomic_store_explicit(&w->shown_rows_failing, failing, memory_order_relaxed);
    atomic_store_explicit(&w->rows_skipped, w->ws.rows_skipped, memory_order_relaxed);
}

static void show_totals_state(struct writer *w, const struct error *err)
{
    bool failing = err->code != 0;
    if (failing)
        count(&w->failures, 1);
    if (failing && !w->failing)
        log_error("records cannot be stored and wait in the journal", kv_str("error", err->text));
    else if (!failing && w->failing)
        log_info("records are stored again");
    w->failing = failing;
    atomic_store_explicit(&w->shown_totals_failing, failing, memory_order_relaxed);
}

/* What was read is in the files: it becomes visible, and the cursors move on. */
static void batch_stored(struct writer *w)
{
    size_t n = w->batch.count;
    count(&w->records, n);
    count(&w->late, w->batch.late);
    count(&w->torn, w->batch.torn);
    if (w->batch.torn > 0)
        log_warn("the end of the journal was lost with the machine's power",
                 kv_u64("rings", w->batch.torn));
    if (w->batch.unreadable > 0)
        log_error("records of the journal could not be read", kv_u64("n", w->batch.unreadable));
    batch_done(&w->batch);
    /* release pairs with writer_committed(): the rows are there before their number */
    atomic_store_explicit(&w->committed, w->ws.last_seq, memory_order_release);
    if (n > 0) {
        w->unsynced = w->changed = true;
        writer_at(&w->options, WRITER_PUBLISHED);
    }
}

/* Reads and stores one batch. 0, or negative with the batch left in the rings. */
static int run_batch(struct writer *w, bool settle_all, struct error *err)
{
    int r = 0;
    batch_collect(&w->batch, clock_mono(), settle_all);
    if (w->batch.count > 0) {
        r = writer_store_batch(&w->ws, &w->batch, err);
        show_rows_state(w);
    }
    if (r == 0)
        batch_stored(w);
    return r;
}

/* Makes what is stored safe, then gives its space back. */
static int sync_and_release(struct writer *w, struct error *err)
{
    bool synced = w->unsynced;
    if (synced) {
        int r = store_sync(w->ws.store, err);
        if (r != 0)
            return r;
        w->unsynced = false;
        writer_at(&w->options, WRITER_SYNCED);
    }
    /* also after a batch of amendments only, which leaves nothing to sync */
    batch_release(&w->batch);
    if (synced)
        writer_at(&w->options, WRITER_RELEASED);
    return 0;
}

/* ---- opening ---- */

/* Stores all that an earlier run left in the rings. */
static int replay(struct writer *w, struct error *err)
{
    int r;
    do {
        r = run_batch(w, true, err);
    } while (r == 0 && w->batch.more);
    if (r == 0)
        r = sync_and_release(w, err);
    if (r == 0)
        r = journal_renew(w->options.journal, err);
    if (r != 0)
        return r;
    /* new ids, so new readers; only when the new ids are on the disk may the old ones go */
    batch_finish(&w->batch);
    batch_init(&w->batch, w->options.journal);
    r = writer_store_keep_rings(&w->ws, &w->batch, err);
    uint64_t n = atomic_load_explicit(&w->records, memory_order_relaxed);
    if (r == 0 && n > 0)
        log_info("the journal was read", kv_u64("records", n));
    return r;
}

static void init_locks(struct writer *w)
{
    pthread_mutex_init(&w->mtx, NULL);
    cond_init(&w->wake);
    cond_init(&w->flushed);
}

static void destroy(struct writer *w)
{
    metric_snapshot_unref(w->snapshot);
    batch_finish(&w->batch);
    writer_store_close(&w->ws);
    pthread_cond_destroy(&w->flushed);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mtx);
    free(w->flush_targets);
    free(w);
}

int writer_create(struct writer **ret_writer, const struct writer_options *options,
                  struct error *err)
{
    struct writer *w = calloc(1, sizeof(*w));
    CHECK(w != NULL);
    w->options = *options;
    init_locks(w);
    batch_init(&w->batch, options->journal);
    int r = writer_store_open(&w->ws, &w->options, err);
    if (r == 0)
        r = replay(w, err);
    if (r != 0) {
        destroy(w);
        return r;
    }
    w->flush_targets = calloc(w->batch.reader_count, sizeof(*w->flush_targets));
    CHECK(w->flush_targets != NULL);
    atomic_store_explicit(&w->committed, w->ws.last_seq, memory_order_release);
    publish_snapshot(w);
    *ret_writer = w;
    return 0;
}

int writer_quotas(struct writer *writer, struct wall since, quota_visit *visit, void *ctx,
                  struct error *err)
{
    CHECK(!writer->started);
    return store_quota_load(store_totals(writer->ws.store), since, visit, ctx, err);
}

/* ---- the thread ---- */

/* A new request: its targets are what is published now, which is more than it asked for. */
static void take_flush(struct writer *w)
{
    pthread_mutex_lock(&w->mtx);
    bool asked = w->flush_wanted > w->flush_done;
    uint64_t wanted = w->flush_wanted;
    pthread_mutex_unlock(&w->mtx);
    if (!asked || w->flushing != 0)
        return;
    w->flushing = wanted;
    for (unsigned i = 0; i < w->batch.reader_count; i++)
        w->flush_targets[i] = ring_head(w->batch.readers[i].ring);
}

static bool flush_reached(const struct writer *w)
{
    for (unsigned i = 0; i < w->batch.reader_count; i++) {
        if (w->batch.readers[i].cursor.pos < w->flush_targets[i])
            return false;
    }
    return true;
}

static void end_flush(struct writer *w)
{
    pthread_mutex_lock(&w->mtx);
    w->flush_done = w->flushing;
    pthread_cond_broadcast(&w->flushed);
    pthread_mutex_unlock(&w->mtx);
    w->flushing = 0;
}

/* Batches until nothing that is ready is left, or one fails. */
static void run_batches(struct writer *w, struct mono now, bool settle_all)
{
    struct error err = ERROR_INIT;
    int r;
    do {
        r = run_batch(w, settle_all, &err);
    } while (r == 0 && w->batch.more && batch_unreleased(&w->batch) < UNRELEASED_SOON);
    show_totals_state(w, &err);
    if (w->changed && !w->ws.cells_stale)
        publish_snapshot(w);
    w->next_batch = mono_after(now, r == 0 ? BATCH_EVERY_US : RETRY_AFTER_US);
    if (r == 0 && w->batch.more)
        w->next_batch = now;
}

static void run_sync(struct writer *w, struct mono now)
{
    struct error err = ERROR_INIT;
    int r = sync_and_release(w, &err);
    if (r != 0 && !w->sync_failing)
        log_error("records cannot be synced and stay in the journal", kv_str("error", err.text));
    else if (r == 0 && w->sync_failing)
        log_info("records are synced again");
    w->sync_failing = r != 0;
    if (r == 0 && w->flushing != 0 && flush_reached(w))
        end_flush(w);
    w->next_sync = mono_after(now, SYNC_EVERY_US);
}

static void run_retention(struct writer *w, struct mono now)
{
    struct error err = ERROR_INIT;
    struct wall wall = clock_wall();
    int64_t leap_us;
    bool trusted = retain_clock_trust(&w->clock, wall, now, &leap_us);
    if (leap_us > 0)
        log_warn("the clock went far forward: nothing old is deleted for a day; set it right if it "
                 "is wrong",
                 kv_i64("hours", leap_us / US_PER_HOUR));
    if (trusted && retain_run(w->ws.store, &w->options.retention, wall, &err) != 0)
        log_warn("old records could not be deleted", kv_str("error", err.text));
}

static void run_chores(struct writer *w, struct mono now)
{
    rollup_evict(w->ws.rollup);
    run_retention(w, now);
    w->next_chores = mono_after(now, CHORES_EVERY_US);
}

/* One turn; returns how long the thread may rest. */
static int64_t turn(struct writer *w)
{
    struct mono now = clock_mono();
    take_flush(w);
    bool flushing = w->flushing != 0 && !flush_reached(w);
    bool soon = flushing || batch_unread(&w->batch) > UNREAD_SOON;
    if (mono_since(now, w->next_batch) >= 0 || (soon && !w->failing))
        run_batches(w, now, false);
    if (mono_since(now, w->next_sync) >= 0 || (w->flushing != 0 && flush_reached(w)) ||
        batch_unreleased(&w->batch) > UNRELEASED_SOON)
        run_sync(w, now);
    if (mono_since(now, w->next_chores) >= 0)
        run_chores(w, now);
    if (w->failing)
        return TICK_US;
    return w->batch.more ? 0 : w->flushing != 0 ? SETTLE_POLL_US : TICK_US;
}

/* Rests until something is asked for or the time has passed. Returns whether to go on. */
static bool rest(struct writer *w, int64_t us)
{
    struct mono until = mono_after(clock_mono(), us);
    pthread_mutex_lock(&w->mtx);
    if (us > 0 && !w->stop && (w->flushing != 0 || w->flush_wanted == w->flush_done))
        cond_wait_until(&w->wake, &w->mtx, until);
    bool go_on = !w->stop;
    pthread_mutex_unlock(&w->mtx);
    return go_on;
}

/* The last batches, when no producer is left; what cannot be stored waits for the next start. */
static void finish(struct writer *w)
{
    struct mono now = clock_mono();
    do {
        run_batches(w, now, true);
        run_sync(w, now);
    } while (!w->failing && w->batch.more);
}

static void *run(void *arg)
{
    struct writer *w = arg;
    pthread_setname_np(pthread_self(), "writer");
    while (rest(w, turn(w)))
        ;
    finish(w);
    return NULL;
}

int writer_start(struct writer *writer, struct error *err)
{
    sigset_t all, before;
    CHECK(!writer->started);
    struct mono now = clock_mono();
    int r = retain_clock_begin(&writer->clock, writer->ws.store, now, err);
    if (r != 0)
        return r;
    writer->next_batch = writer->next_chores = now;
    writer->next_sync = mono_after(now, SYNC_EVERY_US);
    /* signals are the main thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e != 0)
        return error_set_errno(err, E_UNAVAILABLE, e, "cannot start the writer's thread");
    writer->started = true;
    return 0;
}

int writer_flush(struct writer *writer, int64_t timeout_us)
{
    struct mono until = mono_after(clock_mono(), timeout_us);
    CHECK(writer->started);
    pthread_mutex_lock(&writer->mtx);
    uint64_t mine = ++writer->flush_wanted;
    pthread_cond_signal(&writer->wake);
    while (writer->flush_done < mine && cond_wait_until(&writer->flushed, &writer->mtx, until))
        ;
    bool done = writer->flush_done >= mine;
    pthread_mutex_unlock(&writer->mtx);
    return done ? 0 : E_TIMEOUT;
}

void writer_destroy(struct writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->started) {
        pthread_mutex_lock(&writer->mtx);
        writer->stop = true;
        pthread_cond_signal(&writer->wake);
        pthread_mutex_unlock(&writer->mtx);
        pthread_join(writer->thread, NULL);
    }
    destroy(writer);
}

/* ---- what others ask ---- */

uint64_t writer_committed(const struct writer *writer)
{
    /* acquire pairs with batch_stored() */
    return atomic_load_explicit(&writer->committed, memory_order_acquire);
}

void metric_cells_visit(struct writer *writer, metric_cell_visit *visit, void *ctx)
{
    pthread_mutex_lock(&writer->mtx);
    struct metric_snapshot *snapshot = metric_snapshot_ref(writer->snapshot);
    pthread_mutex_unlock(&writer->mtx);
    metric_snapshot_visit(snapshot, visit, ctx);
    metric_snapshot_unref(snapshot);
}

void writer_stats(const struct writer *writer, struct writer_stats *ret_stats)
{
    struct writer_stats stats = {
        .records = atomic_load_explicit(&writer->records, memory_order_relaxed),
        .rows_skipped = atomic_load_explicit(&writer->rows_skipped, memory_order_relaxed),
        .late_amendments = atomic_load_explicit(&writer->late, memory_order_relaxed),
        .torn = atomic_load_explicit(&writer->torn, memory_order_relaxed),
        .failures = atomic_load_explicit(&writer->failures, memory_order_relaxed),
        .rows_failing = atomic_load_explicit(&writer->shown_rows_failing, memory_order_relaxed),
        .totals_failing = atomic_load_explicit(&writer->shown_totals_failing, memory_order_relaxed),
    };
    for (unsigned i = 0; i < writer->batch.reader_count; i++) {
        const struct ring_reader *reader = &writer->batch.readers[i];
        uint64_t published = atomic_load_explicit(&reader->ring->published, memory_order_relaxed);
        uint64_t stored = atomic_load_explicit(&reader->stored, memory_order_relaxed);
        stats.backlog += published > stored ? published - stored : 0;
        stats.dropped += atomic_load_explicit(&reader->ring->dropped, memory_order_relaxed);
    }
    *ret_stats = stats;
}
