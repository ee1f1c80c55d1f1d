/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h -- weir.db while an instance runs: who reads it, who writes it, and how what was
 * written gets into force.
 *
 * There is one writing connection. A write runs in one transaction; what it touched of keys and
 * apps is read again after the commit and put into the gateway's table, before the next write
 * begins. So the order in the table is the order on the disk, and an answer that follows a write
 * speaks of what is in force.
 *
 *     static int rename_app(struct registry_write *w, void *ctx, struct error *err)
 *     {
 *         registry_touch_app(w, name);
 *         return store_apps_rename(w->db, name, title, err);
 *     }
 *     r = registry_write(registry, rename_app, &wish, err);
 *
 * Threads: any, but never a carrier: a write waits for others and for the disk. No write may wait
 *          for the network or hash a password.
 * Memory:  readers are the registry's; give back what was taken.
 * Errors:  those of base/db.h; a write that fails leaves nothing behind.
 */
#ifndef PORTAL_REGISTRY_H
#define PORTAL_REGISTRY_H

#include "base/db.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "gateway/access.h"

struct registry;

struct registry_options {
    const char *data_dir;        /* weir.db is made or brought to this version */
    struct access *access;       /* where keys and apps get into force */
    const struct pepper *pepper; /* both outlive the registry */
};

must_check int registry_open(struct registry **ret_registry, const struct registry_options *options,
                             struct error *err);

/* Nobody may use it any more. NULL is accepted. */
void registry_close(struct registry *registry);

/* Puts every app and key of the database into force: once, at start. */
must_check int registry_load(struct registry *registry, struct error *err);

const struct pepper *registry_pepper(const struct registry *registry);
struct access *registry_access(const struct registry *registry);

/* --- reading --- */

/* A connection for reading, until it is given back; waits where all are in use. */
must_check int registry_read(struct registry *registry, struct db **ret_db, struct error *err);
void registry_read_done(struct registry *registry, struct db *db);

/* --- writing --- */

#define REGISTRY_TOUCH_MAX 8

struct registry_write {
    struct db *db;
    struct wall now; /* one moment for all of the write */
    const struct pepper *pepper;
    struct access *access;

    /* inside */
    struct uuid_source *ids;
    struct wall *last_id;
    char kids[REGISTRY_TOUCH_MAX][KEY_KID_LEN];
    unsigned kid_count;
    char app[128];
    bool app_keys;
    bool mails;
};

/* 0, or a negative code, which takes everything back. */
typedef int registry_work(struct registry_write *write, void *ctx, struct error *err);

/*
 * Runs `work` in a transaction, then puts what it touched into force. E_EXISTS with a sentence
 * where a touched key cannot get into force, because the configuration has its secret; the write
 * itself holds.
 */
must_check int registry_write(struct registry *registry, registry_work *work, void *ctx,
                              struct error *err);

/* This key will be read again after the commit, and put in force. At most REGISTRY_TOUCH_MAX. */
void registry_touch_key(struct registry_write *write, struct str kid);

/* The same for an app, which may be one of the file, and for it with all of its keys. One a write.
 */
void registry_touch_app(struct registry_write *write, struct str app);
void registry_touch_app_keys(struct registry_write *write, struct str app);

/* A mail was put into the queue. */
void registry_touch_mails(struct registry_write *write);

/* `tell` is called after each commit that put a mail into the queue, from the thread that wrote; it
 * must not wait. NULL ends it: afterwards no call is under way. */
typedef void registry_tell(void *ctx);
void registry_watch_mails(struct registry *registry, registry_tell *tell, void *ctx);

/* A fresh id, greater than every one before it, be it of the same millisecond. */
struct uuid registry_id(struct registry_write *write);

#endif
