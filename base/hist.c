/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hist.c -- see hist.h.
 *
 * The encoding, all numbers as base-128 varints, smallest group first:
 *
 *     version (1) | sum | max | used buckets | { distance to the bucket before | count } ...
 *
 * Only buckets that are not empty are written: a minute of an API's latencies is some 20 to 200
 * bytes.
 */
#include "base/hist.h"

#include "base/error.h"
#include "base/varint.h"

#include <stdlib.h>

#define HIST_VERSION 1
#define LINEAR 16u    /* parts of each power of two, and values with a bucket of their own */
#define LINEAR_BITS 4 /* log2 of it */

void hist_finish(struct hist *h)
{
    free(h->counts);
    *h = (struct hist){.counts = NULL};
}

void hist_clear(struct hist *h)
{
    hist_finish(h);
}

uint32_t hist_bucket(uint64_t value)
{
    if (value < LINEAR)
        return (uint32_t)value;
    uint32_t exponent = 63 - (uint32_t)__builtin_clzll(value);
    uint32_t part = (uint32_t)(value >> (exponent - LINEAR_BITS)) & (LINEAR - 1);
    uint32_t bucket = (exponent - LINEAR_BITS + 1) * LINEAR + part;
    return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

uint64_t hist_bucket_floor(uint32_t bucket)
{
    if (bucket < LINEAR)
        return bucket;
    return (uint64_t)(LINEAR + bucket % LINEAR) << (bucket / LINEAR - 1);
}

/* Makes [first, end) part of the kept range. */
static void cover(struct hist *h, uint32_t first, uint32_t end)
{
    if (h->n > 0) {
        first = h->first < first ? h->first : first;
        end = h->first + h->n > end ? h->first + h->n : end;
    }
    if (h->n == end - first)
        return;
    uint64_t *counts = calloc(end - first, sizeof(*counts));
    CHECK(counts != NULL);
    if (h->n > 0)
        memcpy(counts + (h->first - first), h->counts, h->n * sizeof(*counts));
    free(h->counts);
    h->counts = counts;
    h->first = first;
    h->n = end - first;
}

static void add_to_bucket(struct hist *h, uint32_t bucket, uint64_t count)
{
    if (unlikely(bucket - h->first >= h->n))
        cover(h, bucket, bucket + 1);
    h->counts[bucket - h->first] += count;
    h->count += count;
}

void hist_add(struct hist *h, uint64_t value)
{
    add_to_bucket(h, hist_bucket(value), 1);
    h->sum += value;
    if (value > h->max)
        h->max = value;
}

void hist_merge(struct hist *h, const struct hist *other)
{
    if (other->n == 0)
        return;
    cover(h, other->first, other->first + other->n);
    for (uint32_t i = 0; i < other->n; i++)
        h->counts[other->first - h->first + i] += other->counts[i];
    h->count += other->count;
    h->sum += other->sum;
    if (other->max > h->max)
        h->max = other->max;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
    if (h->count == 0)
        return 0;
    double rank = q * (double)h->count; /* how many values lie at or below the answer */
    double before = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        double here = (double)h->counts[i];
        if (here > 0 && before + here >= rank) {
            uint64_t low = hist_bucket_floor(h->first + i);
            uint64_t high = hist_bucket_floor(h->first + i + 1);
            double share = rank > before ? (rank - before) / here : 0;
            uint64_t value = low + (uint64_t)(share * (double)(high - low));
            return value < h->max ? value : h->max;
        }
        before += here;
    }
    return h->max;
}

void hist_encode(const struct hist *h, struct buf *out)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < h->n; i++)
        used += h->counts[i] > 0;
    varint_add(out, HIST_VERSION);
    varint_add(out, h->sum);
    varint_add(out, h->max);
    varint_add(out, used);
    uint32_t last = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->counts[i] == 0)
            continue;
        varint_add(out, h->first + i - last);
        varint_add(out, h->counts[i]);
        last = h->first + i;
    }
}

int hist_decode_add(struct hist *h, struct str blob)
{
    uint64_t version, sum, max, used;
    if (blob.n == 0)
        return 0;
    if (!varint_take(&blob, &version) || version != HIST_VERSION || !varint_take(&blob, &sum) ||
        !varint_take(&blob, &max) || !varint_take(&blob, &used))
        return E_CORRUPT;
    uint64_t bucket = 0;
    for (uint64_t i = 0; i < used; i++) {
        uint64_t distance, count;
        if (!varint_take(&blob, &distance) || !varint_take(&blob, &count))
            return E_CORRUPT;
        if (distance >= HIST_BUCKETS || bucket + distance >= HIST_BUCKETS)
            return E_CORRUPT;
        bucket += distance;
        add_to_bucket(h, (uint32_t)bucket, count);
    }
    h->sum += sum;
    if (max > h->max)
        h->max = max;
    return blob.n == 0 ? 0 : E_CORRUPT;
}
