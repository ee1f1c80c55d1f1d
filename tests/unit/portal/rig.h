/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.h -- for tests: a portal with sources of the test's making, served by both listeners.
 *
 * Threads: the test's; what the sources tell is set while no request is under way.
 * Memory:  static.
 * Errors:  what fails ends the test.
 */
#ifndef TESTS_UNIT_PORTAL_RIG_H
#define TESTS_UNIT_PORTAL_RIG_H

#include "loopback.h"

#include "portal/portal.h"

static const struct embedded_file RIG_FILES[] = {
    {"pages-0A1B.css", STR_INIT("body { color: black }")},
    {"pages-0A1B.css.br", STR_INIT("<brotli>")},
    {"status-2C3D.js", STR_INIT("export {}")},
    {"status.html", STR_INIT("<!doctype html><title>Status</title>")},
    {"status.html.gz", STR_INIT("<gzip>")},
    {NULL, {NULL, 0}},
};

struct rig {
    struct portal *portal;
    struct http_server *admin, *developers;
    struct portal_facts facts; /* what look() tells */
    int look_fails, metrics_fail;
    unsigned metrics_lines;
    struct portal_conf conf;
    struct mono started;
};

static inline int rig_look(void *ctx, struct arena *arena, struct portal_facts *ret_facts)
{
    struct rig *rig = ctx;
    (void)arena;
    if (rig->look_fails == 0)
        *ret_facts = rig->facts;
    return rig->look_fails;
}

static inline int rig_metrics(void *ctx, bool openmetrics, struct buf *out)
{
    struct rig *rig = ctx;
    buf_add_cstr(out, openmetrics ? "open 1\n# EOF\n" : "plain 1\n");
    for (unsigned i = 0; i < rig->metrics_lines; i++)
        buf_printf(out, "series{i=\"%u\"} 1\n", i);
    return rig->metrics_fail;
}

static inline void rig_no_cells(void *ctx, metric_cell_visit *visit, void *visit_ctx)
{
    (void)ctx;
    (void)visit;
    (void)visit_ctx;
}

static inline void rig_start(struct rig *rig)
{
    static struct cidr loopback[1];
    assert_int_equal(cidr_parse(STR("127.0.0.0/8"), &loopback[0]), 0);
    *rig = (struct rig){.conf = {.title = STR("Acme <APIs>"),
                                 .gateway_url = STR("https://api.example.com"),
                                 .portal_url = STR("https://portal.example.com"),
                                 .admin_url = STR("https://Admin.example.com:8443"),
                                 .admin_allow = cidr_set_build(loopback, 1)}};
    rig->started = clock_mono();
    struct portal_sources sources = {
        .version = "1.2.3",
        .started = rig->started,
        .web_files = RIG_FILES,
        .ctx = rig,
        .look = rig_look,
        .visit_cells = rig_no_cells,
        .metrics = rig_metrics,
    };
    rig->portal = portal_create(&sources, &rig->conf);
    rig->admin = loopback_start(portal_serve_admin, rig->portal);
    rig->developers = loopback_start(portal_serve_developers, rig->portal);
}

static inline void rig_stop(struct rig *rig)
{
    http_server_stop(rig->admin, US_PER_S);
    http_server_stop(rig->developers, US_PER_S);
    portal_destroy(rig->portal);
}

/* "GET /path" with further header lines ("Accept: x\r\n"), to `server`. */
static inline void rig_ask(const struct http_server *server, const char *method_and_path,
                           const char *headers, struct answer *answer)
{
    struct buf request;
    buf_init(&request, 4096);
    buf_printf(&request, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method_and_path, headers);
    loopback_once(server, buf_cstr(&request), answer);
    buf_free(&request);
}

#define BROWSER "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"

#endif
