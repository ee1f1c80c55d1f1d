/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki.c -- delivers lines to Grafana Loki: POST /loki/api/v1/push, JSON in gzip.
 *
 * What Loki answers decides over the lines in question: taken; later (429, 5xx, no answer); or
 * refused. A push that is refused as a whole (400: one line is too old, or breaks a limit) is
 * halved until the one line is found that Loki will not have, and that one is dropped. 413 is
 * halved likewise. Any other refusal (401, 403, 404) is about the configuration and nothing is
 * dropped for it; nor for a 400 in HTML, which is no answer of a Loki but of some web server that
 * the URL names by mistake.
 */
#include "analytics/sink.h"
#include "analytics/sink/loki_batch.h"
#include "base/curl.h"
#include "base/gzip.h"

#include <stdlib.h>

#define PUSH_PATH "/loki/api/v1/push"
#define CONNECT_TIMEOUT_US (5 * US_PER_S)
#define ANSWER_MAX 512 /* bytes kept of an answer's body, for the log */

struct loki {
    struct fetch_client *client;
    struct buf url;    /* NUL-terminated */
    struct buf tenant; /* the header, NUL-terminated; empty for none */
    int64_t timeout_us;
    struct loki_batch batch;
    unsigned done;  /* lines from the first on that need no more attention */
    unsigned width; /* how many are tried at once; 0 at the beginning of a batch */
    uint64_t sent, rejected, too_large;
    struct buf body, packed, answer;
};

enum push_result {
    PUSH_TAKEN,
    PUSH_LATER,
    PUSH_BAD_LINE,
    PUSH_TOO_LARGE,
    PUSH_REFUSED,
};

static void destroy(void *state)
{
    struct loki *loki = state;
    fetch_client_destroy(loki->client);
    loki_batch_finish(&loki->batch);
    buf_free(&loki->url);
    buf_free(&loki->tenant);
    buf_free(&loki->body);
    buf_free(&loki->packed);
    buf_free(&loki->answer);
    free(loki);
}

static int create(const struct analytics_config *config, void **ret_state, int64_t *ret_wait_us,
                  struct error *err)
{
    const struct loki_config *c = &config->loki;
    if (c->url.n == 0) {
        *ret_state = NULL;
        return 0;
    }
    struct loki *loki = calloc(1, sizeof(*loki));
    CHECK(loki != NULL);
    loki->timeout_us = c->timeout_us;
    loki_batch_init(&loki->batch, c, SINK_BATCH_ROWS);
    /* quotes of a line are escaped once more in the push; times and labels come on top */
    size_t body_max = 4 * (size_t)c->batch_bytes + ((size_t)8 << 20);
    buf_init(&loki->body, body_max);
    buf_init(&loki->packed, body_max + 4096);
    buf_init(&loki->answer, ANSWER_MAX);
    buf_init(&loki->url, c->url.n + sizeof(PUSH_PATH));
    buf_add_str(&loki->url, c->url);
    buf_add_lit(&loki->url, PUSH_PATH);
    buf_init(&loki->tenant, c->tenant.n + sizeof("X-Scope-OrgID: "));
    if (c->tenant.n > 0) {
        buf_add_lit(&loki->tenant, "X-Scope-OrgID: ");
        buf_add_str(&loki->tenant, c->tenant);
    }
    int r = fetch_client_create(&loki->client, err);
    if (r != 0) {
        destroy(loki);
        return r;
    }
    *ret_state = loki;
    *ret_wait_us = c->batch_wait_us;
    return 0;
}

static bool add(void *state, const struct row *row)
{
    return loki_batch_add(&((struct loki *)state)->batch, &row->record);
}

static void clear(void *state)
{
    struct loki *loki = state;
    loki_batch_clear(&loki->batch);
    loki->done = loki->width = 0;
    loki->sent = loki->rejected = loki->too_large = 0;
}

static void cancel(void *state)
{
    fetch_cancel(((struct loki *)state)->client);
}

static enum push_result judge(const struct fetch_response *response)
{
    unsigned status = response->status;
    if (status >= 200 && status <= 299)
        return PUSH_TAKEN;
    if (status == 408 || status == 429 || status >= 500)
        return PUSH_LATER;
    if (status == 413)
        return PUSH_TOO_LARGE;
    if ((status == 400 || status == 422) &&
        !str_starts_nocase(str_from(response->type), STR("text/html")))
        return PUSH_BAD_LINE;
    return PUSH_REFUSED;
}

/* "URL answered 400: entry too far behind" */
static void describe(struct loki *loki, const struct fetch_response *response, struct error *err)
{
    struct str rest = buf_str(&loki->answer);
    struct str line = str_trim(str_cut(&rest, '\n'));
    error_set(err, response->status == 413 ? E_TOO_LARGE : E_UNAVAILABLE,
              "%s answered %u%s%" STR_FMT, buf_cstr(&loki->url), response->status,
              line.n > 0 ? ": " : "", STR_ARG(line));
}

static enum push_result post(struct loki *loki, const struct fetch_request *request,
                             int64_t *ret_retry_after_us, struct error *err)
{
    struct fetch_response response;
    buf_clear(&loki->answer);
    int r = fetch(loki->client, request, &response, &loki->answer, err);
    if (r != 0)
        return r == E_INVALID ? PUSH_REFUSED : PUSH_LATER;
    enum push_result result = judge(&response);
    if (result != PUSH_TAKEN)
        describe(loki, &response, err);
    *ret_retry_after_us = response.retry_after_us;
    return result;
}

/* Sends `count` lines from `done` on. */
static enum push_result push(struct loki *loki, unsigned count, int64_t *ret_retry_after_us,
                             struct error *err)
{
    const char *headers[3] = {"Content-Type: application/json", "Content-Encoding: gzip"};
    struct fetch_request request = {.method = "POST",
                                    .url = buf_cstr(&loki->url),
                                    .headers = headers,
                                    .header_count = 2,
                                    .connect_timeout_us = CONNECT_TIMEOUT_US,
                                    .timeout_us = loki->timeout_us};
    if (loki->tenant.n > 0)
        headers[request.header_count++] = buf_cstr(&loki->tenant);
    buf_clear(&loki->body);
    buf_clear(&loki->packed);
    loki_batch_write(&loki->batch, loki->done, count, &loki->body);
    if (buf_finish(&loki->body) != 0 || gzip_add(&loki->packed, buf_str(&loki->body)) != 0) {
        error_set(err, E_TOO_LARGE, "a push became too large");
        return PUSH_TOO_LARGE;
    }
    request.body = buf_str(&loki->packed);
    return post(loki, &request, ret_retry_after_us, err);
}

/* One line that Loki will not have, alone. */
static void drop_line(struct loki *loki, enum push_result result)
{
    if (result == PUSH_TOO_LARGE)
        loki->too_large++;
    else
        loki->rejected++;
    loki->done++;
}

static enum sink_verdict deliver(void *state, struct sink_report *report)
{
    struct loki *loki = state;
    unsigned total = loki->batch.count;
    if (loki->width == 0)
        loki->width = total;
    while (loki->done < total) {
        unsigned left = total - loki->done;
        unsigned count = loki->width < left ? loki->width : left;
        struct error err = ERROR_INIT;
        report->retry_after_us = 0;
        enum push_result result = push(loki, count, &report->retry_after_us, &err);
        if (result != PUSH_TAKEN)
            report->err = err; /* the latest one is the one to tell */
        switch (result) {
        case PUSH_TAKEN:
            loki->sent += count;
            loki->done += count;
            loki->width = loki->width < total / 2 ? loki->width * 2 : total;
            break;
        case PUSH_BAD_LINE:
        case PUSH_TOO_LARGE:
            if (count == 1)
                drop_line(loki, result);
            else
                loki->width = count / 2;
            break;
        case PUSH_LATER:
            return SINK_LATER;
        case PUSH_REFUSED:
            return SINK_REFUSED;
        }
    }
    report->sent = loki->sent;
    report->rejected = loki->rejected;
    report->too_large = loki->too_large;
    return SINK_DELIVERED;
}

const struct sink_type sink_loki = {.name = "loki",
                                    .create = create,
                                    .add = add,
                                    .deliver = deliver,
                                    .clear = clear,
                                    .cancel = cancel,
                                    .destroy = destroy};
