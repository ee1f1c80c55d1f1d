/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/decoder.h"

void decoder_init(struct decoder *d, const struct head *head)
{
    *d = (struct decoder){.state = DECODER_DONE};
    switch (head->body) {
    case BODY_NONE:
        break;
    case BODY_LENGTH:
        d->state = head->content_length > 0 ? DECODER_DATA : DECODER_DONE;
        d->left = head->content_length;
        break;
    case BODY_CHUNKED:
        d->state = DECODER_SIZE;
        d->chunked = true;
        break;
    case BODY_UNTIL_CLOSE:
        d->state = DECODER_DATA;
        d->left = UINT64_MAX;
        break;
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower_char(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte behind the size's digits: white space, then an extension or the end of the line. */
static int after_size(struct decoder *d, char c)
{
    if (c == '\r') {
        d->state = DECODER_SIZE_LF;
        return 0;
    }
    if (c != ';' && c != ' ' && c != '\t')
        return E_PROTOCOL;
    d->state = c == ';' ? DECODER_EXTENSION : DECODER_SIZE_SPACE;
    return ++d->overhead > DECODER_OVERHEAD_MAX ? E_PROTOCOL : 0;
}

/* A byte of the size's digits, or the first one behind them. */
static int size_byte(struct decoder *d, char c)
{
    int v = hex_value(c);
    if (v >= 0) {
        if (++d->digits > 15)
            return E_PROTOCOL; /* no body is that large: an overflow is being tried */
        d->size = d->size << 4 | (uint64_t)v;
        return 0;
    }
    return d->digits > 0 ? after_size(d, c) : E_PROTOCOL;
}

/* Within an extension or a trailer's value: any byte of a field value, bounded in number. */
static int text_byte(struct decoder *d, char c, enum decoder_state at_cr)
{
    unsigned char u = (unsigned char)c;
    if (++d->overhead > DECODER_OVERHEAD_MAX)
        return E_PROTOCOL;
    if (c == '\r')
        d->state = at_cr;
    else if ((u < ' ' && c != '\t') || u == 0x7f)
        return E_PROTOCOL;
    return 0;
}

static int expect_lf(struct decoder *d, char c, enum decoder_state next)
{
    if (c != '\n')
        return E_PROTOCOL;
    d->state = next;
    return 0;
}

/* At the beginning of a trailer line, or within the name there. */
static int trailer_byte(struct decoder *d, char c)
{
    if (d->state == DECODER_TRAILER && c == '\r') {
        d->state = DECODER_LAST_LF;
        return 0;
    }
    bool name_ends = d->state == DECODER_TRAILER_NAME && c == ':';
    if (!name_ends && !http_is_token(str_make(&c, 1)))
        return E_PROTOCOL;
    d->state = name_ends ? DECODER_TRAILER_LINE : DECODER_TRAILER_NAME;
    return ++d->overhead > DECODER_OVERHEAD_MAX ? E_PROTOCOL : 0;
}

/* One byte of framing. */
static int framing_byte(struct decoder *d, char c)
{
    switch (d->state) {
    case DECODER_SIZE:
        return size_byte(d, c);
    case DECODER_SIZE_SPACE:
        return after_size(d, c);
    case DECODER_EXTENSION:
        return text_byte(d, c, DECODER_SIZE_LF);
    case DECODER_SIZE_LF:
        d->left = d->size;
        d->size = 0;
        d->digits = 0;
        return expect_lf(d, c, d->left > 0 ? DECODER_DATA : DECODER_TRAILER);
    case DECODER_DATA_CR:
        d->state = DECODER_DATA_LF;
        return c == '\r' ? 0 : E_PROTOCOL;
    case DECODER_DATA_LF:
        return expect_lf(d, c, DECODER_SIZE);
    case DECODER_TRAILER:
    case DECODER_TRAILER_NAME:
        return trailer_byte(d, c);
    case DECODER_TRAILER_LINE:
        return text_byte(d, c, DECODER_TRAILER_LF);
    case DECODER_TRAILER_LF:
        return expect_lf(d, c, DECODER_TRAILER);
    case DECODER_LAST_LF:
        return expect_lf(d, c, DECODER_DONE);
    case DECODER_DATA:
    case DECODER_DONE:
        break;
    }
    CHECK(!"framing state");
    return E_PROTOCOL;
}

int decoder_next(struct decoder *d, struct str *in, struct str *ret_data)
{
    *ret_data = STR_EMPTY;
    while (in->n > 0 && d->state != DECODER_DONE) {
        if (d->state == DECODER_DATA) {
            size_t n = in->n < d->left ? in->n : (size_t)d->left;
            *ret_data = str_slice(*in, 0, n);
            *in = str_slice(*in, n, in->n);
            if (d->left != UINT64_MAX)
                d->left -= n;
            /* payload pays for framing: long bodies of padded chunks are no attack */
            d->overhead -= n < d->overhead ? (uint32_t)n : d->overhead;
            if (d->left == 0)
                d->state = d->chunked ? DECODER_DATA_CR : DECODER_DONE;
            return 0;
        }
        int r = framing_byte(d, in->p[0]);
        *in = str_slice(*in, 1, in->n);
        if (r != 0)
            return r;
    }
    return 0;
}

int decoder_eof(struct decoder *d)
{
    if (d->state == DECODER_DONE)
        return 0;
    if (d->state != DECODER_DATA || d->left != UINT64_MAX)
        return E_CLOSED;
    d->state = DECODER_DONE;
    return 0;
}
