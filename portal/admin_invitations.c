/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations: links by which one account can be made each. */
#include "portal/admin.h"
#include "portal/notify.h"
#include "portal/store_links.h"

#include <sodium.h>

#define INVITATION_US (7 * US_PER_DAY)
#define INVITATIONS_MAX 500 /* that are open; so a list of them is one page */
#define NO_INVITATION STR("There is no such invitation: it was used, or its time is over.")

static void tell_invitation(struct jsonw *w, const struct link_row *row)
{
    jsonw_object(w);
    endpoint_uuid(w, "id", &row->id);
    jsonw_key(w, "email"), jsonw_str(w, row->email);
    endpoint_time(w, "created", row->created);
    endpoint_time(w, "expires", row->expires);
    jsonw_end(w);
}

/* --- the list --- */

static int tell_item(void *ctx, const struct link_row *row)
{
    struct jsonw *w = ctx;
    tell_invitation(w, row);
    return 0;
}

static int list(struct db *db, void *ctx, struct error *err)
{
    return store_links_list(db, LINK_INVITE, clock_wall(), tell_item, ctx, err);
}

void admin_invitations_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items"), jsonw_array(&w);
    int r = admin_read(call, list, &w, &err);
    jsonw_end(&w);
    jsonw_end(&w);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

/* --- making one --- */

struct making {
    struct endpoint_call *call;
    struct link_row row;
    struct link_token token;
    struct str link;
};

static int count_one(void *ctx, const struct link_row *row)
{
    unsigned *count = ctx;
    (void)row;
    ++*count;
    return 0;
}

static int check_room(struct registry_write *write, struct error *err)
{
    unsigned count = 0;
    int r = store_links_list(write->db, LINK_INVITE, write->now, count_one, &count, err);
    if (r == 0 && count >= INVITATIONS_MAX)
        return error_set(err, E_INVALID,
                         "%d invitations are open, and more there may not be: take one back first.",
                         INVITATIONS_MAX);
    return r;
}

static int mail_link(struct registry_write *write, const struct making *m, struct error *err)
{
    struct endpoint_call *call = m->call;
    if (!call->conf->mail || m->row.email.n == 0)
        return 0;
    struct notice notice = {.template = "invite",
                            .to = m->row.email,
                            .name = input_text(&call->input, "name"),
                            .locale = locale_of(call)};
    notice_add(&notice, STR("link"), m->link);
    return notify(call->portal, call->conf, write, &notice, err);
}

static int make(struct registry_write *write, void *ctx, struct error *err)
{
    struct making *m = ctx;
    m->row = (struct link_row){.id = registry_id(write),
                               .kind = LINK_INVITE,
                               .email = input_text(&m->call->input, "email"),
                               .created = write->now,
                               .expires = {.us = write->now.us + INVITATION_US},
                               .created_by = m->call->person->id};
    int r = check_room(write, err);
    if (r == 0)
        r = store_links_add(write->db, write->pepper, &m->row, &m->token, err);
    if (r != 0)
        return r;
    m->link = arena_printf(http_arena(m->call->conn), "%" STR_FMT "/sign-up?invitation=%s",
                           STR_ARG(m->call->conf->portal_url), m->token.p);
    r = admin_audit(m->call, write, "invitation.made", m->row.email, NULL, STR_EMPTY, err);
    return r == 0 ? mail_link(write, m, err) : r;
}

void admin_invitations_post(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct making m = {.call = call};
    struct buf json;
    struct jsonw w;
    int r = registry_write(call->portal->registry, make, &m, &err);
    if (r != 0) {
        endpoint_fail_error(call, r, &err);
        return;
    }
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "invitation"), tell_invitation(&w, &m.row);
    jsonw_key(&w, "link"), jsonw_str(&w, m.link);
    jsonw_key(&w, "mailed"), jsonw_bool(&w, call->conf->mail && m.row.email.n > 0);
    jsonw_end(&w);
    sodium_memzero(&m.token, sizeof(m.token));
    endpoint_send_json(call, 201, &json);
}

/* --- taking one back --- */

struct taking {
    struct endpoint_call *call;
    struct uuid id;
    bool found;
    struct str email;
};

static int look_for(void *ctx, const struct link_row *row)
{
    struct taking *t = ctx;
    if (memcmp(&row->id, &t->id, sizeof(t->id)) != 0)
        return 0;
    t->found = true;
    t->email = arena_dup(http_arena(t->call->conn), row->email);
    return 0;
}

/* Ids of other links are no invitations'. */
static int take_back(struct registry_write *write, void *ctx, struct error *err)
{
    struct taking *t = ctx;
    int r = store_links_list(write->db, LINK_INVITE, write->now, look_for, t, err);
    if (r == 0 && !t->found)
        return error_set(err, E_NOT_FOUND, "%" STR_FMT, STR_ARG(NO_INVITATION));
    if (r == 0)
        r = store_links_remove(write->db, &t->id, err);
    return r == 0 ? admin_audit(t->call, write, "invitation.taken_back", t->email, NULL, STR_EMPTY,
                                err)
                  : r;
}

void admin_invitation_delete(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct taking t = {.call = call};
    if (!admin_id(call, NO_INVITATION, &t.id))
        return;
    int r = registry_write(call->portal->registry, take_back, &t, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        endpoint_send_done(call, STR("/people"));
}
