/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "gateway/upstream.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* No name server is asked for it: a name has no empty label. */
#define NOT_A_NAME "not..a.name"

static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;

struct fixture {
    struct arena arena;
    struct target_conf targets[16];
    struct upstream_conf conf;
    struct gateway_config config;
    struct upstream *upstreams;
};

/* The number of a pool: here the second to last byte of the target's name. */
static unsigned pool_number(void *ctx, struct str name)
{
    (void)ctx;
    return (unsigned)(name.p[name.n - 2] - '0') * 10 + (unsigned)(name.p[name.n - 1] - '0');
}

/* One upstream with a target for each host, at the ports 80, 81 and so on. */
static void set_up(struct fixture *f, const char *const *hosts, size_t count)
{
    memset(f, 0, sizeof(*f));
    arena_init(&f->arena, 4096, 1 << 20);
    for (size_t i = 0; i < count; i++)
        f->targets[i] = (struct target_conf){
            .host = str_from(hosts[i]), .port = (uint16_t)(80 + i), .weight = 1};
    f->conf =
        (struct upstream_conf){.name = STR("u"), .targets = f->targets, .target_count = count};
    f->config = (struct gateway_config){.upstreams = &f->conf, .upstream_count = 1};
    f->upstreams = upstreams_build(&f->arena, &f->config, 1, pool_number, NULL);
    assert_non_null(f->upstreams);
}

static void tear_down(struct fixture *f)
{
    upstreams_finish(f->upstreams, 1);
    arena_finish(&f->arena);
}

static const struct address_list *addresses(const struct fixture *f, unsigned target)
{
    return atomic_load(&f->upstreams[0].targets[target].addresses);
}

static void resolve(struct fixture *f, struct epoch *epoch, bool only_missing)
{
    upstreams_resolve(f->upstreams, 1,
                      &(struct lookup){.epoch = epoch, .mtx = &mtx, .only_missing = only_missing});
}

static void addresses_are_known_at_once_and_names_after_a_lookup(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost", "::1", NOT_A_NAME};
    struct epoch *epoch = epoch_create(1);
    struct fixture f;
    set_up(&f, hosts, ARRAY_LEN(hosts));
    upstreams_adopt(f.upstreams, 1, NULL, 0);
    assert_non_null(addresses(&f, 0));
    assert_null(addresses(&f, 1));
    assert_non_null(addresses(&f, 2));
    assert_int_equal(upstreams_missing(f.upstreams, 1), 2);
    resolve(&f, epoch, true);
    assert_non_null(addresses(&f, 1));
    assert_null(addresses(&f, 3));
    assert_int_equal(upstreams_missing(f.upstreams, 1), 1);
    tear_down(&f);
    epoch_destroy(epoch);
}

static void a_reload_keeps_the_addresses_of_names_it_had(void **state)
{
    (void)state;
    static const char *const before[] = {"127.0.0.1", "localhost"};
    static const char *const after[] = {"127.0.0.2", "localhost", "localhost"};
    struct epoch *epoch = epoch_create(1);
    struct fixture old, new;
    set_up(&old, before, ARRAY_LEN(before));
    upstreams_adopt(old.upstreams, 1, NULL, 0);
    resolve(&old, epoch, true);
    set_up(&new, after, ARRAY_LEN(after));
    upstreams_adopt(new.upstreams, 1, old.upstreams, 1);
    /* the address is its own, not that of the target before it */
    const struct sockaddr_in *sin = (const void *)&addresses(&new, 0)->items[0].sa;
    assert_int_equal(ntohl(sin->sin_addr.s_addr), 0x7f000002);
    assert_non_null(addresses(&new, 1));
    assert_ptr_not_equal(addresses(&new, 1), addresses(&old, 1));
    assert_null(addresses(&new, 2)); /* another port is another target */
    tear_down(&old);
    assert_int_equal(addresses(&new, 1)->items[0].length > 0, 1);
    tear_down(&new);
    epoch_destroy(epoch);
}

static void a_name_that_fails_keeps_its_addresses(void **state)
{
    (void)state;
    static const char *const hosts[] = {"localhost"};
    struct epoch *epoch = epoch_create(1);
    struct fixture f;
    set_up(&f, hosts, ARRAY_LEN(hosts));
    resolve(&f, epoch, false);
    const struct address_list *found = addresses(&f, 0);
    assert_non_null(found);
    f.targets[0].host = STR(NOT_A_NAME);
    resolve(&f, epoch, false);
    assert_ptr_equal(addresses(&f, 0), found);
    tear_down(&f);
    epoch_destroy(epoch);
}

static void many_names_are_looked_up_beside_each_other(void **state)
{
    (void)state;
    const char *hosts[16];
    struct epoch *epoch = epoch_create(1);
    struct fixture f;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        hosts[i] = i % 5 == 4 ? NOT_A_NAME : "localhost";
    set_up(&f, hosts, ARRAY_LEN(hosts));
    for (int round = 0; round < 20; round++)
        resolve(&f, epoch, round % 2 == 1);
    assert_int_equal(upstreams_missing(f.upstreams, 1), 3);
    tear_down(&f);
    epoch_destroy(epoch);
}

static void no_lookup_begins_after_the_stop(void **state)
{
    (void)state;
    static const char *const hosts[] = {"localhost", "localhost"};
    const _Atomic bool stop = true;
    struct epoch *epoch = epoch_create(1);
    struct fixture f;
    set_up(&f, hosts, ARRAY_LEN(hosts));
    upstreams_resolve(f.upstreams, 1, &(struct lookup){.epoch = epoch, .mtx = &mtx, .stop = &stop});
    assert_int_equal(upstreams_missing(f.upstreams, 1), 2);
    tear_down(&f);
    epoch_destroy(epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_known_at_once_and_names_after_a_lookup),
        cmocka_unit_test(a_reload_keeps_the_addresses_of_names_it_had),
        cmocka_unit_test(a_name_that_fails_keeps_its_addresses),
        cmocka_unit_test(many_names_are_looked_up_beside_each_other),
        cmocka_unit_test(no_lookup_begins_after_the_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
