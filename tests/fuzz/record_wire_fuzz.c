/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_wire_fuzz.c -- any bytes as a record of the ring: refused, or a record that encodes again
 * to bytes that decode to the same.
 */
#include "analytics/record_wire.h"
#include "base/hist.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(struct str bytes)
{
    static unsigned char first[RECORD_WIRE_MAX], second[RECORD_WIRE_MAX];
    struct record record, again;
    if (record_decode(bytes, &record) != 0)
        return;
    size_t n = record_encode(&record, first);
    CHECK(n <= sizeof(first));
    CHECK(record_decode(str_make((char *)first, n), &again) == 0);
    CHECK(record_encode(&again, second) == n && memcmp(first, second, n) == 0);
}

static void check_hist(struct str bytes)
{
    struct hist h = {.counts = NULL};
    if (hist_decode_add(&h, bytes) == 0)
        (void)hist_quantile(&h, 0.99);
    hist_finish(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record = {.status = 200};
    struct str bytes = str_make((const char *)data, size);
    check_record(bytes);
    check_hist(bytes);
    if (amendment_decode_into(bytes, &record) != 0)
        CHECK(record.status == 200);
    return 0;
}
