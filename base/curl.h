/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl.h -- a client of HTTP and SMTP for threads that may block: one request at a time over a kept
 * connection.
 *
 * The only user of libcurl, whose own prefix is why everything here is called `fetch`. For what the
 * control plane sends (log sinks, mails), never for a carrier: the gateway has a client of its own.
 * A redirect is an answer like any other; proxies of the environment and .netrc are not looked at;
 * only http, https, smtp and smtps are spoken.
 *
 * Threads: a client belongs to one thread; only fetch_cancel() may come from another.
 * Memory:  a client owns its connections; an answer is the caller's buffer.
 * Errors:  an answer of any status is a success. Otherwise an E_ code and a sentence that begins
 *          with the URL.
 */
#ifndef BASE_CURL_H
#define BASE_CURL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

struct fetch_client;

must_check int fetch_client_create(struct fetch_client **ret_client, struct error *err);

/* NULL is accepted. */
void fetch_client_destroy(struct fetch_client *client);

struct fetch_request {
    const char *method;         /* "POST" */
    const char *url;            /* absolute; http or https */
    const char *const *headers; /* "Name: value"; may be NULL */
    size_t header_count;
    struct str body;            /* sent where it is not empty */
    int64_t connect_timeout_us; /* until the connection stands; 0 for timeout_us */
    int64_t timeout_us;         /* for everything */
};

#define FETCH_TYPE_MAX 64

struct fetch_response {
    unsigned status;
    int64_t retry_after_us; /* of Retry-After; 0 where there was none */
    char
        type[FETCH_TYPE_MAX]; /* Content-Type, cut where it does not fit; "" where there was none */
};

/*
 * Sends the request and waits for its answer, of whose body `body` (may be NULL) gets as much as
 * fits its ceiling; the rest is read and dropped. 0, E_TIMEOUT, E_REFUSED, E_RESET, E_NOT_FOUND (no
 * such host), E_INVALID (of the URL), E_CANCELED, E_IO.
 */
must_check int fetch(struct fetch_client *client, const struct fetch_request *request,
                     struct fetch_response *ret_response, struct buf *body, struct error *err);

struct fetch_mail {
    const char *url;                 /* smtp://host:587 or smtps://host:465 */
    const char *username, *password; /* NULL for none */
    bool must_encrypt;               /* over smtp: STARTTLS, or nothing is sent (RFC 3207) */
    const char *from, *to;           /* addresses, without brackets */
    struct str text;                 /* as base/mail.h writes it */
    int64_t timeout_us;              /* for everything */
};

/*
 * Hands one mail to a mail server (RFC 5321). 0 where the server took it. Else a code as of
 * fetch(), or E_DENIED where it does not take the name and password; *ret_status is then the last
 * answer of the server (550), 0 where there was none, and the sentence has what libcurl says of it.
 */
must_check int fetch_mail_send(struct fetch_client *client, const struct fetch_mail *mail,
                               unsigned *ret_status, struct error *err);

/* Ends the running request and every later one with E_CANCELED. Any thread, while it exists. */
void fetch_cancel(struct fetch_client *client);

#endif
