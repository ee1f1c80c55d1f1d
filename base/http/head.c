/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/head.h"

#include "base/error.h"

/* What a byte may be part of. */
enum { C_TOKEN = 1, C_TARGET = 2, C_VALUE = 4 };

/*
 * TOKEN: tchar of RFC 9110 §5.6.2. TARGET: what a request target may hold; visible ASCII but '#',
 * and bytes from 0x80 on, which clients send unescaped and servers accept. VALUE: field-vchar, SP,
 * HTAB and obs-text.
 */
static const unsigned char classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    4, 7, 6, 5, 7, 7, 7, 7, 6, 6, 7, 7, 6, 7, 7, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6,
    6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 7, 6, 7, 0,
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
};

/* Length of the run of bytes of that class at the front. */
static size_t run(struct str s, unsigned char class)
{
    size_t i = 0;
    while (i < s.n && (classes[(unsigned char)s.p[i]] & class))
        i++;
    return i;
}

bool http_is_token(struct str s)
{
    return s.n > 0 && run(s, C_TOKEN) == s.n;
}

unsigned head_fault_status(enum head_status s)
{
    switch (s) {
    case HEAD_OK:
    case HEAD_INCOMPLETE:
        return 0;
    case HEAD_BAD:
        return 400;
    case HEAD_URI_TOO_LONG:
        return 414;
    case HEAD_TOO_LARGE:
        return 431;
    case HEAD_UNIMPLEMENTED:
        return 501;
    case HEAD_VERSION:
        return 505;
    }
    CHECK(!"head status");
    return 0;
}

bool http_list_next(struct str *rest, struct str *ret_element)
{
    while (rest->p != NULL) {
        struct str e = str_trim(str_cut(rest, ','));
        if (e.n > 0) {
            *ret_element = e;
            return true;
        }
    }
    return false;
}

static const struct {
    struct str name; /* lower case */
    enum http_field id;
    bool hop_by_hop;
} NAMES[] = {
    /* sorted by length, so that a name is compared with the few of its own */
    {STR_INIT("te"), FIELD_TE, true},
    {STR_INIT("via"), FIELD_VIA, false},
    {STR_INIT("host"), FIELD_HOST, false},
    {STR_INIT("date"), FIELD_DATE, false},
    {STR_INIT("accept"), FIELD_ACCEPT, false},
    {STR_INIT("expect"), FIELD_EXPECT, false},
    {STR_INIT("server"), FIELD_SERVER, false},
    {STR_INIT("referer"), FIELD_REFERER, false},
    {STR_INIT("trailer"), FIELD_TRAILER, true},
    {STR_INIT("upgrade"), FIELD_UPGRADE, true},
    {STR_INIT("forwarded"), FIELD_FORWARDED, false},
    {STR_INIT("x-api-key"), FIELD_X_API_KEY, false},
    {STR_INIT("connection"), FIELD_CONNECTION, true},
    {STR_INIT("keep-alive"), FIELD_KEEP_ALIVE, true},
    {STR_INIT("user-agent"), FIELD_USER_AGENT, false},
    {STR_INIT("traceparent"), FIELD_TRACEPARENT, false},
    {STR_INIT("content-type"), FIELD_CONTENT_TYPE, false},
    {STR_INIT("x-request-id"), FIELD_X_REQUEST_ID, false},
    {STR_INIT("authorization"), FIELD_AUTHORIZATION, false},
    {STR_INIT("if-none-match"), FIELD_IF_NONE_MATCH, false},
    {STR_INIT("content-length"), FIELD_CONTENT_LENGTH, false},
    {STR_INIT("x-forwarded-for"), FIELD_X_FORWARDED_FOR, false},
    {STR_INIT("x-forwarded-host"), FIELD_X_FORWARDED_HOST, false},
    {STR_INIT("proxy-connection"), FIELD_PROXY_CONNECTION, true},
    {STR_INIT("x-forwarded-proto"), FIELD_X_FORWARDED_PROTO, false},
    {STR_INIT("transfer-encoding"), FIELD_TRANSFER_ENCODING, true},
    {STR_INIT("proxy-authenticate"), FIELD_PROXY_AUTHENTICATE, true},
    {STR_INIT("proxy-authorization"), FIELD_PROXY_AUTHORIZATION, true},
};

#define NAME_LEN_MAX 19

static int find_name(struct str name)
{
    /* where the names of each length begin; one past the longest closes the last */
    static const unsigned char begin[NAME_LEN_MAX + 2] = {
        0, 0, 0, 1, 2, 4, 4, 7, 10, 10, 12, 15, 16, 18, 20, 21, 22, 24, 26, 27, 28};
    if (name.n > NAME_LEN_MAX)
        return -1;
    for (int i = begin[name.n]; i < begin[name.n + 1]; i++) {
        if (str_eq_nocase(name, NAMES[i].name))
            return i;
    }
    return -1;
}

enum http_field head_field_id(struct str name)
{
    int i = find_name(name);
    return i >= 0 ? NAMES[i].id : FIELD_OTHER;
}

unsigned head_count(const struct head *head, enum http_field id)
{
    unsigned n = 0;
    for (unsigned i = 0; i < head->count; i++)
        n += head->fields[i].id == id;
    return n;
}

static enum head_status refuse(enum head_status status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

static enum head_status skip_empty_lines(struct head_scan *scan, const char *p, size_t n,
                                         const char **ret_why)
{
    while (!scan->started && scan->skipped < n) {
        const char *at = p + scan->skipped;
        if (*at == '\r' && scan->skipped + 1 == n)
            return HEAD_INCOMPLETE; /* whether it is an empty line, the next byte tells */
        if (at[0] != '\r' || at[1] != '\n')
            scan->started = true;
        else
            scan->skipped += 2;
        scan->at = scan->skipped;
        if (scan->skipped > 4)
            return refuse(HEAD_BAD, "more empty lines than a request begins with", ret_why);
    }
    return HEAD_OK;
}

enum head_status head_scan_request(struct head_scan *scan, const char *p, size_t n,
                                   const struct head_limits *limits, const char **ret_why)
{
    if (!scan->started) {
        enum head_status s = skip_empty_lines(scan, p, n, ret_why);
        if (s != HEAD_OK)
            return s;
    }
    size_t begin = scan->skipped;
    while (scan->at < n) {
        const char *lf = memchr(p + scan->at, '\n', n - scan->at);
        size_t end = lf != NULL ? (size_t)(lf - p) : n;
        if (!scan->first_line && end - begin > limits->target + 64)
            return refuse(HEAD_URI_TOO_LONG, "the request line is too long", ret_why);
        if (end - begin >= limits->head) /* the byte at `end` is one of the head as well */
            return refuse(HEAD_TOO_LARGE, "the head is larger than allowed", ret_why);
        if (lf == NULL) {
            scan->at = n;
            return HEAD_INCOMPLETE;
        }
        if (end == begin || p[end - 1] != '\r')
            return refuse(HEAD_BAD, "a line ends without CR", ret_why);
        scan->first_line = true;
        scan->at = end + 1;
        if (end - begin >= 3 && p[end - 2] == '\n')
            return HEAD_OK;
    }
    return HEAD_INCOMPLETE;
}

/* Takes the line up to CR LF off *rest. False where there is none. */
static bool take_line(struct str *rest, struct str *ret_line)
{
    size_t lf = str_find_char(*rest, '\n', 0);
    if (lf == rest->n || lf == 0 || rest->p[lf - 1] != '\r')
        return false;
    *ret_line = str_slice(*rest, 0, lf - 1);
    *rest = str_slice(*rest, lf + 1, rest->n);
    return true;
}

/* "HTTP/1.1": 0 or 1 for its minor version, -1 for what is no version, -2 for one we do not speak.
 */
static int parse_version(struct str s)
{
    if (s.n != 8 || !str_starts(s, STR("HTTP/")) || s.p[6] != '.' || s.p[5] < '0' || s.p[5] > '9' ||
        s.p[7] < '0' || s.p[7] > '9')
        return -1;
    if (s.p[5] != '1' || s.p[7] > '1')
        return -2;
    return s.p[7] - '0';
}

static enum head_status parse_request_line(struct head *head, struct str line, size_t max_target,
                                           const char **ret_why)
{
    size_t n = run(line, C_TOKEN);
    if (n == 0 || n == line.n || line.p[n] != ' ')
        return refuse(HEAD_BAD, "the request line has no valid method", ret_why);
    head->method = str_slice(line, 0, n);
    line = str_slice(line, n + 1, line.n);
    n = run(line, C_TARGET);
    if (n == 0 || n == line.n || line.p[n] != ' ')
        return refuse(HEAD_BAD, "the request target has a character that is not allowed", ret_why);
    head->target = str_slice(line, 0, n);
    int minor = parse_version(str_slice(line, n + 1, line.n));
    if (minor == -1)
        return refuse(HEAD_BAD, "the request line does not end in an HTTP version", ret_why);
    if (minor == -2)
        return refuse(HEAD_VERSION, "only HTTP/1.1 and HTTP/1.0 are spoken here", ret_why);
    if (head->target.n > max_target)
        return refuse(HEAD_URI_TOO_LONG, "the request target is too long", ret_why);
    head->minor = (unsigned)minor;
    return HEAD_OK;
}

static enum head_status parse_field(struct head *head, struct str line, const char **ret_why)
{
    size_t n = run(line, C_TOKEN);
    if (n == line.n || line.p[n] != ':' || n == 0) {
        if (line.p[0] == ' ' || line.p[0] == '\t')
            return refuse(HEAD_BAD, "a header field is folded over two lines", ret_why);
        return refuse(HEAD_BAD, "a header field has no valid name", ret_why);
    }
    if (head->count == HEAD_FIELDS_MAX)
        return refuse(HEAD_TOO_LARGE, "more than 100 header fields", ret_why);
    struct str value = str_slice(line, n + 1, line.n);
    if (run(value, C_VALUE) != value.n)
        return refuse(HEAD_BAD, "a header field's value has a control character", ret_why);
    struct head_field *f = &head->fields[head->count++];
    f->name = str_slice(line, 0, n);
    f->value = str_trim(value);
    int known = find_name(f->name);
    f->id = known >= 0 ? NAMES[known].id : FIELD_OTHER;
    f->hop_by_hop = known >= 0 && NAMES[known].hop_by_hop;
    if (head->first[f->id] == 0)
        head->first[f->id] = (unsigned char)head->count;
    return HEAD_OK;
}

/*
 * What Connection names belongs to this connection as well. Content-Length, Host and the like must
 * not be made to disappear that way: a request that tries is broken or an attack.
 */
static enum head_status apply_connection_option(struct head *head, struct str option,
                                                bool *ret_keep, bool *ret_upgrade,
                                                const char **ret_why)
{
    if (str_eq_nocase(option, STR("close"))) {
        head->close = true;
        return HEAD_OK;
    }
    if (str_eq_nocase(option, STR("keep-alive"))) {
        *ret_keep = true;
        return HEAD_OK;
    }
    if (str_eq_nocase(option, STR("upgrade"))) {
        *ret_upgrade = true;
        return HEAD_OK;
    }
    if (!http_is_token(option))
        return refuse(HEAD_BAD, "the Connection field is malformed", ret_why);
    switch ((int)head_field_id(option)) {
    case FIELD_HOST:
    case FIELD_CONTENT_LENGTH:
    case FIELD_AUTHORIZATION:
    case FIELD_X_API_KEY:
        return refuse(HEAD_BAD, "the Connection field names a field that must not be dropped",
                      ret_why);
    default:
        break;
    }
    for (unsigned i = 0; i < head->count; i++) {
        if (str_eq_nocase(head->fields[i].name, option))
            head->fields[i].hop_by_hop = true;
    }
    return HEAD_OK;
}

static enum head_status read_connection(struct head *head, const char **ret_why)
{
    bool keep = false, upgrade = false;
    for (unsigned i = 0; i < head->count && head->first[FIELD_CONNECTION] != 0; i++) {
        struct str rest = head->fields[i].value, option;
        if (head->fields[i].id != FIELD_CONNECTION)
            continue;
        while (http_list_next(&rest, &option)) {
            enum head_status s = apply_connection_option(head, option, &keep, &upgrade, ret_why);
            if (s != HEAD_OK)
                return s;
        }
    }
    if (head->minor == 0 && !keep)
        head->close = true;
    head->upgrade = upgrade && head->first[FIELD_UPGRADE] != 0;
    return HEAD_OK;
}

/* Transfer-Encoding must be exactly one "chunked" (RFC 9112 §6.1). */
static enum head_status read_transfer_encoding(struct head *head, const char **ret_why)
{
    unsigned chunked = 0, codings = 0, malformed = 0;
    for (unsigned i = 0; i < head->count; i++) {
        struct str rest = head->fields[i].value, coding;
        if (head->fields[i].id != FIELD_TRANSFER_ENCODING)
            continue;
        unsigned before = codings;
        while (http_list_next(&rest, &coding)) {
            chunked += str_eq_nocase(coding, STR("chunked"));
            malformed += str_eq_nocase(coding, STR("identity")) || !http_is_token(coding);
            codings++;
        }
        malformed += codings == before; /* nothing, or nothing but commas */
    }
    if (malformed > 0 || chunked > 1)
        return refuse(HEAD_BAD, "the Transfer-Encoding is not exactly one chunked", ret_why);
    if (codings > chunked)
        return refuse(HEAD_UNIMPLEMENTED, "chunked is the only transfer coding known here",
                      ret_why);
    if (head->minor == 0)
        return refuse(HEAD_BAD, "Transfer-Encoding does not exist in HTTP/1.0", ret_why);
    if (head->first[FIELD_CONTENT_LENGTH] != 0)
        return refuse(HEAD_BAD, "Transfer-Encoding and Content-Length are both there", ret_why);
    head->body = BODY_CHUNKED;
    return HEAD_OK;
}

static enum head_status read_framing(struct head *head, const char **ret_why)
{
    if (head->first[FIELD_TRANSFER_ENCODING] != 0)
        return read_transfer_encoding(head, ret_why);
    const struct head_field *f = head_find(head, FIELD_CONTENT_LENGTH);
    if (f == NULL)
        return HEAD_OK;
    if (head_count(head, FIELD_CONTENT_LENGTH) > 1)
        return refuse(HEAD_BAD, "more than one Content-Length", ret_why);
    if (str_to_u64(f->value, 0, INT64_MAX, &head->content_length) != 0)
        return refuse(HEAD_BAD, "the Content-Length is not a number", ret_why);
    head->has_length = true;
    head->body = head->content_length > 0 ? BODY_LENGTH : BODY_NONE;
    return HEAD_OK;
}

/* The lines after the first one, up to the empty line. */
static enum head_status parse_fields(struct head *head, struct str *rest, const char **ret_why)
{
    struct str line;
    for (;;) {
        if (!take_line(rest, &line))
            return refuse(HEAD_BAD, "a line ends without CR", ret_why);
        if (line.n == 0)
            break;
        enum head_status s = parse_field(head, line, ret_why);
        if (s != HEAD_OK)
            return s;
    }
    enum head_status s = read_connection(head, ret_why);
    return s == HEAD_OK ? read_framing(head, ret_why) : s;
}

void head_clear(struct head *head)
{
    /* only what must be zero: the fields themselves are written as they are found */
    head->method = head->target = head->phrase = STR_EMPTY;
    head->status = head->minor = head->count = 0;
    memset(head->first, 0, sizeof(head->first));
    head->body = BODY_NONE;
    head->content_length = 0;
    head->has_length = head->close = head->upgrade = head->expect_continue = false;
    head->size = 0;
}

static enum head_status check_request(struct head *head, const char **ret_why)
{
    unsigned hosts = head->first[FIELD_HOST] != 0 ? head_count(head, FIELD_HOST) : 0;
    if (hosts > 1)
        return refuse(HEAD_BAD, "more than one Host", ret_why);
    if (hosts == 0 && head->minor == 1)
        return refuse(HEAD_BAD, "HTTP/1.1 wants a Host field", ret_why);
    const struct head_field *expect = head_find(head, FIELD_EXPECT);
    if (expect != NULL && head->minor == 1) {
        if (!str_eq_nocase(expect->value, STR("100-continue")) ||
            head_count(head, FIELD_EXPECT) > 1)
            return refuse(HEAD_BAD, "the only expectation known here is 100-continue", ret_why);
        head->expect_continue = head->body != BODY_NONE;
    }
    if (str_eq(head->method, STR("CONNECT")) || str_eq(head->method, STR("TRACE")))
        return refuse(HEAD_UNIMPLEMENTED, "the method is not served here", ret_why);
    return HEAD_OK;
}

enum head_status head_parse_request(struct head *head, const char *p, size_t n,
                                    const struct head_limits *limits, const char **ret_why)
{
    struct str rest = str_make(p, n), line;
    head_clear(head);
    if (!take_line(&rest, &line))
        return refuse(HEAD_BAD, "a line ends without CR", ret_why);
    enum head_status s = parse_request_line(head, line, limits->target, ret_why);
    if (s == HEAD_OK)
        s = parse_fields(head, &rest, ret_why);
    if (s == HEAD_OK)
        s = check_request(head, ret_why);
    head->size = n - rest.n;
    return s;
}

/* Size of the head including its empty line; 0 where it is not complete. */
static size_t response_end(const char *p, size_t n)
{
    const char *end = n > 0 ? memmem(p, n, "\r\n\r\n", 4) : NULL;
    return end != NULL ? (size_t)(end - p) + 4 : 0;
}

static enum head_status parse_status_line(struct head *head, struct str line, const char **ret_why)
{
    uint64_t status;
    int minor = parse_version(str_slice(line, 0, 8));
    if (minor < 0 || line.n < 12 || line.p[8] != ' ' ||
        str_to_u64(str_slice(line, 9, 12), 100, 599, &status) != 0 ||
        (line.n > 12 && line.p[12] != ' '))
        return refuse(HEAD_BAD, "the upstream's status line is malformed", ret_why);
    head->minor = (unsigned)minor;
    head->status = (unsigned)status;
    head->phrase = str_slice(line, 13, line.n);
    if (run(head->phrase, C_VALUE) != head->phrase.n)
        return refuse(HEAD_BAD, "the upstream's status line has a control character", ret_why);
    return HEAD_OK;
}

enum head_status head_parse_response(struct head *head, const char *p, size_t n, size_t limit,
                                     bool to_head, const char **ret_why)
{
    size_t size = response_end(p, n);
    if (size == 0 && n < limit)
        return HEAD_INCOMPLETE;
    if (size == 0 || size > limit)
        return refuse(HEAD_TOO_LARGE, "the upstream's head is too large", ret_why);
    struct str rest = str_make(p, size), line;
    head_clear(head);
    if (!take_line(&rest, &line))
        return refuse(HEAD_BAD, "a line of the upstream's head ends without CR", ret_why);
    enum head_status s = parse_status_line(head, line, ret_why);
    if (s == HEAD_OK)
        s = parse_fields(head, &rest, ret_why);
    if (s != HEAD_OK)
        return HEAD_BAD;
    head->size = size;
    if (to_head || head->status < 200 || head->status == 204 || head->status == 304)
        head->body = BODY_NONE;
    else if (head->body == BODY_NONE && !head->has_length)
        head->body = BODY_UNTIL_CLOSE;
    if (head->body == BODY_UNTIL_CLOSE)
        head->close = true;
    return HEAD_OK;
}
