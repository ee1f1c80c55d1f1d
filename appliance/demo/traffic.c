/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/traffic.h"

#include "appliance/demo/flow.h"
#include "base/cond.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define URL_MAX 256
#define PATIENCE_US (500 * US_PER_MS) /* more than the slowest short answer takes */
#define CALL_TIMEOUT_US (20 * US_PER_S)

const struct demo_app_row DEMO_APP_ROWS[DEMO_APPS] = {
#define X(ID, name, title, plan, what) {name, title, plan, what},
#include "appliance/demo/apps.def"
#undef X
};

struct counter {
    _Atomic uint64_t sent, refused, broken; /* atomic, relaxed counters */
};

struct worker {
    struct flow flow;
    struct traffic *traffic;
    const struct flow_row *row;
    struct fetch_client *client;
    pthread_t thread;
    bool running; /* guarded by traffic.mtx */
};

struct traffic {
    char url[URL_MAX]; /* const after start, as are the keys */
    struct key_text keys[DEMO_APPS];
    struct counter counters[DEMO_APPS + 1]; /* the last one of those without an app */
    struct worker *workers;
    unsigned count;
    pthread_mutex_t mtx;
    pthread_cond_t changed; /* `stopping` was set, or a worker has ended */
    bool stopping;          /* guarded by mtx */
    unsigned running;       /* guarded by mtx */
};

static bool refused(unsigned status)
{
    return status == 401 || status == 403 || status == 429; /* the bookshop says none of these */
}

static void add(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

unsigned flow_call(struct flow *flow, const struct flow_call *call)
{
    struct worker *w = flow->worker;
    struct counter *counter = &w->traffic->counters[w->row->app];
    struct fetch_response response;
    char url[URL_MAX + FLOW_PATH_MAX], key[KEY_TEXT_LEN + 16];
    const char *headers[3] = {key, w->row->agent, "Content-Type: application/json"};
    const char *secret = call->key != NULL ? call->key : w->traffic->keys[w->row->app].p;
    snprintf(url, sizeof(url), "%s%s", w->traffic->url, call->path);
    snprintf(key, sizeof(key), "X-API-Key: %s", secret);
    struct fetch_request request = {
        .method = call->body != NULL ? "POST" : "GET",
        .url = url,
        .headers = headers,
        .header_count = call->body != NULL ? 3 : 2,
        .body = str_from(call->body),
        .timeout_us = CALL_TIMEOUT_US,
    };
    add(&counter->sent);
    int r = fetch(w->client, &request, &response, NULL, NULL);
    if (r != 0) {
        add(&counter->broken);
        return 0;
    }
    if (refused(response.status))
        add(&counter->refused);
    return response.status;
}

bool flow_stopping(struct flow *flow)
{
    struct traffic *traffic = ((struct worker *)flow->worker)->traffic;
    pthread_mutex_lock(&traffic->mtx);
    bool stopping = traffic->stopping;
    pthread_mutex_unlock(&traffic->mtx);
    return stopping;
}

/* False when it is time to stop. */
static bool pause_us(struct traffic *traffic, int64_t us)
{
    struct mono until = mono_after(clock_mono(), us);
    pthread_mutex_lock(&traffic->mtx);
    while (!traffic->stopping && cond_wait_until(&traffic->changed, &traffic->mtx, until))
        ;
    bool go_on = !traffic->stopping;
    pthread_mutex_unlock(&traffic->mtx);
    return go_on;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct traffic *traffic = w->traffic;
    pthread_setname_np(pthread_self(), w->row->name);
    int64_t wait_us = w->row->first_us;
    while (pause_us(traffic, wait_us))
        wait_us = w->row->step(&w->flow);
    pthread_mutex_lock(&traffic->mtx);
    traffic->running--;
    pthread_cond_broadcast(&traffic->changed);
    pthread_mutex_unlock(&traffic->mtx);
    return NULL;
}

static int start_worker(struct traffic *traffic, const struct flow_row *row, struct error *err)
{
    struct worker *w = &traffic->workers[traffic->count];
    int r = fetch_client_create(&w->client, err);
    if (r != 0)
        return r;
    *w = (struct worker){.traffic = traffic, .row = row, .client = w->client};
    w->flow = (struct flow){.worker = w, .began = clock_mono()};
    pthread_mutex_lock(&traffic->mtx);
    traffic->running++;
    pthread_mutex_unlock(&traffic->mtx);
    int e = pthread_create(&w->thread, NULL, work, w);
    if (e != 0) {
        traffic->running--;
        fetch_client_destroy(w->client);
        return error_set_errno(err, error_from_errno(e), e, "no thread for the demo's traffic");
    }
    traffic->count++;
    return 0;
}

int traffic_start(struct traffic **ret_traffic, const char *gateway_url,
                  const struct key_text keys[static DEMO_APPS], struct error *err)
{
    struct traffic *traffic = calloc(1, sizeof(*traffic));
    CHECK(traffic != NULL);
    str_copy(str_from(gateway_url), traffic->url, sizeof(traffic->url));
    memcpy(traffic->keys, keys, sizeof(traffic->keys));
    pthread_mutex_init(&traffic->mtx, NULL);
    cond_init(&traffic->changed);
    traffic->workers = calloc(FLOW_ROW_COUNT, sizeof(*traffic->workers));
    CHECK(traffic->workers != NULL);
    for (size_t i = 0; i < FLOW_ROW_COUNT; i++) {
        int r = start_worker(traffic, &FLOW_ROWS[i], err);
        if (r != 0) {
            traffic_stop(traffic);
            traffic_destroy(traffic);
            return r;
        }
    }
    *ret_traffic = traffic;
    return 0;
}

void traffic_stop(struct traffic *traffic)
{
    struct mono until = mono_after(clock_mono(), PATIENCE_US);
    pthread_mutex_lock(&traffic->mtx);
    traffic->stopping = true;
    pthread_cond_broadcast(&traffic->changed);
    while (traffic->running > 0 && cond_wait_until(&traffic->changed, &traffic->mtx, until))
        ;
    pthread_mutex_unlock(&traffic->mtx);
    for (unsigned i = 0; i < traffic->count; i++)
        fetch_cancel(traffic->workers[i].client);
    for (unsigned i = 0; i < traffic->count; i++) {
        pthread_join(traffic->workers[i].thread, NULL);
        fetch_client_destroy(traffic->workers[i].client);
    }
    traffic->count = 0;
}

struct traffic_count traffic_count(const struct traffic *traffic, enum demo_app app)
{
    const struct counter *c = &traffic->counters[app];
    return (struct traffic_count){
        .sent = atomic_load_explicit(&c->sent, memory_order_relaxed),
        .refused = atomic_load_explicit(&c->refused, memory_order_relaxed),
        .broken = atomic_load_explicit(&c->broken, memory_order_relaxed),
    };
}

void traffic_destroy(struct traffic *traffic)
{
    if (traffic == NULL)
        return;
    CHECK(traffic->count == 0);
    for (size_t i = 0; i < DEMO_APPS; i++)
        key_text_clear(&traffic->keys[i]);
    pthread_cond_destroy(&traffic->changed);
    pthread_mutex_destroy(&traffic->mtx);
    free(traffic->workers);
    free(traffic);
}
