/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/portal.h"

#include "portal/endpoint.h"
#include "portal/mailer.h"
#include "portal/queries.h"
#include "portal/settings.h"
#include "portal/words.h"

#include <stdlib.h>

/* Each takes 19 MiB and a core while it runs. */
#define PASSWORDS_AT_ONCE 2
#define PASSWORDS_WAITING 24

struct portal *portal_create(const struct portal_sources *sources, const struct portal_conf *conf)
{
    struct portal *portal = calloc(1, sizeof(*portal));
    CHECK(portal != NULL);
    portal->sources = *sources;
    portal->files = http_files_create(sources->web_files);
    const struct http_file *sheet = http_files_match(portal->files, STR("pages-"), STR(".css"));
    portal->stylesheet = sheet != NULL ? sheet->name : STR_EMPTY;
    portal->rates = rates_create();
    portal->registry = sources->registry;
    portal->queries = queries_create(sources->store_dir);
    portal->throttle = throttle_create();
    portal->words = words_load(sources->web_files);
    portal->passwords = passwords_create(PASSWORDS_AT_ONCE, PASSWORDS_WAITING);
    pthread_mutex_init(&portal->mtx, NULL);
    portal->settings = settings_create(conf);
    portal->mailer = mailer_create(portal);
    return portal;
}

void portal_destroy(struct portal *portal)
{
    if (portal == NULL)
        return;
    mailer_destroy(portal->mailer);
    settings_put(portal, portal->settings);
    pthread_mutex_destroy(&portal->mtx);
    passwords_destroy(portal->passwords);
    throttle_destroy(portal->throttle);
    queries_destroy(portal->queries);
    words_free(portal->words);
    rates_destroy(portal->rates);
    http_files_destroy(portal->files);
    free(portal);
}

void portal_configure(struct portal *portal, const struct portal_conf *conf)
{
    struct settings *new = settings_create(conf);
    pthread_mutex_lock(&portal->mtx);
    struct settings *old = portal->settings;
    portal->settings = new;
    pthread_mutex_unlock(&portal->mtx);
    settings_put(portal, old);
    mailer_configured(portal->mailer);
}

void portal_sample(struct portal *portal)
{
    const struct portal_sources *s = &portal->sources;
    rates_sample(portal->rates, clock_mono(), s->visit_cells, s->ctx);
}

void portal_serve_admin(struct http_conn *conn, void *portal)
{
    endpoint_serve(portal, ENDPOINT_ADMIN, conn);
}

void portal_serve_developers(struct http_conn *conn, void *portal)
{
    endpoint_serve(portal, ENDPOINT_PORTAL, conn);
}
