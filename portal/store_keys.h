/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_keys.h -- the keys that were issued, in weir.db.
 *
 * What is written here is what holds after a restart; who changes a key in a running instance then
 * also puts it into its table (gateway/access.h), in this order: first on the disk, then in force.
 *
 * Threads: by the thread of the connection; what changes runs in the caller's transaction.
 * Memory:  rows borrow from the connection and are valid during the visit. A new key's text is
 * given to the caller and kept nowhere else; whoever has shown it clears it. Errors:  E_NOT_FOUND
 * for an unknown kid, E_INVALID for what cannot be, E_CORRUPT for a row that is not ours, and those
 * of base/db.h; `err` has the sentence.
 */
#ifndef PORTAL_STORE_KEYS_H
#define PORTAL_STORE_KEYS_H

#include "base/db.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "gateway/access.h"

#define KEY_NAME_MAX 128 /* bytes */
#define KEY_ALLOW_MAX 64 /* networks of one key */

struct key_row {
    struct str kid;
    struct secret_hash hash;
    enum key_env env;
    struct str name, app;
    struct wall created;
    struct wall expires; /* 0 for never */
    enum key_state state;
    bool held;               /* switched off by an operator, who alone may switch it on */
    struct wall revoked;     /* 0 where it is not */
    struct str rotated_from; /* kid, "" where it is not the successor of another */
    struct cidr_set allow;   /* empty for anywhere */
    /* only of store_keys_find(), store_keys_of_app() and store_keys_search(): */
    struct str created_by; /* an address; "" where it was the shell */
    struct str successor;  /* kid of the one that took its place and is not revoked, or "" */
};

/* "active", "disabled" or "revoked". */
struct str key_state_name(enum key_state state);

/* What access_put_key() wants; borrows from the row. */
struct access_key_spec key_row_spec(const struct key_row *row);

/* A visitor's result other than 0 ends the listing, which returns it. */
typedef int key_visit(void *ctx, const struct key_row *row);

struct key_wish {
    enum key_env env;
    struct str name, app;
    struct wall now;     /* the moment it is issued */
    struct wall expires; /* 0 for never */
    struct cidr_set allow;
    struct uuid person; /* zeros for the shell */
    struct str
        client_wish; /* the client's own name for this wish, for store_keys_of_wish(), or "" */
};

/* Issues a key. *ret_text is written on success; its kid is in it (key_parse()). */
must_check int store_keys_create(struct db *db, const struct pepper *pepper,
                                 const struct key_wish *wish, struct key_text *ret_text,
                                 struct error *err);

#define KEY_WISH_MAX 64 /* bytes of a client's name for a wish */

/* The kid of the key that was issued for the client's wish, NUL-terminated. E_NOT_FOUND without a
 * sentence where there is none. */
must_check int store_keys_of_wish(struct db *db, struct str app, struct str client_wish,
                                  char ret_kid[static KEY_KID_LEN + 1], struct error *err);

/* Shows one key. */
must_check int store_keys_find(struct db *db, struct str kid, key_visit *visit, void *ctx,
                               struct error *err);

/* Which keys to list: in the order of their kids, a page at a time. */
struct key_page {
    struct str app;    /* "" for those of every app */
    struct str after;  /* the last kid of the page before; "" to begin */
    uint32_t limit;    /* 0 for all */
    struct str search; /* only of store_keys_search() */
};

must_check int store_keys_list(struct db *db, const struct key_page *page, key_visit *visit,
                               void *ctx, struct error *err);

/* The same of one app, which must be named, in the order of their age: the youngest first. */
must_check int store_keys_of_app(struct db *db, const struct key_page *page, key_visit *visit,
                                 void *ctx, struct error *err);

/* The same of those whose kid, name or app holds what is searched for, without regard to case; ""
 * for all. In the order of their kids. */
must_check int store_keys_search(struct db *db, const struct key_page *page, key_visit *visit,
                                 void *ctx, struct error *err);

/* How many keys of the app are neither revoked nor expired. */
must_check int store_keys_count(struct db *db, struct str app, struct wall now, uint64_t *ret_count,
                                struct error *err);

/* For good. One that is revoked already stays as it is: 0. */
must_check int store_keys_revoke(struct db *db, struct str kid, struct wall now, struct error *err);

enum key_hand { KEY_BY_OWNER, KEY_BY_OPERATOR };

/* Switches a key off or on again; not one that is revoked (E_INVALID). What an operator has
 * switched off, its owner cannot switch at all (E_DENIED). */
must_check int store_keys_enable(struct db *db, struct str kid, bool enabled, enum key_hand hand,
                                 struct error *err);

/* What is to change about a key; what is not named stays. */
struct key_change {
    struct str kid;
    struct str name; /* NULL: stays */
    bool set_expires, set_allow;
    struct wall expires; /* 0 for never */
    struct cidr_set allow;
};

/* E_INVALID where the key is revoked, or for what no key can be. */
must_check int store_keys_change(struct db *db, const struct key_change *change, struct error *err);

/* A key whose people may have to be told. */
struct key_expiry {
    struct str kid, name, app, app_title;
    struct wall created, expires;
    uint32_t warned_days; /* the last warning that was sent; 0 for none */
};

typedef int key_expiry_visit(void *ctx, const struct key_expiry *expiry);

/* Shows the active keys of living apps that expire after `now` and until then, the first to expire
 * first; not those that were rotated: they have a successor. */
must_check int store_keys_expiring(struct db *db, struct wall now, struct wall until,
                                   key_expiry_visit *visit, void *ctx, struct error *err);

/* Its people were told, that many days before. */
must_check int store_keys_warned(struct db *db, struct str kid, uint32_t days, struct error *err);

struct key_rotation {
    struct str kid;
    int64_t overlap_us; /* how long the old one still works, unless it expires sooner */
    struct wall now;
    struct uuid person;     /* as of struct key_wish */
    struct str client_wish; /* likewise */
};

/*
 * Issues a successor with the same app, environment, name and networks, for as long as the old one
 * was issued for; the old one expires after the overlap. E_INVALID where the old one is not in
 * force any more.
 */
must_check int store_keys_rotate(struct db *db, const struct pepper *pepper,
                                 const struct key_rotation *rotation, struct key_text *ret_text,
                                 struct error *err);

#endif
