/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control_keys.h"

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
                     "there is no app `%" STR_FMT "`: write it under `apps` of the configuration",
                     STR_ARG(name));
}

/* --- what was changed on the disk, put in force --- */

struct putting {
    struct access *access;
    json_t *answer; /* what is told of the key */
    const char *expires_name;
};

static int put_key(void *ctx, const struct key_row *row)
{
    struct putting *putting = ctx;
    struct access_key_spec spec = key_row_spec(row);
    int r = access_put_key(putting->access, &spec);
    json_object_set_new(putting->answer, "app", json_of(row->app));
    json_object_set_new(putting->answer, "state", json_of(key_state_name(row->state)));
    json_object_set_new(putting->answer, putting->expires_name, json_integer(row->expires.us));
    return r;
}

/* Told to a command, a kid that is unknown must not read as "no instance runs". */
static int not_found_is_invalid(int r, struct error *err)
{
    if (r == E_NOT_FOUND && err != NULL)
        err->code = E_INVALID;
    return r == E_NOT_FOUND ? E_INVALID : r;
}

static int put_in_force(const struct control_keys *keys, struct str kid, const char *expires_name,
                        json_t *answer, struct error *err)
{
    struct putting putting = {
        .access = keys->access, .answer = answer, .expires_name = expires_name};
    int r = store_keys_find(keys->db, kid, put_key, &putting, err);
    if (r == E_EXISTS)
        return error_set(err, r,
                         "the key %" STR_FMT " is changed, but its secret is also written in the "
                         "configuration and goes on working until it is taken out there",
                         STR_ARG(kid));
    return r;
}

/* The answer about a new key, which is put in force. The text is wiped. */
static json_t *tell_new_key(const struct control_keys *keys, struct key_text *text,
                            struct error *err)
{
    struct key_parsed parsed;
    CHECK(key_parse(key_text_str(text), &parsed) == KEY_OURS);
    json_t *answer =
        json_pack("{s:o, s:o}", "kid", json_of(parsed.kid), "secret", json_of(key_text_str(text)));
    CHECK(answer != NULL);
    if (put_in_force(keys, parsed.kid, "expires_us", answer, err) != 0) {
        json_decref(answer);
        answer = NULL;
    }
    key_text_clear(text);
    return answer;
}

/* --- the commands --- */

static json_t *create_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct cidr allow[KEY_ALLOW_MAX];
    const struct access_app *app;
    struct key_text text;
    struct str env = text_of(request, "env");
    struct key_wish wish = {.env = KEY_LIVE,
                            .name = text_of(request, "name"),
                            .app = text_of(request, "app"),
                            .now = clock_wall(),
                            .expires = {.us = number_of(request, "expires_us")}};
    if (find_app(keys->access, wish.app, &app, err) != 0)
        return NULL;
    if (env.n > 0 && key_env_find(env, &wish.env) != 0) {
        error_set(err, E_INVALID, "a key is live or test, not %" STR_FMT, STR_ARG(env));
        return NULL;
    }
    if (wish.expires.us != 0 && wish.expires.us <= wish.now.us) {
        error_set(err, E_INVALID, "the key would have expired before it was issued");
        return NULL;
    }
    if (read_allow(request, allow, &wish.allow, err) != 0 ||
        store_keys_create(keys->db, keys->pepper, &wish, &text, err) != 0)
        return NULL;
    return tell_new_key(keys, &text, err);
}

static json_t *rotate_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct key_text text;
    struct key_rotation rotation = {.kid = text_of(request, "kid"),
                                    .overlap_us = number_of(request, "overlap_us"),
                                    .now = clock_wall()};
    int r = store_keys_rotate(keys->db, keys->pepper, &rotation, &text, err);
    if (not_found_is_invalid(r, err) != 0)
        return NULL;
    json_t *answer = tell_new_key(keys, &text, err);
    if (answer == NULL)
        return NULL;
    json_t *old = json_object();
    r = put_in_force(keys, rotation.kid, "old_expires_us", old, err);
    json_object_set(answer, "old_expires_us", json_object_get(old, "old_expires_us"));
    json_object_set_new(answer, "old", json_of(rotation.kid));
    json_decref(old);
    if (r == 0)
        return answer;
    json_decref(answer);
    return NULL;
}

static json_t *tell_change(const struct control_keys *keys, struct str kid, int r,
                           struct error *err)
{
    json_t *answer = json_pack("{s:o}", "kid", json_of(kid));
    if (r == 0)
        r = put_in_force(keys, kid, "expires_us", answer, err);
    if (not_found_is_invalid(r, err) == 0)
        return answer;
    json_decref(answer);
    return NULL;
}

static json_t *revoke_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct str kid = text_of(request, "kid");
    return tell_change(keys, kid, store_keys_revoke(keys->db, kid, clock_wall(), err), err);
}

static json_t *enable_key(const struct control_keys *keys, const json_t *request, struct error *err)
{
    struct str kid = text_of(request, "kid");
    return tell_change(keys, kid, store_keys_enable(keys->db, kid, true, err), err);
}

static json_t *disable_key(const struct control_keys *keys, const json_t *request,
                           struct error *err)
{
    struct str kid = text_of(request, "kid");
    return tell_change(keys, kid, store_keys_enable(keys->db, kid, false, err), err);
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
