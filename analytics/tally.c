/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/tally.h"

#include "analytics/record_wire.h"
#include "analytics/store_totals.h"

#include <stdlib.h>

struct quota_entry {
    struct quota_usage usage; /* its texts lie behind it */
    char text[];
};

struct key_entry {
    struct str key; /* lies behind it */
    struct wall time;
    struct ip ip;
    char text[];
};

static char *put(char *to, struct str s)
{
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

static void add_quota(struct tally *tally, struct str app, const struct record_quota *quota)
{
    char mem[RECORD_TEXT_MAX + RECORD_LIMIT_NAME_MAX + 32];
    struct buf key;
    buf_init_fixed(&key, mem, sizeof(mem));
    buf_add_str(&key, app);
    buf_add_char(&key, LABELS_SEPARATOR);
    buf_add_i64(&key, quota->window.us);
    buf_add_char(&key, LABELS_SEPARATOR);
    buf_add_str(&key, quota->limit);
    CHECK(buf_finish(&key) == 0); /* a record from the ring has no longer texts */
    struct quota_entry *entry = label_map_find(&tally->quotas, buf_str(&key));
    if (entry == NULL) {
        entry = malloc(sizeof(*entry) + app.n + quota->limit.n);
        CHECK(entry != NULL);
        char *limit = put(entry->text, app);
        put(limit, quota->limit);
        entry->usage = (struct quota_usage){.app = str_make(entry->text, app.n),
                                            .limit = str_make(limit, quota->limit.n),
                                            .window = quota->window};
        label_map_add(&tally->quotas, buf_str(&key), entry);
    }
    entry->usage.used += quota->cost;
}

static void add_key(struct tally *tally, const struct record *record)
{
    struct key_entry *entry = label_map_find(&tally->keys, record->key);
    if (entry == NULL) {
        entry = malloc(sizeof(*entry) + record->key.n);
        CHECK(entry != NULL);
        put(entry->text, record->key);
        entry->key = str_make(entry->text, record->key.n);
        label_map_add(&tally->keys, record->key, entry);
    } else if (record->time.us < entry->time.us) {
        return;
    }
    entry->time = record->time;
    entry->ip = record->client_ip;
}

void tally_add(struct tally *tally, const struct record *record)
{
    for (unsigned i = 0; i < record->quota_count; i++)
        add_quota(tally, record->app, &record->quotas[i]);
    if (record_used_key(record))
        add_key(tally, record);
}

int tally_write(const struct tally *tally, struct db *totals, struct error *err)
{
    int r = 0;
    for (size_t i = 0; i < tally->quotas.capacity && r == 0; i++) {
        const struct quota_entry *entry = tally->quotas.entries[i].value;
        if (tally->quotas.entries[i].key != NULL)
            r = store_quota_add(totals, &entry->usage, err);
    }
    for (size_t i = 0; i < tally->keys.capacity && r == 0; i++) {
        const struct key_entry *entry = tally->keys.entries[i].value;
        if (tally->keys.entries[i].key != NULL)
            r = store_key_used(totals, entry->key, entry->time, entry->ip, err);
    }
    return r;
}

static bool drop(void *ctx, void *value)
{
    (void)ctx;
    free(value);
    return false;
}

void tally_clear(struct tally *tally)
{
    label_map_filter(&tally->quotas, drop, NULL);
    label_map_filter(&tally->keys, drop, NULL);
}

void tally_finish(struct tally *tally)
{
    tally_clear(tally);
    label_map_finish(&tally->quotas);
    label_map_finish(&tally->keys);
}
