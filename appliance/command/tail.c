/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the rows of the store: each look asks for those behind the last one seen, up to the
 * number that totals.db has, which is written after the rows (analytics/writer_store.c).
 */
#include "analytics/store_count.h"
#include "analytics/store_rows.h"
#include "analytics/store_totals.h"
#include "appliance/ask.h"
#include "appliance/line.h"
#include "appliance/options.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOOK_MS 200
#define PING_US US_PER_S
#define ROWS_AT_ONCE 1000
#define LOOK_BACK_ROWS 100000 /* how far --lines goes back for rows that match */
#define LINES_MAX 10000
#define LINE_MAX_BYTES 65536

struct asked {
    const char *config;
    struct str app, api;
    uint32_t status_min, status_max;
    bool json;
    uint64_t lines, count; /* count 0: no end */
};

/* A line that is ready. Rows are numbered as the writer met them, ring by ring: those of one look
 * are put in the order of their times. */
struct line {
    struct wall time;
    char *text;
};

struct tail {
    const struct asked *asked;
    struct store *store;
    struct line_style style;
    uint64_t seen; /* the last row that was looked at */
    uint64_t printed;
    bool closed;        /* stdout is, or the count is reached */
    struct line *lines; /* of this look; while looking back, a ring of the last ones that match */
    uint64_t line_count, line_room;
    struct buf line;
};

static bool matches(const struct asked *asked, const struct record *record)
{
    return (asked->app.n == 0 || str_eq(asked->app, record->app)) &&
           (asked->api.n == 0 || str_eq(asked->api, record->api)) &&
           record->status >= asked->status_min && record->status <= asked->status_max;
}

static void make_line(struct tail *t, const struct record *record, struct line *line)
{
    buf_clear(&t->line);
    if (t->asked->json) {
        record_json(&t->line, record);
        buf_add_char(&t->line, '\n');
    } else {
        line_request(record, t->style, &t->line);
    }
    free(line->text);
    line->time = record->time;
    line->text = strdup(buf_finish(&t->line) == 0 ? buf_cstr(&t->line) : "");
    CHECK(line->text != NULL);
}

static int cmp_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return (x->time.us > y->time.us) - (x->time.us < y->time.us);
}

static void print(struct tail *t, const char *line)
{
    if (t->closed)
        return;
    if (fputs(line, stdout) < 0)
        t->closed = true;
    t->printed++;
    if (t->asked->count > 0 && t->printed == t->asked->count)
        t->closed = true;
}

/* Prints the last `most` of the lines, in their order, and forgets all. */
static void print_lines(struct tail *t, uint64_t most)
{
    uint64_t count = t->line_count < t->line_room ? t->line_count : t->line_room;
    qsort(t->lines, count, sizeof(*t->lines), cmp_lines);
    for (uint64_t i = 0; i < count; i++) {
        if (i + most >= count)
            print(t, t->lines[i].text);
        free(t->lines[i].text);
        t->lines[i].text = NULL;
    }
    t->line_count = 0;
    if (fflush(stdout) != 0)
        t->closed = true;
}

/* There is room for ROWS_AT_ONCE; to begin with, for those wanted and as many more, among which
 * they are the last. */
static int take_row(void *ctx, const struct row *row)
{
    struct tail *t = ctx;
    t->seen = row->seq;
    if (matches(t->asked, &row->record))
        make_line(t, &row->record, &t->lines[t->line_count++ % t->line_room]);
    return 0;
}

/* Prints all rows that have come. */
static int look(struct tail *t, struct error *err)
{
    uint64_t up_to;
    int r = store_last_seq_get(store_totals(t->store), &up_to, err);
    while (r == 0 && t->seen < up_to && !t->closed) {
        struct rows_range range = {.after = t->seen, .up_to = up_to, .max = ROWS_AT_ONCE};
        int n = store_rows_read(t->store, range, take_row, t, err);
        if (n >= 0 && n < ROWS_AT_ONCE)
            t->seen = up_to; /* what is missing up to there was never written */
        print_lines(t, ROWS_AT_ONCE);
        r = n < 0 ? n : 0;
    }
    return r;
}

/* --- the lines to begin with --- */

/* A number behind which at most LOOK_BACK_ROWS rows lie. */
static int find_start(struct tail *t, uint64_t up_to, uint64_t *ret_after, struct error *err)
{
    uint64_t low = 0, high = up_to, count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int r = store_rows_count(t->store, middle, up_to, &count, err);
        if (r != 0)
            return r;
        if (count > LOOK_BACK_ROWS)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_after = low;
    return 0;
}

/* Prints the last lines that match, and sets where to go on from. */
static int look_back(struct tail *t, struct error *err)
{
    uint64_t up_to;
    int r = store_last_seq_get(store_totals(t->store), &up_to, err);
    if (r != 0)
        return r;
    t->seen = up_to;
    if (t->asked->lines == 0)
        return 0;
    r = find_start(t, up_to, &t->seen, err);
    if (r != 0)
        return r;
    t->line_room = t->asked->lines + ROWS_AT_ONCE;
    struct rows_range range = {.after = t->seen, .up_to = up_to, .max = LOOK_BACK_ROWS};
    int n = store_rows_read(t->store, range, take_row, t, err);
    t->seen = up_to;
    print_lines(t, t->asked->lines);
    t->line_room = ROWS_AT_ONCE;
    return n < 0 ? n : 0;
}

/* --- following --- */

static int watch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a reader that left ends it without a word */
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Waits for the next look; false when a signal came or nobody reads any more. */
static bool wait_a_moment(int signals)
{
    /* a pipe without a reader has an error condition, whatever is asked for */
    struct pollfd p[2] = {{.fd = signals, .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};
    int n = poll(p, 2, LOOK_MS);
    if (n < 0)
        return errno == EINTR;
    return p[0].revents == 0 && (p[1].revents & (POLLERR | POLLHUP)) == 0;
}

static int follow(struct tail *t, const struct config *config, int signals, struct error *err)
{
    struct mono next_ping = mono_after(clock_mono(), PING_US);
    while (!t->closed && wait_a_moment(signals)) {
        bool running = true;
        if (clock_mono().us >= next_ping.us) {
            running = ask_running(config);
            next_ping = mono_after(clock_mono(), PING_US);
        }
        int r = look(t, err); /* once more after the instance ended: it wrote all it had */
        if (r != 0)
            return r;
        if (!running) {
            if (!t->closed)
                fprintf(stderr, "weir: the instance has stopped\n");
            return 0;
        }
    }
    return 0;
}

static int begin(struct tail *t, const struct config *config, bool running, struct error *err)
{
    char dir[PATH_MAX];
    command_path(config, "analytics", dir, sizeof(dir));
    if (!running && t->asked->lines == 0)
        return error_set(err, E_UNAVAILABLE,
                         "no instance runs on %" STR_FMT ": there is nothing to follow (--lines N "
                         "shows the last requests)",
                         STR_ARG(config->data_dir));
    return store_open(&t->store, dir, STORE_READ, err);
}

static int show(const struct config *config, const struct asked *asked)
{
    struct error err = ERROR_INIT;
    struct tail t = {.asked = asked};
    bool terminal = isatty(STDOUT_FILENO) != 0;
    const char *no_color = getenv("NO_COLOR");
    t.style.color = terminal && (no_color == NULL || no_color[0] == '\0');
    int signals = watch_signals();
    bool running = ask_flush(config);
    buf_init(&t.line, LINE_MAX_BYTES);
    t.line_room = ROWS_AT_ONCE;
    t.lines = calloc(LINES_MAX + ROWS_AT_ONCE, sizeof(*t.lines));
    CHECK(t.lines != NULL);
    int r = begin(&t, config, running, &err);
    if (r == 0 && !asked->json && terminal) {
        line_header(&t.line);
        fwrite(t.line.p, 1, t.line.n, stdout);
    }
    if (r == 0)
        r = look_back(&t, &err);
    if (r == 0 && running)
        r = follow(&t, config, signals, &err);
    store_close(t.store);
    free(t.lines);
    buf_free(&t.line);
    close(signals);
    return r == 0 ? EXIT_DONE : command_fail(&err);
}

/* --- the command line --- */

/* "404", or "5xx" for all of a class. */
static int take_status(const struct command *command, struct asked *asked)
{
    struct str s = str_from(optarg);
    uint64_t number;
    if (s.n == 3 && str_eq_nocase(str_slice(s, 1, 3), STR("xx")) && s.p[0] >= '1' &&
        s.p[0] <= '5') {
        asked->status_min = (uint32_t)(s.p[0] - '0') * 100;
        asked->status_max = asked->status_min + 99;
        return 0;
    }
    if (str_to_u64(s, 100, 599, &number) != 0)
        return command_misuse(command, "%s is no status: write 404 or 5xx", optarg);
    asked->status_min = asked->status_max = (uint32_t)number;
    return 0;
}

static int take_format(const struct command *command, struct asked *asked)
{
    struct str name = str_from(optarg);
    asked->json = str_eq(name, STR("json"));
    if (asked->json || str_eq(name, STR("text")))
        return 0;
    return command_misuse(command, "the format %s is neither text nor json", optarg);
}

static int take_option(const struct command *command, int o, struct asked *asked)
{
    switch (o) {
    case 'c':
        asked->config = optarg;
        return 0;
    case 'a':
        asked->app = str_from(optarg);
        return 0;
    case 'b':
        asked->api = str_from(optarg);
        return 0;
    case 's':
        return take_status(command, asked);
    case 'f':
        return take_format(command, asked);
    case 'l':
        return options_number(command, "lines", LINES_MAX, &asked->lines);
    case 'n':
        return options_number(command, "count", UINT32_MAX, &asked->count);
    default:
        return EXIT_MISUSE;
    }
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {OPTIONS_COMMON,
                                            {"app", required_argument, NULL, 'a'},
                                            {"api", required_argument, NULL, 'b'},
                                            {"status", required_argument, NULL, 's'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"lines", required_argument, NULL, 'l'},
                                            {"count", required_argument, NULL, 'n'},
                                            OPTIONS_END};
    struct asked asked = {.config = CONFIG_PATH_DEFAULT, .status_max = UINT32_MAX};
    int o, r = 0;
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

const struct command command_tail = {
    .name = "tail",
    .synopsis = "[-c FILE] [--app A] [--api B] [--status 5xx] [--format text|json]",
    .brief = "Shows requests as they are answered.",
    .help = OPTIONS_HELP
    "      --app NAME      only that app's\n"
    "      --api NAME      only to that API\n"
    "      --status CODE   only those answered so: 404, or 5xx for all of a class\n"
    "      --format NAME   text (the default) or json, one record a line\n"
    "      --lines N       begin with the last N (of the last 100,000 requests)\n"
    "      --count N       end after N\n"
    "\n"
    "Ends with Ctrl-C, when nobody reads its output any more, or when the instance stops.\n",
    .run = run,
};
