/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32.h -- CRC-32 (IEEE 802.3, the one of gzip and PNG): finds damage, never an attacker.
 *
 * Threads: pure functions.
 * Memory:  none.
 * Errors:  none.
 */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include "base/str.h"

/* The checksum of `n` bytes that follow bytes whose checksum is `crc`; begin with 0. */
uint32_t crc32_add(uint32_t crc, const void *p, size_t n);

static inline uint32_t crc32_str(struct str s)
{
    return crc32_add(0, s.p, s.n);
}

#endif
