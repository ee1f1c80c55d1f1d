/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/scrape.h"

#include "base/http/reply.h"
#include "base/http/server.h"

#include <sodium.h>
#include <stdlib.h>

#define SCRAPE_WORKERS 4
#define SCRAPE_ARENA_BYTES (1UL << 20)

struct scrape {
    struct arena arena; /* the copies */
    struct cidr_set allow;
    struct str token; /* "" for none */
    struct metrics *metrics;
    struct http_server *server;
};

/* The token is compared in a time that does not depend on where it differs. */
static bool has_token(const struct scrape *s, const struct head *head)
{
    struct str given = head_value(head, FIELD_AUTHORIZATION);
    if (s->token.n == 0)
        return true;
    if (!str_starts_nocase(given, STR("Bearer ")))
        return false;
    given = str_trim(str_slice(given, sizeof("Bearer ") - 1, given.n));
    return given.n == s->token.n && sodium_memcmp(given.p, s->token.p, given.n) == 0;
}

static unsigned judge(const struct scrape *s, const struct http_conn *conn)
{
    struct http_target target;
    if (s->allow.count > 0 && cidr_set_find(&s->allow, conn->peer) == NULL)
        return 403;
    if (!has_token(s, conn->head))
        return 401;
    if (target_parse(&target, conn->head->method, conn->head->target) != NULL)
        return 400;
    if (!str_eq(target.path, STR("/metrics")))
        return 404;
    bool get = str_eq(conn->head->method, STR("GET")) || str_eq(conn->head->method, STR("HEAD"));
    return get ? 200 : 405;
}

static void send_text(const struct scrape *s, struct http_conn *conn, struct reply *reply)
{
    /* OpenMetrics only to one who names it */
    struct str accept = head_value(conn->head, FIELD_ACCEPT);
    bool open = str_find(accept, STR("application/openmetrics-text")) < accept.n;
    enum metrics_format format = open ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
    struct metrics_text *text;
    if (metrics_get(s->metrics, format, &text) != 0) {
        reply_problem(reply, http_arena(conn), 500, STR("The metrics are too many for one text."));
        int r = reply_send(conn, reply);
        (void)r; /* the connection ends then */
        return;
    }
    reply->status = 200;
    reply->type = str_from(metrics_content_type(format));
    reply->body = text->text;
    int r = reply_send(conn, reply);
    (void)r; /* the connection ends then */
    metrics_text_unref(text);
}

static void handle(struct http_conn *conn, void *arg)
{
    const struct scrape *s = arg;
    struct reply reply = {.status = 0};
    reply_add(&reply, STR("Cache-Control"), STR("no-store"));
    unsigned status = conn->fault != 0 ? conn->fault : judge(s, conn);
    if (status == 200) {
        send_text(s, conn, &reply);
        return;
    }
    if (status == 401)
        reply_add(&reply, STR("WWW-Authenticate"), STR("Bearer realm=\"weir metrics\""));
    if (status == 405)
        reply_add(&reply, STR("Allow"), STR("GET, HEAD"));
    reply_problem(&reply, http_arena(conn), status, STR_EMPTY);
    int r = reply_send(conn, &reply);
    (void)r; /* the connection ends then */
}

static bool copy_config(struct scrape *s, const struct metrics_config *config)
{
    struct cidr *items = arena_array(&s->arena, config->allow.count, sizeof(*items));
    if (items == NULL)
        return false;
    if (config->allow.count > 0)
        memcpy(items, config->allow.items, config->allow.count * sizeof(*items));
    s->allow = (struct cidr_set){.items = items, .count = config->allow.count};
    s->token = arena_dup(&s->arena, config->token);
    return !s->arena.overflow;
}

int scrape_start(struct scrape **ret_scrape, const struct metrics_config *config,
                 struct metrics *metrics, struct error *err)
{
    *ret_scrape = NULL;
    if (config->listen_count == 0)
        return 0;
    struct scrape *s = calloc(1, sizeof(*s));
    CHECK(s != NULL);
    arena_init(&s->arena, 4096, SCRAPE_ARENA_BYTES);
    s->metrics = metrics;
    struct http_options options = {
        .name = "metrics",
        .listen = config->listen,
        .listen_count = config->listen_count,
        .workers = SCRAPE_WORKERS,
        .limits = {.head = 8 * 1024, .target = 1024},
        .head_timeout_us = 10 * US_PER_S,
        .body_timeout_us = 10 * US_PER_S,
        .send_timeout_us = 30 * US_PER_S,
        .keep_alive_us = 30 * US_PER_S,
        .handle = handle,
        .arg = s,
    };
    int r = copy_config(s, config) ? http_server_start(&s->server, &options, err)
                                   : error_set(err, E_TOO_LARGE, "metrics.allow is too long");
    if (r != 0) {
        arena_finish_clean(&s->arena);
        free(s);
        return r;
    }
    *ret_scrape = s;
    return 0;
}

void scrape_stop(struct scrape *scrape)
{
    if (scrape == NULL)
        return;
    http_server_stop(scrape->server, US_PER_S);
    arena_finish_clean(&scrape->arena);
    free(scrape);
}

struct http_server *scrape_server(const struct scrape *scrape)
{
    return scrape != NULL ? scrape->server : NULL;
}
