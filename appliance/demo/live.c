/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/live.h"

#include "base/cond.h"
#include "base/curl.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#define EVERY_US (2 * US_PER_S)
#define TIMEOUT_US (2 * US_PER_S)
#define STATUS_BYTES_MAX (1U << 20)

struct live {
    const struct report *report; /* const after start, like all that is not marked */
    struct instance *instance;
    struct fetch_client *client;
    char url[128];
    pthread_t thread;
    pthread_mutex_t mtx;
    pthread_cond_t stop_wanted;
    bool stopping; /* guarded by mtx */
};

/* What the line says. */
struct pulse {
    json_int_t uptime_s, records;
    double requests, refused, errors; /* a second */
    double p50_ms, p99_ms;            /* of the API with the most requests */
    const char *api;                  /* its name; NULL where none is called */
};

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void read_pulse(const json_t *status, struct pulse *pulse)
{
    const json_t *rate;
    size_t i;
    double most = 0;
    *pulse = (struct pulse){
        .uptime_s = json_integer_value(json_object_get(status, "uptime_s")),
        .records = json_integer_value(
            json_object_get(json_object_get(status, "journal"), "records_total")),
    };
    json_array_foreach(json_object_get(status, "rates"), i, rate)
    {
        double requests = number(rate, "requests_per_s");
        pulse->requests += requests;
        pulse->refused += number(rate, "refused_per_s");
        pulse->errors += number(rate, "errors_per_s");
        if (requests <= most)
            continue;
        most = requests;
        pulse->api = json_string_value(json_object_get(rate, "api"));
        pulse->p50_ms = number(rate, "p50_ms");
        pulse->p99_ms = number(rate, "p99_ms");
    }
}

/* False where nobody reads it any more. */
static bool show(const struct live *live, const json_t *status)
{
    char line[200];
    struct pulse p;
    read_pulse(status, &p);
    int n = snprintf(line, sizeof(line),
                     "  %02d:%02d  %lld calls  %.0f/s  refused %.1f/s  failed %.1f/s",
                     (int)(p.uptime_s / 60), (int)(p.uptime_s % 60), (long long)p.records,
                     p.requests, p.refused, p.errors);
    if (p.api != NULL && n > 0 && (size_t)n < sizeof(line))
        snprintf(line + n, sizeof(line) - (size_t)n, "  %s %.0f ms, p99 %.0f ms", p.api, p.p50_ms,
                 p.p99_ms);
    return report_line(live->report, line);
}

static void look(const struct live *live)
{
    struct fetch_request request = {.method = "GET", .url = live->url, .timeout_us = TIMEOUT_US};
    struct fetch_response response;
    struct buf body;
    buf_init(&body, STATUS_BYTES_MAX);
    json_t *status = NULL;
    if (fetch(live->client, &request, &response, &body, NULL) == 0 && response.status == 200)
        status = json_loadb(body.p != NULL ? body.p : "", body.n, 0, NULL);
    if (status != NULL && !show(live, status))
        instance_quit(live->instance);
    json_decref(status);
    buf_free(&body);
}

static void *work(void *arg)
{
    struct live *live = arg;
    pthread_setname_np(pthread_self(), "live");
    pthread_mutex_lock(&live->mtx);
    while (!live->stopping) {
        struct mono until = mono_after(clock_mono(), EVERY_US);
        while (!live->stopping && cond_wait_until(&live->stop_wanted, &live->mtx, until))
            ;
        if (live->stopping)
            break;
        pthread_mutex_unlock(&live->mtx);
        look(live);
        pthread_mutex_lock(&live->mtx);
    }
    pthread_mutex_unlock(&live->mtx);
    return NULL;
}

int live_start(struct live **ret_live, const struct report *report, struct instance *instance,
               struct error *err)
{
    struct live *live = calloc(1, sizeof(*live));
    CHECK(live != NULL);
    live->report = report;
    live->instance = instance;
    snprintf(live->url, sizeof(live->url), "http://%" STR_FMT "/api/v1/status",
             STR_ARG(instance_address(instance, LISTENER_ADMIN)));
    int r = fetch_client_create(&live->client, err);
    if (r != 0) {
        free(live);
        return r;
    }
    pthread_mutex_init(&live->mtx, NULL);
    cond_init(&live->stop_wanted);
    int e = pthread_create(&live->thread, NULL, work, live);
    if (e != 0) {
        fetch_client_destroy(live->client);
        free(live);
        return error_set_errno(err, error_from_errno(e), e, "no thread for the demo's status line");
    }
    *ret_live = live;
    return 0;
}

void live_stop(struct live *live)
{
    if (live == NULL)
        return;
    pthread_mutex_lock(&live->mtx);
    live->stopping = true;
    pthread_cond_signal(&live->stop_wanted);
    pthread_mutex_unlock(&live->mtx);
    fetch_cancel(live->client);
    pthread_join(live->thread, NULL);
    report_line(live->report, "");
    fetch_client_destroy(live->client);
    pthread_cond_destroy(&live->stop_wanted);
    pthread_mutex_destroy(&live->mtx);
    free(live);
}
