/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h -- inside of portal/: a mail to a person, as part of the write it tells of.
 *
 * A notice names its words, mail.TEMPLATE.subject and mail.TEMPLATE.body of the catalogs. What goes
 * into the queue is sealed: mails hold links that open accounts.
 *
 * Threads: within a write.
 * Memory:  what a notice points to is copied.
 * Errors:  those of the queue; where there are no mails, nothing happens.
 */
#ifndef PORTAL_NOTIFY_H
#define PORTAL_NOTIFY_H

#include "base/seal.h"
#include "portal/endpoint.h"
#include "portal/locale.h"

#define NOTICE_PARAMS_MAX 6
#define NOTICE_BYTES_MAX                                                                           \
    (64U << 10) /* of a mail, far above what words and limits of input allow                       \
                 */

struct notice {
    const char *template; /* "confirm": the keys mail.confirm.subject and .body */
    struct str to, name;  /* the address, and whose it is */
    enum locale locale;
    struct str keys[NOTICE_PARAMS_MAX], values[NOTICE_PARAMS_MAX]; /* {key} in the words */
    unsigned count;
};

static inline void notice_add(struct notice *notice, struct str key, struct str value)
{
    CHECK(notice->count < NOTICE_PARAMS_MAX);
    notice->keys[notice->count] = key;
    notice->values[notice->count++] = value;
}

/* Puts it into the queue; it is sent once the write has been committed. */
must_check int notify(const struct portal *portal, const struct portal_conf *conf,
                      struct registry_write *write, const struct notice *notice, struct error *err);

/* The same to everyone who may change the keys of an app, each in their language. `to`, `name` and
 * `locale` are not looked at. */
must_check int notify_app(const struct portal *portal, const struct portal_conf *conf,
                          struct registry_write *write, struct str app, const struct notice *notice,
                          struct error *err);

/* --- what is in a queued mail --- */

struct notice_text {
    struct str name, subject, text; /* whose address it is, and what they read */
};

/* With what mails are sealed. */
struct seal_key notice_key(const struct pepper *pepper);

/* Opens what lies in the queue under that id into `room`, which the caller wipes and frees.
 * E_CORRUPT. */
must_check int notice_open(struct buf *room, const struct seal_key *key, const struct uuid *id,
                           struct str content, struct notice_text *ret_text);

#endif
