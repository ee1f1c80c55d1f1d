/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/req.h"

#include <stdio.h>

void req_refuse(struct req *req, enum reason reason, const char *detail, ...)
{
    if (req->reason != REASON_NONE)
        return;
    req->reason = reason;
    req->status = reason_row(reason)->status;
    req->detail[0] = '\0';
    if (detail != NULL) {
        va_list ap;
        va_start(ap, detail);
        vsnprintf(req->detail, sizeof(req->detail), detail, ap);
        va_end(ap);
    }
}

void req_refuse_fault(struct req *req, unsigned status, const char *why)
{
    enum reason reason = status == 408   ? REASON_REQUEST_TIMEOUT
                         : status == 414 ? REASON_URI_TOO_LONG
                         : status == 431 ? REASON_HEADERS_TOO_LARGE
                                         : REASON_BAD_REQUEST;
    req_refuse(req, reason, "The request is refused: %s.", why);
    req->status = status;
}

void note_begin(struct req *req, const char *decision)
{
    buf_add_cstr(&req->trail, decision);
}

static void note_key(struct req *req, const char *key)
{
    buf_add_char(&req->trail, ' ');
    buf_add_cstr(&req->trail, key);
    buf_add_char(&req->trail, '=');
}

void note_u64(struct req *req, const char *key, uint64_t value)
{
    note_key(req, key);
    buf_add_u64(&req->trail, value);
}

void note_str(struct req *req, const char *key, struct str value)
{
    note_key(req, key);
    buf_add_str(&req->trail, value);
}

void note_end(struct req *req)
{
    buf_add_char(&req->trail, ';');
}

struct buf *header_begin(struct req *req, const char *name)
{
    buf_add_cstr(&req->extra, name);
    buf_add_lit(&req->extra, ": ");
    return &req->extra;
}

void header_end(struct req *req)
{
    buf_add_lit(&req->extra, "\r\n");
}
