/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store.h"

#include "base/buf.h"
#include "base/embedded.h"
#include "base/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* made by weir_migrations() in CMakeLists.txt */
extern const struct embedded_file migrations_totals[];
extern const struct embedded_file migrations_requests[];

#define OPEN_DAYS 6
#define WRITE_BUSY_MS 500
#define RESERVE_BYTES ((off_t)16 * 1024 * 1024)
#define SPARE_BYTES ((uint64_t)16 * 1024 * 1024) /* that must be free beside the reserve */
#define DAY_NAME_PREFIX "requests-"
#define DAY_NAME_SUFFIX ".db"

/* Days that wall_format_day() and the file names can tell: 1970 to 9999. */
#define DAY_LAST INT64_C(2932896)

struct open_day {
    struct db *db; /* NULL where the place is free */
    int64_t day;
    uint64_t used; /* the store's tick at its last use */
    bool unsynced; /* handed out since the last sync */
};

struct store {
    char *dir;
    unsigned flags;
    struct db *totals;
    bool reserve; /* the file is there, and whole */
    uint64_t tick;
    struct open_day days[OPEN_DAYS];
};

int64_t store_day_of(struct wall t)
{
    int64_t day = t.us / US_PER_DAY;
    return day < 0 ? 0 : day > DAY_LAST ? DAY_LAST : day;
}

void store_day_path(const struct store *store, int64_t day, char *out, size_t size)
{
    char text[CLOCK_TEXT_MAX];
    wall_format_day((struct wall){.us = day * US_PER_DAY}, text);
    snprintf(out, size, "%s/" DAY_NAME_PREFIX "%s" DAY_NAME_SUFFIX, store->dir, text);
}

const char *store_dir(const struct store *store)
{
    return store->dir;
}

struct db *store_totals(struct store *store)
{
    return store->totals;
}

/* Opens one file and brings it to, or checks that it is of, this version. */
static int open_file(const struct store *store, const char *path,
                     const struct embedded_file *migrations, struct db **ret_db, struct error *err)
{
    struct db *db;
    bool writing = store->flags & STORE_WRITE;
    int r = db_open(&db, path, writing ? DB_WRITE : DB_READ, err);
    if (r != 0)
        return r;
    /* nobody else should write here: who does must not hold up the counting for long */
    if (writing)
        db_set_busy_timeout(db, WRITE_BUSY_MS);
    r = writing ? migrate_run(db, migrations, err) : migrate_check(db, migrations, err);
    if (r != 0) {
        db_close(db);
        return r;
    }
    *ret_db = db;
    return 0;
}

static int open_totals(struct store *store, struct error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/totals.db", store->dir);
    int r = E_NOT_FOUND;
    if ((store->flags & STORE_WRITE) || access(path, F_OK) == 0 || errno != ENOENT)
        r = open_file(store, path, migrations_totals, &store->totals, err);
    if (r == E_NOT_FOUND)
        return error_set(
            err, r, "%s does not exist: nothing was recorded in this data directory yet", path);
    return r;
}

int store_open(struct store **ret_store, const char *dir, unsigned flags, struct error *err)
{
    if ((flags & STORE_WRITE) && mkdir(dir, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot create", dir);
    struct store *store = calloc(1, sizeof(*store));
    CHECK(store != NULL);
    store->dir = strdup(dir);
    CHECK(store->dir != NULL);
    store->flags = flags;
    int r = 0;
    if ((flags & STORE_WRITE) && !store_reserve_take(store))
        r = error_set(err, E_NO_SPACE,
                      "%s: the disk is full or not writable: %llu MiB must be free there to start",
                      dir, (unsigned long long)((uint64_t)RESERVE_BYTES + SPARE_BYTES) >> 20);
    if (r == 0)
        r = open_totals(store, err);
    if (r != 0) {
        store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (unsigned i = 0; i < OPEN_DAYS; i++)
        db_close(store->days[i].db);
    db_close(store->totals);
    free(store->dir);
    free(store);
}

/* A place for another day: a free one, or that of the day which was not used for longest. */
static int make_place(struct store *store, struct open_day **ret_place, struct error *err)
{
    struct open_day *place = &store->days[0];
    for (unsigned i = 0; i < OPEN_DAYS && place->db != NULL; i++) {
        struct open_day *d = &store->days[i];
        if (d->db == NULL || d->used < place->used)
            place = d;
    }
    if (place->db != NULL && place->unsynced) {
        int r = db_sync(place->db, err);
        if (r != 0)
            return r;
    }
    db_close(place->db);
    *place = (struct open_day){.db = NULL};
    *ret_place = place;
    return 0;
}

int store_day(struct store *store, int64_t day, struct db **ret_db, struct error *err)
{
    char path[PATH_MAX];
    struct open_day *place = NULL;
    for (unsigned i = 0; i < OPEN_DAYS && place == NULL; i++) {
        if (store->days[i].db != NULL && store->days[i].day == day)
            place = &store->days[i];
    }
    if (place == NULL) {
        store_day_path(store, day, path, sizeof(path));
        if (!(store->flags & STORE_WRITE) && access(path, F_OK) != 0 && errno == ENOENT)
            return E_NOT_FOUND;
        int r = make_place(store, &place, err);
        /* E_NOT_FOUND also while another process is making it */
        if (r == 0)
            r = open_file(store, path, migrations_requests, &place->db, err);
        if (r != 0)
            return r;
        place->day = day;
    }
    place->used = ++store->tick;
    place->unsynced = store->flags & STORE_WRITE;
    *ret_db = place->db;
    return 0;
}

/* The day of "requests-YYYY-MM-DD.db"; -1 for another name. */
static int64_t day_of_name(struct str name)
{
    struct wall t;
    struct str prefix = STR(DAY_NAME_PREFIX), suffix = STR(DAY_NAME_SUFFIX);
    if (!str_starts(name, prefix) || !str_ends(name, suffix) || name.n < prefix.n + suffix.n)
        return -1;
    struct str date = str_slice(name, prefix.n, name.n - suffix.n);
    if (date.n != strlen("2026-11-23") || wall_parse(date, &t) != 0)
        return -1;
    return store_day_of(t);
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int store_days(struct store *store, int64_t **ret_days, size_t *ret_count, struct error *err)
{
    int64_t *days = NULL;
    size_t count = 0;
    DIR *dir = opendir(store->dir);
    if (dir == NULL)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot read", store->dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        int64_t day = day_of_name(str_from(e->d_name));
        if (day < 0)
            continue;
        days = realloc(days, (count + 1) * sizeof(*days));
        CHECK(days != NULL);
        days[count++] = day;
    }
    closedir(dir);
    if (count > 0)
        qsort(days, count, sizeof(*days), compare_days);
    *ret_days = days;
    *ret_count = count;
    return 0;
}

int store_day_remove(struct store *store, int64_t day, struct error *err)
{
    char path[PATH_MAX], log[PATH_MAX + 8];
    for (unsigned i = 0; i < OPEN_DAYS; i++) {
        if (store->days[i].db != NULL && store->days[i].day == day) {
            db_close(store->days[i].db);
            store->days[i] = (struct open_day){.db = NULL};
        }
    }
    store_day_path(store, day, path, sizeof(path));
    /* the log first: without its file it would be taken for another's */
    snprintf(log, sizeof(log), "%s-wal", path);
    unlink(log);
    snprintf(log, sizeof(log), "%s-shm", path);
    unlink(log);
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot delete", path);
    return 0;
}

int store_sync(struct store *store, struct error *err)
{
    int r = db_sync(store->totals, err);
    for (unsigned i = 0; i < OPEN_DAYS && r == 0; i++) {
        struct open_day *d = &store->days[i];
        if (d->db == NULL || !d->unsynced)
            continue;
        r = db_sync(d->db, err);
        d->unsynced = r != 0;
    }
    return r;
}

static void reserve_path(const struct store *store, char out[static PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/reserve", store->dir);
}

bool store_reserve_held(const struct store *store)
{
    return store->reserve;
}

bool store_reserve_drop(struct store *store)
{
    char path[PATH_MAX];
    bool held = store->reserve;
    reserve_path(store, path);
    unlink(path);
    store->reserve = false;
    return held;
}

bool store_reserve_take(struct store *store)
{
    char path[PATH_MAX];
    struct statvfs fs;
    struct stat st;
    reserve_path(store, path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    /* only where it would not itself be what fills the disk, be it for the moment of trying; a
     * reserve of before is there already */
    uint64_t wanted = SPARE_BYTES;
    if (fstat(fd, &st) == 0 && (off_t)st.st_blocks * 512 < RESERVE_BYTES)
        wanted += (uint64_t)RESERVE_BYTES;
    store->reserve = fstatvfs(fd, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize >= wanted &&
                     posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
    close(fd);
    if (!store->reserve)
        unlink(path);
    return store->reserve;
}

struct store_sizes store_measure(struct store *store)
{
    struct store_sizes sizes = {0};
    struct dirent *e;
    DIR *dir = opendir(store->dir);
    if (dir == NULL)
        return sizes;
    while ((e = readdir(dir)) != NULL) {
        struct stat st;
        struct str name = str_from(e->d_name);
        if (fstatat(dirfd(dir), e->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (str_starts(name, STR(DAY_NAME_PREFIX)))
            sizes.requests += (uint64_t)st.st_size;
        else if (str_starts(name, STR("totals.db")))
            sizes.totals += (uint64_t)st.st_size;
    }
    closedir(dir);
    return sizes;
}
