/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/crc32.h"
#include "base/secret.h"

#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_generated_key_parses_as_ours(void **state)
{
    (void)state;
    static const char *const prefixes[] = {[KEY_LIVE] = "weir_live_", [KEY_TEST] = "weir_test_"};
    for (int env = KEY_LIVE; env <= KEY_TEST; env++) {
        struct key_text text;
        struct key_parsed parsed = {.env = KEY_LIVE};
        key_generate((enum key_env)env, &text);
        assert_int_equal(strlen(text.p), KEY_TEXT_LEN);
        assert_true(str_starts(key_text_str(&text), str_from(prefixes[env])));
        assert_int_equal(key_parse(key_text_str(&text), &parsed), KEY_OURS);
        assert_int_equal(parsed.env, env);
        assert_int_equal(parsed.kid.n, KEY_KID_LEN);
        assert_memory_equal(parsed.kid.p, text.p + 10, KEY_KID_LEN);
        key_text_clear(&text);
        assert_int_equal(text.p[0], 0);
    }
}

/* The reading of the format that a leak scanner would write down from its documentation. */
static void the_checksum_is_crc32_in_six_base62_digits(void **state)
{
    (void)state;
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (unsigned i = 0; i < 1000; i++) {
        struct key_text text;
        key_generate(KEY_LIVE, &text);
        uint64_t value = 0;
        for (size_t at = KEY_TEXT_LEN - KEY_CRC_LEN; at < KEY_TEXT_LEN; at++) {
            const char *digit = strchr(digits, text.p[at]);
            assert_non_null(digit);
            value = value * 62 + (uint64_t)(digit - digits);
        }
        assert_int_equal(value, crc32_add(0, text.p, KEY_TEXT_LEN - KEY_CRC_LEN));
    }
}

static void one_wrong_character_anywhere_is_seen(void **state)
{
    (void)state;
    struct key_text good;
    key_generate(KEY_LIVE, &good);
    for (size_t i = 0; i < KEY_TEXT_LEN; i++) {
        static const char others[] = "aB7_- \x80";
        for (size_t j = 0; j < sizeof(others); j++) { /* the NUL too */
            struct key_text bad = good;
            bad.p[i] = others[j];
            enum key_form want = bad.p[i] == good.p[i] ? KEY_OURS
                                 : i < 10              ? KEY_FOREIGN
                                                       : KEY_OURS_BROKEN;
            assert_int_equal(key_parse(key_text_str(&bad), NULL), want);
        }
    }
}

static void tells_broken_from_foreign(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum key_form form;
    } cases[] = {
        {"", KEY_FOREIGN},
        {"weir_", KEY_FOREIGN},
        {"weir_live", KEY_FOREIGN},
        {"weir_pat_0123456789", KEY_FOREIGN},
        {"WEIR_LIVE_00000000", KEY_FOREIGN},
        {"an imported secret of another gateway", KEY_FOREIGN},
        {"weir_live_", KEY_OURS_BROKEN},
        {"weir_test_abc", KEY_OURS_BROKEN},
        {"weir_live_00000000_00000000000000000000000000000000000000", KEY_OURS_BROKEN},
        {"weir_live_0000000_000000000000000000000000000000000000000", KEY_OURS_BROKEN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(key_parse(str_from(cases[i].text), NULL), cases[i].form);
    struct key_text text;
    key_generate(KEY_LIVE, &text);
    struct str whole = key_text_str(&text);
    for (size_t n = 10; n < whole.n; n++)
        assert_int_equal(key_parse(str_slice(whole, 0, n), NULL), KEY_OURS_BROKEN);
    char longer[KEY_TEXT_LEN + 2];
    snprintf(longer, sizeof(longer), "%s0", text.p);
    assert_int_equal(key_parse(str_from(longer), NULL), KEY_OURS_BROKEN);
}

/*
 * 62 digits, 640,000 draws: 10,323 each on average with a deviation of 101. A modulo without
 * rejection would favor the first 8 digits by a quarter (12,500); the bound is 8 deviations.
 */
static void digits_are_uniform(void **state)
{
    (void)state;
    unsigned seen[256] = {0};
    unsigned kinds = 0;
    for (unsigned i = 0; i < 20000; i++) {
        struct key_text text;
        key_generate(KEY_LIVE, &text);
        for (size_t at = 19; at < 19 + KEY_SECRET_LEN; at++)
            seen[(unsigned char)text.p[at]]++;
    }
    for (unsigned c = 0; c < 256; c++) {
        if (seen[c] == 0)
            continue;
        kinds++;
        assert_in_range(seen[c], 10323 - 808, 10323 + 808);
    }
    assert_int_equal(kinds, 62);
}

static void the_hash_depends_on_secret_and_pepper(void **state)
{
    (void)state;
    struct pepper one = {.b = {1}}, two = {.b = {2}};
    struct secret_hash a = secret_hash_make(&one, STR("a secret"));
    struct secret_hash again = secret_hash_make(&one, STR("a secret"));
    struct secret_hash other = secret_hash_make(&one, STR("a secreT"));
    struct secret_hash peppered = secret_hash_make(&two, STR("a secret"));
    assert_true(secret_hash_eq(&a, &again));
    assert_false(secret_hash_eq(&a, &other));
    assert_false(secret_hash_eq(&a, &peppered));
    struct secret_hash empty = secret_hash_make(&one, STR_EMPTY);
    assert_false(secret_hash_eq(&a, &empty));
}

static void environments_have_names(void **state)
{
    (void)state;
    enum key_env env;
    assert_int_equal(key_env_find(STR("test"), &env), 0);
    assert_int_equal(env, KEY_TEST);
    assert_int_equal(key_env_find(STR("prod"), &env), E_INVALID);
    assert_str_equal(key_env_name(KEY_LIVE), "live");
}

struct folder {
    char dir[64];
    char path[80];
};

static void folder_make(struct folder *f)
{
    snprintf(f->dir, sizeof(f->dir), "/tmp/weir-secret-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/pepper", f->dir);
}

static void folder_remove(struct folder *f)
{
    unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0); /* fails where a temporary file was left behind */
}

static void the_pepper_is_drawn_once_and_kept(void **state)
{
    (void)state;
    struct folder f;
    folder_make(&f);
    struct pepper first, second;
    struct error err = ERROR_INIT;
    assert_int_equal(pepper_load(f.dir, &first, &err), 0);
    assert_int_equal(pepper_load(f.dir, &second, &err), 0);
    assert_memory_equal(&first, &second, sizeof(first));
    assert_false(sodium_is_zero(first.b, sizeof(first.b)));
    struct stat st;
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 32);
    folder_remove(&f);
}

static void write_file(const char *path, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    char bytes[64] = {7};
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_strange_pepper_is_refused_and_left_alone(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        mode_t mode;
        int code;
    } cases[] = {{0, 0600, E_CORRUPT}, {31, 0600, E_CORRUPT}, {33, 0600, E_CORRUPT},
                 {32, 0640, E_DENIED}, {32, 0604, E_DENIED},  {32, 0400, 0}};
    struct folder f;
    folder_make(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pepper pepper;
        struct error err = ERROR_INIT;
        write_file(f.path, cases[i].size, cases[i].mode);
        assert_int_equal(pepper_load(f.dir, &pepper, &err), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        struct stat st;
        assert_int_equal(stat(f.path, &st), 0);
        assert_int_equal(st.st_size, cases[i].size);
        unlink(f.path);
    }
    struct pepper pepper;
    struct error err = ERROR_INIT;
    assert_int_equal(symlink("/etc/hostname", f.path), 0);
    assert_true(pepper_load(f.dir, &pepper, &err) < 0);
    folder_remove(&f);
    err = (struct error)ERROR_INIT;
    assert_int_equal(pepper_load(f.dir, &pepper, &err), E_NOT_FOUND);
    assert_non_null(strstr(err.text, f.dir));
}

#define RACERS 8

struct racer {
    struct folder *folder;
    pthread_barrier_t *start;
    struct pepper pepper;
    int result;
};

static void *race_load(void *arg)
{
    struct racer *racer = arg;
    pthread_barrier_wait(racer->start);
    racer->result = pepper_load(racer->folder->dir, &racer->pepper, NULL);
    return NULL;
}

static void racing_starts_agree_on_one_pepper(void **state)
{
    (void)state;
    struct folder f;
    folder_make(&f);
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, RACERS);
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.folder = &f, .start = &start};
        assert_int_equal(pthread_create(&threads[i], NULL, race_load, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(racers[i].result, 0);
        assert_memory_equal(&racers[i].pepper, &racers[0].pepper, sizeof(struct pepper));
    }
    pthread_barrier_destroy(&start);
    folder_remove(&f);
}

static int start_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generated_key_parses_as_ours),
        cmocka_unit_test(the_checksum_is_crc32_in_six_base62_digits),
        cmocka_unit_test(one_wrong_character_anywhere_is_seen),
        cmocka_unit_test(tells_broken_from_foreign),
        cmocka_unit_test(digits_are_uniform),
        cmocka_unit_test(the_hash_depends_on_secret_and_pepper),
        cmocka_unit_test(environments_have_names),
        cmocka_unit_test(the_pepper_is_drawn_once_and_kept),
        cmocka_unit_test(a_strange_pepper_is_refused_and_left_alone),
        cmocka_unit_test(racing_starts_agree_on_one_pepper),
    };
    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
