/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/query.h"
#include "appliance/ask.h"
#include "appliance/options.h"
#include "appliance/story.h"

#include <limits.h>
#include <stdio.h>

#define STORY_MAX (1UL << 20)

struct telling {
    bool json;
    struct buf text;
};

static int tell(void *ctx, const struct row *row)
{
    struct telling *telling = ctx;
    if (telling->json)
        story_json(&row->record, &telling->text);
    else
        story_text(&row->record, &telling->text);
    return 0;
}

static int find(const struct config *config, struct uuid id, struct telling *telling,
                struct error *err)
{
    char dir[PATH_MAX];
    struct query *query;
    struct error why = ERROR_INIT;
    command_path(config, "analytics", dir, sizeof(dir));
    int r = query_open(&query, dir, &why);
    if (r == E_NOT_FOUND)
        return error_set(err, r, "nothing was recorded yet: there is no %s", dir);
    if (r != 0)
        return error_set(err, r, "%s", why.text);
    r = query_request(query, id, tell, telling, err);
    query_close(query);
    return r;
}

static int show(const struct config *config, struct uuid id, bool json)
{
    struct error err = ERROR_INIT;
    struct telling telling = {.json = json};
    buf_init(&telling.text, STORY_MAX);
    ask_flush(config);
    int r = find(config, id, &telling, &err);
    if (r == 0)
        r = buf_finish(&telling.text);
    if (r == 0)
        fwrite(telling.text.p, 1, telling.text.n, stdout);
    buf_free(&telling.text);
    return r == 0 ? EXIT_DONE : command_fail(&err);
}

static int take_format(const struct command *command, const char *text, bool *ret_json)
{
    struct str name = str_from(text);
    *ret_json = str_eq(name, STR("json"));
    if (*ret_json || str_eq(name, STR("text")))
        return 0;
    return command_misuse(command, "the format %s is neither text nor json", text);
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {
        OPTIONS_COMMON, {"format", required_argument, NULL, 'f'}, OPTIONS_END};
    const char *path = CONFIG_PATH_DEFAULT;
    bool json = false;
    struct uuid id;
    int o, r = 0;
    while (r == 0 && (o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        if (o == 'c')
            path = optarg;
        else
            r = o == 'f' ? take_format(command, optarg, &json) : EXIT_MISUSE;
    }
    if (r != 0 || options_arguments(command, argc, argv, 1, "the request's id") != 0)
        return EXIT_MISUSE;
    if (uuid_parse(str_from(argv[optind]), &id) != 0)
        return command_misuse(
            command, "%s is no request id: it has 36 characters, as in X-Request-Id", argv[optind]);
    struct config *config = command_config(path);
    if (config == NULL)
        return EXIT_FAILED;
    r = show(config, id, json);
    config_destroy(config);
    return r;
}

const struct command command_explain = {
    .name = "explain",
    .synopsis = "[-c FILE] [--format text|json] REQUEST_ID",
    .brief = "Tells one request's life: every decision with its numbers, every timing.",
    .help = OPTIONS_HELP
    "      --format NAME   text (the default) or json\n"
    "\n"
    "REQUEST_ID is the X-Request-Id of the answer, the request_id of its problem or record.\n"
    "Requests are known for as long as analytics.retention.requests says.\n",
    .run = run,
};
