/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/accounts.h"

#include "base/log.h"
#include "portal/locale.h"
#include "portal/notify.h"
#include "portal/session.h"
#include "portal/sign_in.h"
#include "portal/store_links.h"
#include "portal/store_people.h"
#include "portal/store_sessions.h"
#include "portal/store_text.h"

#include <sodium.h>

#define CONFIRM_LINK_US (3 * US_PER_DAY)
#define RESET_LINK_US US_PER_HOUR

/* --- what is found --- */

struct found_person {
    struct endpoint_call *call;
    struct person person;
    enum person_state state;
    bool there;
};

static int take_person(void *ctx, const struct person_row *row)
{
    struct found_person *found = ctx;
    struct arena *arena = http_arena(found->call->conn);
    found->there = true;
    found->state = row->state;
    found->person = (struct person){
        .id = row->id,
        .email = arena_dup(arena, row->email),
        .name = arena_dup(arena, row->name),
        .locale = arena_dup(arena, row->locale),
        .time_zone = arena_dup(arena, row->time_zone),
        .is_operator = row->is_operator,
    };
    return 0;
}

/* 0 also where there is none: see found->there. */
static int find_person(struct db *db, struct str email, struct found_person *found,
                       struct error *err)
{
    struct error none = ERROR_INIT;
    int r = store_people_find(db, email, take_person, found, &none);
    if (r == 0 || r == E_NOT_FOUND)
        return 0;
    return error_set(err, r, "%s", none.text);
}

struct found_link {
    struct link_row row;
    struct arena *arena;
};

static int take_link(void *ctx, const struct link_row *row)
{
    struct found_link *found = ctx;
    found->row = *row;
    found->row.email = arena_dup(found->arena, row->email);
    return 0;
}

static enum locale locale_of_person(const struct endpoint_call *call, const struct person *person)
{
    enum locale locale;
    return locale_find(person->locale, &locale) ? locale : locale_of(call);
}

static struct str link_to(const struct endpoint_call *call, const char *page,
                          const struct link_token *token)
{
    struct str base =
        call->listener == ENDPOINT_ADMIN ? call->conf->admin_url : call->conf->portal_url;
    return arena_printf(http_arena(call->conn), "%" STR_FMT "/%s?token=%s", STR_ARG(base), page,
                        token->p);
}

/* Draws a link for the person and puts the mail with it into the queue. */
static int send_link(struct endpoint_call *call, struct registry_write *write,
                     const struct found_person *found, enum link_kind kind, struct error *err)
{
    const struct person *person = &found->person;
    bool is_confirmed = found->state != PERSON_UNCONFIRMED;
    static const struct {
        const char *page, *template;
        int64_t lasts_us;
    } KINDS[] = {
        [LINK_CONFIRM] = {"confirm", "confirm", CONFIRM_LINK_US},
        [LINK_RESET] = {"reset", "reset", RESET_LINK_US},
    };
    struct link_token token;
    struct link_row row = {.id = registry_id(write),
                           .kind = kind,
                           .person = person->id,
                           .email = person->email,
                           .created = write->now,
                           .expires = {.us = write->now.us + KINDS[kind].lasts_us}};
    int r = store_links_add(write->db, write->pepper, &row, &token, err);
    if (r != 0)
        return r;
    struct notice notice = {.template = KINDS[kind].template,
                            .to = person->email,
                            .locale = locale_of_person(call, person)};
    if (is_confirmed) /* until then anybody may have put any words under this address */
        notice.name = person->name;
    notice_add(&notice, STR("link"), link_to(call, KINDS[kind].page, &token));
    sodium_memzero(&token, sizeof(token));
    return notify(call->portal, call->conf, write, &notice, err);
}

/* --- signing up --- */

struct signing_up {
    struct endpoint_call *call;
    char password[PASSWORD_TEXT_MAX];
    struct found_person found;
    struct uuid invitation; /* zeros for none */
    enum sign_up outcome;
};

/* Whether the invitation is good for this address; it is used up with the account. */
static int look_at_invitation(struct registry_write *write, struct signing_up *s, struct error *err)
{
    const struct input *in = &s->call->input;
    struct found_link link = {.arena = http_arena(s->call->conn)};
    struct error none = ERROR_INIT;
    int r = store_links_find(write->db, write->pepper, LINK_INVITE, input_text(in, "invitation"),
                             write->now, take_link, &link, &none);
    if (r != 0 && r != E_NOT_FOUND)
        return error_set(err, r, "%s", none.text);
    bool good =
        r == 0 && (link.row.email.n == 0 || str_eq(link.row.email, input_text(in, "email")));
    if (good)
        s->invitation = link.row.id;
    else if (s->call->conf->registration == PORTAL_INVITE)
        s->outcome = SIGN_UP_INVITED;
    return 0;
}

static bool must_confirm(const struct endpoint_call *call)
{
    return call->conf->mail && call->conf->verify_email;
}

static int create_person(struct registry_write *write, struct signing_up *s, struct error *err)
{
    struct endpoint_call *call = s->call;
    bool confirm = must_confirm(call);
    struct person_wish wish = {.id = registry_id(write),
                               .team = registry_id(write),
                               .email = input_text(&call->input, "email"),
                               .name = input_text(&call->input, "name"),
                               .password = str_from(s->password),
                               .state = confirm ? PERSON_UNCONFIRMED : PERSON_ACTIVE,
                               .locale = locale_name(locale_of(call)),
                               .now = write->now};
    s->found.state = wish.state;
    s->found.person = (struct person){
        .id = wish.id, .email = wish.email, .name = wish.name, .locale = wish.locale};
    int r = store_people_create(write->db, &wish, err);
    if (r == 0 && !uuid_is_none(&s->invitation))
        r = store_links_remove(write->db, &s->invitation, err);
    call->person = &s->found.person; /* for the log: they did it themselves */
    if (r == 0)
        r = session_audit(call, write, "account.created", wish.email, &wish.team, err);
    if (r == 0 && confirm)
        r = send_link(call, write, &s->found, LINK_CONFIRM, err);
    else if (r == 0)
        r = session_begin(call, write, &wish.id, err);
    if (confirm || r != 0)
        call->person = NULL;
    s->outcome = confirm ? SIGN_UP_CONFIRM : SIGN_UP_DONE;
    return r;
}

/* Whether one more mail that anybody can ask for may go to the address; nobody is told. */
static bool may_write(const struct endpoint_call *call, struct str email)
{
    struct throttle *throttle = call->portal->throttle;
    struct mono now = clock_mono();
    unsigned seconds;
    if (throttle_is_full(throttle, THROTTLE_LETTERS, email, now, &seconds))
        return false;
    throttle_count(throttle, THROTTLE_LETTERS, email, now);
    return true;
}

/* The address has an account: its owner is told by mail, the one who asks is not. */
static int meet_existing(struct registry_write *write, struct signing_up *s, struct error *err)
{
    if (!must_confirm(s->call)) {
        s->outcome = SIGN_UP_TAKEN;
        return 0;
    }
    s->outcome = SIGN_UP_CONFIRM;
    if (!may_write(s->call, s->found.person.email))
        return 0;
    /*
     * Who signed up first may have been somebody else, with a password of theirs. So neither that
     * nor this password gets into force: whoever reads the address's mail sets one.
     */
    if (s->found.state == PERSON_UNCONFIRMED)
        return send_link(s->call, write, &s->found, LINK_RESET, err);
    struct notice notice = {.template = "known",
                            .to = s->found.person.email,
                            .name = s->found.person.name,
                            .locale = locale_of_person(s->call, &s->found.person)};
    notice_add(&notice, STR("link"),
               arena_printf(http_arena(s->call->conn), "%" STR_FMT "/forgot",
                            STR_ARG(s->call->conf->portal_url)));
    return notify(s->call->portal, s->call->conf, write, &notice, err);
}

static int sign_up(struct registry_write *write, void *ctx, struct error *err)
{
    struct signing_up *s = ctx;
    int r = look_at_invitation(write, s, err);
    if (r != 0 || s->outcome != SIGN_UP_DONE)
        return r;
    r = find_person(write->db, input_text(&s->call->input, "email"), &s->found, err);
    if (r != 0)
        return r;
    return s->found.there ? meet_existing(write, s, err) : create_person(write, s, err);
}

/* A session must outlive this function: its person moves into the request's arena. */
static int keep_person(struct endpoint_call *call, const struct person *person, struct error *err)
{
    struct person *kept = arena_alloc(http_arena(call->conn), sizeof(*kept));
    if (kept == NULL)
        return error_set(err, E_NOMEM, "the request is too large");
    *kept = *person;
    call->person = kept;
    return 0;
}

int accounts_sign_up(struct endpoint_call *call, struct sign_up_result *ret_result,
                     struct error *err)
{
    struct signing_up s = {.call = call, .found = {.call = call}};
    struct str address = endpoint_origin(call);
    struct mono now = clock_mono();
    *ret_result = (struct sign_up_result){.outcome = SIGN_UP_CLOSED};
    if (call->conf->registration == PORTAL_CLOSED)
        return 0;
    if (throttle_is_full(call->portal->throttle, THROTTLE_SIGN_UPS, address, now,
                         &ret_result->seconds)) {
        ret_result->outcome = SIGN_UP_THROTTLED;
        return 0;
    }
    throttle_count(call->portal->throttle, THROTTLE_SIGN_UPS, address, now);
    int r =
        password_hash(call->portal->passwords, input_text(&call->input, "password"), s.password);
    if (r != 0)
        return error_set(err, E_BUSY, "too many passwords are being hashed");
    r = registry_write(call->portal->registry, sign_up, &s, err);
    sodium_memzero(s.password, sizeof(s.password));
    if (r == 0 && call->person != NULL)
        r = keep_person(call, &s.found.person, err);
    ret_result->outcome = s.outcome;
    return r;
}

struct str sign_up_sentence(enum sign_up outcome)
{
    switch (outcome) {
    case SIGN_UP_DONE:
        break;
    case SIGN_UP_CONFIRM:
        return STR("Look into your mails: a link in there confirms the address.");
    case SIGN_UP_CLOSED:
        return STR("Accounts are made by the operator of this installation. Ask there.");
    case SIGN_UP_INVITED:
        return STR("An invitation is needed: follow the link of yours, with the address it was "
                   "sent to. Each works once.");
    case SIGN_UP_TAKEN:
        return STR("This address has an account: sign in.");
    case SIGN_UP_THROTTLED:
        return STR("Too many accounts were made from your address. Wait, then try again.");
    }
    return STR_EMPTY;
}

unsigned sign_up_status(enum sign_up outcome)
{
    switch (outcome) {
    case SIGN_UP_DONE:
        return 201;
    case SIGN_UP_CONFIRM:
        return 202;
    case SIGN_UP_CLOSED:
    case SIGN_UP_INVITED:
        return 403;
    case SIGN_UP_TAKEN:
        return 409;
    case SIGN_UP_THROTTLED:
        return 429;
    }
    return 500;
}

/* --- confirming --- */

struct using_link {
    struct endpoint_call *call;
    struct str token;
    enum link_kind kind;
    struct found_person found;
    char password[PASSWORD_TEXT_MAX];
};

/* Takes the link, which works no more, and finds its person. */
static int use_link(struct registry_write *write, struct using_link *u, struct error *err)
{
    struct found_link link = {.arena = http_arena(u->call->conn)};
    int r = store_links_find(write->db, write->pepper, u->kind, u->token, write->now, take_link,
                             &link, err);
    if (r == 0)
        r = store_links_remove(write->db, &link.row.id, err);
    if (r == 0)
        r = store_people_get(write->db, &link.row.person, take_person, &u->found, err);
    if (r == 0 && u->found.state == PERSON_UNCONFIRMED)
        r = store_people_set_state(write->db, &u->found.person.id, PERSON_ACTIVE, err);
    u->call->person = &u->found.person;
    return r;
}

static int confirm(struct registry_write *write, void *ctx, struct error *err)
{
    struct using_link *u = ctx;
    int r = use_link(write, u, err);
    if (r == 0 && u->found.state == PERSON_SUSPENDED)
        r = error_set(err, E_NOT_FOUND, "This account is suspended.");
    if (r == 0)
        r = session_begin(u->call, write, &u->found.person.id, err);
    if (r == 0)
        r = session_audit(u->call, write, "account.confirmed", u->found.person.email, NULL, err);
    return r;
}

/* Counts links that are none: nobody guesses 256 bits, but nobody shall keep us busy trying. */
static int count_wrong(struct endpoint_call *call, int r)
{
    if (r == E_NOT_FOUND)
        throttle_count(call->portal->throttle, THROTTLE_ADDRESS, endpoint_origin(call),
                       clock_mono());
    if (r != 0)
        call->person = NULL;
    return r;
}

/* Whether a link may be tried: not by who has tried too many that were none. */
static int check_tries(struct endpoint_call *call, unsigned *ret_seconds, struct error *err)
{
    *ret_seconds = 0;
    if (!throttle_is_full(call->portal->throttle, THROTTLE_ADDRESS, endpoint_origin(call),
                          clock_mono(), ret_seconds))
        return 0;
    return error_set(err, E_FULL, "Too many attempts. Wait, then try again.");
}

int accounts_confirm(struct endpoint_call *call, struct str token, unsigned *ret_seconds,
                     struct error *err)
{
    struct using_link u = {
        .call = call, .token = token, .kind = LINK_CONFIRM, .found = {.call = call}};
    int r = check_tries(call, ret_seconds, err);
    if (r != 0)
        return r;
    r = registry_write(call->portal->registry, confirm, &u, err);
    if (r == 0)
        r = keep_person(call, &u.found.person, err);
    return count_wrong(call, r);
}

/* --- a forgotten password --- */

struct asking_reset {
    struct endpoint_call *call;
    struct str email;
};

static int ask_reset(struct registry_write *write, void *ctx, struct error *err)
{
    struct asking_reset *asking = ctx;
    struct found_person found = {.call = asking->call};
    int r = find_person(write->db, asking->email, &found, err);
    if (r != 0 || !found.there || found.state == PERSON_SUSPENDED ||
        !may_write(asking->call, asking->email))
        return r;
    return send_link(asking->call, write, &found, LINK_RESET, err);
}

bool accounts_may_ask_reset(struct endpoint_call *call, unsigned *ret_seconds)
{
    struct throttle *throttle = call->portal->throttle;
    struct str address = endpoint_origin(call);
    struct mono now = clock_mono();
    *ret_seconds = 0;
    if (throttle_is_full(throttle, THROTTLE_MAILS, address, now, ret_seconds))
        return false;
    throttle_count(throttle, THROTTLE_MAILS, address, now);
    return true;
}

void accounts_ask_reset(struct endpoint_call *call, struct str email)
{
    struct asking_reset asking = {.call = call, .email = email};
    struct error err = ERROR_INIT;
    int r = call->conf->mail ? registry_write(call->portal->registry, ask_reset, &asking, &err) : 0;
    if (r != 0)
        log_error("a link to reset a password could not be sent", kv_str("why", err.text));
}

static int reset(struct registry_write *write, void *ctx, struct error *err)
{
    static const struct uuid none;
    struct using_link *u = ctx;
    int r = use_link(write, u, err);
    if (r == 0)
        r = store_people_set_password(write->db, &u->found.person.id, str_from(u->password), err);
    if (r == 0)
        r = store_sessions_end_all(write->db, &u->found.person.id, &none, err);
    if (r == 0)
        r = session_audit(u->call, write, "password.reset", u->found.person.email, NULL, err);
    if (r != 0)
        return r;
    struct notice notice = {.template = "password_changed",
                            .to = u->found.person.email,
                            .name = u->found.person.name,
                            .locale = locale_of_person(u->call, &u->found.person)};
    return notify(u->call->portal, u->call->conf, write, &notice, err);
}

/* A look before the costly work: a password is hashed for who holds a link, not for anybody. */
static int check_link(const struct using_link *u, struct error *err)
{
    struct registry *registry = u->call->portal->registry;
    struct found_link link = {.arena = http_arena(u->call->conn)};
    struct db *db;
    int r = registry_read(registry, &db, err);
    if (r != 0)
        return r;
    r = store_links_find(db, registry_pepper(registry), u->kind, u->token, clock_wall(), take_link,
                         &link, err);
    registry_read_done(registry, db);
    return r;
}

int accounts_reset(struct endpoint_call *call, struct str token, struct str password,
                   unsigned *ret_seconds, struct error *err)
{
    struct using_link u = {
        .call = call, .token = token, .kind = LINK_RESET, .found = {.call = call}};
    int r = check_tries(call, ret_seconds, err);
    if (r == 0)
        r = count_wrong(call, check_link(&u, err));
    if (r != 0)
        return r;
    r = password_hash(call->portal->passwords, password, u.password);
    if (r != 0)
        return error_set(err, E_BUSY, "too many passwords are being hashed");
    r = registry_write(call->portal->registry, reset, &u, err);
    sodium_memzero(u.password, sizeof(u.password));
    if (r == 0)
        throttle_forget(call->portal->throttle, THROTTLE_ACCOUNT, u.found.person.email);
    call->person = NULL; /* whoever holds the link must still sign in */
    return count_wrong(call, r);
}
