/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/files.h"

#include "base/http/accept.h"

#include <inttypes.h>
#include <stdlib.h>

struct http_files {
    size_t count;
    struct http_file items[];
};

/* A type outside this list is not for browsers and is not served. */
static const struct {
    struct str suffix, type;
} TYPES[] = {
    {STR_INIT(".html"), STR_INIT("text/html; charset=utf-8")},
    {STR_INIT(".css"), STR_INIT("text/css; charset=utf-8")},
    {STR_INIT(".js"), STR_INIT("text/javascript; charset=utf-8")},
    {STR_INIT(".svg"), STR_INIT("image/svg+xml")},
    {STR_INIT(".json"), STR_INIT("application/json")},
};

static struct str type_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        if (str_ends(name, TYPES[i].suffix))
            return TYPES[i].type;
    }
    return STR_EMPTY;
}

static const struct {
    struct str coding, suffix;
} FORMS[FORM_COUNT] = {
    [FORM_PLAIN] = {STR_INIT("identity"), STR_INIT("")},
    [FORM_GZIP] = {STR_INIT("gzip"), STR_INIT(".gz")},
    [FORM_BROTLI] = {STR_INIT("br"), STR_INIT(".br")},
};

static struct str form_of(const struct embedded_file *table, const char *name, enum http_form form)
{
    char full[256];
    snprintf(full, sizeof(full), "%s%s", name, FORMS[form].suffix.p);
    const struct embedded_file *f = embedded_find(table, str_from(full));
    return f != NULL ? f->data : STR_EMPTY;
}

static void add_file(struct http_file *file, const struct embedded_file *table, const char *name)
{
    *file = (struct http_file){.name = str_from(name), .type = type_of(str_from(name))};
    for (enum http_form form = 0; form < FORM_COUNT; form++) {
        file->forms[form] = form_of(table, name, form);
        /* keyed for this process: after a restart a client fetches the file once more */
        snprintf(file->etags[form], sizeof(file->etags[form]), "\"%016" PRIx64 "\"",
                 str_hash(file->forms[form]));
    }
}

struct http_files *http_files_create(const struct embedded_file *table)
{
    size_t rows = 0;
    while (table != NULL && table[rows].name != NULL)
        rows++;
    struct http_files *files = calloc(1, sizeof(*files) + rows * sizeof(files->items[0]));
    CHECK(files != NULL);
    for (size_t i = 0; i < rows; i++) {
        if (type_of(str_from(table[i].name)).n > 0)
            add_file(&files->items[files->count++], table, table[i].name);
    }
    return files;
}

void http_files_destroy(struct http_files *files)
{
    free(files);
}

const struct http_file *http_files_find(const struct http_files *files, struct str name)
{
    for (size_t i = 0; i < files->count; i++) {
        if (str_eq(files->items[i].name, name))
            return &files->items[i];
    }
    return NULL;
}

const struct http_file *http_files_match(const struct http_files *files, struct str prefix,
                                         struct str suffix)
{
    for (size_t i = 0; i < files->count; i++) {
        struct str name = files->items[i].name;
        if (name.n >= prefix.n + suffix.n && str_starts(name, prefix) && str_ends(name, suffix))
            return &files->items[i];
    }
    return NULL;
}

/*
 * Plain bytes need no word of the client. A coding must be there, welcome, and not less so than
 * plain bytes where the client weighed those ("identity;q=1, gzip;q=0.1").
 */
static enum http_form choose_form(const struct head *head, const struct http_file *file)
{
    enum http_form best = FORM_PLAIN;
    unsigned least = http_accept_coding(head, FORMS[FORM_PLAIN].coding);
    for (enum http_form form = FORM_PLAIN + 1; form < FORM_COUNT; form++) {
        unsigned quality = http_accept_coding(head, FORMS[form].coding);
        bool smaller = file->forms[form].n < file->forms[best].n;
        if (file->forms[form].n == 0 || quality == 0 || quality < least)
            continue;
        if (quality > least || smaller) {
            best = form;
            least = quality;
        }
    }
    return best;
}

void reply_file(struct reply *reply, const struct head *head, const struct http_file *file)
{
    enum http_form form = choose_form(head, file);
    reply->status = 200;
    reply->type = file->type;
    reply->coding = form != FORM_PLAIN ? FORMS[form].coding : STR_EMPTY;
    reply->body = file->forms[form];
    reply->etag = str_from(file->etags[form]);
    if (file->forms[FORM_GZIP].n > 0 || file->forms[FORM_BROTLI].n > 0)
        reply_add(reply, STR("Vary"), STR("Accept-Encoding"));
}
