/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/sample.h"

#include "appliance/demo/sample_call.h"
#include "base/embedded.h"

#include <stdatomic.h>
#include <stdlib.h>

#define WORKERS 128

struct sample {
    struct carriers *carriers; /* const after start, as is the server */
    struct http_server *server;
    _Atomic uint64_t requests; /* atomic, relaxed counter */
};

/* made by cmake/Embed.cmake */
extern const struct embedded_file sample_files[];

uint64_t sample_dice(uint64_t seed)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void sample_dawdle(const struct sample_call *call, int64_t low_us, int64_t high_us, unsigned slow)
{
    uint64_t dice = sample_dice(call->number);
    int64_t us = low_us + (int64_t)(dice % (uint64_t)(high_us - low_us + 1));
    if ((dice >> 32) % 20 == 0)
        us *= slow;
    int r = fiber_sleep(mono_after(clock_mono(), us));
    (void)r; /* canceled: the answer that follows finds that out */
}

static void answer(struct sample_call *call, const struct reply *reply)
{
    int r = reply_send(call->conn, reply);
    (void)r; /* the client left */
}

void sample_json(struct sample_call *call, unsigned status, struct str json)
{
    struct reply reply = {.status = status, .type = STR("application/json"), .body = json};
    answer(call, &reply);
}

void sample_problem(struct sample_call *call, unsigned status, struct str detail)
{
    struct reply reply = {.status = status};
    reply_problem(&reply, http_arena(call->conn), status, detail);
    if (status == 503)
        reply_add(&reply, STR("Retry-After"), STR("1"));
    answer(call, &reply);
}

static void openapi(struct sample_call *call)
{
    const struct embedded_file *file = embedded_find(sample_files, STR("openapi.json"));
    CHECK(file != NULL);
    sample_json(call, 200, file->data);
}

static void health(struct sample_call *call)
{
    sample_json(call, 200, STR("{\"ok\":true}\n"));
}

static const struct {
    struct str method, path; /* a path that ends with a slash wants one segment more */
    void (*answer)(struct sample_call *call);
} ROUTES[] = {
    {STR_INIT("GET"), STR_INIT("/shop/books"), sample_books},
    {STR_INIT("GET"), STR_INIT("/shop/books/"), sample_book},
    {STR_INIT("GET"), STR_INIT("/shop/search"), sample_search},
    {STR_INIT("POST"), STR_INIT("/shop/orders"), sample_order},
    {STR_INIT("GET"), STR_INIT("/shop/openapi.json"), openapi},
    {STR_INIT("GET"), STR_INIT("/openapi.json"), openapi},
    {STR_INIT("GET"), STR_INIT("/sales/daily"), sample_daily},
    {STR_INIT("GET"), STR_INIT("/sales/events"), sample_events},
    {STR_INIT("GET"), STR_INIT("/sales/archive"), sample_archive},
    {STR_INIT("GET"), STR_INIT("/health"), health},
};

static bool path_matches(struct str pattern, struct str path, struct str *ret_param)
{
    *ret_param = STR_EMPTY;
    if (!str_ends(pattern, STR("/")))
        return str_eq(path, pattern);
    *ret_param = str_slice(path, pattern.n, path.n);
    return str_starts(path, pattern) && ret_param->n > 0 &&
           str_find_char(*ret_param, '/', 0) == ret_param->n;
}

static void dispatch(struct sample_call *call, struct str path)
{
    struct str method = call->conn->head->method;
    const char *allow = NULL;
    if (str_eq(method, STR("HEAD")))
        method = STR("GET"); /* reply.h leaves the body out */
    for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
        if (!path_matches(ROUTES[i].path, path, &call->param))
            continue;
        if (str_eq(ROUTES[i].method, method)) {
            ROUTES[i].answer(call);
            return;
        }
        allow = ROUTES[i].method.p;
    }
    if (allow == NULL) {
        sample_problem(call, 404, STR("The bookshop has no such page."));
        return;
    }
    struct reply reply = {.status = 405};
    reply_problem(&reply, http_arena(call->conn), 405, STR_EMPTY);
    reply_add(&reply, STR("Allow"), str_from(allow));
    answer(call, &reply);
}

static void serve(struct http_conn *conn, void *arg)
{
    struct sample *sample = arg;
    struct http_target target;
    struct sample_call call = {
        .conn = conn,
        .number = atomic_fetch_add_explicit(&sample->requests, 1, memory_order_relaxed) + 1,
    };
    if (conn->fault != 0) {
        int r = reply_fault(conn);
        (void)r; /* the client left */
        return;
    }
    if (target_parse(&target, conn->head->method, conn->head->target) != NULL) {
        sample_problem(&call, 400, STR("The target of the request cannot be read."));
        return;
    }
    call.query = target.query;
    dispatch(&call, target.path);
}

int sample_start(struct sample **ret_sample, struct error *err)
{
    static const struct str listen[] = {STR_INIT("127.0.0.1:0")};
    struct carriers_options one = {.count = 1};
    struct sample *sample = calloc(1, sizeof(*sample));
    CHECK(sample != NULL);
    int r = carriers_start(&sample->carriers, &one, err);
    struct http_options options = {
        .name = "sample",
        .listen = listen,
        .listen_count = ARRAY_LEN(listen),
        .carriers = sample->carriers,
        .workers = WORKERS,
        .limits = {.head = 16 * 1024, .target = 8 * 1024},
        .head_timeout_us = 10 * US_PER_S,
        .body_timeout_us = 10 * US_PER_S,
        .send_timeout_us = 10 * US_PER_S,
        .keep_alive_us = 60 * US_PER_S,
        .overloaded = STR("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                          "Connection: close\r\n\r\n"),
        .handle = serve,
        .arg = sample,
    };
    if (r == 0)
        r = http_server_start(&sample->server, &options, err);
    if (r != 0) {
        sample_stop(sample);
        return r;
    }
    *ret_sample = sample;
    return 0;
}

struct str sample_address(const struct sample *sample)
{
    return http_server_address(sample->server, 0);
}

void sample_stop(struct sample *sample)
{
    if (sample == NULL)
        return;
    http_server_stop(sample->server, 0);
    carriers_stop(sample->carriers);
    free(sample);
}
