/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/expiry.h"

#include "portal/notify.h"
#include "portal/store_keys.h"

#include <stdio.h>

static const uint32_t WARNINGS[] = {1, 7, 14, 30}; /* days */
#define WARNING_FIRST WARNINGS[ARRAY_LEN(WARNINGS) - 1]

struct warning {
    const struct portal *portal;
    const struct portal_conf *conf;
    struct registry_write *write;
    struct error *err;
};

/* Which warning is due now; 0 for none. */
static uint32_t due(const struct key_expiry *key, struct wall now)
{
    int64_t left = key->expires.us - now.us, life = key->expires.us - key->created.us;
    size_t i = 0;
    while (i < ARRAY_LEN(WARNINGS) && left > WARNINGS[i] * US_PER_DAY)
        i++;
    if (i == ARRAY_LEN(WARNINGS) || life <= WARNINGS[i] * US_PER_DAY)
        return 0;
    return key->warned_days != 0 && key->warned_days <= WARNINGS[i] ? 0 : WARNINGS[i];
}

static int warn_of(void *ctx, const struct key_expiry *key)
{
    struct warning *w = ctx;
    char when[CLOCK_TEXT_MAX], link[1024];
    uint32_t days = due(key, w->write->now);
    if (days == 0)
        return 0;
    struct notice notice = {.template = "key_expiring"};
    snprintf(link, sizeof(link), "%" STR_FMT "/apps/%" STR_FMT "/keys",
             STR_ARG(w->conf->portal_url), STR_ARG(key->app));
    notice_add(&notice, STR("key"), key->name.n > 0 ? key->name : key->kid);
    notice_add(&notice, STR("kid"), key->kid);
    notice_add(&notice, STR("app"), key->app_title);
    notice_add(&notice, STR("when"), str_make(when, wall_format_day(key->expires, when)));
    notice_add(&notice, STR("link"), str_from(link));
    int r = notify_app(w->portal, w->conf, w->write, key->app, &notice, w->err);
    return r != 0 ? r : store_keys_warned(w->write->db, key->kid, days, w->err);
}

static int warn_all(struct registry_write *write, void *ctx, struct error *err)
{
    struct warning *w = ctx;
    struct wall until = {.us = write->now.us + WARNING_FIRST * US_PER_DAY};
    w->write = write;
    w->err = err;
    return store_keys_expiring(write->db, write->now, until, warn_of, w, err);
}

int expiry_warn(const struct portal *portal, const struct portal_conf *conf, struct error *err)
{
    struct warning w = {.portal = portal, .conf = conf};
    return registry_write(portal->registry, warn_all, &w, err);
}
