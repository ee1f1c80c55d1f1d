/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hist.h -- a histogram whose sum with another is exact: latencies of a minute add up to an hour's.
 *
 * Log-linear: values below 16 have a bucket each, above them every power of two is cut into 16
 * equal parts, so a bucket is at most 1/16 of its value wide and a quantile at most about 3 % off.
 * Values of 2^40 and more fall into the last bucket. Only the buckets between the smallest and the
 * largest value seen take memory.
 *
 * Threads: a histogram belongs to one thread.
 * Memory:  its counts, on the heap; hist_finish() frees them. Zeroed memory is an empty histogram.
 * Errors:  decoding returns E_CORRUPT; running out of memory aborts (a histogram is at most 5 KB).
 */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include "base/buf.h"

#define HIST_BUCKETS 592
#define HIST_BLOB_MAX (4 * 10 + HIST_BUCKETS * 12) /* bytes of the largest encoding */

struct hist {
    uint64_t count, sum, max;
    uint64_t *counts; /* of buckets [first, first + n) */
    uint32_t first, n;
};

void hist_finish(struct hist *h);

/* Empty again, memory given back. */
void hist_clear(struct hist *h);

void hist_add(struct hist *h, uint64_t value);

/* Adds what `other` has seen. */
void hist_merge(struct hist *h, const struct hist *other);

/*
 * The value that the fraction q (0..1) of all values does not exceed, interpolated within its
 * bucket; 0 where the histogram is empty.
 */
uint64_t hist_quantile(const struct hist *h, double q);

/* Appends the compact form, which depends on neither byte order nor version of the program. */
void hist_encode(const struct hist *h, struct buf *out);

/*
 * Adds an encoded histogram to h. An empty blob is an empty histogram. 0 or E_CORRUPT, with h left
 * in a state that is good only for hist_finish() and hist_clear().
 */
must_check int hist_decode_add(struct hist *h, struct str blob);

/* The bucket of a value, and the smallest value of a bucket. */
uint32_t hist_bucket(uint64_t value);
uint64_t hist_bucket_floor(uint32_t bucket);

#endif
