/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/ask.h"
#include "appliance/control.h"
#include "appliance/options.h"
#include "analytics/record_trail.h"
#include "gateway/preview.h"
#include "portal/control.h"
#include "portal/store_keys.h"

#include <limits.h>
#include <stdio.h>

#define TEXT_MAX (4UL << 20)
#define LABEL_WIDTH 10

struct asked {
    const char *config, *method, *url, *kid;
    struct ip from;
    bool candidates;
};

struct work {
    const struct config *config;
    struct preview *preview;
    struct buf out;
    bool limits_live; /* an instance said what is left */
};

/* --- keys --- */

static int put_key(void *ctx, const struct key_row *row)
{
    struct access *access = ctx;
    struct access_key_spec spec = key_row_spec(row);
    int r = access_put_key(access, &spec);
    (void)r; /* the secret is the file's too, and the file's key is the one that counts */
    return 0;
}

/* The key of weir.db, put into the table; or one of the file. */
static int find_key(struct work *w, struct str kid, const struct access_key **ret_key,
                    struct error *err)
{
    char dir[PATH_MAX];
    struct db *db;
    struct error why = ERROR_INIT;
    CHECK(str_copy(w->config->data_dir, dir, sizeof(dir)));
    int r = control_open(&db, dir, CONTROL_READ, &why);
    if (r == 0) {
        r = store_keys_find(db, kid, put_key, preview_access(w->preview), &why);
        db_close(db);
    }
    if (r != 0 && r != E_NOT_FOUND)
        return error_set(err, r, "%s", why.text);
    *ret_key = preview_key(w->preview, kid);
    if (*ret_key != NULL)
        return 0;
    return error_set(err, E_NOT_FOUND,
                     "there is no key %" STR_FMT "; `weir key list` shows those there are",
                     STR_ARG(kid));
}

/* --- limits as an instance has them now --- */

static const struct limit_rule *find_rule(const struct limiter_rules *rules, const char *name)
{
    for (unsigned i = 0; name != NULL && i < rules->count; i++) {
        if (strcmp(rules->items[i].name, name) == 0)
            return &rules->items[i];
    }
    return NULL;
}

/* False where the instance has another set of limits than this file: then they say nothing here. */
static bool read_limits(const json_t *json, const struct access_app *app,
                        struct limiter_answer *ret_answer)
{
    const json_t *list = json_object_get(json, "limits");
    struct limiter_answer a = {.rules = &app->rules, .count = (unsigned)json_array_size(list)};
    if (a.count != app->rules.count)
        return false;
    for (unsigned i = 0; i < a.count; i++) {
        const json_t *item = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        a.limits[i] = (struct limit_now){
            .rule = find_rule(&app->rules, name),
            .remaining = (uint64_t)json_integer_value(json_object_get(item, "remaining")),
            .reset_s = (uint64_t)json_integer_value(json_object_get(item, "reset_s")),
        };
        json_int_t quota = json_integer_value(json_object_get(item, "quota"));
        if (a.limits[i].rule == NULL || a.limits[i].rule->quota != (uint64_t)quota)
            return false;
    }
    a.admitted = json_is_true(json_object_get(json, "admitted"));
    a.refused_by = find_rule(&app->rules, json_string_value(json_object_get(json, "refused_by")));
    a.retry_after_s = (uint64_t)json_integer_value(json_object_get(json, "retry_after_s"));
    if (!a.admitted && a.refused_by == NULL)
        return false;
    *ret_answer = a;
    return true;
}

static bool limits_now(void *ctx, const struct access_app *app, struct limiter_answer *ret_answer)
{
    struct work *w = ctx;
    char dir[PATH_MAX];
    struct error err = ERROR_INIT;
    json_t *answer = NULL;
    json_t *request =
        json_pack("{s:s, s:s%}", "command", "limits", "app", app->name.p, (size_t)app->name.n);
    CHECK(str_copy(w->config->data_dir, dir, sizeof(dir)));
    int r = control_ask(dir, request, &answer, &err);
    w->limits_live = r == 0 && app->rules.count > 0 && read_limits(answer, app, ret_answer);
    json_decref(answer);
    json_decref(request);
    return w->limits_live;
}

/* --- telling --- */

static void add_label(struct buf *out, const char *label)
{
    buf_printf(out, "%-*s  ", LABEL_WIDTH, label);
}

static void add_request(struct work *w, const struct asked *asked,
                        const struct preview_result *result)
{
    char ip[IP_TEXT_MAX];
    add_label(&w->out, "request");
    buf_printf(&w->out, "%s ", asked->method);
    table_clean(&w->out, str_from(asked->url));
    buf_add_lit(&w->out, " from ");
    buf_add(&w->out, ip, ip_format(asked->from, ip));
    if (asked->kid != NULL)
        buf_printf(&w->out, " with the key %s", asked->kid);
    buf_add_char(&w->out, '\n');
    if (result->path.n == 0)
        return;
    add_label(&w->out, "matched as");
    buf_printf(&w->out, "host %" STR_FMT ", path ",
               STR_ARG(result->host.n > 0 ? result->host : STR("(none)")));
    table_clean(&w->out, result->path);
    buf_add_char(&w->out, '\n');
}

static void add_methods(struct buf *out, uint32_t methods)
{
    const char *gap = "";
    for (unsigned m = METHOD_OTHER + 1; m < METHOD_COUNT; m++) {
        if ((methods >> m & 1) == 0)
            continue;
        buf_printf(out, "%s%" STR_FMT, gap, STR_ARG(http_method_name((enum http_method)m)));
        gap = ", ";
    }
}

static void add_route(struct work *w, const struct preview_result *result)
{
    struct buf *out = &w->out;
    const struct route_conf *route = result->route;
    add_label(out, "route");
    if (route == NULL) {
        buf_add_lit(out, "none");
        if (result->allow != 0) {
            buf_add_lit(out, "; this path takes ");
            add_methods(out, result->allow);
        }
        buf_add_char(out, '\n');
        return;
    }
    const struct route_match *m = result->match;
    buf_printf(out, "%" STR_FMT " / %" STR_FMT ", by host %" STR_FMT " and path %" STR_FMT "\n",
               STR_ARG(route->api->name), STR_ARG(route->name),
               STR_ARG(m->host_pattern.n > 0 ? m->host_pattern : STR("(any)")),
               STR_ARG(m->path_pattern.n > 0 ? m->path_pattern : STR("(any)")));
    for (unsigned i = 0; i < m->param_count; i++) {
        add_label(out, i == 0 ? "parameters" : "");
        buf_printf(out, "%" STR_FMT " = ", STR_ARG(m->params[i].name));
        table_clean(out, m->params[i].value);
        buf_add_char(out, '\n');
    }
}

static void add_upstream(struct work *w, const char *method, const struct preview_result *result)
{
    if (result->route == NULL)
        return;
    const struct upstream_conf *upstream = result->route->api->upstream;
    add_label(&w->out, "upstream");
    buf_printf(&w->out, "%" STR_FMT "\n", STR_ARG(upstream->name));
    for (size_t i = 0; i < upstream->target_count; i++) {
        struct buf url;
        buf_init(&url, TEXT_MAX);
        preview_forward(w->preview, &upstream->targets[i], &url);
        add_label(&w->out, i == 0 ? "forwards" : "");
        buf_printf(&w->out, "%s ", method);
        table_clean(&w->out, buf_str(&url));
        buf_free(&url);
        if (upstream->target_count > 1)
            buf_printf(&w->out, " (weight %u)", (unsigned)upstream->targets[i].weight);
        buf_add_char(&w->out, '\n');
    }
}

static void add_note(struct buf *out, const struct preview_step *step)
{
    struct trail_note note;
    struct str rest = step->note;
    struct buf words;
    char text[2 * RECORD_TRAIL_MAX];
    buf_init_fixed(&words, text, sizeof(text));
    if (trail_next(&rest, &note))
        trail_words(note.numbers, &words);
    table_clean(out, words.n > 0 ? buf_str(&words) : str_from(step->policy->doc));
}

static bool limits_asked(const struct preview_result *result)
{
    for (unsigned i = 0; i < result->step_count; i++) {
        if (result->steps[i].policy == &policy_limits)
            return result->steps[i].outcome != PREVIEW_UNKNOWN && result->app->rules.count > 0;
    }
    return false;
}

static void add_policies(struct work *w, const struct preview_result *result)
{
    if (result->route == NULL)
        return;
    buf_add_lit(&w->out, "policies\n");
    for (unsigned i = 0; i < result->step_count; i++) {
        const struct preview_step *step = &result->steps[i];
        const char *verdict = step->outcome == PREVIEW_PASS     ? "pass"
                              : step->outcome == PREVIEW_REFUSE ? "refused"
                              : result->key_missing             ? "needs a key"
                                                                : "not asked";
        buf_printf(&w->out, "  %u. %-13s %-11s ", i + 1, step->policy->name, verdict);
        add_note(&w->out, step);
        buf_add_char(&w->out, '\n');
    }
    if (result->step_count == 0)
        buf_add_lit(&w->out, "  none\n");
    if (limits_asked(result))
        buf_printf(&w->out, "  (%s)\n",
                   w->limits_live ? "limits as the running instance has them now"
                                  : "no instance was asked: limits as if nothing had been used");
}

static void add_answer(struct work *w, const struct preview_result *result)
{
    struct buf *out = &w->out;
    add_label(out, "answer");
    if (result->reason == REASON_NONE) {
        buf_printf(out, "the upstream's; nothing stands in its way\n");
        return;
    }
    const struct reason_row *reason = reason_row(result->reason);
    buf_printf(out, "%u %" STR_FMT ": %s\n", result->status, STR_ARG(reason->code), reason->title);
    add_label(out, "");
    table_clean(out, str_from(result->detail[0] != '\0' ? result->detail : reason->meaning));
    buf_add_char(out, '\n');
    if (!result->key_missing)
        return;
    add_label(out, "");
    buf_add_lit(out, "With the key of an app: --key KID tells.\n");
}

static void add_candidate(void *ctx, const struct route_candidate *c)
{
    static const char *const STANDINGS[] = {
        [ROUTE_WINS] = "it is this one",
        [ROUTE_LESS_SPECIFIC] = "would match, but is less specific",
        [ROUTE_OTHER_METHOD] = "another method",
        [ROUTE_OTHER_PATH] = "another path",
        [ROUTE_OTHER_HOST] = "another host",
        [ROUTE_TOO_HARD] = "its regular expression takes too long on this path",
    };
    struct buf *out = ctx;
    buf_printf(out, "  %" STR_FMT " / %" STR_FMT "  host %" STR_FMT "  path %" STR_FMT,
               STR_ARG(c->route->conf->api->name), STR_ARG(c->route->conf->name),
               STR_ARG(c->host_pattern.n > 0 ? c->host_pattern : STR("(any)")),
               STR_ARG(c->path_pattern.n > 0 ? c->path_pattern : STR("(any)")));
    if (c->route->conf->match.methods != 0) {
        buf_add_lit(out, "  ");
        add_methods(out, c->methods);
    }
    buf_printf(out, ": %s\n", STANDINGS[c->standing]);
}

static int tell(struct work *w, const struct asked *asked, struct error *err)
{
    struct preview_result result;
    struct preview_query query = {.method = str_from(asked->method),
                                  .url = str_from(asked->url),
                                  .from = asked->from,
                                  .limits = limits_now,
                                  .ctx = w};
    int r = asked->kid != NULL ? find_key(w, str_from(asked->kid), &query.key, err) : 0;
    if (r != 0)
        return r;
    preview_ask(w->preview, &query, &result);
    add_request(w, asked, &result);
    add_route(w, &result);
    add_upstream(w, asked->method, &result);
    add_policies(w, &result);
    add_answer(w, &result);
    if (asked->candidates) {
        buf_add_lit(&w->out, "candidates, the most specific first\n");
        preview_candidates(w->preview, add_candidate, &w->out);
    }
    r = buf_finish(&w->out);
    if (r == 0)
        fwrite(w->out.p, 1, w->out.n, stdout);
    return r;
}

static int show(struct config *config, const struct asked *asked)
{
    struct error err = ERROR_INIT;
    struct work w = {.config = config};
    buf_init(&w.out, TEXT_MAX);
    int r = preview_create(&w.preview, &config->gateway, &err);
    if (r == 0)
        r = tell(&w, asked, &err);
    preview_destroy(w.preview);
    buf_free(&w.out);
    return r == 0 ? EXIT_DONE : command_fail(&err);
}

static int take_option(const struct command *command, int o, struct asked *asked)
{
    switch (o) {
    case 'c':
        asked->config = optarg;
        return 0;
    case 'f':
        if (ip_parse(str_from(optarg), &asked->from) == 0)
            return 0;
        return command_misuse(command, "%s is no address: write 203.0.113.7 or 2001:db8::1",
                              optarg);
    case 'k':
        asked->kid = optarg;
        return 0;
    case 'a':
        asked->candidates = true;
        return 0;
    default:
        return EXIT_MISUSE;
    }
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {OPTIONS_COMMON,
                                            {"from", required_argument, NULL, 'f'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"candidates", no_argument, NULL, 'a'},
                                            OPTIONS_END};
    struct asked asked = {.config = CONFIG_PATH_DEFAULT};
    int o, r = ip_parse(STR("127.0.0.1"), &asked.from);
    while (r == 0 && (o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        r = take_option(command, o, &asked);
    }
    if (r != 0 || options_arguments(command, argc, argv, 2, "METHOD or URL") != 0)
        return EXIT_MISUSE;
    asked.method = argv[optind];
    asked.url = argv[optind + 1];
    if (!http_is_token(str_from(asked.method)))
        return command_misuse(command, "%s is no method: write GET, POST, ...", asked.method);
    struct config *config = command_config(asked.config);
    if (config == NULL)
        return EXIT_FAILED;
    r = show(config, &asked);
    config_destroy(config);
    return r;
}

const struct command command_route = {
    .name = "route",
    .synopsis = "[-c FILE] METHOD URL [--from IP] [--key KID] [--candidates]",
    .brief = "Tells what a request would meet, without sending one.",
    .help = OPTIONS_HELP
    "      --from IP       the address it comes from; 127.0.0.1 by default\n"
    "      --key KID       with that key (`weir key list`; APP/NAME for one of the file)\n"
    "      --candidates    how every other route stands to it\n"
    "\n"
    "  weir route GET http://api.example.com/users/7 --from 203.0.113.7 --key 4fGh81Zq\n"
    "\n"
    "URL may be a path alone: a request without a host that any route names. The answer is found\n"
    "by the gateway's own code from the file; only what is left of limits is asked of a running\n"
    "instance.\n",
    .run = run,
};
