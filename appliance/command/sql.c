/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/query.h"
#include "appliance/ask.h"
#include "appliance/options.h"

#include <limits.h>
#include <stdio.h>

#define TIMEOUT_DEFAULT "60s"

struct asked {
    const char *config;
    enum table_format format;
    int64_t timeout_us;
    struct str sql;
};

static void show_value(struct table *table, const struct sql_value *value)
{
    switch (value->type) {
    case SQL_NULL:
        table_null(table);
        break;
    case SQL_NUMBER:
        table_number(table, value->text);
        break;
    case SQL_TEXT:
        table_str(table, value->text);
        break;
    case SQL_BLOB:
        table_blob(table, value->text);
        break;
    }
}

static int show_row(void *ctx, uint64_t row, const struct sql_value *values, unsigned count)
{
    struct table *table = ctx;
    for (unsigned i = 0; i < count; i++) {
        if (row == 0)
            table_column(table, values[i].text);
        else
            show_value(table, &values[i]);
    }
    return 0;
}

static int fill(struct table *table, const char *dir, const struct asked *asked, struct error *err)
{
    struct query *query;
    unsigned left_out = 0;
    struct error why = ERROR_INIT;
    int r = query_open(&query, dir, &why);
    if (r == E_NOT_FOUND)
        return error_set(err, r, "nothing was recorded yet: there is no %s", dir);
    if (r != 0)
        return error_set(err, r, "%s", why.text);
    query_limit(query, asked->timeout_us);
    r = query_sql(query, asked->sql, show_row, table, &left_out, err);
    query_close(query);
    if (r == 0 && left_out > 0)
        fprintf(stderr, "weir: the oldest %u days of requests are not in this answer\n", left_out);
    return r;
}

static int show(const struct config *config, const struct asked *asked)
{
    char dir[PATH_MAX];
    struct error err = ERROR_INIT;
    ask_flush(config);
    command_path(config, "analytics", dir, sizeof(dir));
    struct table *table = table_create(stdout, asked->format);
    int r = fill(table, dir, asked, &err);
    if (r == E_TIMEOUT) {
        table_destroy(table);
        fprintf(stderr, "weir: the query took longer than it may; --timeout gives it more time\n");
        return EXIT_FAILED;
    }
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
    case 'f':
        return options_format(command, optarg, &asked->format);
    case 't':
        if (duration_parse(str_from(optarg), &asked->timeout_us) == 0 && asked->timeout_us >= 0)
            return 0;
        return command_misuse(command, "%s is no duration: write 60s, 5m, or 0 for no limit",
                              optarg);
    default:
        return EXIT_MISUSE;
    }
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {OPTIONS_COMMON,
                                            {"format", required_argument, NULL, 'f'},
                                            {"timeout", required_argument, NULL, 't'},
                                            OPTIONS_END};
    struct asked asked = {.config = CONFIG_PATH_DEFAULT, .format = TABLE_CSV};
    int o, r = duration_parse(STR(TIMEOUT_DEFAULT), &asked.timeout_us);
    while (r == 0 && (o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        r = take_option(command, o, &asked);
    }
    if (r != 0 || options_arguments(command, argc, argv, 1, "the statement, in quotes,") != 0)
        return EXIT_MISUSE;
    asked.sql = str_from(argv[optind]);
    struct config *config = command_config(asked.config);
    if (config == NULL)
        return EXIT_FAILED;
    r = show(config, &asked);
    config_destroy(config);
    return r;
}

const struct command command_sql = {
    .name = "sql",
    .synopsis = "[-c FILE] [--format table|csv|json] [--timeout 60s] STATEMENT",
    .brief = "Asks the analytics store in SQL, for reading only.",
    .help = OPTIONS_HELP
    "      --format NAME   csv (the default), table or json; a header line and rows, no footer\n"
    "      --timeout TIME  how long it may take; 60s by default, 0 for no limit\n"
    "\n"
    "One statement of SQLite's SQL over\n"
    "  requests                                    a row a call, the fields of the access record\n"
    "  traffic_minute, traffic_hour, traffic_day   calls by api, route, method, status, reason\n"
    "  usage_minute, usage_hour, usage_day         what was metered, by app, key, plan, api, "
    "route\n"
    "  apps_minute, apps_hour, apps_day            calls of known apps, by app, api, status, "
    "reason\n"
    "  upstreams_minute, ..._hour, ..._day         by upstream and target\n"
    "  quota_usage, key_last_used\n"
    "\n"
    "  weir sql 'SELECT status, count(*) FROM requests GROUP BY status'\n"
    "  weir sql --format table 'SELECT * FROM usage_day ORDER BY begin DESC LIMIT 20'\n",
    .run = run,
};
