/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/sink_cursor.h"

#include "base/buf.h"
#include "base/crc32.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAGIC "weir-sink 1"
#define FILE_BYTES 256 /* the longest line is some 200 */
#define NUMBERS (3 + SINK_COUNTERS)
#define SYNC_EVERY_US US_PER_S

/* The numbers of a place in the order of the line. */
static void numbers_of(struct sink_place *place, uint64_t *out[NUMBERS])
{
    unsigned n = 0;
    out[n++] = &place->seq;
    out[n++] = &place->known_to;
    out[n++] = &place->pending;
    for (unsigned i = 0; i < SINK_COUNTERS; i++)
        out[n++] = &place->counters[i];
}

static bool parse(struct str line, struct sink_place *place)
{
    uint64_t *numbers[NUMBERS], crc;
    if (!str_starts(line, STR(MAGIC " ")) || !str_ends(line, STR("\n")))
        return false;
    line = str_trim(str_slice(line, 0, line.n - 1)); /* the padding */
    size_t at = line.n;
    while (at > 0 && line.p[at - 1] != ' ')
        at--;
    if (str_hex_to_u64(str_slice(line, at, line.n), UINT32_MAX, &crc) != 0 ||
        crc != crc32_str(str_slice(line, 0, at)))
        return false;
    struct str rest = str_slice(line, sizeof(MAGIC), at);
    numbers_of(place, numbers);
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (str_to_u64(str_cut(&rest, ' '), 0, UINT64_MAX, numbers[i]) != 0)
            return false;
    }
    return true;
}

int sink_cursor_open(struct sink_cursor *cursor, const char *dir, const char *name,
                     struct sink_place *ret_place, struct error *err)
{
    char text[FILE_BYTES];
    struct sink_place place = {0};
    *cursor = (struct sink_cursor){.synced = clock_mono()};
    snprintf(cursor->path, sizeof(cursor->path), "%s/sink-%s.cursor", dir, name);
    cursor->fd = open(cursor->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (cursor->fd < 0)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot open",
                               cursor->path);
    ssize_t n = pread(cursor->fd, text, sizeof(text), 0);
    if (n == 0 || (n == FILE_BYTES && parse(str_make(text, FILE_BYTES), &place))) {
        *ret_place = place;
        return 0;
    }
    close(cursor->fd);
    cursor->fd = -1;
    return error_set(err, E_CORRUPT, "%s is damaged", cursor->path);
}

static void sync_file(struct sink_cursor *cursor)
{
    /* a failure means only that more is sent again after a loss of power */
    if (cursor->unsynced && fdatasync(cursor->fd) == 0)
        cursor->unsynced = false;
    cursor->synced = clock_mono();
}

int sink_cursor_save(struct sink_cursor *cursor, const struct sink_place *place, struct error *err)
{
    char text[FILE_BYTES];
    struct buf line;
    struct sink_place copy = *place;
    uint64_t *numbers[NUMBERS];
    memset(text, ' ', sizeof(text));
    buf_init_fixed(&line, text, sizeof(text) - 1);
    buf_add_lit(&line, MAGIC " ");
    numbers_of(&copy, numbers);
    for (unsigned i = 0; i < NUMBERS; i++) {
        buf_add_u64(&line, *numbers[i]);
        buf_add_char(&line, ' ');
    }
    buf_printf(&line, "%08x", crc32_str(buf_str(&line)));
    if (line.n < sizeof(text) - 1)
        text[line.n] = ' '; /* where printf put its NUL */
    CHECK(buf_finish(&line) == 0);
    text[FILE_BYTES - 1] = '\n';
    ssize_t n = pwrite(cursor->fd, text, sizeof(text), 0);
    if (n != FILE_BYTES)
        return error_set_errno(err, error_from_errno(n < 0 ? errno : ENOSPC),
                               n < 0 ? errno : ENOSPC, "%s: cannot write", cursor->path);
    cursor->unsynced = true;
    if (mono_since(clock_mono(), cursor->synced) >= SYNC_EVERY_US)
        sync_file(cursor);
    return 0;
}

void sink_cursor_close(struct sink_cursor *cursor)
{
    if (cursor->fd < 0)
        return;
    sync_file(cursor);
    close(cursor->fd);
    cursor->fd = -1;
}
