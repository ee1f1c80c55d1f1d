/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first page of the portal: what can be called here, on which terms, and how to begin. Written
 * whole by the server, so that it is there at once and for everyone.
 */
#include "portal/dev.h"
#include "portal/page.h"
#include "portal/words.h"

struct landing {
    struct endpoint_call *call;
    struct buf *html;
    struct arena arena; /* cleared after each item */
};

static void add_words(const struct landing *l, const char *key)
{
    page_text(l->html, words(l->call, str_from(key)));
}

static void begin_section(const struct landing *l, const char *id, const char *key)
{
    buf_printf(l->html, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">", id, id);
    add_words(l, key);
    buf_add_lit(l->html, "</h2>\n");
}

/* --- the beginning --- */

static void add_hero(const struct landing *l)
{
    const struct portal_conf *conf = l->call->conf;
    bool known = l->call->person != NULL;
    buf_add_lit(l->html, "<section class=\"hero\"><h1>");
    page_text(l->html, conf->title);
    buf_add_lit(l->html, "</h1><p class=\"lead\">");
    if (conf->tagline.n > 0)
        page_text(l->html, conf->tagline);
    else
        add_words(l, "page.landing.lead");
    buf_printf(l->html, "</p><p class=\"actions\"><a class=\"button primary\" href=\"%s\">",
               known                               ? "/apps"
               : conf->registration == PORTAL_OPEN ? "/sign-up"
                                                   : "/sign-in");
    add_words(l, known ? "page.landing.go_on" : "page.landing.begin");
    buf_add_lit(l->html, "</a></p></section>\n");
}

static void add_call(const struct landing *l)
{
    struct str url = l->call->conf->gateway_url;
    if (url.n == 0)
        return;
    buf_add_lit(l->html, "<pre><code>curl -H &quot;X-API-Key: $KEY&quot; ");
    page_text(l->html, url);
    buf_add_lit(l->html, "/…</code></pre>\n");
}

static void add_steps(const struct landing *l)
{
    begin_section(l, "steps", "page.landing.steps");
    buf_add_lit(l->html, "<ol class=\"steps\">\n");
    for (unsigned i = 1; i <= 3; i++) {
        char key[40];
        buf_add_lit(l->html, "<li class=\"card\"><h3>");
        snprintf(key, sizeof(key), "page.landing.step%u", i);
        add_words(l, key);
        buf_add_lit(l->html, "</h3><p>");
        snprintf(key, sizeof(key), "page.landing.step%u.text", i);
        add_words(l, key);
        buf_add_lit(l->html, "</p></li>\n");
    }
    buf_add_lit(l->html, "</ol>\n");
    add_call(l);
    buf_add_lit(l->html, "</section>\n");
}

/* --- APIs --- */

static void add_paths(struct landing *l, const struct portal_gateway *gateway,
                      const struct match_conf *match)
{
    static const struct str anything = STR_INIT("/");
    const struct str *paths = match->path_count > 0 ? match->paths : &anything;
    size_t count = match->path_count > 0 ? match->path_count : 1;
    for (size_t p = 0; p < count; p++) {
        struct str host = match->host_count > 0 ? match->hosts[0] : STR_EMPTY;
        buf_add_lit(l->html, "<code>");
        page_text(l->html, first_call_shown(gateway, &l->arena, host, paths[p]));
        buf_add_lit(l->html, "</code>");
    }
}

static void add_api(struct landing *l, const struct portal_gateway *gateway,
                    const struct api_conf *api)
{
    buf_add_lit(l->html, "<li class=\"card api\"><h3>");
    page_text(l->html, api->title.n > 0 ? api->title : api->name);
    buf_add_lit(l->html, "</h3><p class=\"paths\">");
    add_paths(l, gateway, &api->routes[0].match);
    buf_add_lit(l->html, "</p><p class=\"soft\">");
    add_words(l, api->auth.kind == AUTH_KEY ? "page.landing.key" : "page.landing.open");
    buf_add_lit(l->html, "</p></li>\n");
    arena_clear(&l->arena);
}

static void add_apis(struct landing *l, const struct portal_gateway *gateway)
{
    const struct gateway_config *config = gateway->config;
    begin_section(l, "apis", "page.landing.apis");
    if (config->api_count == 0) {
        buf_add_lit(l->html, "<p class=\"soft\">");
        add_words(l, "page.landing.no_apis");
        buf_add_lit(l->html, "</p>");
    }
    buf_add_lit(l->html, "<ul class=\"cards\">\n");
    for (size_t i = 0; i < config->api_count; i++)
        add_api(l, gateway, &config->apis[i]);
    buf_add_lit(l->html, "</ul></section>\n");
}

/* --- plans --- */

/* "10,000" or "10.000", as the language writes it. */
static struct str grouped(struct landing *l, uint64_t number)
{
    char digits[32], *text = arena_alloc(&l->arena, 48);
    size_t n = 0;
    int count = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    CHECK(text != NULL && count > 0);
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[n++] = locale_of(l->call) == LOCALE_TR ? '.' : ',';
        text[n++] = digits[i];
    }
    return str_make(text, n);
}

/* What a limit is counted in, where a language has a word for it; empty for a rate of so many
 * seconds. A quota is named after its unit. */
static struct str limit_unit(const struct limit_conf *limit)
{
    static const struct {
        int64_t us;
        struct str unit;
    } UNITS[] = {
        {60 * US_PER_S, STR_INIT("minute")},
        {US_PER_HOUR, STR_INIT("hour")},
        {US_PER_DAY, STR_INIT("day")},
    };
    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        if (limit->kind == LIMIT_RATE && limit->per_us == UNITS[i].us)
            return UNITS[i].unit;
    }
    return limit->kind == LIMIT_RATE ? STR_EMPTY : limit->name;
}

static struct str limit_words(const struct landing *l, const struct limit_conf *limit,
                              struct str unit)
{
    bool one = limit->requests == 1;
    if (unit.n > 0)
        return words(l->call, one ? STR("page.landing.quota_one") : STR("page.landing.quota"));
    if (limit->per_us == US_PER_S)
        return words(l->call,
                     one ? STR("page.landing.per_second_one") : STR("page.landing.per_second"));
    return words(l->call, one ? STR("page.landing.per_s_one") : STR("page.landing.per_s"));
}

static void add_limit(struct landing *l, const struct limit_conf *limit)
{
    char key[48], seconds[CLOCK_TEXT_MAX];
    struct str unit = limit_unit(limit);
    int n = snprintf(seconds, sizeof(seconds), "%g", (double)limit->per_us / (double)US_PER_S);
    snprintf(key, sizeof(key), "page.landing.unit.%" STR_FMT, STR_ARG(unit));
    struct words_param params[] = {
        {STR("requests"), grouped(l, limit->requests)},
        {STR("seconds"), str_make(seconds, (size_t)n)},
        {STR("unit"), unit.n > 0 ? words(l->call, str_from(key)) : STR_EMPTY},
    };
    struct buf text;
    buf_init(&text, 512);
    words_format(&text, limit_words(l, limit, unit), params, ARRAY_LEN(params));
    buf_add_lit(l->html, "<li>");
    page_text(l->html, buf_str(&text));
    buf_add_lit(l->html, "</li>");
    buf_free(&text);
}

static void add_plan(struct landing *l, const struct plan_conf *plan)
{
    buf_add_lit(l->html, "<li class=\"card plan\"><h3>");
    page_text(l->html, plan->title.n > 0 ? plan->title : plan->name);
    buf_add_lit(l->html, "</h3><ul class=\"limits\">");
    for (size_t i = 0; i < plan->limit_count; i++)
        add_limit(l, &plan->limits[i]);
    if (plan->limit_count == 0) {
        buf_add_lit(l->html, "<li>");
        add_words(l, "page.landing.no_limits");
        buf_add_lit(l->html, "</li>");
    }
    buf_add_lit(l->html, "</ul><p class=\"soft\">");
    for (size_t i = 0; i < plan->api_count; i++) {
        const struct api_conf *api = plan->apis[i];
        if (i > 0)
            buf_add_lit(l->html, ", ");
        page_text(l->html, api->title.n > 0 ? api->title : api->name);
    }
    buf_add_lit(l->html, "</p><p class=\"soft\">");
    add_words(l, plan->approval == APPROVAL_AUTOMATIC ? "page.landing.automatic"
                                                      : "page.landing.manual");
    buf_add_lit(l->html, "</p></li>\n");
    arena_clear(&l->arena);
}

static void add_plans(struct landing *l, const struct portal_gateway *gateway)
{
    begin_section(l, "plans", "page.landing.plans");
    if (gateway->config->plan_count == 0) {
        buf_add_lit(l->html, "<p class=\"soft\">");
        add_words(l, "page.landing.no_plans");
        buf_add_lit(l->html, "</p>");
    }
    buf_add_lit(l->html, "<ul class=\"cards\">\n");
    for (size_t i = 0; i < gateway->config->plan_count; i++)
        add_plan(l, &gateway->config->plans[i]);
    buf_add_lit(l->html, "</ul></section>\n");
}

static void add_catalog(void *ctx, const struct portal_gateway *gateway)
{
    struct landing *l = ctx;
    add_apis(l, gateway);
    add_plans(l, gateway);
}

static void add_refusals(const struct landing *l)
{
    begin_section(l, "refused", "page.landing.refused");
    buf_add_lit(l->html, "<p class=\"soft\">");
    add_words(l, "page.landing.refused.text");
    buf_add_lit(l->html, "</p><p><a href=\"/problems/\">");
    add_words(l, "page.landing.refused.link");
    buf_add_lit(l->html, "</a></p></section>\n");
}

void landing_page(struct endpoint_call *call)
{
    struct buf html;
    struct landing l = {.call = call, .html = &html};
    arena_init(&l.arena, 4096, HTTP_ARENA_BYTES);
    page_begin(&html, call, words(call, STR("page.landing.title")));
    add_hero(&l);
    add_steps(&l);
    dev_show_gateway(call, add_catalog, &l);
    add_refusals(&l);
    page_end(&html, call);
    arena_finish(&l.arena);
    endpoint_send_page(call, 200, &html);
}
