/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/query.h"
#include "appliance/ask.h"
#include "appliance/options.h"

#include <limits.h>
#include <stdio.h>

#define SINCE_DEFAULT "30d"

static const char *const COLUMNS[] = {"period",   "app",      "api",       "plan", "key",
                                      "requests", "bytes_in", "bytes_out", "cost"};

struct asked {
    const char *config;
    struct usage_filter filter;
    enum table_format format;
};

static int show_row(void *ctx, const struct usage_row *row)
{
    struct table *table = ctx;
    table_str(table, row->period);
    table_str(table, row->app);
    table_str(table, row->api);
    table_str(table, row->plan);
    table_str(table, row->key);
    table_u64(table, row->requests);
    table_u64(table, row->bytes_in);
    table_u64(table, row->bytes_out);
    table_u64(table, row->cost);
    return 0;
}

/* Rows of the store; none where nothing was ever recorded. */
static int fill(struct table *table, const struct config *config, const struct asked *asked,
                struct error *err)
{
    char dir[PATH_MAX];
    struct query *query;
    struct error none = ERROR_INIT;
    command_path(config, "analytics", dir, sizeof(dir));
    int r = query_open(&query, dir, &none);
    if (r == E_NOT_FOUND)
        return 0;
    if (r != 0)
        return error_set(err, r, "%s", none.text);
    r = query_usage(query, &asked->filter, show_row, table, err);
    query_close(query);
    return r;
}

static int show(const struct config *config, const struct asked *asked)
{
    struct error err = ERROR_INIT;
    ask_flush(config);
    struct table *table = table_create(stdout, asked->format);
    for (size_t i = 0; i < ARRAY_LEN(COLUMNS); i++)
        table_column(table, str_from(COLUMNS[i]));
    int r = fill(table, config, asked, &err);
    if (r == 0)
        r = table_finish(table, &err);
    else
        table_destroy(table);
    return r == 0 ? EXIT_DONE : command_fail(&err);
}

static int take_option(const struct command *command, int o, struct asked *asked)
{
    switch (o) {
    case 'c':
        asked->config = optarg;
        return 0;
    case 'a':
        asked->filter.app = str_from(optarg);
        return 0;
    case 'b':
        asked->filter.api = str_from(optarg);
        return 0;
    case 's':
        return options_since(command, optarg, &asked->filter.since);
    case 'f':
        return options_format(command, optarg, &asked->format);
    default:
        return EXIT_MISUSE;
    }
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {OPTIONS_COMMON,
                                            {"app", required_argument, NULL, 'a'},
                                            {"api", required_argument, NULL, 'b'},
                                            {"since", required_argument, NULL, 's'},
                                            {"format", required_argument, NULL, 'f'},
                                            OPTIONS_END};
    struct asked asked = {.config = CONFIG_PATH_DEFAULT, .filter = {.by_day = true}};
    int o, r = options_since(command, SINCE_DEFAULT, &asked.filter.since);
    while (r == 0 && (o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        r = take_option(command, o, &asked);
    }
    if (r != 0 || options_arguments(command, argc, argv, 0, NULL) != 0)
        return EXIT_MISUSE;
    struct config *config = command_config(asked.config);
    if (config == NULL)
        return EXIT_FAILED;
    r = show(config, &asked);
    config_destroy(config);
    return r;
}

const struct command command_usage = {
    .name = "usage",
    .synopsis = "[-c FILE] [--app A] [--api B] [--since 30d] [--format table|csv|json]",
    .brief = "Tells metered usage, the numbers a bill is made from.",
    .help = OPTIONS_HELP
    "      --app NAME      only that app's\n"
    "      --api NAME      only of that API\n"
    "      --since TIME    30d (the default), 2h, 2026-11-01 or 2026-11-01T12:00:00Z; more than\n"
    "                      three days ago it is the whole day (UTC) that it lies in\n"
    "      --format NAME   table (the default), csv or json\n"
    "\n"
    "One row for each day (UTC), app, API, plan and key. Of a running instance everything that "
    "was\n"
    "answered before is in the numbers.\n",
    .run = run,
};
