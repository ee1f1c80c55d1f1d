/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.c -- the ring files of a data directory: found, made, set aside, removed.
 *
 * ring-NN is the ring of carrier NN. One that this run has no use for, by its number or its size,
 * is renamed drain-ID and only read. Everything is looked at before anything is made, and new rings
 * are made under another name first, ring-NN.new, so a refusal leaves the directory as it was, but
 * for such a name that a killed run left.
 */
#include "analytics/journal.h"

#include "analytics/ring.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RINGS_MAX 1024

struct journal {
    char *dir;
    unsigned wanted; /* rings of carriers: the first of `rings` */
    unsigned count;  /* all of them */
    struct ring *rings[RINGS_MAX];
};

static void path_of(const struct journal *j, char out[static PATH_MAX], const char *prefix,
                    unsigned index, const char *suffix)
{
    snprintf(out, PATH_MAX, "%s/%s%02u%s", j->dir, prefix, index, suffix);
}

/* The number of "ring-NN"; -1 for another name. */
static long ring_number(const char *name)
{
    uint64_t n;
    struct str s = str_from(name), prefix = STR("ring-");
    if (!str_starts(s, prefix) ||
        str_to_u64(str_slice(s, prefix.n, s.n), 0, RINGS_MAX - 1, &n) != 0)
        return -1;
    return (long)n;
}

/* A ring that a run which was killed had not made in full: this one makes its own. */
static bool is_unfinished(struct str name)
{
    return str_starts(name, STR("ring-")) && str_ends(name, STR(".new"));
}

static int open_existing(struct journal *j, const char *name, struct error *err)
{
    char path[PATH_MAX];
    struct ring *ring;
    long number = ring_number(name);
    bool drain = str_starts(str_from(name), STR("drain-"));
    snprintf(path, sizeof(path), "%s/%s", j->dir, name);
    if (is_unfinished(str_from(name)))
        unlink(path);
    if (number < 0 && !drain)
        return 0;
    if (j->count == RINGS_MAX)
        return error_set(err, E_FULL, "%s holds more than %d rings: move old ones away", j->dir,
                         RINGS_MAX);
    int r = ring_open(&ring, path, err);
    if (r != 0)
        return r;
    if (!drain && number < (long)j->wanted) {
        j->rings[number] = ring;
        return 0;
    }
    ring->drain = true;
    j->rings[j->count++] = ring;
    return 0;
}

static int open_all_existing(struct journal *j, struct error *err)
{
    DIR *dir = opendir(j->dir);
    int r = 0;
    if (dir == NULL)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot read", j->dir);
    for (struct dirent *e = readdir(dir); e != NULL && r == 0; e = readdir(dir))
        r = open_existing(j, e->d_name, err);
    closedir(dir);
    return r;
}

/* A ring of another size makes room for one of this size, but what it holds is still read. */
static int set_aside(struct journal *j, unsigned index, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct ring *ring = j->rings[index];
    path_of(j, from, "ring-", index, "");
    snprintf(to, sizeof(to), "%s/drain-%016llx", j->dir, (unsigned long long)ring_id(ring));
    if (j->count == RINGS_MAX)
        return error_set(err, E_FULL, "%s holds more than %d rings: move old ones away", j->dir,
                         RINGS_MAX);
    if (rename(from, to) != 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot rename", from);
    free(ring->path);
    ring->path = strdup(to);
    CHECK(ring->path != NULL);
    ring->drain = true;
    j->rings[j->count++] = ring;
    j->rings[index] = NULL;
    return 0;
}

static void remove_new(const struct journal *j)
{
    char path[PATH_MAX];
    for (unsigned i = 0; i < j->wanted; i++) {
        path_of(j, path, "ring-", i, ".new");
        unlink(path);
    }
}

static bool fits(const struct ring *ring, uint64_t ring_bytes)
{
    return ring != NULL && ring->size == ring_bytes;
}

static int make_missing(struct journal *j, uint64_t ring_bytes, struct error *err)
{
    char path[PATH_MAX], made[PATH_MAX];
    int r = 0;
    for (unsigned i = 0; i < j->wanted && r == 0; i++) {
        path_of(j, path, "ring-", i, ".new");
        if (!fits(j->rings[i], ring_bytes))
            r = ring_create_file(path, ring_bytes, err);
    }
    if (r != 0)
        remove_new(j);
    for (unsigned i = 0; i < j->wanted && r == 0; i++) {
        if (fits(j->rings[i], ring_bytes))
            continue;
        if (j->rings[i] != NULL)
            r = set_aside(j, i, err);
        path_of(j, path, "ring-", i, ".new");
        path_of(j, made, "ring-", i, "");
        if (r == 0 && rename(path, made) != 0)
            r = error_set_errno(err, E_IO, errno, "%s: cannot rename", path);
        if (r == 0)
            r = ring_open(&j->rings[i], made, err);
    }
    return r;
}

int journal_open(struct journal **ret_journal, const char *dir, unsigned rings, size_t ring_bytes,
                 struct error *err)
{
    CHECK(rings > 0 && rings <= RINGS_MAX / 2 && ring_bytes >= RING_BYTES_MIN);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot create", dir);
    struct journal *j = calloc(1, sizeof(*j));
    CHECK(j != NULL);
    j->dir = strdup(dir);
    CHECK(j->dir != NULL);
    j->wanted = j->count = rings;
    /* the frame of a ring is eight-aligned at its end, too */
    ring_bytes -= ring_bytes % RING_HEADER_BYTES;
    int r = open_all_existing(j, err);
    if (r == 0)
        r = make_missing(j, ring_bytes, err);
    if (r != 0) {
        journal_close(j);
        return r;
    }
    for (unsigned i = 0; i < j->wanted; i++) {
        if (ring_used(j->rings[i]) == 0)
            ring_renew(j->rings[i]);
    }
    *ret_journal = j;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    for (unsigned i = 0; i < journal->count; i++)
        ring_close(journal->rings[i]);
    free(journal->dir);
    free(journal);
}

struct ring *journal_ring(struct journal *journal, unsigned index)
{
    CHECK(index < journal->wanted);
    return journal->rings[index];
}

unsigned journal_count(const struct journal *journal)
{
    return journal->count;
}

struct ring *journal_at(const struct journal *journal, unsigned index)
{
    CHECK(index < journal->count);
    return journal->rings[index];
}

int journal_renew(struct journal *journal, struct error *err)
{
    for (unsigned i = 0; i < journal->wanted; i++) {
        struct ring *ring = journal->rings[i];
        if (!ring->ready)
            ring_renew(ring);
        if (msync(ring->header, RING_HEADER_BYTES, MS_SYNC) != 0)
            return error_set_errno(err, E_IO, errno, "%s: cannot sync", ring->path);
    }
    for (unsigned i = journal->wanted; i < journal->count; i++) {
        struct ring *ring = journal->rings[i];
        CHECK(ring_used(ring) == 0);
        if (unlink(ring->path) != 0 && errno != ENOENT)
            return error_set_errno(err, E_IO, errno, "%s: cannot remove", ring->path);
        ring_close(ring);
    }
    journal->count = journal->wanted;
    /* names as well: a ring of before that came back would be counted again */
    int e = file_sync(journal->dir);
    return e == 0 ? 0 : error_set_errno(err, E_IO, e, "%s: cannot sync", journal->dir);
}
