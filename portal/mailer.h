/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailer.h -- inside of portal/: the thread that hands queued mails to the mail server.
 *
 * A mail leaves the queue when the server took it; until then it is tried again, after 5 seconds
 * and then after twice as long each time up to an hour, for two days. An answer of 5xx ends it at
 * once, but not one about our own log-in. Without a server at all the others wait as well. A mail
 * whose delivery was cut short, by a kill for example, may come twice, with one Message-ID.
 *
 * Once an hour the thread also queues warnings of keys that expire, and forgets old mails.
 *
 * Threads: all functions from any; the mailer's own thread is the only one that waits for servers.
 * Memory:  the mailer borrows the portal.
 * Errors:  logged, without what a mail says, and kept with the mail for the console.
 */
#ifndef PORTAL_MAILER_H
#define PORTAL_MAILER_H

#include "portal/endpoint.h"

struct mailer;

/* Starts it; NULL where the portal has no registry. The portal is whole but for the mailer. */
struct mailer *mailer_create(struct portal *portal);

/* Ends a delivery that is under way, and the thread. NULL is accepted. */
void mailer_destroy(struct mailer *mailer);

/* The configuration is another: all that waits is tried now. NULL is accepted. */
void mailer_configured(struct mailer *mailer);

#endif
