/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an upstream's response out of arbitrary bytes; the first byte tells whether HEAD was
 * asked. It must be incomplete until its last byte, and its framing unambiguous.
 */
#include "base/error.h"
#include "base/http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 2048

static bool bodiless(const struct head *h, bool to_head)
{
    return to_head || h->status < 200 || h->status == 204 || h->status == 304;
}

static void check_framing(const struct head *h, bool to_head)
{
    CHECK(!bodiless(h, to_head) || h->body == BODY_NONE);
    CHECK(h->body != BODY_UNTIL_CLOSE || (h->close && !h->has_length));
    CHECK(h->body != BODY_LENGTH || (h->has_length && h->content_length > 0));
    CHECK(h->body != BODY_CHUNKED || (!h->has_length && h->minor == 1));
    CHECK(head_count(h, FIELD_CONTENT_LENGTH) <= 1);
}

static void check_fields(const struct head *h, const char *p)
{
    for (unsigned i = 0; i < h->count; i++) {
        struct str name = h->fields[i].name, value = h->fields[i].value;
        CHECK(http_is_token(name) && name.p >= p && name.p + name.n < p + h->size);
        CHECK(value.n == 0 || (value.p > name.p && value.p + value.n < p + h->size));
        CHECK(head_field_id(name) == h->fields[i].id);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct head h;
    const char *why = NULL;
    if (size == 0)
        return 0;
    bool to_head = data[0] & 1;
    const char *p = (const char *)data + 1;
    size_t n = size - 1;
    enum head_status s = head_parse_response(&h, p, n, LIMIT, to_head, &why);
    if (s != HEAD_OK) {
        CHECK(s == HEAD_INCOMPLETE ? n < LIMIT : why != NULL);
        CHECK(s == HEAD_INCOMPLETE || s == HEAD_BAD || s == HEAD_TOO_LARGE);
        return 0;
    }
    CHECK(h.size <= n && h.size <= LIMIT && h.status >= 100 && h.status <= 599);
    CHECK(str_eq(str_make(p + h.size - 4, 4), STR("\r\n\r\n")));
    check_framing(&h, to_head);
    check_fields(&h, p);
    size_t end = h.size;
    CHECK(head_parse_response(&h, p, end - 1, LIMIT, to_head, &why) == HEAD_INCOMPLETE);
    CHECK(head_parse_response(&h, p, end, LIMIT, to_head, &why) == HEAD_OK && h.size == end);
    return 0;
}
