/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h -- inside of portal/: a mail to a person, as part of the write it tells of.
 *
 * Threads: within a write.
 * Memory:  what a notice points to is copied, and sealed: mails hold links that open accounts.
 * Errors:  those of the queue; where mails are not sent, nothing happens.
 */
#ifndef PORTAL_NOTIFY_H
#define PORTAL_NOTIFY_H

#include "portal/endpoint.h"
#include "portal/locale.h"

#define NOTICE_PARAMS_MAX 6

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
must_check int notify(struct endpoint_call *call, struct registry_write *write,
                      struct notice *notice, struct error *err);

#endif
