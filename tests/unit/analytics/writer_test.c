/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

static void counts_each_record_everywhere_once(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(2);
    for (uint64_t n = 0; n < 1000; n++)
        commit(journal_ring(p.journal, n % 2), n, a_day());
    flush(&p);
    assert_counted(1000, metered_of(1000));
    pipeline_close(&p);
    assert_counted(1000, metered_of(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(counts_each_record_everywhere_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
