/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "tempdir.h"

#include "analytics/store_totals.h"
#include "appliance/control.h"
#include "appliance/inside.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>

#define RELOADS 40

static const char FILE_SECRET[] = "a-secret-of-the-file";

/* Any free ports; an upstream that nobody asks. */
static void write_config(const char *secret)
{
    FILE *f = fopen(tempdir_path("weir.yaml"), "we");
    assert_non_null(f);
    fprintf(f,
            "version: 1\ndata_dir: data\nlog: { level: error }\n"
            "gateway: { listen: ['127.0.0.1:0'], workers: 8 }\n"
            "portal: { listen: ['127.0.0.1:0'] }\nadmin: { listen: ['127.0.0.1:0'] }\n"
            "analytics: { journal_size: 1MiB }\n"
            "upstreams: { u: { targets: ['http://127.0.0.1:1'] } }\n"
            "apis: { one: { upstream: u, match: { paths: [/one] } } }\n"
            "plans: { day: { apis: [one], quota: { requests: 9, per: day } } }\n"
            "apps: { a: { plan: day, keys: { k: { secret: '%s' } } } }\n",
            secret);
    assert_int_equal(fclose(f), 0);
}

static int start(struct instance **ret_instance, struct error *err)
{
    struct config_errors *errors = malloc(sizeof(*errors));
    struct config *config;
    char path[4096];
    assert_non_null(errors);
    assert_true(str_copy(str_from(tempdir_path("weir.yaml")), path, sizeof(path)));
    assert_int_equal(config_load(path, &config, errors), 0);
    free(errors);
    return instance_start(ret_instance, config, path, err);
}

static struct instance *started(void)
{
    struct error err = ERROR_INIT;
    struct instance *instance = NULL;
    int r = start(&instance, &err);
    if (r != 0)
        fail_msg("%s", err.text);
    return instance;
}

static void a_file_with_the_secret_of_an_issued_key_is_refused_in_a_sentence(void **state)
{
    char secret[KEY_TEXT_LEN + 1];
    struct error err = ERROR_INIT;
    (void)state;
    write_config(FILE_SECRET);
    struct instance *instance = started();
    assert_int_equal(instance_create_key(instance, "a", "issued", secret, &err), 0);
    instance_stop(instance);

    write_config(secret);
    instance = NULL;
    assert_int_equal(start(&instance, &err), E_CONFIG);
    assert_non_null(strstr(err.text, "already issued"));
    assert_null(strstr(err.text, secret));
    assert_null(instance);

    write_config(FILE_SECRET);
    instance_stop(started());
}

/* NULL, or `arg` where one failed. */
static void *reload_often(void *arg)
{
    struct instance *instance = arg;
    for (int i = 0; i < RELOADS; i++) {
        if (instance_reload(instance, NULL) != 0)
            return arg;
    }
    return NULL;
}

static void reloads_may_be_asked_for_by_two_threads_at_once(void **state)
{
    pthread_t other;
    void *failed = NULL;
    (void)state;
    write_config(FILE_SECRET);
    struct instance *instance = started();
    assert_int_equal(pthread_create(&other, NULL, reload_often, instance), 0);
    void *here = reload_often(instance);
    assert_int_equal(pthread_join(other, &failed), 0);
    assert_null(here);
    assert_null(failed);
    assert_int_equal(instance->reloads_done, 2 * RELOADS);
    instance_stop(instance);
}

/* What is left of the quota of app `a`, as a command would be told. */
static int64_t left(struct instance *instance)
{
    struct error err = ERROR_INIT;
    json_t *answer = NULL, *request = json_pack("{s:s, s:s}", "command", "limits", "app", "a");
    if (control_ask(instance->data_dir, request, &answer, &err) != 0)
        fail_msg("%s", err.text);
    json_t *limit = json_array_get(json_object_get(answer, "limits"), 0);
    int64_t remaining = json_integer_value(json_object_get(limit, "remaining"));
    json_decref(answer);
    json_decref(request);
    return remaining;
}

/* Of the quota's window that began so many days after today's, while no instance runs. */
static void put_used(int days, uint64_t used)
{
    struct error err = ERROR_INIT;
    struct store *store;
    struct quota_usage usage = {
        .app = STR("a"),
        .limit = STR("day"),
        .window = {.us = wall_floor(clock_wall(), CAL_DAY).us + days * US_PER_DAY},
        .used = used};
    assert_int_equal(store_open(&store, tempdir_path("data/analytics"), STORE_WRITE, &err), 0);
    assert_int_equal(store_quota_add(store_totals(store), &usage, &err), 0);
    store_close(store);
}

static void a_quota_goes_on_after_a_restart_though_the_clock_was_wrong_for_a_while(void **state)
{
    (void)state;
    write_config(FILE_SECRET);
    struct instance *instance = started();
    assert_int_equal(left(instance), 9);
    instance_stop(instance);
    put_used(0, 5);
    put_used(-1, 9);
    put_used(300, 1);

    instance = started();
    assert_int_equal(left(instance), 4);
    instance_stop(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(a_file_with_the_secret_of_an_issued_key_is_refused_in_a_sentence),
        unit_test_in_tempdir(reloads_may_be_asked_for_by_two_threads_at_once),
        unit_test_in_tempdir(
            a_quota_goes_on_after_a_restart_though_the_clock_was_wrong_for_a_while),
    };
    instance_block_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
