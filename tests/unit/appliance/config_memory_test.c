/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for secrets in all memory of this process but its stack. So that the looking itself puts
 * none there, a secret is never spelled out but where a file is written.
 * What an allocator takes for something else soon after is overwritten by chance; the address
 * sanitizer's keeps what was freed for a long time, so it is there that this test is sharp.
 */
#include "test.h"

#include "tempdir.h"

#include "appliance/config.h"

#include <fcntl.h>

#define SECRET_CHARS 56 /* of a key of ours */
#define LARGE_MAP (UINT64_C(1) << 30)

static struct config_errors errors;

static char secret_char(unsigned secret, size_t i)
{
    return (char)('a' + (i * 7 + i * i * secret + secret) % 26);
}

static void put_secret(struct buf *b, unsigned secret)
{
    for (size_t i = 0; i < SECRET_CHARS; i++)
        buf_add_char(b, secret_char(secret, i));
}

static bool is_secret(const char *p, unsigned secret)
{
    for (size_t i = 0; i < SECRET_CHARS; i++) {
        if (p[i] != secret_char(secret, i))
            return false;
    }
    return true;
}

/* Writes the text to a file and overwrites it here. */
static void move_to_file(struct buf *b, const char *name)
{
    int fd = open(tempdir_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b->p, b->n), b->n);
    close(fd);
    explicit_bzero(b->p, b->n);
    b->n = 0;
}

static bool range_holds(int mem, uint64_t from, uint64_t to, unsigned secret)
{
    static char window[1 << 16];
    for (uint64_t at = from; at < to; at += sizeof(window) - SECRET_CHARS) {
        size_t want = to - at < sizeof(window) ? (size_t)(to - at) : sizeof(window);
        ssize_t n = pread(mem, window, want, (off_t)at);
        for (ssize_t i = 0; i + SECRET_CHARS <= n; i++) {
            if (is_secret(window + i, secret))
                return true;
        }
    }
    return false;
}

static bool memory_holds(unsigned secret)
{
    char line[512];
    bool found = false;
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_true(mem >= 0 && maps != NULL);
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        unsigned long long from, to;
        char access[5];
        assert_int_equal(sscanf(line, "%llx-%llx %4s", &from, &to, access), 3);
        /* a sanitizer's own maps are as large as that */
        if (access[0] == 'r' && access[1] == 'w' && strstr(line, "[stack]") == NULL &&
            to - from < LARGE_MAP)
            found = range_holds(mem, from, to, secret);
    }
    fclose(maps);
    close(mem);
    return found;
}

enum { FIRST, LAST, INSERTED, SECRETS };

/* So large that a buffer would have to grow often, with a secret at each end and one in a file. */
static void write_files(void)
{
    static char memory[1 << 20];
    struct buf b;
    buf_init_fixed(&b, memory, sizeof(memory));
    buf_add_lit(&b, "version: 1\nmetrics: { listen: ['127.0.0.1:0'], token: '");
    put_secret(&b, FIRST);
    buf_add_lit(&b, "' }\nupstreams: { u: { targets: ['http://127.0.0.1:1'] } }\n"
                    "apis: { a: { upstream: u, match: { paths: [/a] } } }\n"
                    "plans: { p: { apis: [a] } }\napps:\n");
    for (unsigned i = 0; i < 4000; i++)
        buf_printf(&b, "  app-%u: { plan: p, keys: { k: { secret: a-secret-of-app-%u } } }\n", i,
                   i);
    buf_add_lit(&b, "  last: { plan: p, keys: { k: { secret: '");
    put_secret(&b, LAST);
    buf_add_lit(&b, "' }, f: { secret: 'some-text-that-stands-before-it-${file:secret}-");
    for (unsigned i = 0; i < 380; i++)
        buf_add_char(&b, 'x');
    buf_add_lit(&b, "' } } }\n");
    assert_int_equal(buf_finish(&b), 0);
    move_to_file(&b, "weir.yaml");
    put_secret(&b, INSERTED);
    move_to_file(&b, "secret");
}

static void a_configuration_that_is_gone_leaves_no_secret_behind(void **state)
{
    struct config *config;
    (void)state;
    write_files();
    if (config_load(tempdir_path("weir.yaml"), &config, &errors) != 0)
        fail_msg("%s", errors.items[0].text);
    for (unsigned secret = 0; secret < SECRETS; secret++)
        assert_true(memory_holds(secret));
    config_destroy(config);
    for (unsigned secret = 0; secret < SECRETS; secret++) {
        if (memory_holds(secret))
            fail_msg("secret %u is there still", secret);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(a_configuration_that_is_gone_leaves_no_secret_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
