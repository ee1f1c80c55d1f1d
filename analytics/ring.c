/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/ring.h"

#include "base/crc32.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[8] = "WEIRRING";

_Static_assert(sizeof(struct ring_header) <= RING_HEADER_BYTES, "the header has one page");
_Static_assert(sizeof(struct frame_header) == 24, "frames lie in files: no padding");
_Static_assert(RING_BYTES_MIN > 8 * FRAME_RECORD_MAX, "a ring must hold a few large records");

/* How far a frame or filler of the rest of the ring reaches from `pos`: to the end of the data. */
static uint64_t bytes_to_end(const struct ring *ring, uint64_t pos)
{
    return ring->size - pos % ring->size;
}

static unsigned char *place(const struct ring *ring, uint64_t pos)
{
    return ring->data + pos % ring->size;
}

static uint32_t frame_crc(const unsigned char *frame, uint64_t pos, size_t payload_bytes)
{
    const size_t skip = sizeof(uint32_t);
    uint32_t seed = (uint32_t)(pos ^ pos >> 32);
    return crc32_add(seed, frame + skip, sizeof(struct frame_header) - skip + payload_bytes);
}

/* ---- the file ---- */

static int fill_new_file(int fd, const char *path, uint64_t data_bytes, struct error *err)
{
    uint64_t all = RING_HEADER_BYTES + data_bytes;
    int e = posix_fallocate(fd, 0, (off_t)all);
    if (e != 0)
        return error_set_errno(
            err, error_from_errno(e), e,
            "%s: no room for a journal ring of %llu MiB; free some space or set a "
            "smaller `journal_size`",
            path, (unsigned long long)(all >> 20));
    unsigned char page[RING_HEADER_BYTES] = {0};
    struct ring_header header = {
        .version = RING_VERSION, .header_bytes = RING_HEADER_BYTES, .data_bytes = data_bytes};
    memcpy(header.magic, MAGIC, sizeof(MAGIC));
    memcpy(page, &header, sizeof(header));
    if (pwrite(fd, page, sizeof(page), 0) != (ssize_t)sizeof(page) || fsync(fd) != 0)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot write", path);
    return 0;
}

int ring_create_file(const char *path, uint64_t data_bytes, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        int saved = errno;
        return error_set_errno(err, error_from_errno(saved), saved, "%s: cannot create", path);
    }
    int r = fill_new_file(fd, path, data_bytes, err);
    close(fd);
    if (r != 0)
        unlink(path);
    return r;
}

/* Whether the file is a ring that this version can read, all of it. */
static int check_header(const struct ring_header *header, uint64_t file_bytes, const char *path,
                        struct error *err)
{
    if (memcmp(header->magic, MAGIC, sizeof(MAGIC)) != 0)
        return error_set(err, E_CORRUPT, "%s is not a journal ring: move it away", path);
    if (header->version > RING_VERSION)
        return error_set(err, E_NEWER,
                         "%s was written by a newer version of weir (ring version %u, this version "
                         "knows %d): start that version once more to empty it",
                         path, header->version, RING_VERSION);
    uint64_t head = atomic_load_explicit(&header->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&header->tail, memory_order_relaxed);
    if (header->version == 0 || header->header_bytes != RING_HEADER_BYTES ||
        header->data_bytes % RING_HEADER_BYTES != 0 ||
        header->data_bytes + RING_HEADER_BYTES != file_bytes || tail > head ||
        head - tail > header->data_bytes || (head | tail) % 8 != 0)
        return error_set(err, E_CORRUPT, "%s is damaged: move it away", path);
    return 0;
}

static int map_file(int fd, const char *path, struct ring *ring, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot look at", path);
    if (st.st_size < (off_t)(RING_HEADER_BYTES + RING_HEADER_BYTES))
        return error_set(err, E_CORRUPT, "%s is not a journal ring: move it away", path);
    size_t all = (size_t)st.st_size;
    void *map = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED)
        return error_set_errno(err, E_NOMEM, errno, "%s: cannot map", path);
    int r = check_header(map, all, path, err);
    if (r != 0) {
        munmap(map, all);
        return r;
    }
#ifdef MADV_POPULATE_WRITE
    /* faulted in for writing too, where the kernel can (5.14); else the first round pays for it */
    (void)madvise(map, all, MADV_POPULATE_WRITE);
#endif
    ring->header = map;
    ring->data = (unsigned char *)map + RING_HEADER_BYTES;
    ring->size = all - RING_HEADER_BYTES;
    return 0;
}

int ring_open(struct ring **ret_ring, const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        int saved = errno;
        return error_set_errno(err, error_from_errno(saved), saved, "%s: cannot open", path);
    }
    struct ring *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
    CHECK(ring != NULL);
    memset(ring, 0, sizeof(*ring));
    int r = map_file(fd, path, ring, err);
    close(fd);
    if (r != 0) {
        free(ring);
        return r;
    }
    ring->path = strdup(path);
    CHECK(ring->path != NULL);
    atomic_init(&ring->min_unsettled, RING_NONE);
    atomic_init(&ring->amended, UINT64_MAX);
    *ret_ring = ring;
    return 0;
}

void ring_close(struct ring *ring)
{
    if (ring == NULL)
        return;
    munmap(ring->header, RING_HEADER_BYTES + ring->size);
    free(ring->path);
    free(ring);
}

/* ---- the producer ---- */

static uint64_t free_bytes(const struct ring *ring)
{
    /* acquire pairs with ring_release(): the writer is done with what we are about to overwrite */
    uint64_t tail = atomic_load_explicit(&ring->header->tail, memory_order_acquire);
    uint64_t head = atomic_load_explicit(&ring->header->head, memory_order_relaxed);
    return ring->size - (head - tail);
}

/*
 * What records must leave free: an amendment for each that is not settled and for the one to come,
 * and one more for the filler it may need. So an amendment always has room.
 */
static uint64_t reserve_bytes(const struct ring *ring)
{
    return (ring->unsettled_count + 2) * (uint64_t)FRAME_AMENDMENT_MAX;
}

/* What a record may come to: itself, and an amendment. */
static uint64_t frame_bytes(size_t payload)
{
    return FRAME_ALIGN(sizeof(struct frame_header) + payload) + FRAME_AMENDMENT_MAX;
}

bool ring_reserve(struct ring *ring, size_t bytes)
{
    /* one more for the filler: the end of the ring comes once before space is given back */
    uint64_t wanted = ring->reserved + frame_bytes(bytes) + FRAME_RECORD_MAX;
    if (unlikely(free_bytes(ring) < wanted + reserve_bytes(ring)))
        return false;
    ring->reserved += frame_bytes(bytes);
    return true;
}

/* Completes the frame whose payload is in place. */
static void seal(struct ring *ring, uint64_t pos, struct frame_header header)
{
    unsigned char *to = place(ring, pos);
    memcpy(to, &header, sizeof(header));
    header.crc = frame_crc(to, pos, header.payload_bytes);
    memcpy(to, &header.crc, sizeof(header.crc));
}

/*
 * The position for a frame of `bytes` after the head, behind a filler where it would not lie in one
 * piece. The frames become visible together, by publish().
 */
static uint64_t skip_end(struct ring *ring, uint64_t pos, uint64_t bytes)
{
    uint64_t left = bytes_to_end(ring, pos);
    if (bytes <= left)
        return pos;
    if (left >= sizeof(struct frame_header)) {
        struct frame_header filler = {
            .bytes = (uint32_t)left, .seq = ring->next_seq, .kind = FRAME_FILLER};
        seal(ring, pos, filler);
    }
    return pos + left;
}

static void publish(struct ring *ring, uint64_t head)
{
    atomic_store_explicit(&ring->published, ring->next_seq, memory_order_relaxed);
    ring->next_seq++;
    /* release: pairs with ring_head(), frames and what is unsettled become visible before it */
    atomic_store_explicit(&ring->header->head, head, memory_order_release);
}

static void publish_unsettled(struct ring *ring)
{
    uint64_t min = ring->unsettled_count > 0 ? ring->unsettled[0] : RING_NONE;
    /* release: pairs with ring_unsettled(); an amendment lies before the end of its settling */
    atomic_store_explicit(&ring->min_unsettled, min, memory_order_release);
}

/* Commits where `reserve` bytes stay free behind it. */
static uint64_t commit(struct ring *ring, const struct record *record, uint64_t reserve)
{
    CHECK(ring->ready);
    uint64_t head = atomic_load_explicit(&ring->header->head, memory_order_relaxed);
    uint64_t room = free_bytes(ring);
    size_t payload;
    bool in_place =
        bytes_to_end(ring, head) >= FRAME_RECORD_MAX && room >= FRAME_RECORD_MAX + reserve;
    unsigned char *to = place(ring, head) + sizeof(struct frame_header);
    payload = record_encode(record, in_place ? to : ring->scratch);
    uint64_t bytes = FRAME_ALIGN(sizeof(struct frame_header) + payload);
    uint64_t left = bytes_to_end(ring, head);
    if (unlikely(room < bytes + (bytes > left ? left : 0) + reserve)) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return 0;
    }
    uint64_t pos = skip_end(ring, head, bytes), seq = ring->next_seq;
    if (!in_place)
        memcpy(place(ring, pos) + sizeof(struct frame_header), ring->scratch, payload);
    struct frame_header header = {.bytes = (uint32_t)bytes,
                                  .seq = seq,
                                  .kind = FRAME_RECORD,
                                  .payload_bytes = (uint32_t)payload};
    seal(ring, pos, header);
    /* past the most that can be followed, a record counts as settled: an amendment is then
     * merged only if it comes before the writer */
    if (likely(ring->unsettled_count < RING_UNSETTLED_MAX)) {
        ring->unsettled[ring->unsettled_count++] = seq;
        if (ring->unsettled_count == 1)
            publish_unsettled(ring);
    }
    publish(ring, pos + bytes);
    return seq;
}

uint64_t ring_commit(struct ring *ring, const struct record *record)
{
    uint64_t reserve = reserve_bytes(ring);
    if (ring->reserved > 0)
        reserve += ring->reserved + FRAME_RECORD_MAX;
    return commit(ring, record, reserve);
}

uint64_t ring_commit_reserved(struct ring *ring, const struct record *record, size_t bytes)
{
    CHECK(ring->reserved >= frame_bytes(bytes));
    ring->reserved -= frame_bytes(bytes);
    /* the room for a filler, which it may use up, is no longer asked for */
    return commit(ring, record, reserve_bytes(ring) + ring->reserved);
}

void ring_amend(struct ring *ring, uint64_t seq, const struct record *record)
{
    unsigned char payload[VARINT_MAX + AMENDMENT_WIRE_MAX];
    CHECK(seq > 0 && seq < ring->next_seq);
    size_t n = (size_t)(varint_put(payload, seq) - payload);
    n += amendment_encode(record, payload + n);
    uint64_t bytes = FRAME_ALIGN(sizeof(struct frame_header) + n);
    uint64_t head = atomic_load_explicit(&ring->header->head, memory_order_relaxed);
    uint64_t left = bytes_to_end(ring, head);
    if (unlikely(free_bytes(ring) < bytes + (bytes > left ? left : 0))) {
        /* only for a record that was not followed, see ring_commit() */
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return;
    }
    uint64_t pos = skip_end(ring, head, bytes);
    memcpy(place(ring, pos) + sizeof(struct frame_header), payload, n);
    struct frame_header header = {.bytes = (uint32_t)bytes,
                                  .seq = ring->next_seq,
                                  .kind = FRAME_AMENDMENT,
                                  .payload_bytes = (uint32_t)n};
    seal(ring, pos, header);
    atomic_store_explicit(&ring->amended, pos + bytes, memory_order_relaxed);
    publish(ring, pos + bytes);
}

void ring_settle(struct ring *ring, uint64_t seq)
{
    unsigned at = ring->unsettled_count;
    /* from the end: most settle soon after their commit */
    while (at > 0 && ring->unsettled[at - 1] > seq)
        at--;
    if (at == 0 || ring->unsettled[at - 1] != seq)
        return; /* not followed */
    at--;
    ring->unsettled_count--;
    memmove(ring->unsettled + at, ring->unsettled + at + 1,
            (ring->unsettled_count - at) * sizeof(ring->unsettled[0]));
    if (at == 0)
        publish_unsettled(ring);
}

/* ---- the writer ---- */

uint64_t ring_head(const struct ring *ring)
{
    /* acquire pairs with publish() */
    return atomic_load_explicit(&ring->header->head, memory_order_acquire);
}

uint64_t ring_unsettled(const struct ring *ring)
{
    /* acquire pairs with publish_unsettled() */
    return atomic_load_explicit(&ring->min_unsettled, memory_order_acquire);
}

uint64_t ring_amendments_end(const struct ring *ring, uint64_t head)
{
    /* relaxed: what was stored before the head is seen by who has seen the head */
    uint64_t end = atomic_load_explicit(&ring->amended, memory_order_relaxed);
    return end < head ? end : head;
}

struct ring_cursor ring_tail(const struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->header->tail, memory_order_relaxed);
    return (struct ring_cursor){.pos = tail};
}

/* The header of the frame at `at` where it can be one, and is the one expected. */
static bool read_header(const struct ring *ring, struct ring_cursor at, uint64_t end,
                        struct frame_header *ret_header)
{
    uint64_t left = bytes_to_end(ring, at.pos);
    struct frame_header h;
    if (left > end - at.pos)
        left = end - at.pos;
    if (left < sizeof(h))
        return false;
    memcpy(&h, place(ring, at.pos), sizeof(h));
    if (h.bytes % 8 != 0 || h.bytes < sizeof(h) || h.bytes > left ||
        h.payload_bytes > h.bytes - sizeof(h) || (at.seq != 0 && h.seq != at.seq))
        return false;
    *ret_header = h;
    return true;
}

static bool is_whole(const struct ring *ring, uint64_t pos, const struct frame_header *h)
{
    return h->crc == frame_crc(place(ring, pos), pos, h->payload_bytes);
}

/* Steps over what is no frame: fillers and a rest that not even a filler fits in. */
static int skip_fillers(const struct ring *ring, struct ring_cursor *at, uint64_t end,
                        struct frame_header *ret_header)
{
    for (;;) {
        if (at->pos >= end)
            return 0;
        uint64_t left = bytes_to_end(ring, at->pos);
        if (left < sizeof(struct frame_header)) {
            at->pos += left;
            continue;
        }
        if (!read_header(ring, *at, end, ret_header))
            return E_CORRUPT;
        if (ret_header->kind != FRAME_FILLER)
            return 1;
        if (!is_whole(ring, at->pos, ret_header))
            return E_CORRUPT;
        at->pos += ret_header->bytes;
        at->seq = ret_header->seq;
    }
}

/* A frame whose header was read; the cursor moves behind it. */
static int take_frame(const struct ring *ring, struct ring_cursor *at, const struct frame_header *h,
                      struct frame *ret_frame)
{
    struct frame frame = {.seq = h->seq};
    if (!is_whole(ring, at->pos, h))
        return E_CORRUPT;
    const char *payload = (const char *)place(ring, at->pos) + sizeof(*h);
    frame.payload = str_make(payload, h->payload_bytes);
    if (h->kind == FRAME_RECORD)
        frame.kind = FRAME_RECORD;
    else if (h->kind == FRAME_AMENDMENT && varint_take(&frame.payload, &frame.target))
        frame.kind = FRAME_AMENDMENT;
    else
        return E_CORRUPT;
    *at = (struct ring_cursor){.pos = at->pos + h->bytes, .seq = h->seq + 1};
    *ret_frame = frame;
    return 1;
}

int ring_next(const struct ring *ring, struct ring_cursor *cursor, uint64_t end,
              struct frame *ret_frame)
{
    struct ring_cursor at = *cursor;
    struct frame_header h;
    int r = skip_fillers(ring, &at, end, &h);
    if (r == 1)
        r = take_frame(ring, &at, &h, ret_frame);
    if (r >= 0)
        *cursor = at;
    return r;
}

int ring_next_amendment(const struct ring *ring, struct ring_cursor *cursor, uint64_t end,
                        struct frame *ret_frame)
{
    struct ring_cursor at = *cursor;
    struct frame_header h;
    int r;
    while ((r = skip_fillers(ring, &at, end, &h)) == 1 && h.kind != FRAME_AMENDMENT)
        at = (struct ring_cursor){.pos = at.pos + h.bytes, .seq = h.seq + 1};
    if (r == 1)
        r = take_frame(ring, &at, &h, ret_frame);
    if (r >= 0)
        *cursor = at;
    return r;
}

void ring_release(struct ring *ring, uint64_t pos)
{
    /* release pairs with free_bytes() */
    atomic_store_explicit(&ring->header->tail, pos, memory_order_release);
}

void ring_renew(struct ring *ring)
{
    CHECK(!ring->drain && ring_used(ring) == 0);
    uint64_t id = 0;
    while (id == 0) {
        randombytes_buf(&id, sizeof(id));
        id &= INT64_MAX; /* the database's numbers are signed */
    }
    atomic_store_explicit(&ring->header->id, id, memory_order_relaxed);
    ring->next_seq = 1;
    atomic_store_explicit(&ring->amended, 0, memory_order_relaxed);
    ring->ready = true;
}

uint64_t ring_used(const struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->header->tail, memory_order_relaxed);
    return ring_head(ring) - tail;
}
