/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h -- functions that have hurt others too often to be used here.
 *
 * Given to the compiler by forced include, after the system headers that declare them, so that a
 * use does not compile. Each has a replacement in base/: buf_* and str_* for strings, str_to_u64()
 * for numbers, clock.h for dates, randombytes_* of libsodium for chance.
 *
 * Threads: stateless.
 * Memory:  none.
 * Errors:  a use is a compile error.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef BANNED_ALLOWED /* set for the one unit that holds CivetWeb's source */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#undef strcpy
#define strcpy(...) sorry_strcpy_is_a_banned_function
#undef strcat
#define strcat(...) sorry_strcat_is_a_banned_function
#undef strncpy
#define strncpy(...) sorry_strncpy_is_a_banned_function
#undef strncat
#define strncat(...) sorry_strncat_is_a_banned_function
#undef strtok
#define strtok(...) sorry_strtok_is_a_banned_function
#undef strtok_r
#define strtok_r(...) sorry_strtok_r_is_a_banned_function
#undef sprintf
#define sprintf(...) sorry_sprintf_is_a_banned_function
#undef vsprintf
#define vsprintf(...) sorry_vsprintf_is_a_banned_function
#undef atoi
#define atoi(...) sorry_atoi_is_a_banned_function
#undef atol
#define atol(...) sorry_atol_is_a_banned_function
#undef atoll
#define atoll(...) sorry_atoll_is_a_banned_function
#undef strtol
#define strtol(...) sorry_strtol_is_a_banned_function
#undef strtoll
#define strtoll(...) sorry_strtoll_is_a_banned_function
#undef strtoul
#define strtoul(...) sorry_strtoul_is_a_banned_function
#undef strtoull
#define strtoull(...) sorry_strtoull_is_a_banned_function
#undef gmtime
#define gmtime(...) sorry_gmtime_is_a_banned_function
#undef localtime
#define localtime(...) sorry_localtime_is_a_banned_function
#undef ctime
#define ctime(...) sorry_ctime_is_a_banned_function
#undef asctime
#define asctime(...) sorry_asctime_is_a_banned_function
#undef rand
#define rand(...) sorry_rand_is_a_banned_function
#undef srand
#define srand(...) sorry_srand_is_a_banned_function
#undef random
#define random(...) sorry_random_is_a_banned_function
#undef system
#define system(...) sorry_system_is_a_banned_function
#undef tmpnam
#define tmpnam(...) sorry_tmpnam_is_a_banned_function
#undef mktemp
#define mktemp(...) sorry_mktemp_is_a_banned_function

#endif
#endif
