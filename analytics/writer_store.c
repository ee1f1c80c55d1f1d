/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/writer_store.h"

#include "analytics/store_rows.h"
#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SEQ_GAP 1000000 /* more rows than one second can bring */
#define BUSY_TRIES 3    /* of a batch whose day's file another process holds */

void writer_at(const struct writer_options *options, enum writer_point point)
{
    if (options->at_point != NULL)
        options->at_point(options->at_point_ctx, point);
}

/* ---- opening ---- */

/* A day's file as it is on the disk, whatever totals.db knows of it. */
static int adopt_day(struct writer_store *ws, int64_t day, struct error *err)
{
    struct db *db, *totals = store_totals(ws->store);
    struct day_range range = {.day = day};
    struct error why = ERROR_INIT;
    int r = store_day(ws->store, day, &db, &why);
    if (r == 0)
        r = rows_bounds(db, &range.first_seq, &range.last_seq, &why);
    if (r == E_NEWER)
        return error_set(err, r, "%s", why.text);
    if (r != 0) {
        /* rows are detail: counting goes on without them */
        log_warn("a day's rows cannot be read", kv_str("error", why.text));
        return 0;
    }
    if (range.last_seq == 0)
        return 0;
    if (range.last_seq > ws->last_seq)
        ws->last_seq = range.last_seq;
    return store_day_range_add(totals, range, err);
}

static int adopt_days(struct writer_store *ws, struct error *err)
{
    int64_t *days = NULL;
    size_t count = 0;
    int r = store_days(ws->store, &days, &count, err);
    for (size_t i = 0; i < count && r == 0; i++)
        r = adopt_day(ws, days[i], err);
    free(days);
    return r;
}

/* A number that differs from one run of the machine to the next; 0 where the kernel does not tell.
 */
static uint64_t boot_id(void)
{
    unsigned char sum[sizeof(uint64_t)] = {0};
    char text[64];
    uint64_t id = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    /* folded into as many bytes as a number of the database has, without its sign */
    for (ssize_t i = 0; i < n; i++)
        sum[(size_t)i % sizeof(sum)] =
            (unsigned char)(sum[(size_t)i % sizeof(sum)] * 31 + (unsigned char)text[i]);
    memcpy(&id, sum, sizeof(id));
    return id & INT64_MAX;
}

/*
 * When the machine has been down since, rows of its last second may be lost that readers had seen:
 * the numbers of new rows must lie behind what those remember.
 */
static int leave_gap_after_boot(struct writer_store *ws, struct error *err)
{
    struct db *totals = store_totals(ws->store);
    uint64_t before, now = boot_id();
    int r = store_boot_get(totals, &before, err);
    if (r != 0 || (now != 0 && now == before))
        return r;
    if (ws->last_seq > 0)
        ws->last_seq += SEQ_GAP;
    r = store_last_seq_set(totals, ws->last_seq, err);
    return r == 0 ? store_boot_set(totals, now, err) : r;
}

int writer_store_open(struct writer_store *ws, const struct writer_options *options,
                      struct error *err)
{
    unsigned max_series = options->max_series > 0 ? options->max_series : WRITER_MAX_SERIES;
    *ws = (struct writer_store){.options = options};
    int r = store_open(&ws->store, options->dir, STORE_WRITE, err);
    if (r == 0)
        r = rollup_create(&ws->rollup, store_totals(ws->store), max_series, err);
    if (r == 0)
        r = metric_cells_create(&ws->cells, store_totals(ws->store), max_series, err);
    if (r == 0)
        r = store_last_seq_get(store_totals(ws->store), &ws->last_seq, err);
    if (r == 0)
        r = adopt_days(ws, err);
    if (r == 0)
        r = leave_gap_after_boot(ws, err);
    if (r != 0)
        writer_store_close(ws);
    return r;
}

void writer_store_close(struct writer_store *ws)
{
    tally_finish(&ws->tally);
    rollup_destroy(ws->rollup);
    metric_cells_destroy(ws->cells);
    store_close(ws->store);
    *ws = (struct writer_store){.store = NULL};
}

/* ---- positions: one a ring and file ---- */

static int get_positions(struct db *db, const struct batch *batch, uint64_t *positions,
                         struct error *err)
{
    int r = 0;
    for (unsigned i = 0; i < batch->reader_count && r == 0; i++) {
        positions[i] = 0;
        if (batch->readers[i].first < batch->readers[i].end)
            r = store_position_get(db, batch->readers[i].id, &positions[i], err);
    }
    return r;
}

static int set_positions(struct db *db, const struct batch *batch, const uint64_t *positions,
                         struct error *err)
{
    int r = 0;
    for (unsigned i = 0; i < batch->reader_count && r == 0; i++) {
        if (positions[i] > 0)
            r = store_position_set(db, batch->readers[i].id, positions[i], err);
    }
    return r;
}

int writer_store_keep_rings(struct writer_store *ws, const struct batch *batch, struct error *err)
{
    uint64_t *rings = calloc(batch->reader_count, sizeof(*rings));
    CHECK(rings != NULL);
    for (unsigned i = 0; i < batch->reader_count; i++)
        rings[i] = batch->readers[i].id;
    int r = store_positions_keep(store_totals(ws->store), rings, batch->reader_count, err);
    free(rings);
    return r;
}

/* ---- rows ---- */

/*
 * The rows of one day that its file does not have yet, within a transaction. Positions of rings
 * move with what is written, so that a batch that comes again is skipped row by row.
 */
static int write_rows(struct writer_store *ws, const struct batch *batch, struct db *db,
                      struct day_range *range, struct error *err)
{
    struct rows_writer rows;
    uint64_t *positions = calloc(batch->reader_count, sizeof(*positions));
    CHECK(positions != NULL);
    int r = get_positions(db, batch, positions, err);
    if (r == 0)
        r = rows_begin(&rows, db, err);
    for (size_t i = 0; i < batch->count && r == 0; i++) {
        const struct batch_item *item = &batch->items[i];
        if (item->day != range->day || item->ring_seq <= positions[item->ring])
            continue;
        struct row row = {.seq = ++ws->last_seq, .record = item->record};
        positions[item->ring] = item->ring_seq;
        range->first_seq = range->first_seq > 0 ? range->first_seq : row.seq;
        range->last_seq = row.seq;
        r = rows_add(&rows, &row, err);
    }
    if (r == 0)
        r = rows_end(&rows, err);
    if (r == 0)
        r = set_positions(db, batch, positions, err);
    free(positions);
    return r;
}

static int store_rows_of_day(struct writer_store *ws, const struct batch *batch,
                             struct day_range *range, struct error *err)
{
    struct db *db;
    int r = store_day(ws->store, range->day, &db, err);
    if (r != 0)
        return r;
    r = db_begin(db, err);
    if (r == 0)
        r = write_rows(ws, batch, db, range, err);
    if (r == 0)
        r = db_commit(db, err);
    if (r != 0)
        db_rollback(db);
    else
        writer_at(ws->options, WRITER_ROWS);
    return r;
}

static void skip_rows(struct writer_store *ws, const struct batch *batch, int64_t day,
                      const struct error *why)
{
    for (size_t i = 0; i < batch->count; i++)
        ws->skipping += batch->items[i].day == day;
    ws->rows_error = *why;
}

/* The smallest day of the batch after `after`; INT64_MAX where there is none. */
static int64_t next_day(const struct batch *batch, int64_t after)
{
    int64_t day = INT64_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].day > after && batch->items[i].day < day)
            day = batch->items[i].day;
    }
    return day;
}

/*
 * Remembers which rows a day's file was given until totals.db knows: a batch that is tried again
 * finds them written and would not tell.
 */
static void note(struct writer_store *ws, const struct day_range *range)
{
    if (range->last_seq == 0)
        return;
    for (unsigned i = 0; i < ws->note_count; i++) {
        if (ws->notes[i].day == range->day) {
            ws->notes[i].last_seq = range->last_seq;
            return;
        }
    }
    if (ws->note_count < NOTES_MAX)
        ws->notes[ws->note_count++] = *range;
    else
        /* a clock gone wild; the rows are there, and readers learn of them at the next start */
        log_warn("rows of too many days at once", kv_i64("day", range->day));
}

/* Rows of all days. What cannot be written is left out, counted; E_BUSY only after some tries. */
static int store_rows(struct writer_store *ws, const struct batch *batch, struct error *err)
{
    const struct error no_reserve = {.code = E_NO_SPACE,
                                     .text = "the disk is full: what is left is for counting"};
    bool reserve = store_reserve_held(ws->store) || store_reserve_take(ws->store);
    ws->rows_error.code = 0;
    ws->skipping = 0;
    for (int64_t day = next_day(batch, -1); day != INT64_MAX; day = next_day(batch, day)) {
        struct day_range range = {.day = day};
        struct error why = ERROR_INIT;
        int r = reserve ? store_rows_of_day(ws, batch, &range, &why) : E_NO_SPACE;
        if (r == E_BUSY && ++ws->busy < BUSY_TRIES)
            return error_set(err, r, "%s", why.text);
        if (r == 0)
            note(ws, &range);
        else
            skip_rows(ws, batch, day, reserve ? &why : &no_reserve);
    }
    ws->busy = 0;
    return 0;
}

/* ---- totals ---- */

static int count_records(struct writer_store *ws, const struct batch *batch, uint64_t *positions,
                         struct error *err)
{
    int r = 0;
    for (size_t i = 0; i < batch->count && r == 0; i++) {
        const struct batch_item *item = &batch->items[i];
        if (item->ring_seq <= positions[item->ring])
            continue;
        positions[item->ring] = item->ring_seq;
        r = rollup_add(ws->rollup, &item->record, err);
        metric_cells_add(ws->cells, &item->record);
        tally_add(&ws->tally, &item->record);
    }
    return r;
}

static int write_totals(struct writer_store *ws, const struct batch *batch, uint64_t *positions,
                        struct error *err)
{
    struct db *totals = store_totals(ws->store);
    int r = ws->cells_stale ? metric_cells_reload(ws->cells, err) : 0;
    if (r == 0) {
        ws->cells_stale = false;
        r = get_positions(totals, batch, positions, err);
    }
    if (r == 0)
        r = count_records(ws, batch, positions, err);
    if (r == 0)
        r = rollup_write(ws->rollup, err);
    if (r == 0)
        r = metric_cells_write(ws->cells, err);
    if (r == 0)
        r = tally_write(&ws->tally, totals, err);
    for (unsigned i = 0; i < ws->note_count && r == 0; i++)
        r = store_day_range_add(totals, ws->notes[i], err);
    if (r == 0)
        r = store_last_seq_set(totals, ws->last_seq, err);
    return r == 0 ? set_positions(totals, batch, positions, err) : r;
}

static int store_totals_once(struct writer_store *ws, const struct batch *batch, struct error *err)
{
    struct db *totals = store_totals(ws->store);
    uint64_t *positions = calloc(batch->reader_count, sizeof(*positions));
    CHECK(positions != NULL);
    int r = db_begin(totals, err);
    if (r == 0)
        r = write_totals(ws, batch, positions, err);
    if (r == 0)
        r = db_commit(totals, err);
    free(positions);
    tally_clear(&ws->tally);
    if (r == 0) {
        ws->note_count = 0;
        ws->rows_skipped += ws->skipping;
        return 0;
    }
    /* what is in memory is ahead of the tables now: the tables are right */
    db_rollback(totals);
    rollup_forget(ws->rollup);
    ws->cells_stale = true;
    return r;
}

int writer_store_batch(struct writer_store *ws, const struct batch *batch, struct error *err)
{
    struct error why = ERROR_INIT;
    writer_at(ws->options, WRITER_BEGIN);
    int r = store_rows(ws, batch, err);
    if (r != 0)
        return r;
    r = store_totals_once(ws, batch, &why);
    if (r == E_NO_SPACE && store_reserve_drop(ws->store)) {
        log_warn("the disk is full: the reserve is given up for counting");
        why.code = 0;
        r = store_totals_once(ws, batch, &why);
    }
    if (r != 0)
        return error_set(err, r, "%s", why.text);
    writer_at(ws->options, WRITER_TOTALS);
    return 0;
}
