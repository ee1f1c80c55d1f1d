/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/notify.h"

#include "portal/store_mails.h"
#include "portal/store_people.h"
#include "portal/words.h"

#include <sodium.h>
#include <stdio.h>

#define OWN_PARAMS 3 /* name, title, portal */

/* --- words --- */

static void add_words(struct buf *out, const struct portal *portal, const struct portal_conf *conf,
                      const struct notice *notice, const char *key)
{
    struct words_param params[NOTICE_PARAMS_MAX + OWN_PARAMS] = {
        {STR("name"), notice->name},
        {STR("title"), conf->title},
        {STR("portal"), conf->portal_url},
    };
    for (unsigned i = 0; i < notice->count; i++)
        params[OWN_PARAMS + i] = (struct words_param){notice->keys[i], notice->values[i]};
    words_format(out, words_in(portal->words, notice->locale, str_from(key)), params,
                 OWN_PARAMS + notice->count);
}

/* Name, subject and text, each but the last with a NUL behind it. */
static void write_content(struct buf *out, const struct portal *portal,
                          const struct portal_conf *conf, const struct notice *notice)
{
    char key[64];
    buf_add_str(out, notice->name);
    buf_add_char(out, '\0');
    snprintf(key, sizeof(key), "mail.%s.subject", notice->template);
    add_words(out, portal, conf, notice, key);
    buf_add_char(out, '\0');
    add_words(out, portal, conf, notice, notice->name.n > 0 ? "mail.hello" : "mail.hello_anyone");
    buf_add_lit(out, "\n\n");
    snprintf(key, sizeof(key), "mail.%s.body", notice->template);
    add_words(out, portal, conf, notice, key);
    buf_add_lit(out, "\n\n-- \n");
    add_words(out, portal, conf, notice, "mail.footer");
    buf_add_lit(out, "\n");
}

struct seal_key notice_key(const struct pepper *pepper)
{
    return seal_key_make(pepper, STR("mails"));
}

static struct str place_of(const struct uuid *id)
{
    return str_make((const char *)id->b, sizeof(id->b));
}

int notice_open(struct buf *room, const struct seal_key *key, const struct uuid *id,
                struct str content, struct notice_text *ret_text)
{
    int r = seal_open(room, key, content, place_of(id));
    if (r != 0)
        return r;
    struct str all = buf_str(room);
    size_t name = str_find_char(all, '\0', 0);
    size_t subject = name < all.n ? str_find_char(all, '\0', name + 1) : all.n;
    if (subject >= all.n)
        return E_CORRUPT;
    *ret_text = (struct notice_text){.name = str_slice(all, 0, name),
                                     .subject = str_slice(all, name + 1, subject),
                                     .text = str_slice(all, subject + 1, all.n)};
    return 0;
}

/* --- the queue --- */

static int add(struct registry_write *write, const struct notice *notice, struct str content,
               struct error *err)
{
    struct seal_key key = notice_key(write->pepper);
    struct buf sealed;
    struct mail_row row = {.id = registry_id(write),
                           .template = str_from(notice->template),
                           .recipient = notice->to,
                           .created = write->now};
    buf_init(&sealed, 2 * NOTICE_BYTES_MAX);
    seal(&sealed, &key, content, place_of(&row.id));
    sodium_memzero(&key, sizeof(key));
    row.content = buf_str(&sealed);
    int r = buf_finish(&sealed) == 0 ? store_mails_add(write->db, &row, err)
                                     : error_set(err, E_NOMEM, "no room for a mail");
    buf_free(&sealed);
    if (r == 0)
        registry_touch_mails(write);
    return r;
}

int notify(const struct portal *portal, const struct portal_conf *conf,
           struct registry_write *write, const struct notice *notice, struct error *err)
{
    struct buf content;
    if (!conf->mail)
        return 0;
    buf_init(&content, NOTICE_BYTES_MAX);
    write_content(&content, portal, conf, notice);
    int r = buf_finish(&content) == 0
                ? add(write, notice, buf_str(&content), err)
                : error_set(err, E_TOO_LARGE, "the mail %s is too large", notice->template);
    buf_wipe(&content); /* it may hold a link */
    return r;
}

struct spreading {
    const struct portal *portal;
    const struct portal_conf *conf;
    struct registry_write *write;
    struct notice notice;
    struct error *err;
};

static int notify_one(void *ctx, const struct person_row *row)
{
    struct spreading *s = ctx;
    s->notice.to = row->email;
    s->notice.name = row->name;
    if (!locale_find(row->locale, &s->notice.locale))
        s->notice.locale = LOCALE_EN;
    return notify(s->portal, s->conf, s->write, &s->notice, s->err);
}

int notify_app(const struct portal *portal, const struct portal_conf *conf,
               struct registry_write *write, struct str app, const struct notice *notice,
               struct error *err)
{
    struct spreading s = {
        .portal = portal, .conf = conf, .write = write, .notice = *notice, .err = err};
    return conf->mail ? store_people_of_app(write->db, app, notify_one, &s, err) : 0;
}
