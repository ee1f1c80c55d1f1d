/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h -- embedded files as a web server gives them: with their type, tag and compressed forms.
 *
 * The rows `x.css`, `x.css.gz` and `x.css.br` of a table are one file in three forms; which is sent
 * is decided by Accept-Encoding. Only files of a known type are seen.
 *
 * Threads: constant after creation.
 * Memory:  owns its index; the bytes are the table's.
 * Errors:  none.
 */
#ifndef BASE_HTTP_FILES_H
#define BASE_HTTP_FILES_H

#include "base/embedded.h"
#include "base/http/reply.h"

struct http_files;

enum http_form { FORM_PLAIN, FORM_GZIP, FORM_BROTLI, FORM_COUNT };

struct http_file {
    struct str name;              /* of the plain form */
    struct str type;              /* "text/css; charset=utf-8" */
    struct str forms[FORM_COUNT]; /* the bytes; empty where a form is not there */
    char etags[FORM_COUNT][24];   /* a strong tag each; other bytes, other tag */
};

/* `table` as in base/embedded.h; NULL is one without rows. */
struct http_files *http_files_create(const struct embedded_file *table);
void http_files_destroy(struct http_files *files); /* NULL is accepted */

/* NULL where there is none of that name, or the name is of a compressed form. */
const struct http_file *http_files_find(const struct http_files *files, struct str name);

/* The first whose name has both ends: for names that carry a hash between. */
const struct http_file *http_files_match(const struct http_files *files, struct str prefix,
                                         struct str suffix);

/*
 * Makes `reply` the answer 200 with the file in the form the request likes best, the smaller of
 * equals. Fields that are there stay.
 */
void reply_file(struct reply *reply, const struct head *head, const struct http_file *file);

#endif
