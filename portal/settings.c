/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/settings.h"

#include "portal/endpoint.h"

#include <sodium.h>
#include <stdlib.h>

/* Far above what fits a configuration file (LIMIT_CONFIG_BYTES), so a refused piece is a bug. */
#define SETTINGS_BYTES_MAX (64U << 20)

static struct str copy(struct arena *arena, struct str s)
{
    struct str own = arena_dup(arena, s);
    CHECK(own.p != NULL);
    return own;
}

struct settings *settings_create(const struct portal_conf *conf)
{
    struct settings *s = calloc(1, sizeof(*s));
    CHECK(s != NULL);
    arena_init(&s->arena, 1024, SETTINGS_BYTES_MAX);
    s->users = 1;
    s->conf = *conf;
    s->conf.title = copy(&s->arena, conf->title);
    s->conf.tagline = copy(&s->arena, conf->tagline);
    s->conf.logo = copy(&s->arena, conf->logo);
    s->conf.theme = copy(&s->arena, conf->theme);
    s->conf.gateway_url = copy(&s->arena, conf->gateway_url);
    s->conf.portal_url = copy(&s->arena, conf->portal_url);
    s->conf.admin_url = copy(&s->arena, conf->admin_url);
    s->conf.mailing.url = copy(&s->arena, conf->mailing.url);
    s->conf.mailing.from = copy(&s->arena, conf->mailing.from);
    s->conf.mailing.username = copy(&s->arena, conf->mailing.username);
    s->conf.mailing.password = copy(&s->arena, conf->mailing.password);
    size_t count = conf->admin_allow.count;
    if (count > 0) {
        struct cidr *items = arena_array(&s->arena, count, sizeof(*items));
        CHECK(items != NULL);
        memcpy(items, conf->admin_allow.items, count * sizeof(*items));
        s->conf.admin_allow.items = items;
    }
    return s;
}

struct settings *settings_get(struct portal *portal)
{
    pthread_mutex_lock(&portal->mtx);
    struct settings *s = portal->settings;
    s->users++;
    pthread_mutex_unlock(&portal->mtx);
    return s;
}

void settings_put(struct portal *portal, struct settings *settings)
{
    pthread_mutex_lock(&portal->mtx);
    bool last = --settings->users == 0;
    pthread_mutex_unlock(&portal->mtx);
    if (!last)
        return;
    struct str password = settings->conf.mailing.password;
    if (password.n > 0)
        sodium_memzero((char *)(uintptr_t)password.p, password.n);
    arena_finish(&settings->arena);
    free(settings);
}
