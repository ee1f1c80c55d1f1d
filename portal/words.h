/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h -- inside of portal/: the words of pages and mails that are written here, by language.
 *
 * The catalogs are those of the browser code, web/messages: one file a language, flat, with {names}
 * for what is put in.
 *
 * Threads: const after loading.
 * Memory:  words live as long as the catalogs.
 * Errors:  what a language lacks is said in English; a key that no catalog has stands for itself.
 */
#ifndef PORTAL_WORDS_H
#define PORTAL_WORDS_H

#include "portal/endpoint.h"
#include "portal/locale.h"

struct words;

/* From the files messages.en.json, messages.tr.json of the table; NULL is one without files. */
struct words *words_load(const struct embedded_file *table);
void words_free(struct words *words); /* NULL is accepted */

/* The text of a key. */
struct str words_in(const struct words *words, enum locale locale, struct str key);

/* The same in the language of a request. */
struct str words(const struct endpoint_call *call, struct str key);

struct words_param {
    struct str name, value;
};

/* Appends the text with its {names} replaced; a name that is not given is left out. */
void words_format(struct buf *out, struct str text, const struct words_param *params, size_t count);

#endif
