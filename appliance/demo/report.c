/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/report.h"

#include "appliance/demo/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 80
#define TEXT_BYTES_MAX (64 * 1024)
#define ECHO_COLUMNS 3 /* left for the ^C that a terminal shows */

void report_init(struct report *report)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool dumb = term == NULL || strcmp(term, "dumb") == 0;
    report->terminal = isatty(STDOUT_FILENO) == 1 && !dumb;
    report->paint = (struct paint){"", "", "", "", ""};
    if (report->terminal && (no_color == NULL || no_color[0] == '\0'))
        report->paint = (struct paint){
            .bold = "\033[1m",
            .dim = "\033[2m",
            .link = "\033[36m",
            .warn = "\033[33m",
            .end = "\033[0m",
        };
}

/* --- the greeting --- */

static void heading(struct buf *out, const struct paint *p, const char *text, const char *aside)
{
    buf_printf(out, "\n  %s%s%s%s%s%s\n", p->bold, text, p->end, p->dim, aside, p->end);
}

static void place_row(struct buf *out, const struct paint *p, const char *name, const char *url,
                      const char *path, const char *what)
{
    char whole[300];
    snprintf(whole, sizeof(whole), "%s%s", url, path);
    buf_printf(out, "    %-9s %s%-31s%s %s%s%s\n", name, p->link, whole, p->end, p->dim, what,
               p->end);
}

static void moved_row(struct buf *out, const struct paint *p, const struct place_port *port,
                      const char *name, unsigned wanted)
{
    if (port->moved)
        buf_printf(out, "    %sPort %u is taken, so the %s has %u.%s\n", p->warn, wanted, name,
                   (unsigned)port->port, p->end);
}

static void add_places(struct buf *out, const struct paint *p, const struct greeting *g)
{
    buf_printf(out, "\n  %sWeir %s%s is running, with an API behind it%s.\n", p->bold, WEIR_VERSION,
               p->end, g->traffic ? " and three apps that call it" : "");
    heading(out, p, "Where", "");
    place_row(out, p, "gateway", g->gateway_url, "", "the APIs: /shop /reports /health");
    place_row(out, p, "portal", g->portal_url, "", "for developers");
    place_row(out, p, "admin", g->admin_url, "", "for operators: the console");
    place_row(out, p, "metrics", g->admin_url, "/metrics", "for Prometheus");
    moved_row(out, p, g->gateway, "gateway", 8080);
    moved_row(out, p, g->portal, "portal", 8081);
    moved_row(out, p, g->admin, "admin listener", 8082);
    if (!ip_is_loopback(g->gateway->ip))
        buf_printf(out, "    %sThe gateway can be reached from other machines.%s\n", p->warn,
                   p->end);
}

static void login_row(struct buf *out, const struct paint *p, const char *where, const char *email,
                      const char *password)
{
    buf_printf(out, "    %-9s %-23s %s%s%s\n", where, email, p->bold, password, p->end);
}

static void add_logins(struct buf *out, const struct paint *p, const struct greeting *g)
{
    heading(out, p, "Log in", ", with passwords made for this demo");
    login_row(out, p, "portal", PEOPLE_DEVELOPER, g->people->developer_password);
    login_row(out, p, "admin", PEOPLE_OPERATOR, g->people->operator_password);
}

static void add_apps(struct buf *out, const struct paint *p, const struct greeting *g)
{
    heading(out, p, "Who calls", ": the developer's apps");
    for (size_t i = 0; i < DEMO_APPS; i++) {
        const struct demo_app_row *row = &DEMO_APP_ROWS[i];
        buf_printf(out, "    %-20s %-9s %s%s%s\n", g->people->apps[i], row->plan, p->dim, row->what,
                   p->end);
    }
}

static void add_call(struct buf *out, const struct paint *p, const struct greeting *g)
{
    heading(out, p, "Call it yourself", "");
    buf_printf(out, "    %scurl -i", p->link);
    words_proxy(out);
    buf_printf(out, " %s/shop/books/7 \\\n      -H 'X-API-Key: %s'%s\n", g->gateway_url, g->key,
               p->end);
}

static void add_command(struct buf *out, const struct paint *p, const struct greeting *g,
                        const char *command, const char *argument)
{
    buf_printf(out, "    %s", p->link);
    words_program(out);
    buf_printf(out, " %s -c ", command);
    words_quote(out, g->place->config);
    if (argument != NULL)
        buf_printf(out, " \\\n      %s", argument);
    buf_printf(out, "%s\n", p->end);
}

static void add_commands(struct buf *out, const struct paint *p, const struct greeting *g)
{
    struct buf scratch;
    buf_init(&scratch, TEXT_BYTES_MAX);
    bool relative = words_program(&scratch);
    buf_free(&scratch);
    heading(out, p, "See what came of it",
            relative ? ", in another terminal, in this folder" : ", in another terminal");
    add_command(out, p, g, "explain", g->request_id);
    add_command(out, p, g, "tail", NULL);
    add_command(out, p, g, "usage", NULL);
    buf_printf(out, "    %sThe id is that of a first such call; X-Request-Id is that of yours.%s\n",
               p->dim, p->end);
    heading(out, p, "Change it", ", while it runs");
    buf_printf(out, "    %s", p->link);
    words_quote(out, g->place->config);
    buf_printf(out, "%s\n", p->end);
}

static void add_forward(struct buf *out, const struct place_port *port)
{
    char address[PLACE_ADDRESS_MAX];
    if (!ip_is_loopback(port->ip))
        return;
    place_address(port, address);
    buf_printf(out, " -L %u:%s", (unsigned)port->port, address);
}

static void add_ssh(struct buf *out, const struct paint *p, const struct greeting *g)
{
    struct buf host;
    buf_init(&host, TEXT_BYTES_MAX);
    if (words_ssh(&host)) {
        heading(out, p, "From your own machine", ", as this is an SSH session");
        buf_printf(out, "    %sssh -N", p->link);
        add_forward(out, g->gateway);
        buf_add_lit(out, " \\\n     ");
        add_forward(out, g->portal);
        add_forward(out, g->admin);
        buf_printf(out, " \\\n      %" STR_FMT "%s\n", STR_ARG(buf_str(&host)), p->end);
    }
    buf_free(&host);
}

static void add_end(struct buf *out, const struct paint *p, const struct greeting *g)
{
    if (g->seconds > 0)
        buf_printf(out, "\n  It stops by itself after %s%lld s%s, or at %sCtrl-C%s", p->bold,
                   (long long)g->seconds, p->end, p->bold, p->end);
    else
        buf_printf(out, "\n  %sCtrl-C%s stops it", p->bold, p->end);
    if (g->place->temporary)
        buf_add_lit(out, "; it leaves nothing behind.\n\n");
    else
        buf_printf(out, "; keys and records stay in %s.\n\n", g->place->dir);
}

void report_greeting(const struct report *report, const struct greeting *greeting)
{
    const struct paint *p = &report->paint;
    struct buf out;
    buf_init(&out, TEXT_BYTES_MAX);
    add_places(&out, p, greeting);
    add_logins(&out, p, greeting);
    if (greeting->traffic)
        add_apps(&out, p, greeting);
    add_call(&out, p, greeting);
    add_commands(&out, p, greeting);
    add_ssh(&out, p, greeting);
    add_end(&out, p, greeting);
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
    buf_free(&out);
}

/* --- while it runs --- */

bool report_line(const struct report *report, const char *text)
{
    struct winsize size;
    int width = WIDTH;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < WIDTH)
        width = size.ws_col;
    printf("\r\033[K%s%.*s%s", report->paint.dim, width - ECHO_COLUMNS, text, report->paint.end);
    return fflush(stdout) == 0;
}

/* --- the end --- */

static void add_total(struct buf *out, const char *name, const char *plan,
                      const struct app_total *t)
{
    buf_printf(out, "    %-20s %-9s", name, plan);
    if (t->known)
        buf_printf(out, " %9llu %9llu", (unsigned long long)t->seen.sent,
                   (unsigned long long)t->seen.refused);
    else
        buf_printf(out, " %9s %9s", "-", "-");
    buf_printf(out, " %9llu\n", (unsigned long long)t->metered);
}

void report_totals(const struct report *report, const struct people *people,
                   const struct app_total totals[static DEMO_APPS])
{
    const struct paint *p = &report->paint;
    struct buf out;
    bool agree = true;
    buf_init(&out, TEXT_BYTES_MAX);
    heading(&out, p, "What came of it", "");
    buf_printf(&out, "    %s%-20s %-9s %9s %9s %9s%s\n", p->dim, "app", "plan", "sent", "refused",
               "metered", p->end);
    for (size_t i = 0; i < DEMO_APPS; i++) {
        const struct app_total *t = &totals[i];
        add_total(&out, people->apps[i], DEMO_APP_ROWS[i].plan, t);
        if (t->known && t->metered != t->seen.sent - t->seen.refused)
            agree = false;
    }
    buf_printf(&out, "    %s%s%s\n\n", agree ? p->dim : p->warn,
               agree ? "Sent as the apps saw it, metered as the store has it: they agree."
                     : "Sent less refused is not what was metered: that should not be.",
               p->end);
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
    buf_free(&out);
}
