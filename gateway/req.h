/* SPDX-License-Identifier: Apache-2.0 */
/*
 * req.h -- one request on its way through the gateway; what every step and policy works on.
 *
 * Threads: a request belongs to its fiber; the lane it names to the fiber's carrier.
 * Memory:  a struct req and its buffers are kept in the lane and used again; views point into the
 *          connection's workspace, the request's arena, the snapshot, or static text.
 * Errors:  a step that refuses the request fills `reason` and what goes with it by req_refuse().
 */
#ifndef GATEWAY_REQ_H
#define GATEWAY_REQ_H

#include "analytics/record.h"
#include "base/buf.h"
#include "base/http/server.h"
#include "gateway/limiter.h"
#include "gateway/router.h"

struct access_app;
struct access_key;
struct gateway;
struct lane;
struct snapshot;

#define REQ_EXTRA_MAX 768 /* header fields that policies add to the answer */
#define REQ_UPSTREAM_BYTES                                                                         \
    (32 * 1024)            /* what is read of an upstream at once; the most of its head */
#define REQ_OUT_SLACK 4096 /* what our own fields may add to a forwarded head */
#define REQ_DETAIL_MAX 256

/* Where the key was found; what must not be forwarded. */
enum key_source { KEY_FROM_NOWHERE, KEY_FROM_HEADER, KEY_FROM_BEARER, KEY_FROM_QUERY };

struct req {
    struct http_conn *conn;
    const struct head *head;
    struct gateway *gateway;
    struct lane *lane;
    const struct snapshot *snapshot;
    unsigned epoch_token;

    /* what is asked for */
    enum http_method method;
    struct http_target target;
    struct str path; /* normalised */
    struct str host; /* lower case, without port */
    struct ip client_ip;
    bool via_proxy; /* the connection comes from a trusted proxy */
    struct route_match match;
    const struct route_conf *route; /* NULL until one is found */

    /* who asks */
    enum key_source key_source;
    const struct access_key *key; /* NULL without one */
    const struct access_app *app; /* NULL without one */
    struct limiter_answer limits; /* count 0 where none applied */

    /* what is answered */
    enum reason reason;
    unsigned status;
    unsigned retry_after_s; /* with 429 and 503; 0 for none */
    uint32_t allow;         /* with 405 */
    bool metered;           /* it was let through by every policy for an app */
    unsigned entered;       /* how many of the route's policies have seen it */
    struct buf trail, extra;
    char detail[REQ_DETAIL_MAX];

    /* what is known of it for the record */
    struct uuid id;
    char id_text[UUID_TEXT_LEN];
    unsigned char trace_id[16], span_id[8];
    struct str upstream, target_name;
    unsigned attempts;
    uint64_t upstream_us;
    uint64_t sequence; /* of its record in the ring; 0 while not committed */
    size_t room;       /* set aside for it there; 0 for none */

    struct req *next; /* in the lane's spare list */
    size_t out_cap;
    char *out; /* composed heads; out_cap bytes */
    char host_text[256];
    char trail_text[RECORD_TRAIL_MAX];
    char extra_text[REQ_EXTRA_MAX];
    char in[REQ_UPSTREAM_BYTES]; /* bytes of the upstream */
};

/*
 * Refuses the request: `reason` decides status and code, `detail` (a format, may be NULL for the
 * reason's own meaning) is one sentence for the caller. The first refusal stands.
 */
attr_printf(3, 4) void req_refuse(struct req *req, enum reason reason, const char *detail, ...);

/* Refuses a request whose head could not be taken, with the HTTP status that says so. */
void req_refuse_fault(struct req *req, unsigned status, const char *why);

/*
 * Notes a policy's decision and the numbers it was made from, for `weir explain`. A note is
 * "limits pass burst.remaining=9 month.remaining=412;": what decided, then key=value pairs.
 *
 *     note_begin(req, "limits pass");
 *     note_u64(req, "remaining", 9);
 *     note_end(req);
 */
void note_begin(struct req *req, const char *decision);
void note_u64(struct req *req, const char *key, uint64_t value);
void note_str(struct req *req, const char *key, struct str value);
void note_end(struct req *req);

/* A header field of the answer, whoever gives it: the value is what is appended in between. */
struct buf *header_begin(struct req *req, const char *name);
void header_end(struct req *req);

#endif
