/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h -- what is known of one request when it is over: the access record.
 *
 * The gateway fills one in its request's memory and commits it to its carrier's ring (journal.h);
 * metering, analytics, metrics and logs are all made from it, so that they can be reconciled to the
 * call. The fields are declared once in record_fields.def.
 *
 * Threads: a record belongs to one request.
 * Memory:  views borrow from the request until the commit has copied them.
 * Errors:  none; what is too long for the ring is cut at a character's border (RECORD_TEXT_MAX).
 */
#ifndef ANALYTICS_RECORD_H
#define ANALYTICS_RECORD_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/str.h"
#include "base/uuid.h"

enum reason {
    REASON_NONE, /* the upstream answered */
#define X(name, code, status, title, meaning, advice) REASON_##name,
#include "analytics/reasons.def"
#undef X
    REASON_COUNT
};

struct reason_row {
    struct str code;
    unsigned status;
    const char *title, *meaning, *advice;
};

/* The row of a reason; for REASON_NONE one whose code is "" and whose status is 0. */
const struct reason_row *reason_row(enum reason reason);

/* REASON_NONE where the code is unknown. */
enum reason reason_find(struct str code);

/* How a call ended, for who counts calls; each is one of these. */
enum outcome {
    OUTCOME_ANSWERED, /* by the upstream with anything but a 5xx */
    OUTCOME_REFUSED,  /* by Weir with a 4xx: key, plan, limit, address, a request that is wrong */
    OUTCOME_ERROR,    /* 5xx, of the upstream or of Weir */
    OUTCOME_GONE,     /* the client went away */
};
enum outcome outcome_of(uint32_t status, enum reason reason);

/* The registered methods a route can name; anything else is METHOD_OTHER. */
enum http_method {
    METHOD_OTHER,
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_CONNECT,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH,
    METHOD_COUNT
};

/* "GET"; "_OTHER" for METHOD_OTHER. */
struct str http_method_name(enum http_method method);

/* Case-sensitive, as methods are (RFC 9110 §9.1). */
enum http_method http_method_find(struct str name);

/* A limit of the app's plan that this call took from; written to the usage of that limit's window.
 */
struct record_quota {
    struct str limit;   /* name of the limit, as in RateLimit-Policy */
    struct wall window; /* begin of the window it was taken from */
    uint32_t cost;
};

#define RECORD_QUOTAS_MAX 4
#define RECORD_TEXT_MAX 2048 /* bytes kept of any one text field */
#define RECORD_TRAIL_MAX 1024

struct record {
    struct wall time;
    struct uuid request_id;
    struct str client_request_id;
    unsigned char trace_id[16];
    unsigned char span_id[8];
    struct str api, route;
    enum http_method method;
    struct str path, query;
    uint32_t status;
    enum reason reason;
    struct str app, key, plan;
    struct ip client_ip;
    struct str country;
    uint32_t asn;
    uint64_t bytes_in, bytes_out;
    uint64_t duration_us, upstream_us, queue_us;
    struct str upstream, target;
    uint32_t attempts;
    struct str cache, protocol, tls, user_agent, referer;
    bool metered;
    struct str trail;

    /* not fields of the record, but consequences of it */
    struct record_quota quotas[RECORD_QUOTAS_MAX];
    unsigned quota_count;
};

/* Appends the record as one JSON object on one line, every field in the order of the table. */
void record_json(struct buf *out, const struct record *record);

/* Whether the key was recognised, so that the call counts as its use. */
bool record_used_key(const struct record *record);

#endif
