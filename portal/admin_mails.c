/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of mails. What they say is told only where they are shown in place of being sent:
 * links in them open other people's accounts.
 */
#include "portal/admin.h"
#include "portal/notify.h"
#include "portal/store_mails.h"

#include <sodium.h>

struct mails {
    struct listing l;
    struct mail_page page;
    struct seal_key key;
    uint64_t waiting, failed;
};

static void tell_words(struct mails *mails, const struct mail_row *row)
{
    struct jsonw *w = &mails->l.w;
    struct notice_text words = {.subject = STR_EMPTY};
    struct buf room;
    buf_init(&room, 2 * NOTICE_BYTES_MAX);
    bool shown = mails->l.call->conf->mailing.console && row->content.n > 0 &&
                 notice_open(&room, &mails->key, &row->id, row->content, &words) == 0;
    jsonw_key(w, "subject"), shown ? jsonw_str(w, words.subject) : jsonw_null(w);
    jsonw_key(w, "text"), shown ? jsonw_str(w, words.text) : jsonw_null(w);
    mails->l.call->wipe |= shown;
    buf_wipe(&room);
}

static int tell_item(void *ctx, const struct mail_row *row)
{
    struct mails *mails = ctx;
    struct jsonw *w = &mails->l.w;
    if (!listing_take_id(&mails->l, row->id))
        return 0;
    jsonw_object(w);
    endpoint_uuid(w, "id", &row->id);
    jsonw_key(w, "template"), jsonw_str(w, row->template);
    jsonw_key(w, "to"), jsonw_str(w, row->recipient);
    jsonw_key(w, "state"), jsonw_str(w, mail_state_name(row->state));
    jsonw_key(w, "attempts"), jsonw_u64(w, row->attempts);
    endpoint_time(w, "created", row->created);
    endpoint_time(w, "next", row->state == MAIL_WAITING ? row->next : (struct wall){.us = 0});
    endpoint_time(w, "ended", row->ended);
    jsonw_key(w, "fault"), jsonw_str(w, row->fault);
    tell_words(mails, row);
    jsonw_end(w);
    return 0;
}

static int list(struct db *db, void *ctx, struct error *err)
{
    struct mails *mails = ctx;
    return store_mails_list(db, &mails->page, tell_item, mails, err);
}

void admin_mails_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct mails mails = {.waiting = 0};
    if (!listing_after_id(call, &mails.page.after) || !listing_begin(call, &mails.l))
        return;
    mails.key = notice_key(registry_pepper(call->portal->registry));
    mails.page.limit = mails.l.limit + 1;
    int r = admin_read(call, list, &mails, &err);
    sodium_memzero(&mails.key, sizeof(mails.key));
    listing_send(&mails.l, r, &err);
}

/* --- how it stands --- */

static int count(struct db *db, void *ctx, struct error *err)
{
    struct mails *mails = ctx;
    return store_mails_count(db, &mails->waiting, &mails->failed, err);
}

void admin_mail_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct mails mails = {.waiting = 0};
    struct buf json;
    struct jsonw w;
    int r = admin_read(call, count, &mails, &err);
    if (r != 0) {
        endpoint_fail_error(call, r, &err);
        return;
    }
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "mode");
    jsonw_cstr(&w, !call->conf->mail ? "off" : call->conf->mailing.console ? "console" : "smtp");
    jsonw_key(&w, "waiting"), jsonw_u64(&w, mails.waiting);
    jsonw_key(&w, "failed"), jsonw_u64(&w, mails.failed);
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}

/* --- trying one again --- */

struct retrying {
    const struct endpoint_call *call;
    struct uuid id;
};

static int retry(struct registry_write *write, void *ctx, struct error *err)
{
    const struct retrying *retrying = ctx;
    char id[UUID_TEXT_LEN];
    int r = store_mails_retry(write->db, &retrying->id, write->now, err);
    if (r != 0)
        return r;
    uuid_format(retrying->id, id);
    registry_touch_mails(write);
    return admin_audit(retrying->call, write, "mail.retried", str_make(id, sizeof(id)), NULL,
                       STR_EMPTY, err);
}

void admin_mail_retry(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct retrying retrying = {.call = call};
    if (!admin_id(call, STR("There is no such mail."), &retrying.id))
        return;
    int r = registry_write(call->portal->registry, retry, &retrying, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        endpoint_send_done(call, STR("/mails"));
}
