/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/words.h"

#include "portal/locale.h"

#include <jansson.h>
#include <stdlib.h>

struct words {
    json_t *catalogs[LOCALE_COUNT]; /* const after load */
};

struct words *words_load(const struct embedded_file *table)
{
    struct words *all = calloc(1, sizeof(*all));
    CHECK(all != NULL);
    for (enum locale l = 0; l < LOCALE_COUNT; l++) {
        char name[32];
        snprintf(name, sizeof(name), "messages.%" STR_FMT ".json", STR_ARG(locale_name(l)));
        const struct embedded_file *file =
            table != NULL ? embedded_find(table, str_from(name)) : NULL;
        if (file != NULL)
            all->catalogs[l] = json_loadb(file->data.p, file->data.n, JSON_REJECT_DUPLICATES, NULL);
    }
    return all;
}

void words_free(struct words *all)
{
    if (all == NULL)
        return;
    for (enum locale l = 0; l < LOCALE_COUNT; l++)
        json_decref(all->catalogs[l]);
    free(all);
}

struct str words_in(const struct words *all, enum locale locale, struct str key)
{
    const json_t *text = json_object_getn(all->catalogs[locale], key.p, key.n);
    if (!json_is_string(text))
        text = json_object_getn(all->catalogs[LOCALE_EN], key.p, key.n);
    if (!json_is_string(text))
        return key; /* a test compares the keys in the source with the catalogs */
    return str_make(json_string_value(text), json_string_length(text));
}

struct str words(const struct endpoint_call *call, struct str key)
{
    return words_in(call->portal->words, locale_of(call), key);
}

void words_format(struct buf *out, struct str text, const struct words_param *params, size_t count)
{
    while (text.n > 0) {
        size_t open = str_find_char(text, '{', 0), close = str_find_char(text, '}', open);
        buf_add_str(out, str_slice(text, 0, open));
        if (close == text.n) {
            buf_add_str(out, str_slice(text, open, text.n));
            return;
        }
        struct str name = str_slice(text, open + 1, close);
        for (size_t i = 0; i < count; i++) {
            if (str_eq(params[i].name, name))
                buf_add_str(out, params[i].value);
        }
        text = str_slice(text, close + 1, text.n);
    }
}
