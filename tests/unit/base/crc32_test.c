/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/crc32.h"

static void gives_the_known_checksums(void **state)
{
    (void)state;
    /* the check value of the CRC catalogue, and others from gzip */
    assert_int_equal(crc32_str(STR("123456789")), 0xcbf43926);
    assert_int_equal(crc32_str(STR("")), 0);
    assert_int_equal(crc32_str(STR("a")), 0xe8b7be43);
    assert_int_equal(crc32_add(0, NULL, 0), 0);
}

static void a_checksum_in_pieces_is_that_of_the_whole(void **state)
{
    (void)state;
    struct str s = STR("The quick brown fox jumps over the lazy dog");
    for (size_t cut = 0; cut <= s.n; cut++) {
        uint32_t crc = crc32_add(0, s.p, cut);
        crc = crc32_add(crc, s.p + cut, s.n - cut);
        assert_int_equal(crc, 0x414fa339);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_checksums),
        cmocka_unit_test(a_checksum_in_pieces_is_that_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
