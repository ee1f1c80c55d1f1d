/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint.h -- inside of portal/: from a request to the handler of its row in endpoints.def.
 *
 * Before a row is looked for: the admin listener refuses addresses outside `admin.allow`, and hosts
 * that it does not know. The latter keeps web pages out: a page whose name was made to point to
 * 127.0.0.1 (DNS rebinding) is of the same origin as this listener for the browser, but what it
 * sends bears its own name as Host. An address as Host cannot be made so, and is let through.
 *
 * Threads: a call belongs to its worker.
 * Memory:  what a call points to lives until the answer is sent.
 * Errors:  a handler sends exactly one answer; endpoint_fail() is the one for failures.
 */
#ifndef PORTAL_ENDPOINT_H
#define PORTAL_ENDPOINT_H

#include "base/http/files.h"
#include "base/http/reply.h"
#include "base/http/target.h"
#include "portal/portal.h"
#include "portal/rates.h"

#include <pthread.h>

/* What the workers of both listeners share. */
struct portal {
    struct portal_sources sources; /* const after creation */
    struct http_files *files;      /* const after creation */
    struct str stylesheet;         /* const after creation: its name in `files`; empty for none */
    struct rates *rates;           /* has its own lock */
    pthread_mutex_t mtx;
    struct settings *settings; /* guarded by mtx: which one, and how many use it */
};

enum endpoint_listener { ENDPOINT_ADMIN, ENDPOINT_PORTAL };

struct endpoint_call {
    struct http_conn *conn;
    struct portal *portal;
    const struct portal_conf *conf; /* in force when the request came */
    enum endpoint_listener listener;
    struct http_target target;
    struct str param; /* what stands for the {param} of the path, normalised; else empty */
};

typedef void endpoint_handler(struct endpoint_call *call);

#define X(listener, method, path, handler, doc) endpoint_handler handler;
#include "portal/endpoints.def"
#undef X

/* Answers a request to that listener: what portal_serve_admin() and its sibling come to. */
void endpoint_serve(struct portal *portal, enum endpoint_listener listener, struct http_conn *conn);

#define ENDPOINT_NO_STORE STR("no-store")   /* what is true only now */
#define ENDPOINT_REVALIDATE STR("no-cache") /* kept, but asked for each time */
#define ENDPOINT_FOREVER STR("public, max-age=31536000, immutable") /* the name has a hash */

/* Sends an answer with the headers that every answer here has. `cache` is its Cache-Control. */
void endpoint_send(struct endpoint_call *call, struct reply *reply, struct str cache);

/* Sends `json` (200 or what `status` says) and frees it. */
void endpoint_send_json(struct endpoint_call *call, unsigned status, struct buf *json);

/* Sends an HTML page and frees it. */
void endpoint_send_page(struct endpoint_call *call, unsigned status, struct buf *html);

/* Sends a failure as problem document, or as a page where a browser asks. */
void endpoint_fail(struct endpoint_call *call, unsigned status, struct str detail);

/* Whether the client would rather have a page than data. Where it does not say, `otherwise`. */
bool endpoint_wants_page(const struct endpoint_call *call, bool otherwise);

/*
 * The value of a parameter of the query, decoded (`+` is a space) into the request's arena; of
 * several the first. False where it is not there, its escapes are broken, or it holds a control
 * character.
 */
bool endpoint_query(const struct endpoint_call *call, struct str name, struct str *ret_value);

#endif
