/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_wire.h -- a record as bytes, as it lies in the journal's rings.
 *
 *     number of fields | the fields in the order of record_fields.def | number of limits | limits
 *
 * Numbers are varints, texts a length and bytes, ids and addresses raw. The number of fields lets a
 * newer program read what an older one left: fields it has added at the end of the table read as
 * empty. Any other change to the table needs a new RECORD_WIRE_VERSION.
 *
 * Threads: pure functions.
 * Memory:  encoding writes into the caller's; a decoded record borrows from the bytes.
 * Errors:  decoding returns E_CORRUPT for anything that encoding cannot have written.
 */
#ifndef ANALYTICS_RECORD_WIRE_H
#define ANALYTICS_RECORD_WIRE_H

#include "analytics/record.h"
#include "base/error.h"
#include "base/varint.h"

#define RECORD_WIRE_VERSION 1
#define RECORD_REASON_MAX 40     /* bytes of the longest code in reasons.def, and some */
#define RECORD_LIMIT_NAME_MAX 64 /* bytes kept of the name of a limit */

/* The most bytes a field of each type takes. */
enum {
    WIRE_MAX_TIME = VARINT_MAX,
    WIRE_MAX_UUID = 16,
    WIRE_MAX_TEXT = 3 + RECORD_TEXT_MAX,
    WIRE_MAX_UINT = VARINT_MAX,
    WIRE_MAX_IP = 16,
    WIRE_MAX_HEX = 16,
    WIRE_MAX_METHOD = VARINT_MAX,
    WIRE_MAX_REASON = WIRE_MAX_TEXT,
    WIRE_MAX_QUOTA = 2 + RECORD_LIMIT_NAME_MAX + 2 * VARINT_MAX,
#define X(name, TYPE, text) +WIRE_MAX_##TYPE
    RECORD_WIRE_MAX = 2 * VARINT_MAX + RECORD_QUOTAS_MAX * WIRE_MAX_QUOTA
#include "analytics/record_fields.def"
#undef X
};

/* The most bytes a field of each type takes beside the text itself. */
enum {
    WIRE_FIXED_TIME = WIRE_MAX_TIME,
    WIRE_FIXED_UUID = WIRE_MAX_UUID,
    WIRE_FIXED_TEXT = WIRE_MAX_TEXT - RECORD_TEXT_MAX,
    WIRE_FIXED_UINT = WIRE_MAX_UINT,
    WIRE_FIXED_IP = WIRE_MAX_IP,
    WIRE_FIXED_HEX = WIRE_MAX_HEX,
    WIRE_FIXED_METHOD = WIRE_MAX_METHOD,
    WIRE_FIXED_REASON = WIRE_FIXED_TEXT + RECORD_REASON_MAX,
#define X(name, TYPE, text) +WIRE_FIXED_##TYPE
    RECORD_WIRE_FIXED = 2 * VARINT_MAX + RECORD_QUOTAS_MAX * WIRE_MAX_QUOTA
#include "analytics/record_fields.def"
#undef X
};

/* Writes the record to `out`, which has RECORD_WIRE_MAX bytes; returns how many it took. */
size_t record_encode(const struct record *record, unsigned char *out);

/* 0 or E_CORRUPT; the record borrows from `bytes`. */
must_check int record_decode(struct str bytes, struct record *ret_record);

/* What ring_amend() replaces: time, status, reason, bytes_out, duration_us. */
#define AMENDMENT_WIRE_MAX (5 * VARINT_MAX + RECORD_REASON_MAX)
size_t amendment_encode(const struct record *record, unsigned char *out);

/* Changes those fields of *record only. 0 or E_CORRUPT, then untouched. */
must_check int amendment_decode_into(struct str bytes, struct record *record);

/* At most `max` bytes of s, cut between characters. */
struct str record_cut_text(struct str s, size_t max);

#endif
