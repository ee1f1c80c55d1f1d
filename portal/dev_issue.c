/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New keys. The secret is in one answer and nowhere else: the memory it went through is
 * overwritten. A client that names its wish gets one key for it, however often it asks.
 */
#include "portal/dev.h"

#include <sodium.h>
#include <stdlib.h>

#define EXPIRES_DAYS 90
#define ANSWER_MAX (32U * 1024) /* with 64 networks, and every character escaped */
#define CURL_MAX 4096U

struct issue {
    struct endpoint_call *call;
    struct key_wish wish;
    struct key_rotation rotation;
    struct key_text text;
    char repeated[KEY_KID_LEN + 1]; /* the key that was issued for this wish, or that took the old
                                       one's place; "" for none */
    char *memory;                   /* ANSWER_MAX bytes of the answer */
    struct buf json;
    struct jsonw w;
};

static void begin(struct issue *issue)
{
    issue->memory = malloc(ANSWER_MAX);
    CHECK(issue->memory != NULL);
    buf_init_fixed(&issue->json, issue->memory, ANSWER_MAX);
    jsonw_init(&issue->w, &issue->json);
}

static void finish(struct issue *issue)
{
    key_text_clear(&issue->text);
    sodium_memzero(issue->memory, ANSWER_MAX);
    free(issue->memory);
}

/* --- the answer --- */

/* The app's plan, and a call that it lets through. */
struct first {
    struct arena *arena;
    struct str plan;
    struct first_call call;
    bool found;
};

static void find_first(void *ctx, const struct portal_gateway *gateway)
{
    struct first *first = ctx;
    first->found = first_call_find(gateway, first->plan, first->arena, &first->call);
}

static void tell_curl(struct issue *issue, const struct first *first)
{
    char text[CURL_MAX];
    struct buf curl;
    buf_init_fixed(&curl, text, sizeof(text));
    if (first->found)
        first_call_curl(&curl, &first->call, key_text_str(&issue->text));
    dev_tell_or_null(&issue->w, "curl", buf_finish(&curl) == 0 ? buf_str(&curl) : STR_EMPTY);
    sodium_memzero(text, sizeof(text));
}

static int take_pending(void *ctx, const struct app_row *row)
{
    struct issue *issue = ctx;
    dev_tell_or_null(&issue->w, "pending_plan", row->pending_plan);
    return 0;
}

static int tell_new(void *ctx, const struct key_row *row)
{
    struct issue *issue = ctx;
    dev_tell_key(&issue->w, issue->call, row, false);
    return 0;
}

/* Within the write: what must not fail once the key is there. */
static int tell_key(struct issue *issue, struct registry_write *write, struct str kid,
                    struct error *err)
{
    struct jsonw *w = &issue->w;
    jsonw_object(w);
    jsonw_key(w, "key");
    int r = store_keys_find(write->db, kid, tell_new, issue, err);
    if (r == 0 && issue->rotation.kid.n > 0) {
        jsonw_key(w, "former");
        r = store_keys_find(write->db, issue->rotation.kid, tell_new, issue, err);
    }
    if (r == 0)
        r = store_apps_find(write->db, issue->call->params[0], take_pending, issue, err);
    return r;
}

/* After it. */
static void send_key(struct issue *issue)
{
    struct endpoint_call *call = issue->call;
    struct jsonw *w = &issue->w;
    struct first first = {.arena = http_arena(call->conn),
                          .plan = dev_app_find(call, call->params[0]).plan};
    if (first.plan.n > 0)
        dev_show_gateway(call, find_first, &first);
    dev_tell_or_null(w, "plan", first.plan);
    dev_tell_or_null(w, "first_call_path", first.found ? first.call.path : STR_EMPTY);
    tell_curl(issue, &first);
    jsonw_key(w, "secret"), jsonw_str(w, key_text_str(&issue->text));
    jsonw_end(w);
    endpoint_send_json(call, 201, &issue->json);
}

/* 409 that names the key there is. */
static void send_repeated(struct issue *issue, struct str detail)
{
    struct buf json;
    struct jsonw w;
    struct reply reply = {.status = 409, .type = STR("application/problem+json")};
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "type"), jsonw_cstr(&w, "about:blank");
    jsonw_key(&w, "title"), jsonw_str(&w, http_status_phrase(409));
    jsonw_key(&w, "status"), jsonw_u64(&w, 409);
    jsonw_key(&w, "detail"), jsonw_str(&w, detail);
    jsonw_key(&w, "kid"), jsonw_cstr(&w, issue->repeated);
    jsonw_end(&w);
    CHECK(buf_finish(&json) == 0);
    reply.body = buf_str(&json);
    endpoint_send(issue->call, &reply, ENDPOINT_NO_STORE);
    buf_free(&json);
}

static void answer(struct issue *issue, int r, const struct error *err)
{
    if (r == 0)
        send_key(issue);
    else if (r == E_EXISTS && issue->repeated[0] != '\0')
        send_repeated(issue, str_from(err->text));
    else if (r == E_NOT_FOUND)
        endpoint_fail(issue->call, 404, STR("There is no such key."));
    else
        endpoint_fail_error(issue->call, r, err);
}

/* --- issuing --- */

/* E_EXISTS where a key was issued for this wish before. */
static int check_repeated(struct issue *issue, struct registry_write *write, struct str wish,
                          struct error *err)
{
    if (wish.n == 0)
        return 0;
    int r = store_keys_of_wish(write->db, issue->call->params[0], wish, issue->repeated, err);
    if (r == 0)
        return error_set(err, E_EXISTS,
                         "For this wish the key %s was issued before. Its secret was told then, "
                         "and is not told again.",
                         issue->repeated);
    return r == E_NOT_FOUND ? 0 : r;
}

static int tell_issued(struct issue *issue, struct registry_write *write, const char *action,
                       const struct dev_key *key, struct error *err)
{
    struct key_parsed parsed;
    CHECK(key_parse(key_text_str(&issue->text), &parsed) == KEY_OURS);
    registry_touch_key(write, parsed.kid);
    int r = tell_key(issue, write, parsed.kid, err);
    return r == 0 ? dev_audit(issue->call, write, action, parsed.kid, &key->team, key->app, err)
                  : r;
}

static int create(struct registry_write *write, void *ctx, struct error *err)
{
    struct issue *issue = ctx;
    struct key_wish *wish = &issue->wish;
    struct dev_key key;
    int64_t days = input_number(&issue->call->input, "expires_days", EXPIRES_DAYS);
    wish->now = write->now;
    if (days > 0)
        wish->expires.us = write->now.us + days * US_PER_DAY;
    int r = dev_key_look(write, wish->app, STR_EMPTY, &key, err);
    if (r == 0)
        r = check_repeated(issue, write, wish->client_wish, err);
    if (r == 0)
        r = dev_check_room(write, wish->app, err);
    if (r == 0)
        r = store_keys_create(write->db, write->pepper, wish, &issue->text, err);
    return r == 0 ? tell_issued(issue, write, "key.issued", &key, err) : r;
}

/* Rows of keys stay for ever: nobody makes them by the thousand. False where 429 was sent. */
static bool may_issue(struct endpoint_call *call)
{
    struct throttle *throttle = call->portal->throttle;
    struct mono now = clock_mono();
    unsigned seconds;
    if (throttle_is_full(throttle, THROTTLE_KEYS, call->params[0], now, &seconds)) {
        endpoint_fail_later(call, 429,
                            STR("Too many keys were issued of this app. Wait, then try again."),
                            seconds);
        return false;
    }
    throttle_count(throttle, THROTTLE_KEYS, call->params[0], now);
    return true;
}

void keys_post(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    const struct input *in = &call->input;
    struct issue issue = {.call = call,
                          .wish = {.env = KEY_LIVE,
                                   .name = input_text(in, "name"),
                                   .app = call->params[0],
                                   .person = call->person->id,
                                   .client_wish = input_text(in, "wish")}};
    struct str env = input_text(in, "env");
    if (env.n > 0 && key_env_find(env, &issue.wish.env) != 0)
        input_fault(&call->input, STR("env"), "unknown", "A key is live or test.");
    if (!dev_read_allow(call, &issue.wish.allow) || in->fault_count > 0) {
        endpoint_fail_input(call);
        return;
    }
    if (!may_issue(call))
        return;
    begin(&issue);
    int r = registry_write(call->portal->registry, create, &issue, &err);
    answer(&issue, r, &err);
    finish(&issue);
}

/* --- rotating --- */

static int check_successor(struct issue *issue, const struct dev_key *key, struct error *err)
{
    if (key->successor[0] == '\0')
        return 0;
    str_copy(str_from(key->successor), issue->repeated, sizeof(issue->repeated));
    return error_set(err, E_EXISTS, "The key %s took this one's place already.", key->successor);
}

static int rotate(struct registry_write *write, void *ctx, struct error *err)
{
    struct issue *issue = ctx;
    struct key_rotation *rotation = &issue->rotation;
    struct dev_key key;
    rotation->now = write->now;
    int r = dev_key_look(write, issue->call->params[0], rotation->kid, &key, err);
    if (r == 0)
        r = check_repeated(issue, write, rotation->client_wish, err);
    if (r == 0)
        r = check_successor(issue, &key, err);
    if (r == 0 && rotation->overlap_us > 0)
        r = dev_check_room(write, key.app, err);
    if (r == 0)
        r = store_keys_rotate(write->db, write->pepper, rotation, &issue->text, err);
    if (r != 0)
        return r;
    registry_touch_key(write, rotation->kid);
    return tell_issued(issue, write, "key.rotated", &key, err);
}

void key_rotate(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    const struct input *in = &call->input;
    struct issue issue = {.call = call,
                          .rotation = {.kid = call->params[1],
                                       .overlap_us = input_number(in, "overlap_s", 0) * US_PER_S,
                                       .person = call->person->id,
                                       .client_wish = input_text(in, "wish")}};
    if (!may_issue(call))
        return;
    begin(&issue);
    int r = registry_write(call->portal->registry, rotate, &issue, &err);
    answer(&issue, r, &err);
    finish(&issue);
}
