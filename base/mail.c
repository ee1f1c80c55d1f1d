/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mail.h"

#include <sodium.h>

#define LOCAL_MAX 64   /* RFC 5321 §4.5.3.1.1 */
#define LABEL_MAX 63   /* RFC 1035 §2.3.4 */
#define LINE_MAX_QP 76 /* RFC 2045 §6.7 (5), with the sign of a soft break */
#define WORD_BYTES 39  /* "Subject: =?UTF-8?B?...?=" is then within 76 (RFC 2047 §2) */
#define PLAIN_MAX 60   /* bytes of a subject or name that stands as it is */

/* --- addresses --- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5322 §3.2.3 */
static bool is_atext(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(struct str s)
{
    if (s.n == 0 || s.p[0] == '.' || s.p[s.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dots = s.p[i] == '.' && s.p[i - 1] == '.';
        if (dots || (s.p[i] != '.' && !is_atext(s.p[i])))
            return false;
    }
    return true;
}

static bool is_label(struct str s)
{
    if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    }
    return true;
}

static bool is_domain(struct str s)
{
    size_t begin = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.')
            continue;
        if (!is_label(str_slice(s, begin, i)))
            return false;
        begin = i + 1;
    }
    return true;
}

const char *mail_address_fault(struct str address)
{
    size_t at = str_find_char(address, '@', 0);
    if (at == address.n || at == 0 || at + 1 == address.n)
        return "This is no e-mail address.";
    if (address.n > MAIL_ADDRESS_MAX || at > LOCAL_MAX)
        return "This e-mail address is too long.";
    for (size_t i = 0; i < address.n; i++) {
        if ((unsigned char)address.p[i] >= 0x80)
            return "An e-mail address here has the letters a to z; of a domain with others its "
                   "form "
                   "that begins with xn--.";
    }
    if (!is_dot_atom(str_slice(address, 0, at)) ||
        !is_domain(str_slice(address, at + 1, address.n)))
        return "This is no e-mail address.";
    return NULL;
}

/* --- the head --- */

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f)
            return false;
    }
    /* what looks like an encoded word would be read as one */
    return s.n <= PLAIN_MAX && str_find(s, STR("=?")) == s.n;
}

/* Bytes of the next piece of at most WORD_BYTES that ends between two characters. */
static size_t piece(struct str s)
{
    size_t n = s.n < WORD_BYTES ? s.n : WORD_BYTES;
    while (n < s.n && n > WORD_BYTES - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* As encoded words (RFC 2047 §4.1), each on a line of its own. */
static void add_encoded(struct buf *out, struct str s)
{
    for (bool first = true; s.n > 0; first = false) {
        char clean[WORD_BYTES], text[sodium_base64_ENCODED_LEN(WORD_BYTES, 1)];
        size_t n = piece(s);
        for (size_t i = 0; i < n; i++)
            clean[i] = is_control(s.p[i]) ? ' ' : s.p[i];
        sodium_bin2base64(text, sizeof(text), (const unsigned char *)clean, n,
                          sodium_base64_VARIANT_ORIGINAL);
        if (!first)
            buf_add_lit(out, "\r\n ");
        buf_printf(out, "=?UTF-8?B?%s?=", text);
        s = str_slice(s, n, s.n);
    }
}

static void add_quoted(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, s.p[i]);
    }
    buf_add_char(out, '"');
}

/* From: "Name" <address> */
static void add_mailbox(struct buf *out, const char *field, struct str name, struct str address)
{
    buf_printf(out, "%s: ", field);
    if (name.n > 0 && is_plain(name))
        add_quoted(out, name);
    else
        add_encoded(out, name);
    if (name.n > 0)
        buf_add_lit(out, "\r\n ");
    buf_printf(out, "<%" STR_FMT ">\r\n", STR_ARG(address));
}

static void add_subject(struct buf *out, struct str subject)
{
    buf_add_lit(out, "Subject: ");
    if (is_plain(subject))
        buf_add_str(out, subject);
    else
        add_encoded(out, subject);
    buf_add_lit(out, "\r\n");
}

/* "Mon, 23 Nov 2026 18:04:05 +0000": RFC 5322 §3.3 has no GMT but for old mails. */
static void add_date(struct buf *out, struct wall date)
{
    char text[CLOCK_TEXT_MAX];
    struct str s = str_make(text, wall_format_http(date, text));
    buf_printf(out, "Date: %" STR_FMT "+0000\r\n", STR_ARG(str_slice(s, 0, s.n - strlen("GMT"))));
}

/* --- the text (RFC 2045 §6.7) --- */

/* Whether the byte may stand for itself; a space not before the end of its line. */
static bool stands(struct str text, size_t i)
{
    char c = text.p[i];
    bool ends = i + 1 == text.n || text.p[i + 1] == '\n';
    if (c == ' ' || c == '\t')
        return !ends;
    return c >= 0x21 && c <= 0x7e && c != '=';
}

static void add_text(struct buf *out, struct str text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n') {
            buf_add_lit(out, "\r\n");
            width = 0;
            continue;
        }
        size_t n = stands(text, i) ? 1 : 3;
        if (width + n > LINE_MAX_QP - 1) {
            buf_add_lit(out, "=\r\n");
            width = 0;
        }
        if (n == 1)
            buf_add_char(out, text.p[i]);
        else
            buf_printf(out, "=%02X", (unsigned)(unsigned char)text.p[i]);
        width += n;
    }
    buf_add_lit(out, "\r\n");
}

void mail_write(struct buf *out, const struct mail *mail)
{
    size_t at = str_find_char(mail->from, '@', 0);
    CHECK(at < mail->from.n);
    add_date(out, mail->date);
    add_mailbox(out, "From", mail->from_name, mail->from);
    add_mailbox(out, "To", mail->to_name, mail->to);
    add_subject(out, mail->subject);
    buf_printf(out, "Message-ID: <%" STR_FMT "%" STR_FMT ">\r\n", STR_ARG(mail->id),
               STR_ARG(str_slice(mail->from, at, mail->from.n)));
    /* RFC 3834 §5: no answering machine should answer this */
    buf_add_lit(out, "Auto-Submitted: auto-generated\r\n"
                     "MIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    add_text(out, mail->text);
}
