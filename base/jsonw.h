/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonw.h -- writes JSON into a buffer, value by value, without a tree in between.
 *
 *     struct jsonw w;
 *     jsonw_init(&w, &buf);
 *     jsonw_object(&w);
 *     jsonw_key(&w, "status"), jsonw_u64(&w, 200);
 *     jsonw_end(&w);
 *
 * Commas and brackets are its business. Strings are escaped as RFC 8259 asks; bytes that are not
 * UTF-8 become U+FFFD, so the output is always valid JSON whatever a client sent.
 *
 * Threads: a writer belongs to one thread.
 * Memory:  the buffer's.
 * Errors:  the buffer's sticky error; wrong nesting is a bug and aborts.
 */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include "base/buf.h"

#define JSONW_DEPTH_MAX 31

struct jsonw {
    struct buf *out;
    unsigned depth;
    uint32_t is_object; /* bit d: the container at depth d is an object */
    uint32_t has_items; /* bit d: it has an item, so the next one needs a comma */
    bool after_key;     /* the next value belongs to the key just written */
};

void jsonw_init(struct jsonw *w, struct buf *out);

void jsonw_object(struct jsonw *w);
void jsonw_array(struct jsonw *w);
/* Closes the innermost object or array. */
void jsonw_end(struct jsonw *w);

/* The name of the next value; only directly inside an object. */
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_key_str(struct jsonw *w, struct str key);

void jsonw_str(struct jsonw *w, struct str value);
void jsonw_cstr(struct jsonw *w, const char *value);
void jsonw_u64(struct jsonw *w, uint64_t value);
void jsonw_i64(struct jsonw *w, int64_t value);
/* Not finite becomes null. */
void jsonw_double(struct jsonw *w, double value);
void jsonw_bool(struct jsonw *w, bool value);
void jsonw_null(struct jsonw *w);
/* A value that is JSON already. */
void jsonw_raw(struct jsonw *w, struct str json);

/* Only the quoted, escaped string, outside of any document. */
void jsonw_quote(struct buf *out, struct str s);

#endif
