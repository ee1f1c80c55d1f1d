/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control_keys.h"

#include "appliance/control.h"
#include "portal/store_audit.h"
#include "portal/store_keys.h"

#define NEAR 3 /* further away is no typing mistake */

/* --- reading requests --- */

static struct str text_of(const json_t *request, const char *name)
{
    const json_t *value = json_object_get(request, name);
    if (!json_is_string(value))
        return STR_EMPTY;
    return str_make(json_string_value(value), json_string_length(value));
}

static int64_t number_of(const json_t *request, const char *name)
{
    return json_integer_value(json_object_get(request, name));
}

static json_t *json_of(struct str s)
{
    return json_stringn(s.p != NULL ? s.p : "", s.n);
}

static int read_allow(const json_t *request, struct cidr items[static KEY_ALLOW_MAX],
                      struct cidr_set *ret_set, struct error *err)
{
    const json_t *list = json_object_get(request, "allow");
    size_t count = json_array_size(list);
    if (count > KEY_ALLOW_MAX)
        return error_set(err, E_INVALID, "a key has at most %d networks, not %zu", KEY_ALLOW_MAX,
                         count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct str text = str_make(json_string_value(item), json_string_length(item));
        if (cidr_parse(text, &items[i]) != 0)
            return error_set(err, E_INVALID, "%" STR_FMT " is no network, like 10.0.0.0/8",
                             STR_ARG(text));
    }
    *ret_set = cidr_set_build(items, count);
    return 0;
}

/* --- apps --- */

struct app_search {
    struct str name;
    const struct access_app *app;
    char near[128];
    unsigned best;
};

static void look_at_app(void *ctx, const struct access_app *app)
{
    struct app_search *search = ctx;
    unsigned distance = str_distance(app->name, search->name);
    if (str_eq(app->name, search->name))
        search->app = app;
    if (distance < search->best) {
        search->best = distance;
        str_copy(app->name, search->near, sizeof(search->near));
    }
}

static int find_app(struct access *access, struct str name, const struct access_app **ret_app,
                    struct error *err)
{
    struct app_search search = {.name = name, .best = NEAR};
    access_each_app(access, look_at_app, &search);
    if (search.app != NULL) {
        *ret_app = search.app;
        return 0;
    }
    if (search.near[0] != '\0')
        return error_set(err, E_INVALID, "there is no app `%" STR_FMT "`; did you mean `%s`?",
                         STR_ARG(name), search.near);
    return error_set(err, E_INVALID,
                     "there is no app `%" STR_FMT "`: make it in the portal, or write it under "
                     "`apps` of the configuration",
                     STR_ARG(name));
}

/* --- what a command makes of a key --- */

/* One command's work, from the request to the answer. */
struct work {
    json_t *answer; /* what is told of the key */
    const char *expires_name;
    struct key_wish wish;
    struct key_rotation rotation;
    struct str kid;
    bool enabled;
};

static int tell_key(void *ctx, const struct key_row *row)
{
    struct work *work = ctx;
    json_object_set_new(work->answer, "app", json_of(row->app));
    json_object_set_new(work->answer, "state", json_of(key_state_name(row->state)));
    json_object_set_new(work->answer, work->expires_name, json_integer(row->expires.us));
    return 0;
}

static int audit(struct registry_write *write, const char *action, struct str kid,
                 struct error *err)
{
    struct audit_row row = {.id = registry_id(write),
                            .at = write->now,
                            .actor_name = STR("shell"),
                            .action = str_from(action),
                            .object = kid};
    return store_audit_add(write->db, &row, err);
}

/* Tells of a new key, and has it put in force. The text is wiped. */
static int tell_new_key(struct work *work, struct registry_write *write, struct key_text *text,
                        const char *action, struct error *err)
{
    struct key_parsed parsed;
    CHECK(key_parse(key_text_str(text), &parsed) == KEY_OURS);
    json_object_set_new(work->answer, "kid", json_of(parsed.kid));
    json_object_set_new(work->answer, "secret", json_of(key_text_str(text)));
    registry_touch_key(write, parsed.kid);
    work->expires_name = "expires_us";
    int r = store_keys_find(write->db, parsed.kid, tell_key, work, err);
    if (r == 0)
        r = audit(write, action, parsed.kid, err);
    key_text_clear(text);
    return r;
}

/* Runs the work; the answer, or NULL. Told to a command, a kid that is unknown must not read as "no
 * instance runs". */
static json_t *run(const struct control_keys *keys, registry_work *run_work, struct work *work,
                   struct error *err)
{
    work->answer = json_object();
    int r = registry_write(keys->registry, run_work, work, err);
    if (r == E_NOT_FOUND && err != NULL)
        err->code = E_INVALID;
    if (r == 0)
        return work->answer;
    control_wipe(work->answer);
    return NULL;
}

/* --- the commands --- */

static int create_work(struct registry_write *write, void *ctx, struct error *err)
{
    struct work *work = ctx;
    struct key_text text;
    work->wish.now = write->now;
    int r = store_keys_create(write->db, write->pepper, &work->wish, &text, err);
    return r == 0 ? tell_new_key(work, write, &text, "key.issued", err) : r;
}

static json_t *create_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct cidr allow[KEY_ALLOW_MAX];
    const struct access_app *app;
    struct str env = text_of(request, "env");
    struct work work = {.wish = {.env = KEY_LIVE,
                                 .name = text_of(request, "name"),
                                 .app = text_of(request, "app"),
                                 .expires = {.us = number_of(request, "expires_us")}}};
    struct key_wish *wish = &work.wish;
    if (find_app(keys->access, wish->app, &app, err) != 0)
        return NULL;
    if (env.n > 0 && key_env_find(env, &wish->env) != 0) {
        error_set(err, E_INVALID, "a key is live or test, not %" STR_FMT, STR_ARG(env));
        return NULL;
    }
    if (wish->expires.us != 0 && wish->expires.us <= clock_wall().us) {
        error_set(err, E_INVALID, "the key would have expired before it was issued");
        return NULL;
    }
    if (read_allow(request, allow, &wish->allow, err) != 0)
        return NULL;
    return run(keys, create_work, &work, err);
}

static int rotate_work(struct registry_write *write, void *ctx, struct error *err)
{
    struct work *work = ctx;
    struct key_text text;
    work->rotation.now = write->now;
    work->expires_name = "old_expires_us";
    int r = store_keys_rotate(write->db, write->pepper, &work->rotation, &text, err);
    if (r == 0)
        r = store_keys_find(write->db, work->rotation.kid, tell_key, work, err);
    if (r == 0)
        r = tell_new_key(work, write, &text, "key.rotated", err);
    registry_touch_key(write, work->rotation.kid);
    return r;
}

static json_t *rotate_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct work work = {.rotation = {.kid = text_of(request, "kid"),
                                     .overlap_us = number_of(request, "overlap_us")}};
    json_t *answer = run(keys, rotate_work, &work, err);
    if (answer != NULL)
        json_object_set_new(answer, "old", json_of(work.rotation.kid));
    return answer;
}

static int tell_change(struct work *work, struct registry_write *write, const char *action,
                       struct error *err)
{
    work->expires_name = "expires_us";
    json_object_set_new(work->answer, "kid", json_of(work->kid));
    registry_touch_key(write, work->kid);
    int r = store_keys_find(write->db, work->kid, tell_key, work, err);
    return r == 0 ? audit(write, action, work->kid, err) : r;
}

static int revoke_work(struct registry_write *write, void *ctx, struct error *err)
{
    struct work *work = ctx;
    int r = store_keys_revoke(write->db, work->kid, write->now, err);
    return r == 0 ? tell_change(work, write, "key.revoked", err) : r;
}

static json_t *revoke_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct work work = {.kid = text_of(request, "kid")};
    return run(keys, revoke_work, &work, err);
}

static int enable_work(struct registry_write *write, void *ctx, struct error *err)
{
    struct work *work = ctx;
    int r = store_keys_enable(write->db, work->kid, work->enabled, KEY_BY_OPERATOR, err);
    return r == 0 ? tell_change(work, write, work->enabled ? "key.enabled" : "key.disabled", err)
                  : r;
}

static json_t *enable_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct work work = {.kid = text_of(request, "kid"), .enabled = true};
    return run(keys, enable_work, &work, err);
}

static json_t *disable_key(const struct control_keys *keys, const json_t *request,
                           struct error *err)
{
    struct work work = {.kid = text_of(request, "kid"), .enabled = false};
    return run(keys, enable_work, &work, err);
}

static json_t *tell_limit(const struct limit_now *now)
{
    return json_pack("{s:o, s:I, s:I, s:I}", "name", json_of(limit_rule_name(now->rule)), "quota",
                     (json_int_t)now->rule->quota, "remaining", (json_int_t)now->remaining,
                     "reset_s", (json_int_t)now->reset_s);
}

static json_t *look_at_limits(const struct control_keys *keys, const json_t *request,
                              struct error *err)
{
    const struct access_app *app;
    struct limiter_answer look;
    if (find_app(keys->access, text_of(request, "app"), &app, err) != 0)
        return NULL;
    limiter_look(app->limiter, clock_mono(), clock_wall(), &look);
    json_t *limits = json_array();
    for (unsigned i = 0; i < look.count; i++)
        json_array_append_new(limits, tell_limit(&look.limits[i]));
    return json_pack("{s:b, s:s, s:I, s:o}", "admitted", (int)look.admitted, "refused_by",
                     look.admitted ? "" : look.refused_by->name, "retry_after_s",
                     (json_int_t)look.retry_after_s, "limits", limits);
}

static const struct {
    const char *command;
    json_t *(*answer)(const struct control_keys *keys, const json_t *request, struct error *err);
} ANSWERS[] = {
    {"key.create", create_key}, {"key.rotate", rotate_key},   {"key.revoke", revoke_key},
    {"key.enable", enable_key}, {"key.disable", disable_key}, {"limits", look_at_limits},
};

json_t *control_keys_answer(const struct control_keys *keys, const char *command,
                            const json_t *request, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(ANSWERS); i++) {
        if (strcmp(ANSWERS[i].command, command) == 0)
            return ANSWERS[i].answer(keys, request, err);
    }
    error_set(err, E_INVALID, "the instance that runs does not know `%s`: it is another version",
              command);
    return NULL;
}
