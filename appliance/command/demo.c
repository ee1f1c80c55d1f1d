/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything at once, as `serve` would run it: the parts that are the demo's own lie in
 * appliance/demo/ and speak to the rest over sockets.
 */
#include "analytics/query.h"
#include "appliance/ask.h"
#include "appliance/demo/first_call.h"
#include "appliance/demo/live.h"
#include "appliance/demo/people.h"
#include "appliance/demo/report.h"
#include "appliance/demo/sample.h"
#include "appliance/demo/settings.h"
#include "appliance/options.h"

#include <stdio.h>
#include <unistd.h>

#define SECONDS_MAX (7 * 24 * 3600)
#define CONFIG_BYTES_MAX (64 * 1024)
#define URL_MAX 128

enum demo_listener { GATEWAY, PORTAL, ADMIN, DEMO_LISTENERS };

struct demo {
    const char *dir; /* NULL for a temporary one */
    uint64_t seconds;
    bool no_traffic;
    struct place place;
    struct place_port ports[DEMO_LISTENERS];
    char urls[DEMO_LISTENERS][URL_MAX];
    struct sample *sample;
    struct instance *instance;
    struct people people;
    char request_id[UUID_TEXT_LEN + 1];
    struct wall began;
    struct traffic *traffic;
    struct live *live;
    struct report report;
};

/* --- the start, in order --- */

static void keep_urls(struct demo *demo, const struct config *config)
{
    str_copy(config->gateway.url, demo->urls[GATEWAY], URL_MAX);
    str_copy(config->portal.url, demo->urls[PORTAL], URL_MAX);
    str_copy(config->admin.url, demo->urls[ADMIN], URL_MAX);
}

static int load(const struct demo *demo, struct str text, struct config **ret_config,
                struct error *err)
{
    struct config_errors errors;
    int r = config_load_text(demo->place.config, text, ret_config, &errors);
    return r == 0 ? 0 : error_set(err, r, "%s", errors.items[0].text);
}

static int write_settings(struct demo *demo, struct buf *text, struct config **ret_config,
                          struct error *err)
{
    char at[DEMO_LISTENERS][PLACE_ADDRESS_MAX];
    for (size_t i = 0; i < DEMO_LISTENERS; i++)
        place_address(&demo->ports[i], at[i]);
    struct demo_addresses addresses = {
        .gateway = at[GATEWAY],
        .portal = at[PORTAL],
        .admin = at[ADMIN],
        .sample = sample_address(demo->sample),
    };
    demo_settings(&addresses, text);
    int r = load(demo, buf_str(text), ret_config, err);
    if (r != 0)
        return r;
    /* the file of a demo that runs there must not be replaced under its feet */
    if (ask_running(*ret_config))
        r = error_set(err, E_BUSY, "a demo runs in %s already; name another --dir",
                      demo->place.dir);
    else
        r = place_write(&demo->place, buf_str(text), err);
    if (r != 0)
        config_destroy(*ret_config);
    return r;
}

static int start_instance(struct demo *demo, struct error *err)
{
    struct buf text;
    struct config *config;
    buf_init(&text, CONFIG_BYTES_MAX);
    int r = write_settings(demo, &text, &config, err);
    buf_free(&text);
    if (r != 0)
        return r;
    keep_urls(demo, config);
    return instance_start(&demo->instance, config, demo->place.config, err);
}

static int settle(struct demo *demo, struct error *err)
{
    char data_dir[PLACE_PATH_MAX + 8];
    snprintf(data_dir, sizeof(data_dir), "%s/data", demo->place.dir);
    return people_settle(&demo->people, data_dir, &demo->ports[PORTAL], err);
}

static int start(struct demo *demo, struct error *err)
{
    place_ports(demo->ports, DEMO_LISTENERS);
    int r = sample_start(&demo->sample, err);
    if (r == 0)
        r = start_instance(demo, err);
    if (r == 0)
        r = settle(demo, err);
    if (r == 0)
        r = first_call(&demo->ports[GATEWAY], demo->people.keys[APP_YOU].p, demo->request_id, err);
    if (r == 0 && !demo->no_traffic)
        r = traffic_start(&demo->traffic, demo->urls[GATEWAY], demo->people.keys, err);
    if (r == 0 && demo->report.terminal)
        r = live_start(&demo->live, &demo->report, demo->instance, err);
    return r;
}

static void greet(const struct demo *demo)
{
    struct greeting greeting = {
        .place = &demo->place,
        .gateway = &demo->ports[GATEWAY],
        .portal = &demo->ports[PORTAL],
        .admin = &demo->ports[ADMIN],
        .gateway_url = demo->urls[GATEWAY],
        .portal_url = demo->urls[PORTAL],
        .admin_url = demo->urls[ADMIN],
        .people = &demo->people,
        .key = demo->people.keys[APP_YOU].p,
        .request_id = demo->request_id,
        .seconds = (int64_t)demo->seconds,
        .traffic = !demo->no_traffic,
    };
    report_greeting(&demo->report, &greeting);
}

/* --- the end --- */

struct totals {
    const struct demo *demo;
    struct app_total apps[DEMO_APPS];
};

/* A kept folder may know of earlier demos: what counts are the keys of this one. */
static int add_usage(void *ctx, const struct usage_row *row)
{
    struct totals *totals = ctx;
    for (size_t i = 0; i < DEMO_APPS; i++) {
        struct key_parsed key;
        if (key_parse(key_text_str(&totals->demo->people.keys[i]), &key) == KEY_OURS &&
            str_eq(row->key, key.kid))
            totals->apps[i].metered += row->requests;
    }
    return 0;
}

/* Reads the store as `weir usage` does. */
static int tell_totals(const struct demo *demo, struct error *err)
{
    char dir[PLACE_PATH_MAX + 32];
    struct totals totals = {.demo = demo};
    struct usage_filter filter = {.since = demo->began};
    struct query *query;
    snprintf(dir, sizeof(dir), "%s/data/analytics", demo->place.dir);
    int r = query_open(&query, dir, err);
    if (r != 0)
        return r;
    r = query_usage(query, &filter, add_usage, &totals, err);
    query_close(query);
    for (size_t i = 0; i < DEMO_APPS && r == 0; i++) {
        totals.apps[i].known = i != APP_YOU;
        if (totals.apps[i].known)
            totals.apps[i].seen = traffic_count(demo->traffic, (enum demo_app)i);
    }
    if (r == 0)
        report_totals(&demo->report, &demo->people, totals.apps);
    return r;
}

/* The traffic first, so that it finds nothing closed; the bookshop last, as calls may wait for it.
 */
static void stop(struct demo *demo)
{
    live_stop(demo->live);
    if (demo->traffic != NULL)
        traffic_stop(demo->traffic);
    instance_stop(demo->instance);
    sample_stop(demo->sample);
}

static void leave(struct demo *demo)
{
    traffic_destroy(demo->traffic);
    people_forget(&demo->people);
    place_leave(&demo->place);
}

static int run_demo(struct demo *demo)
{
    struct error err = ERROR_INIT;
    report_init(&demo->report);
    demo->began = clock_wall();
    instance_block_signals();
    log_configure(LOG_WARN, LOG_LOGFMT);
    int r = place_enter(&demo->place, demo->dir, &err);
    if (r != 0)
        return command_fail(&err);
    r = start(demo, &err);
    if (r == 0) {
        greet(demo);
        instance_run(demo->instance,
                     demo->seconds > 0 ? mono_after(clock_mono(), (int64_t)demo->seconds * US_PER_S)
                                       : MONO_NEVER);
    }
    stop(demo);
    if (r == 0 && demo->traffic != NULL)
        r = tell_totals(demo, &err);
    leave(demo);
    return r == 0 ? EXIT_DONE : command_fail(&err);
}

/* --- the command --- */

static int take_option(const struct command *command, int o, struct demo *demo)
{
    switch (o) {
    case 's':
        return options_number(command, "seconds", SECONDS_MAX, &demo->seconds);
    case 'l':
        if (place_port_parse(str_from(optarg), &demo->ports[GATEWAY]) == 0)
            return 0;
        return command_misuse(
            command, "--listen wants an address, 0.0.0.0 or 127.0.0.1:9000, not %s", optarg);
    case 'd':
        demo->dir = optarg;
        return 0;
    case 'n':
        demo->no_traffic = true;
        return 0;
    default:
        return EXIT_MISUSE;
    }
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'}, {"listen", required_argument, NULL, 'l'},
        {"dir", required_argument, NULL, 'd'},     {"no-traffic", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},          OPTIONS_END};
    static struct demo demo; /* some KiB, once a process */
    int o, r = 0;
    for (unsigned i = 0; i < DEMO_LISTENERS; i++) {
        demo.ports[i].port = (uint16_t)(8080 + i);
        CHECK(ip_parse(STR("127.0.0.1"), &demo.ports[i].ip) == 0);
    }
    while (r == 0 && (o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        r = take_option(command, o, &demo);
    }
    if (r != 0 || options_arguments(command, argc, argv, 0, NULL) != 0)
        return EXIT_MISUSE;
    return run_demo(&demo);
}

const struct command command_demo = {
    .name = "demo",
    .synopsis = "[--seconds N] [--listen ADDRESS] [--dir DIR] [--no-traffic]",
    .brief = "Shows everything at once: a gateway, an API behind it, apps that call it.",
    .help = "      --seconds N        stop after so many seconds; otherwise Ctrl-C does\n"
            "      --listen ADDRESS   where the gateway is: 0.0.0.0, 192.0.2.7:9000; the\n"
            "                         portal and the admin listener stay on 127.0.0.1\n"
            "      --dir DIR          keep keys and records there; otherwise they are in a\n"
            "                         temporary folder that is removed in the end\n"
            "      --no-traffic       no apps that call; only you\n"
            "\n"
            "The ports are 8080 (gateway), 8081 (portal) and 8082 (admin); where one is\n"
            "taken, a free one is used and told. What runs is what `weir serve` runs, with\n"
            "keys issued like everyone's; only the API and those who call it are the demo's.\n",
    .run = run,
};
