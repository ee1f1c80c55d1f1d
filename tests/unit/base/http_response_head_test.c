/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/http/head.h"

#define NO_LENGTH UINT64_MAX

static const struct {
    struct str text;
    bool to_head;
    enum head_status status;
    enum body_kind body;
    uint64_t length; /* NO_LENGTH where there is no Content-Length */
    bool close;
} RESPONSES[] = {
    {STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), false, HEAD_OK, BODY_LENGTH, 5,
     false},
    {STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), false, HEAD_OK, BODY_NONE, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), false, HEAD_OK,
     BODY_CHUNKED, NO_LENGTH, false},
    {STR_INIT("HTTP/1.1 200 OK\r\n\r\n"), false, HEAD_OK, BODY_UNTIL_CLOSE, NO_LENGTH, true},
    {STR_INIT("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"), false, HEAD_OK,
     BODY_UNTIL_CLOSE, NO_LENGTH, true},
    {STR_INIT("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"), false, HEAD_OK,
     BODY_LENGTH, 5, true},
    {STR_INIT("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n"), false, HEAD_OK, BODY_LENGTH, 5,
     true},
    {STR_INIT("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n"), false,
     HEAD_OK, BODY_LENGTH, 5, false},
    /* to HEAD there is no body, whatever the head says */
    {STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), true, HEAD_OK, BODY_NONE, 5, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), true, HEAD_OK, BODY_NONE,
     NO_LENGTH, false},
    {STR_INIT("HTTP/1.1 200 OK\r\n\r\n"), true, HEAD_OK, BODY_NONE, NO_LENGTH, false},
    /* nor with these statuses */
    {STR_INIT("HTTP/1.1 100 Continue\r\n\r\n"), false, HEAD_OK, BODY_NONE, NO_LENGTH, false},
    {STR_INIT("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), false,
     HEAD_OK, BODY_NONE, NO_LENGTH, false},
    {STR_INIT("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n"), false, HEAD_OK, BODY_NONE,
     5, false},
    {STR_INIT("HTTP/1.1 204 No Content\r\n\r\n"), false, HEAD_OK, BODY_NONE, NO_LENGTH, false},
    {STR_INIT("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), false, HEAD_OK, BODY_NONE, 5,
     false},
    {STR_INIT("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), false, HEAD_OK, BODY_NONE,
     5, false},
    {STR_INIT("HTTP/1.1 304 Not Modified\r\n\r\n"), false, HEAD_OK, BODY_NONE, NO_LENGTH, false},
    /* what two readers could read in two ways is refused */
    {STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), false,
     HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), true,
     HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"), false, HEAD_BAD,
     0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: ,\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), false, HEAD_BAD, 0, 0,
     false},
    {STR_INIT("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    /* the status line */
    {STR_INIT("HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n"), false, HEAD_OK, BODY_LENGTH, 1, false},
    {STR_INIT("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n"), false, HEAD_OK, BODY_LENGTH, 1, false},
    {STR_INIT("HTTP/1.1 599 \xff\r\nContent-Length: 1\r\n\r\n"), false, HEAD_OK, BODY_LENGTH, 1,
     false},
    {STR_INIT("HTTP/1.1 600 X\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 099 X\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 2000 X\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 20 X\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 +20 X\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1  200 X\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200-OK\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 O\x01K\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/2.0 200 OK\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), false, HEAD_BAD, 0, 0, false},
    {STR_INIT("HTTP/1.1 200 OK\r\n"), false, HEAD_INCOMPLETE, 0, 0, false},
    {STR_INIT(""), false, HEAD_INCOMPLETE, 0, 0, false},
};

static void the_framing_of_a_response_follows_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(RESPONSES); i++) {
        static struct head h;
        const char *why = NULL;
        struct str text = RESPONSES[i].text;
        enum head_status got =
            head_parse_response(&h, text.p, text.n, 1000, RESPONSES[i].to_head, &why);
        if (got != RESPONSES[i].status)
            fail_msg("case %zu: status %d, want %d", i, (int)got, (int)RESPONSES[i].status);
        if (got != HEAD_OK)
            continue;
        bool has_length = RESPONSES[i].length != NO_LENGTH;
        if (h.body != RESPONSES[i].body || h.has_length != has_length ||
            (has_length && h.content_length != RESPONSES[i].length) || h.size != text.n)
            fail_msg("case %zu: body %d", i, (int)h.body);
        if (h.close != RESPONSES[i].close)
            fail_msg("case %zu: close %d", i, h.close);
    }
}

static void a_response_is_incomplete_until_its_last_byte(void **state)
{
    (void)state;
    static struct head h;
    const char *why;
    struct str text = STR("HTTP/1.1 404 Not Found\r\nServer: s\r\nContent-Length: 3\r\n\r\nabc");
    size_t size = text.n - 3;
    for (size_t n = 0; n <= text.n; n++) {
        enum head_status want = n < size ? HEAD_INCOMPLETE : HEAD_OK;
        assert_int_equal(head_parse_response(&h, text.p, n, 1000, false, &why), want);
    }
    assert_int_equal(h.size, size);
    assert_int_equal(h.status, 404);
    assert_str_equal(h.phrase, "Not Found");
    assert_str_equal(head_value(&h, FIELD_SERVER), "s");
    assert_int_equal(head_parse_response(&h, text.p, text.n, size, false, &why), HEAD_OK);
    assert_int_equal(head_parse_response(&h, text.p, text.n, size - 1, false, &why),
                     HEAD_TOO_LARGE);
    assert_int_equal(head_parse_response(&h, text.p, size - 2, size - 2, false, &why),
                     HEAD_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_framing_of_a_response_follows_the_rfc),
        cmocka_unit_test(a_response_is_incomplete_until_its_last_byte),
    };
    return cmocka_run_group_tests_name("response head", tests, NULL, NULL);
}
