/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint.h -- inside of portal/: from a request to the handler of its row in endpoints.def.
 *
 * What a handler may take for granted: the row's role was checked (guard.h), and where its path has
 * an {app}, the person is a member of that app's team; a request that changes something came from
 * our own pages or from no browser; the body fits the row's schema.
 *
 * Threads: a call belongs to its worker.
 * Memory:  what a call points to lives until the answer is sent.
 * Errors:  a handler sends exactly one answer; endpoint_fail() and its siblings are for failures.
 */
#ifndef PORTAL_ENDPOINT_H
#define PORTAL_ENDPOINT_H

#include "base/http/files.h"
#include "base/http/reply.h"
#include "base/http/target.h"
#include "base/jsonw.h"
#include "base/password.h"
#include "portal/input.h"
#include "portal/portal.h"
#include "portal/rates.h"
#include "portal/registry.h"
#include "portal/throttle.h"

#include <pthread.h>

/* What the workers of both listeners share. */
struct portal {
    struct portal_sources sources; /* const after creation */
    struct http_files *files;      /* const after creation */
    struct str stylesheet;         /* const after creation: its name in `files`; empty for none */
    struct rates *rates;           /* has its own lock */
    struct registry *registry;     /* the appliance's; NULL only in tests of what needs none */
    struct queries *queries;       /* has its own lock */
    struct throttle *throttle;     /* has its own lock */
    struct passwords *passwords;   /* has its own lock */
    struct words *words;           /* const after creation */
    struct mailer *mailer;         /* const after creation; NULL where there is no registry */
    pthread_mutex_t mtx;
    struct settings *settings; /* guarded by mtx: which one, and how many use it */
};

/* A row may be of both. */
enum endpoint_listener { ENDPOINT_ADMIN = 1, ENDPOINT_PORTAL = 2, ENDPOINT_BOTH = 3 };

enum role {
    ROLE_MACHINE,   /* whoever `admin.allow` lets in; no session is looked at */
    ROLE_ANYONE,    /* the same for people: a session is looked at, but need not be there */
    ROLE_PERSON,    /* who is signed in */
    ROLE_APP_READ,  /* members of the team of {app}, */
    ROLE_APP_WRITE, /* those of them who may change keys and plans, */
    ROLE_APP_OWN,   /* and those who may end it */
    ROLE_OPERATOR,  /* operators */
};

/* How much a member of a team may; the order is that of power. */
enum member { MEMBER_NONE, MEMBER_VIEWER, MEMBER_DEVELOPER, MEMBER_ADMIN, MEMBER_OWNER };

/* Who is signed in. */
struct person {
    struct uuid id;
    struct uuid session;
    struct str email, name;
    struct str locale, time_zone; /* "" where not chosen */
    bool is_operator;
};

#define CSRF_TEXT_MAX 48

struct endpoint;

struct endpoint_call {
    struct http_conn *conn;
    struct portal *portal;
    const struct portal_conf *conf; /* in force when the request came */
    const struct endpoint *row;
    struct ip client; /* who asks: the peer, or whom a trusted proxy names */
    enum endpoint_listener listener;
    struct http_target target;
    struct str path;      /* normalised */
    struct str params[2]; /* what stands for the {params} of the path; else empty */
    const struct person *person;
    char csrf[CSRF_TEXT_MAX]; /* what a change must bring along; "" where nobody is signed in */
    enum member member;       /* of the team of {app} */
    struct input input;
    struct str set_cookie;   /* goes out with the answer where it is not empty */
    bool wipe;               /* the answer has a secret: its memory is overwritten */
    struct capture *capture; /* where the answer goes instead of to the client */
};

typedef void endpoint_handler(struct endpoint_call *call);

#define X(listener, method, path, role, handler, in, out, doc) endpoint_handler handler;
#include "portal/endpoints.def"
#undef X

/* Answers a request to that listener: what portal_serve_admin() and its sibling come to. */
void endpoint_serve(struct portal *portal, enum endpoint_listener listener, struct http_conn *conn);

/* --- answers (answer.c) --- */

#define ENDPOINT_NO_STORE STR("no-store")   /* what is true only now */
#define ENDPOINT_REVALIDATE STR("no-cache") /* kept, but asked for each time */
#define ENDPOINT_FOREVER STR("public, max-age=31536000, immutable") /* the name has a hash */

#define ENDPOINT_JSON_MAX (4U << 20)

/* Sends an answer with the headers that every answer here has. `cache` is its Cache-Control. */
void endpoint_send(struct endpoint_call *call, struct reply *reply, struct str cache);

/* Begins a JSON answer in `json`, for endpoint_send_json(). */
void endpoint_json(struct buf *json, struct jsonw *w);

/* Sends `json` (200 or what `status` says) and frees it. */
void endpoint_send_json(struct endpoint_call *call, unsigned status, struct buf *json);

/* Sends an HTML page and frees it. */
void endpoint_send_page(struct endpoint_call *call, unsigned status, struct buf *html);

/* Sends 204, or to a form the way to `page`. */
void endpoint_send_done(struct endpoint_call *call, struct str page);

/* Sends 303 to a path of ours. */
void endpoint_redirect(struct endpoint_call *call, struct str path);

/* Sends a failure as problem document, or as a page where a browser asks. */
void endpoint_fail(struct endpoint_call *call, unsigned status, struct str detail);

/* The same, and when to try again. */
void endpoint_fail_later(struct endpoint_call *call, unsigned status, struct str detail,
                         unsigned seconds);

/* Sends 422 with the faults of call->input, one a field. */
void endpoint_fail_input(struct endpoint_call *call);

/*
 * Sends what a store or the registry failed with: E_NOT_FOUND 404, E_EXISTS 409, E_INVALID 422 with
 * the sentence; a lock or a full disk 503; anything else 500, with the sentence in the log only.
 */
void endpoint_fail_error(struct endpoint_call *call, int code, const struct error *err);

/* What an answer came to that was captured. */
struct capture {
    unsigned status;
    struct buf body; /* JSON; freed by whoever captured */
};

/*
 * Asks the handler of that path (GET) as the same person, without role checks: the caller's row has
 * the same or a stricter role. Its JSON goes into capture->body, unless the status is not 200.
 */
void endpoint_capture(struct endpoint_call *call, struct str path, struct capture *capture);

/* --- what was asked --- */

/* Whether the client would rather have a page than data. Where it does not say, `otherwise`. */
bool endpoint_wants_page(const struct endpoint_call *call, bool otherwise);

/*
 * The value of a parameter of the query, decoded (`+` is a space) into the request's arena; of
 * several the first. False where it is not there, its escapes are broken, or it holds a control
 * character.
 */
bool endpoint_query(const struct endpoint_call *call, struct str name, struct str *ret_value);

/* A header field by a name that base/http/head.h does not know; empty where there is none. */
struct str endpoint_header(const struct endpoint_call *call, struct str name);

/* The client's address, for audit and throttles. */
struct str endpoint_address(const struct endpoint_call *call);

/* Where a call comes from, for throttles: a client has all of an IPv6 /64. What goes wrong at the
 * portal is not counted at the console. */
struct str endpoint_origin(const struct endpoint_call *call);

#define ENDPOINT_PAGE_DEFAULT 50
#define ENDPOINT_PAGE_MAX 200

/* `limit` of the query within its bounds. False where it is no number: 422 was sent. */
bool endpoint_limit(struct endpoint_call *call, uint32_t *ret_limit);

/* Moments as RFC 3339 with milliseconds; null for none. */
void endpoint_time(struct jsonw *w, const char *key, struct wall t);
void endpoint_uuid(struct jsonw *w, const char *key, const struct uuid *id);

#endif
