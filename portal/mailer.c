/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/mailer.h"

#include "base/cond.h"
#include "base/curl.h"
#include "base/log.h"
#include "base/mail.h"
#include "portal/expiry.h"
#include "portal/notify.h"
#include "portal/settings.h"
#include "portal/store_mails.h"

#include <sodium.h>
#include <stdlib.h>

#define FIRST_DELAY_US (5 * US_PER_S)
#define LAST_DELAY_US US_PER_HOUR
#define GIVE_UP_US (2 * US_PER_DAY)
#define KEEP_US (30 * US_PER_DAY) /* what became of a mail, for the console */
#define CHORES_US US_PER_HOUR
#define TROUBLE_US (10 * US_PER_S) /* after a fault of our own database */

struct mailer {
    struct portal *portal;       /* const after creation */
    struct seal_key key;         /* const after creation */
    struct fetch_client *client; /* the thread's; only canceled by others */
    pthread_t thread;
    pthread_mutex_t mtx;
    pthread_cond_t cond;
    bool stopping, queued, configured; /* guarded by mtx */

    /* of the thread alone */
    unsigned failures; /* in a row, for want of a server */
    struct mono pause; /* nothing is sent before */
    struct mono chores;
};

/* One mail on its way. */
struct sending {
    struct uuid id;
    struct str to;
    struct notice_text words;
    struct wall created;
    uint32_t attempts;
    bool there, broken;
    struct buf room; /* what it says, opened; wiped after */
    char address[MAIL_ADDRESS_MAX + 1];
    const struct seal_key *key;
};

/* --- what became of it --- */

enum fate { FATE_SENT, FATE_LATER, FATE_FAILED };

struct result {
    const struct sending *sending;
    enum fate fate;
    bool keep;
    struct str fault;
};

static int64_t delay_of(unsigned attempts)
{
    int64_t delay = FIRST_DELAY_US;
    while (attempts-- > 0 && delay < LAST_DELAY_US)
        delay *= 2;
    return delay < LAST_DELAY_US ? delay : LAST_DELAY_US;
}

static int note_result(struct registry_write *write, void *ctx, struct error *err)
{
    const struct result *o = ctx;
    const struct sending *s = o->sending;
    struct wall next = {.us = write->now.us + delay_of(s->attempts)};
    if (o->fate == FATE_LATER && next.us - s->created.us < GIVE_UP_US)
        return store_mails_postpone(write->db, &s->id, next, o->fault, err);
    enum mail_state state = o->fate == FATE_SENT ? MAIL_SENT : MAIL_FAILED;
    return store_mails_end(write->db, &s->id, state, write->now, o->fault,
                           o->keep || state == MAIL_FAILED, err);
}

static int note(struct mailer *m, const struct sending *s, enum fate fate, bool keep,
                struct str fault)
{
    struct result o = {.sending = s, .fate = fate, .keep = keep, .fault = fault};
    struct error err = ERROR_INIT;
    int r = registry_write(m->portal->registry, note_result, &o, &err);
    if (r != 0)
        log_error("what became of a mail could not be noted: it may be sent again",
                  kv_str("why", err.text));
    return r;
}

/* --- sending one --- */

/* Answers that no other attempt will change; not those that are about our log-in. */
static bool is_final(int r, unsigned status)
{
    return r != E_DENIED && status >= 550 && status <= 559;
}

static void write_mail(struct buf *out, const struct sending *s, const struct portal_conf *conf)
{
    char id[UUID_TEXT_LEN];
    uuid_format(s->id, id);
    struct mail mail = {.id = str_make(id, sizeof(id)),
                        .date = s->created,
                        .from = conf->mailing.from,
                        .from_name = conf->title,
                        .to = s->to,
                        .to_name = s->words.name,
                        .subject = s->words.subject,
                        .text = s->words.text};
    mail_write(out, &mail);
}

/* Strings with their NUL, in the arena of the round. */
static const char *cstr(struct arena *arena, struct str s)
{
    struct str own = arena_dup(arena, s);
    CHECK(own.p != NULL);
    return own.p;
}

static int hand_over(struct mailer *m, const struct sending *s, const struct portal_conf *conf,
                     unsigned *ret_status, struct error *err)
{
    const struct portal_mail *to = &conf->mailing;
    struct arena arena;
    struct buf text;
    arena_init(&arena, 4096, 64U << 10);
    buf_init(&text, 4 * NOTICE_BYTES_MAX);
    write_mail(&text, s, conf);
    bool login = to->username.n > 0;
    struct fetch_mail mail = {.url = cstr(&arena, to->url),
                              .username = login ? cstr(&arena, to->username) : NULL,
                              .password = login ? cstr(&arena, to->password) : NULL,
                              .must_encrypt = to->must_encrypt,
                              .from = cstr(&arena, to->from),
                              .to = cstr(&arena, s->to),
                              .text = buf_str(&text),
                              .timeout_us = to->timeout_us};
    int r = buf_finish(&text) == 0 ? fetch_mail_send(m->client, &mail, ret_status, err)
                                   : error_set(err, E_TOO_LARGE, "the mail is too large");
    if (login)
        sodium_memzero((char *)(uintptr_t)mail.password, to->password.n);
    buf_wipe(&text);
    arena_finish(&arena);
    return r;
}

/* Sends it, and notes what became of it. False where the queue has to wait. */
static bool send_one(struct mailer *m, const struct sending *s, const struct portal_conf *conf)
{
    struct error err = ERROR_INIT;
    unsigned status = 0;
    if (conf->mailing.console)
        return note(m, s, FATE_SENT, true, STR_EMPTY) == 0;
    int r = hand_over(m, s, conf, &status, &err);
    if (r == E_CANCELED)
        return false;
    if (r == 0) {
        m->failures = 0;
        return note(m, s, FATE_SENT, false, STR_EMPTY) == 0;
    }
    bool final = is_final(r, status);
    log_warn(final ? "a mail was refused" : "a mail could not be sent: it is tried again",
             kv_str("why", err.text), kv_u64("status", status), kv_u64("attempt", s->attempts + 1));
    bool noted = note(m, s, final ? FATE_FAILED : FATE_LATER, false, str_from(err.text)) == 0;
    if (final || (status >= 400 && r != E_DENIED))
        return noted; /* this mail's own trouble */
    m->pause = mono_after(clock_mono(), delay_of(m->failures++));
    return false;
}

/* --- the queue --- */

static int take(void *ctx, const struct mail_row *row)
{
    struct sending *s = ctx;
    s->there = true;
    s->id = row->id;
    s->created = row->created;
    s->attempts = row->attempts;
    s->broken = !str_copy(row->recipient, s->address, sizeof(s->address)) ||
                notice_open(&s->room, s->key, &row->id, row->content, &s->words) != 0;
    s->to = str_from(s->address);
    return 0;
}

/* Finds the next one: `there` where it is due. *ret_next is when to look again. */
static int find_next(struct mailer *m, struct sending *s, struct mono *ret_next, struct error *err)
{
    struct wall now = clock_wall(), due = now;
    struct db *db;
    int r = registry_read(m->portal->registry, &db, err);
    if (r != 0)
        return r;
    r = store_mails_due(db, now, take, s, &due, err);
    registry_read_done(m->portal->registry, db);
    if (r == 0 && !s->there)
        *ret_next = mono_after(clock_mono(), due.us - now.us);
    return r == E_NOT_FOUND ? 0 : r;
}

/* Takes one from the queue. False where there is none to send now; *ret_next is when to go on. */
static bool step(struct mailer *m, const struct portal_conf *conf, struct mono *ret_next)
{
    struct error err = ERROR_INIT;
    struct sending s = {.key = &m->key};
    bool go_on = false;
    buf_init(&s.room, 2 * NOTICE_BYTES_MAX);
    int r = find_next(m, &s, ret_next, &err);
    if (r != 0) {
        log_error("the queue of mails could not be read", kv_str("why", err.text));
        *ret_next = mono_after(clock_mono(), TROUBLE_US);
    } else if (s.there && s.broken) {
        /* the pepper is another, or the row was changed: no later attempt reads it */
        go_on = note(m, &s, FATE_FAILED, false, STR("What it says cannot be read any more.")) == 0;
    } else if (s.there) {
        go_on = send_one(m, &s, conf);
    }
    if (s.there && !go_on) /* our own trouble, unless a pause was set */
        *ret_next = mono_after(clock_mono(), TROUBLE_US);
    buf_wipe(&s.room);
    return go_on;
}

/* --- chores --- */

static int sweep(struct registry_write *write, void *ctx, struct error *err)
{
    (void)ctx;
    return store_mails_sweep(write->db, (struct wall){.us = write->now.us - KEEP_US}, err);
}

static int hurry(struct registry_write *write, void *ctx, struct error *err)
{
    (void)ctx;
    return store_mails_hurry(write->db, write->now, err);
}

static void do_chores(struct mailer *m, const struct portal_conf *conf)
{
    struct error err = ERROR_INIT;
    if (clock_mono().us < m->chores.us)
        return;
    int r = conf->mail ? expiry_warn(m->portal, conf, &err) : 0;
    if (r == 0)
        r = registry_write(m->portal->registry, sweep, NULL, &err);
    if (r != 0)
        log_error("warnings of keys that expire could not be queued", kv_str("why", err.text));
    m->chores = mono_after(clock_mono(), CHORES_US);
}

/* The configuration is another: what was in the way may be gone. */
static void start_anew(struct mailer *m)
{
    struct error err = ERROR_INIT;
    m->failures = 0;
    m->pause = clock_mono();
    m->chores = m->pause;
    if (registry_write(m->portal->registry, hurry, NULL, &err) != 0)
        log_error("the queue of mails could not be hurried", kv_str("why", err.text));
}

/* Sends what is due; returns when there is something to do again. */
static struct mono work(struct mailer *m)
{
    struct settings *settings = settings_get(m->portal);
    const struct portal_conf *conf = &settings->conf;
    struct mono next = MONO_NEVER;
    do_chores(m, conf);
    /* one at a time: between two the thread looks whether it is to stop */
    if (conf->mail && clock_mono().us >= m->pause.us && step(m, conf, &next))
        next = clock_mono();
    if (conf->mail && clock_mono().us < m->pause.us)
        next = m->pause;
    settings_put(m->portal, settings);
    return mono_min(next, m->chores);
}

static void *run(void *arg)
{
    struct mailer *m = arg;
    pthread_mutex_lock(&m->mtx);
    while (!m->stopping) {
        bool configured = m->configured;
        m->configured = m->queued = false;
        pthread_mutex_unlock(&m->mtx);
        if (configured)
            start_anew(m);
        struct mono next = work(m);
        pthread_mutex_lock(&m->mtx);
        while (!m->stopping && !m->queued && !m->configured) {
            if (!cond_wait_until(&m->cond, &m->mtx, next))
                break;
        }
    }
    pthread_mutex_unlock(&m->mtx);
    return NULL;
}

/* --- from outside --- */

static void wake(struct mailer *m, bool *flag)
{
    pthread_mutex_lock(&m->mtx);
    *flag = true;
    pthread_cond_signal(&m->cond);
    pthread_mutex_unlock(&m->mtx);
}

static void tell_queued(void *ctx)
{
    struct mailer *m = ctx;
    wake(m, &m->queued);
}

struct mailer *mailer_create(struct portal *portal)
{
    struct error err = ERROR_INIT;
    if (portal->registry == NULL)
        return NULL;
    struct mailer *m = calloc(1, sizeof(*m));
    CHECK(m != NULL);
    m->portal = portal;
    m->key = notice_key(registry_pepper(portal->registry));
    if (fetch_client_create(&m->client, &err) != 0) {
        log_error("mails cannot be sent", kv_str("why", err.text));
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->mtx, NULL);
    cond_init(&m->cond);
    CHECK(pthread_create(&m->thread, NULL, run, m) == 0);
    registry_watch_mails(portal->registry, tell_queued, m);
    return m;
}

void mailer_destroy(struct mailer *m)
{
    if (m == NULL)
        return;
    registry_watch_mails(m->portal->registry, NULL, NULL);
    wake(m, &m->stopping);
    fetch_cancel(m->client);
    pthread_join(m->thread, NULL);
    fetch_client_destroy(m->client);
    pthread_cond_destroy(&m->cond);
    pthread_mutex_destroy(&m->mtx);
    sodium_memzero(&m->key, sizeof(m->key));
    free(m);
}

void mailer_configured(struct mailer *m)
{
    if (m != NULL)
        wake(m, &m->configured);
}
