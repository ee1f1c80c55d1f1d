/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail.h -- addresses of mails, and a mail as the lines that go over the wire.
 *
 * A mail here has one sender, one reader and plain text. It is written as RFC 5322 and RFC 2045
 * want it: lines of at most 76 bytes, all of them ASCII, whatever letters its words have.
 *
 * Threads: pure functions.
 * Memory:  all strings are borrowed; the text is the caller's buffer.
 * Errors:  a buffer that is too small has failed, as any.
 */
#ifndef BASE_MAIL_H
#define BASE_MAIL_H

#include "base/buf.h"
#include "base/clock.h"

#define MAIL_ADDRESS_MAX 254 /* bytes (RFC 5321 §4.5.3.1.3, less the brackets) */

/*
 * Says what is wrong with an address, or NULL: local@domain with a dotted atom before the sign and
 * the name of a host after it (RFC 5321 §4.1.2). Quoted locals, address literals and letters beyond
 * ASCII are refused: hardly a server takes them, and a mail that is lost helps nobody.
 */
const char *mail_address_fault(struct str address);

struct mail {
    struct str id; /* before the @ of its Message-ID: the same mail sent twice has the same */
    struct wall date;
    struct str from, from_name; /* an address that is one, and whose it is; the name may be empty */
    struct str to, to_name;
    struct str subject;
    struct str text; /* UTF-8, lines end with LF */
};

/*
 * Appends the mail with its head. Control characters in names and subjects are written as spaces:
 * whatever they hold, they add no line to the head.
 */
void mail_write(struct buf *out, const struct mail *mail);

#endif
