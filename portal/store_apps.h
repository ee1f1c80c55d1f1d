/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_apps.h -- apps of the portal and their subscriptions, in weir.db.
 *
 * An app's name is what records, metrics and bills call it: made from its title when it is created,
 * never changed, never given to another. An app has at most one plan in force and one wish that
 * waits for an operator.
 *
 * Threads: by the thread of the connection; what changes runs in the caller's transaction.
 * Memory:  rows borrow from the connection and are valid during the visit.
 * Errors:  E_NOT_FOUND, E_INVALID, E_EXISTS with a sentence, and those of base/db.h.
 */
#ifndef PORTAL_STORE_APPS_H
#define PORTAL_STORE_APPS_H

#include "base/db.h"
#include "base/uuid.h"
#include "gateway/access.h"

#define APP_NAME_MAX 48         /* bytes, of the name made for it */
#define APP_TITLE_MAX 80        /* bytes */
#define APP_DESCRIPTION_MAX 500 /* bytes */
#define APP_NOTE_MAX 500        /* bytes, of an operator's words */

enum app_state { APP_ACTIVE, APP_SUSPENDED, APP_DELETED };

/* "active", "suspended" or "deleted". */
struct str app_state_name(enum app_state state);

struct app_row {
    struct str name, title, description;
    struct uuid team;
    struct str team_name;
    enum app_state state;
    struct str state_note;
    struct wall created;
    struct str plan;         /* in force; "" for none */
    struct wall plan_since;  /* 0 for none */
    struct str plan_note;    /* the operator's words with its approval, or "" */
    struct str pending_plan; /* waiting for an operator; "" for none */
    struct wall asked;       /* 0 for none */
    uint64_t active_keys;    /* neither revoked, nor switched off, nor expired */
};

/* What access_put_app() wants; borrows from the row. */
struct access_app_spec app_row_spec(const struct app_row *row);

/* A visitor's result other than 0 ends the listing, which returns it. */
typedef int app_visit(void *ctx, const struct app_row *row);

/* --- reading --- */

/* Shows one app, whatever its state. */
must_check int store_apps_find(struct db *db, struct str name, app_visit *visit, void *ctx,
                               struct error *err);

/* Shows every app that is not deleted. */
must_check int store_apps_each(struct db *db, app_visit *visit, void *ctx, struct error *err);

struct app_page {
    struct str search; /* within name, title or team's name, without regard to case; "" for all */
    struct str after;  /* the last name of the page before */
    uint32_t limit;
};

/* Shows a page of the apps of all teams the person is in, by name; none that is deleted. The search
 * is not looked at. */
must_check int store_apps_of_person(struct db *db, const struct uuid *person,
                                    const struct app_page *page, app_visit *visit, void *ctx,
                                    struct error *err);

/* How many apps the team has, and how many it ever had. */
must_check int store_apps_count(struct db *db, const struct uuid *team, uint64_t *ret_there,
                                uint64_t *ret_ever, struct error *err);

/* Shows a page of all apps that are not deleted, by name. */
must_check int store_apps_list(struct db *db, const struct app_page *page, app_visit *visit,
                               void *ctx, struct error *err);

/* --- changing --- */

struct app_wish {
    struct uuid team, person;
    struct str title, description;
    struct wall now;
};

/* Makes an app without a plan. ret_name gets its name, NUL-terminated. */
must_check int store_apps_create(struct db *db, const struct app_wish *wish,
                                 char ret_name[static APP_NAME_MAX + 1], struct error *err);

/* Texts that are NULL stay as they are. */
must_check int store_apps_describe(struct db *db, struct str name, struct str title,
                                   struct str description, struct error *err);

/* `note` is for the app's people. Deleting revokes its keys and ends its subscriptions. */
must_check int store_apps_suspend(struct db *db, struct str name, bool suspended, struct str note,
                                  struct error *err);
must_check int store_apps_delete(struct db *db, struct str name, struct wall now,
                                 struct error *err);

#endif
