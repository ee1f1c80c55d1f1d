/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/password.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

static bool verify(struct passwords *p, const char *text, const char *password)
{
    bool right = true;
    assert_int_equal(password_verify(p, str_from(text), str_from(password), &right), 0);
    return right;
}

static void a_hash_is_of_its_password_alone(void **state)
{
    struct passwords *p = passwords_create(1, 0);
    char a[PASSWORD_TEXT_MAX], b[PASSWORD_TEXT_MAX];
    (void)state;
    assert_int_equal(password_hash(p, STR("correct horse"), a), 0);
    assert_int_equal(password_hash(p, STR("correct horse"), b), 0);
    assert_string_not_equal(a, b); /* salted */
    assert_true(str_starts(str_from(a), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_true(verify(p, a, "correct horse"));
    assert_true(verify(p, b, "correct horse"));
    assert_false(verify(p, a, "correct hors"));
    assert_false(verify(p, a, ""));
    passwords_destroy(p);
}

static void what_is_no_hash_is_nobodys(void **state)
{
    static const char *const texts[] = {"", "x", "$argon2id$v=19$m=19456,t=2,p=1$$"};
    struct passwords *p = passwords_create(1, 0);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_false(verify(p, texts[i], ""));
        assert_false(verify(p, texts[i], "correct horse"));
    }
    passwords_destroy(p);
}

static struct passwords *crowded;
static _Atomic unsigned busy, done;

static void *hash_one(void *arg)
{
    char text[PASSWORD_TEXT_MAX];
    (void)arg;
    int r = password_hash(crowded, STR("correct horse"), text);
    atomic_fetch_add(r == E_BUSY ? &busy : &done, 1);
    return NULL;
}

/* How many are refused depends on the machine; that nobody is lost does not. */
static void more_than_can_wait_are_told_to_come_again(void **state)
{
    pthread_t threads[24];
    (void)state;
    crowded = passwords_create(1, 2);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_one, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(busy + done, ARRAY_LEN(threads));
    assert_true(done >= 3);
    char text[PASSWORD_TEXT_MAX];
    assert_int_equal(password_hash(crowded, STR("one more"), text), 0);
    passwords_destroy(crowded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_of_its_password_alone),
        cmocka_unit_test(what_is_no_hash_is_nobodys),
        cmocka_unit_test(more_than_can_wait_are_told_to_come_again),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
