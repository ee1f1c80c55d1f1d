/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal_client.h -- a program that uses the portal's JSON API as the pages do: with the cookie of
 * its session, and its token.
 *
 * Threads: one at a time.
 * Memory:  answers are given to the caller; portal_client_finish() overwrites what is secret.
 * Errors:  one sentence; E_EXISTS for 409, E_DENIED for other refusals.
 */
#ifndef APPLIANCE_DEMO_PORTAL_CLIENT_H
#define APPLIANCE_DEMO_PORTAL_CLIENT_H

#include "appliance/demo/place.h"
#include "base/error.h"

#include <jansson.h>

struct portal_client {
    struct place_port portal;
    char cookie[256]; /* "weir_portal=..."; "" before signing in */
    char csrf[64];
};

void portal_client_init(struct portal_client *client, const struct place_port *portal);
void portal_client_finish(struct portal_client *client);

/* One request on a connection of its own; `wish` (may be NULL) is borrowed. The answer's JSON is
 * given to the caller; NULL where it has none. */
must_check int portal_client_ask(struct portal_client *client, const char *method, const char *path,
                                 const json_t *wish, json_t **ret_answer, struct error *err);

#endif
