/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a request out of arbitrary bytes; the first byte tells where they are cut. The cut
 * must make no difference, what is accepted must lie within the bytes, and written out again it
 * must be read as the same.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/http/head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct head_limits limits = {.head = 2048, .target = 512};

static enum head_status scan(struct str in, size_t cut, struct head_scan *ret_scan)
{
    const char *why = NULL;
    *ret_scan = (struct head_scan){.at = 0};
    enum head_status s = head_scan_request(ret_scan, in.p, cut, &limits, &why);
    if (s == HEAD_INCOMPLETE)
        s = head_scan_request(ret_scan, in.p, in.n, &limits, &why);
    CHECK(s == HEAD_OK || s == HEAD_INCOMPLETE || why != NULL);
    CHECK(ret_scan->skipped <= ret_scan->at && ret_scan->at <= in.n);
    return s;
}

static void check_within(struct str part, struct str all)
{
    CHECK(part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

static void check_framing(const struct head *h)
{
    bool chunked = head_find(h, FIELD_TRANSFER_ENCODING) != NULL;
    unsigned lengths = head_count(h, FIELD_CONTENT_LENGTH);
    CHECK(chunked == (h->body == BODY_CHUNKED));
    CHECK(lengths + chunked <= 1 && (lengths == 1) == h->has_length);
    CHECK(!chunked || h->minor == 1);
    CHECK(h->body != BODY_UNTIL_CLOSE);
    CHECK(head_count(h, FIELD_HOST) + (h->minor == 0) >= 1 && head_count(h, FIELD_HOST) <= 1);
}

static void check_same(const struct head *a, const struct head *b)
{
    CHECK(str_eq(a->method, b->method) && str_eq(a->target, b->target));
    CHECK(a->count == b->count && a->body == b->body && a->close == b->close);
    CHECK(a->content_length == b->content_length && a->minor == b->minor);
    for (unsigned i = 0; i < a->count; i++) {
        CHECK(str_eq(a->fields[i].name, b->fields[i].name));
        CHECK(str_eq(a->fields[i].value, b->fields[i].value));
        CHECK(a->fields[i].id == b->fields[i].id);
        CHECK(a->fields[i].hop_by_hop == b->fields[i].hop_by_hop);
    }
}

static void write_again(struct buf *b, const struct head *h)
{
    buf_printf(b, "%" STR_FMT " ", STR_ARG(h->method));
    buf_add_str(b, h->target);
    buf_printf(b, " HTTP/1.%u\r\n", h->minor);
    for (unsigned i = 0; i < h->count; i++) {
        buf_add_str(b, h->fields[i].name);
        buf_add_lit(b, ": ");
        buf_add_str(b, h->fields[i].value);
        buf_add_lit(b, "\r\n");
    }
    buf_add_lit(b, "\r\n");
    CHECK(buf_finish(b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct head head, again;
    static const struct head_limits roomy = {.head = 8192, .target = 512};
    struct head_scan whole, parts;
    const char *why = NULL;
    if (size == 0)
        return 0;
    struct str in = {.p = (const char *)data + 1, .n = size - 1};
    size_t cut = data[0] < in.n ? data[0] : in.n;
    enum head_status s = scan(in, in.n, &whole);
    CHECK(scan(in, cut, &parts) == s);
    if (s != HEAD_OK)
        return 0;
    CHECK(whole.at == parts.at && whole.skipped == parts.skipped);
    struct str text = str_slice(in, whole.skipped, whole.at);
    CHECK(text.n <= limits.head && str_ends(text, STR("\r\n\r\n")));
    s = head_parse_request(&head, text.p, text.n, &limits, &why);
    check_within(head.method, text);
    check_within(head.target, text);
    for (unsigned i = 0; i < head.count; i++) {
        check_within(head.fields[i].name, text);
        check_within(head.fields[i].value, text);
    }
    if (s != HEAD_OK) {
        CHECK(s != HEAD_INCOMPLETE && why != NULL);
        return 0;
    }
    check_framing(&head);
    CHECK(head.size == text.n);
    struct buf b;
    buf_init(&b, 8192);
    write_again(&b, &head);
    CHECK(head_parse_request(&again, b.p, b.n, &roomy, &why) == HEAD_OK);
    check_same(&head, &again);
    buf_free(&b);
    return 0;
}
