/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head.h -- reads the head of a request or a response, and refuses what is ambiguous.
 *
 * A gateway and the server behind it must see the same message; whatever two parsers could read in
 * two ways is refused here (RFC 9112 §2.2, §3, §5, §6.3, §11). Where HTTP lets a recipient be
 * lenient, this one is not: no bare LF, no folded line, no space before a colon, no repeated
 * Content-Length.
 *
 * Threads: pure functions.
 * Memory:  results are views into the bytes given.
 * Errors:  enum head_status with a short English reason; nothing else is reported.
 */
#ifndef BASE_HTTP_HEAD_H
#define BASE_HTTP_HEAD_H

#include "base/str.h"

#define HEAD_FIELDS_MAX 100

/* The fields the code asks for by name; found while parsing, by length and a comparison. */
enum http_field {
    FIELD_OTHER,
    FIELD_HOST,
    FIELD_CONNECTION,
    FIELD_KEEP_ALIVE,
    FIELD_PROXY_CONNECTION,
    FIELD_PROXY_AUTHORIZATION,
    FIELD_PROXY_AUTHENTICATE,
    FIELD_TE,
    FIELD_TRAILER,
    FIELD_TRANSFER_ENCODING,
    FIELD_UPGRADE,
    FIELD_CONTENT_LENGTH,
    FIELD_CONTENT_TYPE,
    FIELD_EXPECT,
    FIELD_AUTHORIZATION,
    FIELD_X_API_KEY,
    FIELD_X_REQUEST_ID,
    FIELD_X_FORWARDED_FOR,
    FIELD_X_FORWARDED_PROTO,
    FIELD_X_FORWARDED_HOST,
    FIELD_FORWARDED,
    FIELD_VIA,
    FIELD_TRACEPARENT,
    FIELD_USER_AGENT,
    FIELD_REFERER,
    FIELD_ACCEPT,
    FIELD_IF_NONE_MATCH,
    FIELD_DATE,
    FIELD_SERVER,
    FIELD_COUNT
};

struct head_field {
    struct str name, value; /* value without surrounding white space */
    enum http_field id;
    bool hop_by_hop; /* belongs to this connection only (RFC 9110 §7.6.1) */
};

enum body_kind {
    BODY_NONE,
    BODY_LENGTH,
    BODY_CHUNKED,
    BODY_UNTIL_CLOSE, /* responses only */
};

struct head {
    struct str method, target; /* requests */
    unsigned status;           /* responses */
    struct str phrase;
    unsigned minor; /* HTTP/1.minor, 0 or 1 */
    struct head_field fields[HEAD_FIELDS_MAX];
    unsigned count;
    /* index + 1 of the first field of that id; 0 where there is none */
    unsigned char first[FIELD_COUNT];
    enum body_kind body;
    uint64_t content_length; /* of BODY_LENGTH */
    bool has_length; /* a Content-Length was there, also where no body follows (HEAD, 304) */
    bool close;      /* the sender will close, or did not promise to stay */
    bool upgrade;    /* Connection: upgrade with an Upgrade field */
    bool expect_continue;
    size_t size; /* bytes of the head, the empty line included */
};

enum head_status {
    HEAD_OK,
    HEAD_INCOMPLETE,
    HEAD_BAD,           /* 400 */
    HEAD_URI_TOO_LONG,  /* 414 */
    HEAD_TOO_LARGE,     /* 431 */
    HEAD_UNIMPLEMENTED, /* 501 */
    HEAD_VERSION,       /* 505 */
};

/* The status that a refused head is answered with; 0 for HEAD_OK and HEAD_INCOMPLETE. */
unsigned head_fault_status(enum head_status s);

struct head_limits {
    size_t head, target; /* bytes */
};

/* How far the search for the end has come; zero it for a new head. */
struct head_scan {
    size_t at;       /* bytes looked at */
    size_t skipped;  /* bytes of empty lines before the head (RFC 9112 §2.2) */
    bool started;    /* a byte that is not an empty line was seen */
    bool first_line; /* the first line is complete */
};

/* An empty head, in which nothing is found. The parsers begin with it. */
void head_clear(struct head *head);

/*
 * Looks for the end of a request's head in the first `n` bytes at `p`; call again with more bytes
 * behind the same ones. HEAD_OK: it is complete, from scan->skipped to scan->at. HEAD_INCOMPLETE:
 * read on. Anything else: refuse; *ret_why says why. A bare LF, and a head over the limits, are
 * noticed as soon as they are there.
 */
enum head_status head_scan_request(struct head_scan *scan, const char *p, size_t n,
                                   const struct head_limits *limits, const char **ret_why);

/* Parses a complete request head of `n` bytes. */
enum head_status head_parse_request(struct head *head, const char *p, size_t n,
                                    const struct head_limits *limits, const char **ret_why);

/*
 * Parses the head of a response to a request with that method, if it is complete within `n` bytes:
 * HEAD_OK (see head->size), HEAD_INCOMPLETE, HEAD_TOO_LARGE, or HEAD_BAD. The body's kind follows
 * RFC 9112 §6.3.
 */
enum head_status head_parse_response(struct head *head, const char *p, size_t n, size_t limit,
                                     bool to_head, const char **ret_why);

/* The first field of that id; NULL where there is none. */
static inline const struct head_field *head_find(const struct head *head, enum http_field id)
{
    unsigned i = head->first[id];
    return i > 0 ? &head->fields[i - 1] : NULL;
}

/* The value of the first field of that id; empty where there is none. */
static inline struct str head_value(const struct head *head, enum http_field id)
{
    const struct head_field *f = head_find(head, id);
    return f != NULL ? f->value : STR_EMPTY;
}

/* How many fields of that id there are. */
unsigned head_count(const struct head *head, enum http_field id);

/* The id of a field name, in any case. */
enum http_field head_field_id(struct str name);

/* Whether s is a token (RFC 9110 §5.6.2), at least one character. */
bool http_is_token(struct str s);

/*
 * Takes the next element off a comma-separated list (RFC 9110 §5.6.1), empty ones skipped. False at
 * the end.
 */
bool http_list_next(struct str *rest, struct str *ret_element);

#endif
