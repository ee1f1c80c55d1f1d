/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "base/http/decoder.h"

#include <stdio.h>
#include <stdlib.h>

static struct decoder decoder_for(enum body_kind kind, uint64_t length)
{
    static struct head head;
    struct decoder d;
    head.body = kind;
    head.content_length = length;
    decoder_init(&d, &head);
    return d;
}

/* Gives all of `in` to the decoder and collects what comes out. */
static int feed(struct decoder *d, struct str *in, struct buf *out)
{
    for (;;) {
        struct str piece;
        int r = decoder_next(d, in, &piece);
        if (r != 0)
            return r;
        buf_add_str(out, piece);
        if (piece.n == 0) {
            assert_true(in->n == 0 || decoder_done(d));
            return 0;
        }
    }
}

#define REST "GET /next"

/* Decodes `in` cut at each place, and byte by byte: payload and what is left over must be the same.
 */
static void expect_body(enum body_kind kind, uint64_t length, struct str in, struct str want)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t at = 0; at <= in.n + 1; at++) {
        struct decoder d = decoder_for(kind, length);
        buf_clear(&out);
        size_t left = in.n;
        for (size_t from = 0; from < in.n;) {
            size_t to = at > in.n ? from + 1 : from < at ? at : in.n;
            struct str part = str_slice(in, from, to);
            assert_int_equal(feed(&d, &part, &out), 0);
            left = in.n - to + part.n;
            if (decoder_done(&d))
                break;
            from = to;
        }
        assert_true(decoder_done(&d));
        assert_int_equal(decoder_eof(&d), 0);
        assert_int_equal(left, sizeof(REST) - 1);
        assert_true(str_eq(buf_str(&out), want));
    }
    buf_free(&out);
}

static void a_length_is_counted_down(void **state)
{
    (void)state;
    expect_body(BODY_LENGTH, 5, STR("hello" REST), STR("hello"));
    expect_body(BODY_LENGTH, 1, STR("h" REST), STR("h"));
}

static void no_body_takes_no_byte(void **state)
{
    (void)state;
    static const struct {
        enum body_kind kind;
        uint64_t length;
    } cases[] = {{BODY_NONE, 0}, {BODY_NONE, 5}, {BODY_LENGTH, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decoder d = decoder_for(cases[i].kind, cases[i].length);
        struct str in = STR("abc"), piece;
        assert_true(decoder_done(&d));
        assert_int_equal(decoder_next(&d, &in, &piece), 0);
        assert_int_equal(piece.n, 0);
        assert_int_equal(in.n, 3);
        assert_int_equal(decoder_eof(&d), 0);
    }
}

static void until_close_ends_with_the_stream(void **state)
{
    (void)state;
    struct decoder d = decoder_for(BODY_UNTIL_CLOSE, 0);
    struct str in = STR("all of it"), piece;
    assert_int_equal(decoder_next(&d, &in, &piece), 0);
    assert_str_equal(piece, "all of it");
    assert_false(decoder_done(&d));
    assert_int_equal(decoder_eof(&d), 0);
    assert_true(decoder_done(&d));
}

static void a_stream_that_ends_early_is_cut(void **state)
{
    (void)state;
    struct decoder d = decoder_for(BODY_LENGTH, 5);
    struct str in = STR("hell"), piece, body = STR("5\r\nhello\r\n0\r\nA: b\r\n\r\n");
    assert_int_equal(decoder_next(&d, &in, &piece), 0);
    assert_int_equal(decoder_eof(&d), E_CLOSED);
    for (size_t n = 0; n < body.n; n++) {
        struct buf out;
        buf_init(&out, 1024);
        d = decoder_for(BODY_CHUNKED, 0);
        in = str_slice(body, 0, n);
        assert_int_equal(feed(&d, &in, &out), 0);
        assert_int_equal(decoder_eof(&d), E_CLOSED);
        buf_free(&out);
    }
}

static void a_body_longer_than_memory_is_no_matter(void **state)
{
    (void)state;
    struct decoder d = decoder_for(BODY_LENGTH, INT64_MAX);
    struct str in = STR("abc"), piece;
    assert_int_equal(decoder_next(&d, &in, &piece), 0);
    assert_int_equal(piece.n, 3);
    assert_int_equal(d.left, (uint64_t)INT64_MAX - 3);
    assert_int_equal(decoder_eof(&d), E_CLOSED);
    d = decoder_for(BODY_CHUNKED, 0);
    in = STR("fffffffffffffff\r\nabc");
    assert_int_equal(decoder_next(&d, &in, &piece), 0);
    assert_str_equal(piece, "abc");
    assert_int_equal(d.left, UINT64_C(0xfffffffffffffff) - 3);
}

static void chunks_come_together(void **state)
{
    (void)state;
    static const struct {
        struct str in, want;
    } cases[] = {
        {STR_INIT("0\r\n\r\n" REST), STR_INIT("")},
        {STR_INIT("000\r\n\r\n" REST), STR_INIT("")},
        {STR_INIT("5\r\nhello\r\n0\r\n\r\n" REST), STR_INIT("hello")},
        {STR_INIT("000000000000005\r\nhello\r\n0\r\n\r\n" REST), STR_INIT("hello")},
        {STR_INIT("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n" REST), STR_INIT("abc")},
        {STR_INIT("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n" REST),
         STR_INIT("01234567890123456789")},
        {STR_INIT("1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n" REST),
         STR_INIT("abcdefghijklmnopqrstuvwxyz")},
        {STR_INIT("4\r\n\r\n\r\n\r\n0\r\n\r\n" REST), STR_INIT("\r\n\r\n")},
        {STR_INIT("5\r\n0\r\n\r\n\r\n0\r\n\r\n" REST), STR_INIT("0\r\n\r\n")},
        /* extensions are skipped */
        {STR_INIT("5;a\r\nhello\r\n0\r\n\r\n" REST), STR_INIT("hello")},
        {STR_INIT("5;a=b;c=\"d;\te\"\r\nhello\r\n0;x\r\n\r\n" REST), STR_INIT("hello")},
        {STR_INIT("5 ; a = b\r\nhello\r\n0\t;\r\n\r\n" REST), STR_INIT("hello")},
        {STR_INIT("5  \r\nhello\r\n0 \r\n\r\n" REST), STR_INIT("hello")},
        {STR_INIT("5;\xff\r\nhello\r\n0\r\n\r\n" REST), STR_INIT("hello")},
        /* trailer fields are dropped */
        {STR_INIT("1\r\na\r\n0\r\nA: b\r\n\r\n" REST), STR_INIT("a")},
        {STR_INIT("1\r\na\r\n0\r\nA:b\r\nContent-Length:\t7\r\nX:\r\n\r\n" REST), STR_INIT("a")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_body(BODY_CHUNKED, 0, cases[i].in, cases[i].want);
}

static void broken_framing_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    /* the last byte of each is the one that breaks it */
    static const struct str cases[] = {
        STR_INIT("\r"),
        STR_INIT("\n"),
        STR_INIT(" "),
        STR_INIT(";"),
        STR_INIT("g"),
        STR_INIT("-"),
        STR_INIT("+"),
        STR_INIT("\""),
        STR_INIT("0x"),
        STR_INIT("5_"),
        STR_INIT("5."),
        STR_INIT("5h"),
        STR_INIT("5\n"),
        STR_INIT("5\0"),
        STR_INIT("5,"),
        STR_INIT("5 5"),
        STR_INIT("5 \n"),
        STR_INIT("5\v"),
        STR_INIT("5\r\r"),
        STR_INIT("5\rh"),
        STR_INIT("5;a\n"),
        STR_INIT("5;\r\r"),
        STR_INIT("5;\0"),
        STR_INIT("5;\x7f"),
        STR_INIT("5;\x01"),
        STR_INIT("1\r\nab"),
        STR_INIT("1\r\na\n"),
        STR_INIT("1\r\na\r\r"),
        STR_INIT("1\r\na\r0"),
        STR_INIT("1\r\na\r\n\r"),
        STR_INIT("1\r\na\r\n "),
        /* sixteen digits and more: as 64 bits they would overflow, or turn negative */
        STR_INIT("1000000000000000"),
        STR_INIT("ffffffffffffffff"),
        STR_INIT("0000000000000000"),
        /* trailers */
        STR_INIT("0\r\n\n"),
        STR_INIT("0\r\n\r\r"),
        STR_INIT("0\r\n "),
        STR_INIT("0\r\n:"),
        STR_INIT("0\r\nA "),
        STR_INIT("0\r\nA\r"),
        STR_INIT("0\r\nA\n"),
        STR_INIT("0\r\nGET "),
        STR_INIT("0\r\nA: b\n"),
        STR_INIT("0\r\nA: b\r\r"),
        STR_INIT("0\r\nA: b\0"),
        STR_INIT("0\r\nA: b\r\n "),
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 1024);
        for (size_t at = 0; at < cases[i].n; at++) {
            struct decoder d = decoder_for(BODY_CHUNKED, 0);
            struct str a = str_slice(cases[i], 0, at), b = str_slice(cases[i], at, cases[i].n);
            if (feed(&d, &a, &out) != 0 || feed(&d, &b, &out) != E_PROTOCOL || b.n != 0)
                fail_msg("case %zu cut at %zu", i, at);
        }
        buf_free(&out);
    }
}

/* A body of one chunk with that many bytes of extension, or of trailers. */
static int with_overhead(const char *before, size_t n, const char *after)
{
    struct buf in, out;
    buf_init(&in, 1 << 20);
    buf_init(&out, 1 << 20);
    struct decoder d = decoder_for(BODY_CHUNKED, 0);
    buf_add_cstr(&in, before);
    for (size_t i = 0; i < n; i++)
        buf_add_char(&in, 'x');
    buf_add_cstr(&in, after);
    struct str rest = buf_str(&in);
    int r = feed(&d, &rest, &out);
    assert_true(r != 0 || decoder_done(&d));
    buf_free(&in);
    buf_free(&out);
    return r;
}

static void what_is_skipped_is_bounded(void **state)
{
    (void)state;
    /* counted are the ';' or the ':', what stands between, and the CR */
    size_t most = DECODER_OVERHEAD_MAX - 2;
    assert_int_equal(with_overhead("1;", most, "\r\na\r\n0\r\n\r\n"), 0);
    assert_int_equal(with_overhead("1;", most + 1, "\r\na\r\n0\r\n\r\n"), E_PROTOCOL);
    assert_int_equal(with_overhead("0\r\n", most, ":\r\n\r\n"), 0);
    assert_int_equal(with_overhead("0\r\n", most + 1, ":\r\n\r\n"), E_PROTOCOL);
    /* and one sum over all chunks, so that many small extensions do not help */
    struct decoder d = decoder_for(BODY_CHUNKED, 0);
    unsigned chunks = 0;
    for (;; chunks++) {
        struct str in = STR("1;x\r\na\r\n"), piece;
        int r = 0;
        while (r == 0 && in.n > 0)
            r = decoder_next(&d, &in, &piece);
        if (r != 0)
            break;
        assert_true(chunks < DECODER_OVERHEAD_MAX);
    }
    /* each adds three bytes and pays for one */
    assert_int_equal(chunks, (DECODER_OVERHEAD_MAX - 3) / 2 + 1);
}

static void a_long_body_of_padded_chunks_passes(void **state)
{
    (void)state;
    struct decoder d = decoder_for(BODY_CHUNKED, 0);
    for (unsigned i = 0; i < DECODER_OVERHEAD_MAX; i++) {
        struct str in = STR("4   \r\nabcd\r\n"), piece;
        while (in.n > 0)
            assert_int_equal(decoder_next(&d, &in, &piece), 0);
    }
}

static void a_body_of_many_plain_chunks_has_no_end(void **state)
{
    (void)state;
    struct decoder d = decoder_for(BODY_CHUNKED, 0);
    for (unsigned i = 0; i < 3 * DECODER_OVERHEAD_MAX; i++) {
        struct str in = STR("1\r\na\r\n"), piece;
        while (in.n > 0)
            assert_int_equal(decoder_next(&d, &in, &piece), 0);
    }
    struct str in = STR("0\r\n\r\n"), piece;
    assert_int_equal(decoder_next(&d, &in, &piece), 0);
    assert_true(decoder_done(&d));
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/*
 * The reference decodes the whole input at once, line by line. Its functions return 1 where a part
 * is complete and right, 0 where more is needed, -1 where it is broken.
 */
struct reference {
    struct str in;
    size_t at;       /* bytes used */
    struct str line; /* the last one taken, without its CR LF; also where it is not complete */
    bool cut_short;  /* not even its CR is there */
    struct buf *out;
};

static int reference_line(struct reference *ref)
{
    struct str rest = str_slice(ref->in, ref->at, ref->in.n);
    size_t lf = str_find_char(rest, '\n', 0), cr = str_find_char(rest, '\r', 0);
    ref->line = str_slice(rest, 0, cr < lf ? cr : lf);
    ref->cut_short = cr == rest.n;
    for (size_t i = 0; i < ref->line.n; i++) {
        unsigned char c = (unsigned char)ref->line.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return -1;
    }
    if (lf == cr + 1 && lf < rest.n) {
        ref->at += lf + 1;
        return 1;
    }
    return lf < rest.n || cr + 1 < rest.n ? -1 : 0;
}

/* Whether the line can be that of a chunk's size, or become it. */
static int reference_size(struct reference *ref, uint64_t *ret_size)
{
    int r = reference_line(ref);
    struct str line = ref->line;
    size_t digits = 0;
    while (digits < line.n && strchr("0123456789abcdefABCDEF", line.p[digits]) != NULL)
        digits++;
    struct str extension = str_trim(str_slice(line, digits, line.n));
    if (digits > 15 || (digits == 0 && (line.n > 0 || !ref->cut_short)) ||
        (extension.n > 0 && extension.p[0] != ';'))
        return -1;
    if (r == 1)
        assert_int_equal(str_hex_to_u64(str_slice(line, 0, digits), UINT64_MAX, ret_size), 0);
    return r;
}

static int reference_data(struct reference *ref, uint64_t size)
{
    struct str data = str_slice(ref->in, ref->at, ref->in.n);
    if (size < data.n)
        data = str_slice(data, 0, size);
    buf_add_str(ref->out, data);
    ref->at += data.n;
    struct str end = str_slice(ref->in, ref->at, ref->at + 2);
    if (data.n < size)
        return 0;
    ref->at += end.n;
    return str_starts(STR("\r\n"), end) ? end.n == 2 : -1;
}

static int reference_trailers(struct reference *ref)
{
    int r;
    while ((r = reference_line(ref)) >= 0) {
        struct str line = ref->line, name = str_slice(line, 0, str_find_char(line, ':', 0));
        if (line.n == 0)
            return r;
        if (!http_is_token(name) || (name.n == line.n && !ref->cut_short))
            return -1;
        if (r == 0)
            return 0;
    }
    return r;
}

static int reference(struct str in, struct buf *out, size_t *ret_used)
{
    struct reference ref = {.in = in, .out = out};
    uint64_t size;
    int r;
    while ((r = reference_size(&ref, &size)) == 1 && size > 0) {
        r = reference_data(&ref, size);
        if (r != 1)
            return r;
    }
    if (r == 1)
        r = reference_trailers(&ref);
    *ret_used = ref.at;
    return r;
}

static void add_random_chunk(struct buf *b, uint32_t *seed)
{
    static const char *const extensions[] = {"", "", "", ";a", ";a=\"b\"", " ;c", "\t", ";"};
    unsigned size = 1 + next_random(seed) % (next_random(seed) % 8 == 0 ? 300 : 12);
    bool upper = next_random(seed) % 2;
    buf_printf(b, upper ? "%0*X" : "%0*x", (int)(next_random(seed) % 4), size);
    buf_add_cstr(b, extensions[next_random(seed) % ARRAY_LEN(extensions)]);
    buf_add_lit(b, "\r\n");
    for (unsigned i = 0; i < size; i++)
        buf_add_char(b, (char)next_random(seed));
    buf_add_lit(b, "\r\n");
}

static void make_random_body(struct buf *b, uint32_t *seed)
{
    static const char *const ends[] = {"0\r\n\r\n", "0\r\nA: b\r\n\r\n",
                                       "0;x\r\nA:\r\nB-C:\t7\r\n\r\n"};
    buf_clear(b);
    for (unsigned i = next_random(seed) % 8; i > 0; i--)
        add_random_chunk(b, seed);
    buf_add_cstr(b, ends[next_random(seed) % ARRAY_LEN(ends)]);
    buf_add_lit(b, REST);
    assert_int_equal(buf_finish(b), 0);
}

/* Random damage: a byte changed, dropped or doubled; or the end cut off. */
static void damage(struct buf *b, uint32_t *seed)
{
    static const char alphabet[] = "\r\n0123aAfF;: \t=\"x-+\x01";
    size_t at = next_random(seed) % b->n;
    switch (next_random(seed) % 4) {
    case 0:
        b->p[at] = alphabet[next_random(seed) % (sizeof(alphabet) - 1)];
        break;
    case 1:
        memmove(b->p + at, b->p + at + 1, b->n - at - 1);
        b->n--;
        break;
    case 2:
        buf_add_char(b, 'z');
        memmove(b->p + at + 1, b->p + at, b->n - at - 1);
        break;
    default:
        b->n = at;
    }
}

/* Feeds the decoder in random parts and compares with the reference. */
static void compare(const struct buf *in, uint32_t *seed, struct buf *got, struct buf *want)
{
    size_t used = 0, want_used = 0;
    int r = 0;
    struct decoder d = decoder_for(BODY_CHUNKED, 0);
    buf_clear(got);
    buf_clear(want);
    while (r == 0 && used < in->n && !decoder_done(&d)) {
        size_t n = 1 + next_random(seed) % 40;
        struct str part = str_slice(buf_str(in), used, used + n);
        size_t before = part.n;
        r = feed(&d, &part, got);
        used += before - part.n;
    }
    int want_r = reference(buf_str(in), want, &want_used);
    int got_r = r != 0 ? -1 : decoder_done(&d);
    if (got_r != want_r || (got_r >= 0 && !str_eq(buf_str(got), buf_str(want))) ||
        (got_r == 1 && used != want_used))
        fail_msg("got %d, want %d: \"%" STR_FMT "\"", got_r, want_r, STR_ARG(buf_str(in)));
}

static void it_agrees_with_a_simple_reference(void **state)
{
    (void)state;
    uint32_t seed = 7;
    struct buf in, got, want;
    buf_init(&in, 1 << 16);
    buf_init(&got, 1 << 16);
    buf_init(&want, 1 << 16);
    unsigned damaged[3] = {0};
    for (unsigned i = 0; i < 20000; i++) {
        size_t used;
        make_random_body(&in, &seed);
        compare(&in, &seed, &got, &want);
        assert_int_equal(reference(buf_str(&in), &want, &used), 1);
        assert_int_equal(used, in.n - (sizeof(REST) - 1));
        for (unsigned k = next_random(&seed) % 3; k > 0 && in.n > 0; k--)
            damage(&in, &seed);
        compare(&in, &seed, &got, &want);
        damaged[reference(buf_str(&in), &want, &used) + 1]++;
    }
    /* the damage led to each of the three outcomes */
    for (unsigned i = 0; i < 3; i++)
        assert_true(damaged[i] > 1000);
    buf_free(&in);
    buf_free(&got);
    buf_free(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_counted_down),
        cmocka_unit_test(no_body_takes_no_byte),
        cmocka_unit_test(until_close_ends_with_the_stream),
        cmocka_unit_test(a_stream_that_ends_early_is_cut),
        cmocka_unit_test(a_body_longer_than_memory_is_no_matter),
        cmocka_unit_test(chunks_come_together),
        cmocka_unit_test(broken_framing_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test(what_is_skipped_is_bounded),
        cmocka_unit_test(a_body_of_many_plain_chunks_has_no_end),
        cmocka_unit_test(a_long_body_of_padded_chunks_passes),
        cmocka_unit_test(it_agrees_with_a_simple_reference),
    };
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
