/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

static void pieces_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a;
    char *pieces[200];
    arena_init(&a, 256, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t size = i % 40 == 39 ? 1000 : i % 40; /* some larger than a chunk, some empty */
        pieces[i] = arena_alloc(&a, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], (int)i, size);
    }
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t size = i % 40 == 39 ? 1000 : i % 40;
        for (size_t k = 0; k < size; k++)
            assert_int_equal(pieces[i][k], (char)i);
    }
    assert_false(a.overflow);
    arena_finish(&a);
}

static void even_empty_pieces_are_different_ones(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 256, 1000);
    void *one = arena_alloc(&a, 0), *two = arena_alloc(&a, 0);
    assert_non_null(one);
    assert_non_null(two);
    assert_ptr_not_equal(one, two);
    arena_finish(&a);
}

static void the_budget_is_hard(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 256, 1024);
    assert_non_null(arena_alloc(&a, 1024));
    assert_false(a.overflow);
    assert_null(arena_alloc(&a, 1));
    assert_true(a.overflow);
    arena_clear(&a);
    assert_false(a.overflow);
    assert_null(arena_alloc(&a, 1025));
    assert_true(a.overflow);
    /* it stays so, though smaller pieces still fit */
    assert_non_null(arena_alloc(&a, 1000));
    assert_true(a.overflow);
    arena_clear(&a);
    /* many small pieces end at the budget as well */
    size_t n = 0;
    while (arena_alloc(&a, 1) != NULL)
        n++;
    assert_in_range(n, 1024 / alignof(max_align_t), 1024);
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_finish(&a);
}

static void nothing_fits_a_budget_of_nothing(void **state)
{
    (void)state;
    struct arena a = {.budget = 0};
    assert_null(arena_alloc(&a, 0));
    assert_true(a.overflow);
    arena_clear(&a);
    arena_finish(&a);
    arena_finish(&a);
}

static void a_warm_arena_uses_its_chunk_again(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096, 1 << 20);
    for (int round = 0; round < 10; round++) {
        char *first = arena_alloc(&a, 100);
        assert_non_null(first);
        memset(first, round, 100);
        for (int i = 0; i < 20; i++)
            assert_non_null(arena_alloc(&a, 1000));
        assert_int_equal(first[99], round);
        assert_true(a.used >= 20100);
        arena_clear(&a);
        assert_int_equal(a.used, 0);
    }
    arena_finish(&a);
    assert_null(a.chunks);
}

static void zeroed_memory_is_zero_though_it_was_used(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096, 8192);
    memset(arena_alloc(&a, 2000), 0xff, 2000);
    arena_clear(&a);
    char *p = arena_zalloc(&a, 1000);
    uint64_t *numbers = arena_array(&a, 100, sizeof(*numbers));
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(numbers[i], 0);
    arena_finish(&a);
}

static void a_product_that_overflows_is_no_small_array(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 256, SIZE_MAX);
    assert_null(arena_array(&a, SIZE_MAX / 8 + 2, 8));
    assert_true(a.overflow);
    arena_finish(&a);
}

static void strings_are_copied_with_a_nul_behind(void **state)
{
    (void)state;
    struct arena a;
    char source[] = "abc";
    arena_init(&a, 256, 64);
    struct str copy = arena_dup(&a, str_from(source));
    source[0] = 'x';
    assert_str_equal(copy, "abc");
    assert_int_equal(copy.p[3], '\0');
    copy = arena_dup(&a, STR_EMPTY);
    assert_int_equal(copy.n, 0);
    assert_int_equal(copy.p[0], '\0');
    copy = arena_printf(&a, "%s-%d", "n", 42);
    assert_str_equal(copy, "n-42");
    assert_int_equal(copy.p[4], '\0');
    assert_false(a.overflow);
    copy = arena_printf(&a, "%64s", "");
    assert_null(copy.p);
    assert_int_equal(copy.n, 0);
    assert_true(a.overflow);
    arena_clear(&a);
    char large[64] = "";
    copy = arena_dup(&a, str_make(large, sizeof(large)));
    assert_null(copy.p);
    assert_true(a.overflow);
    copy = arena_dup(&a, str_make(large, sizeof(large) - 1));
    assert_int_equal(copy.n, 63);
    arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(even_empty_pieces_are_different_ones),
        cmocka_unit_test(the_budget_is_hard),
        cmocka_unit_test(nothing_fits_a_budget_of_nothing),
        cmocka_unit_test(a_warm_arena_uses_its_chunk_again),
        cmocka_unit_test(zeroed_memory_is_zero_though_it_was_used),
        cmocka_unit_test(a_product_that_overflows_is_no_small_array),
        cmocka_unit_test(strings_are_copied_with_a_nul_behind),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
