/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing in and out, and the browsers that are signed in. An account that is not there is answered
 * as a wrong password is, after the same work.
 */
#include "portal/locale.h"
#include "portal/session.h"
#include "portal/sign_in.h"
#include "portal/store_people.h"
#include "portal/store_sessions.h"

#include <sodium.h>

/* --- who is signed in --- */

static const char *registration_name(enum portal_registration registration)
{
    switch (registration) {
    case PORTAL_OPEN:
        return "open";
    case PORTAL_INVITE:
        return "invite";
    case PORTAL_CLOSED:
        return "closed";
    }
    return "closed";
}

static void tell_site(const struct endpoint_call *call, struct jsonw *w)
{
    const struct portal_conf *conf = call->conf;
    jsonw_key(w, "site"), jsonw_object(w);
    jsonw_key(w, "title"), jsonw_str(w, conf->title);
    jsonw_key(w, "tagline"), jsonw_str(w, conf->tagline);
    jsonw_key(w, "logo"), jsonw_bool(w, conf->logo.n > 0);
    jsonw_key(w, "registration"), jsonw_cstr(w, registration_name(conf->registration));
    jsonw_key(w, "mail"), jsonw_bool(w, conf->mail);
    jsonw_key(w, "gateway_url"), jsonw_str(w, conf->gateway_url);
    jsonw_key(w, "portal_url"), jsonw_str(w, conf->portal_url);
    jsonw_key(w, "languages"), jsonw_array(w);
    for (enum locale l = 0; l < LOCALE_COUNT; l++)
        jsonw_str(w, locale_name(l));
    jsonw_end(w);
    jsonw_end(w);
}

void sign_in_tell_person(struct jsonw *w, const struct person *person)
{
    jsonw_object(w);
    endpoint_uuid(w, "id", &person->id);
    jsonw_key(w, "email"), jsonw_str(w, person->email);
    jsonw_key(w, "name"), jsonw_str(w, person->name);
    jsonw_key(w, "locale"), jsonw_str(w, person->locale);
    jsonw_key(w, "time_zone"), jsonw_str(w, person->time_zone);
    jsonw_key(w, "operator"), jsonw_bool(w, person->is_operator);
    jsonw_end(w);
}

void sign_in_tell(struct endpoint_call *call, struct jsonw *w)
{
    jsonw_object(w);
    jsonw_key(w, "signed_in"), jsonw_bool(w, call->person != NULL);
    jsonw_key(w, "person");
    if (call->person != NULL)
        sign_in_tell_person(w, call->person);
    else
        jsonw_null(w);
    jsonw_key(w, "csrf"), jsonw_cstr(w, call->csrf);
    jsonw_key(w, "locale"), jsonw_str(w, locale_name(locale_of(call)));
    tell_site(call, w);
    jsonw_end(w);
}

static void send_session(struct endpoint_call *call, unsigned status)
{
    struct buf json;
    struct jsonw w;
    endpoint_json(&json, &w);
    sign_in_tell(call, &w);
    endpoint_send_json(call, status, &json);
}

void session_get(struct endpoint_call *call)
{
    send_session(call, 200);
}

/* --- signing in --- */

/* The account of an address, as far as signing in needs it. */
struct account {
    struct arena *arena;
    bool there;
    struct person person;
    char password[PASSWORD_TEXT_MAX];
    enum person_state state;
};

static int take_account(void *ctx, const struct person_row *row)
{
    struct account *account = ctx;
    account->there = true;
    account->state = row->state;
    account->person = (struct person){
        .id = row->id,
        .email = arena_dup(account->arena, row->email),
        .name = arena_dup(account->arena, row->name),
        .locale = arena_dup(account->arena, row->locale),
        .time_zone = arena_dup(account->arena, row->time_zone),
        .is_operator = row->is_operator,
    };
    str_copy(row->password, account->password, sizeof(account->password));
    return 0;
}

static int find_account(struct endpoint_call *call, struct str email, struct account *account,
                        struct error *err)
{
    struct db *db;
    *account = (struct account){.arena = http_arena(call->conn)};
    int r = registry_read(call->portal->registry, &db, err);
    if (r != 0)
        return r;
    r = store_people_find(db, email, take_account, account, err);
    registry_read_done(call->portal->registry, db);
    return r == E_NOT_FOUND ? 0 : r;
}

static enum sign_in refused(struct endpoint_call *call, struct str email)
{
    struct mono now = clock_mono();
    throttle_count(call->portal->throttle, THROTTLE_ACCOUNT, email, now);
    throttle_count(call->portal->throttle, THROTTLE_ADDRESS, endpoint_origin(call), now);
    return SIGN_IN_WRONG;
}

static enum sign_in check_account(const struct endpoint_call *call, const struct account *account)
{
    switch (account->state) {
    case PERSON_UNCONFIRMED:
        return SIGN_IN_UNCONFIRMED;
    case PERSON_SUSPENDED:
        return SIGN_IN_SUSPENDED;
    case PERSON_ACTIVE:
        break;
    }
    return call->listener == ENDPOINT_ADMIN && !account->person.is_operator ? SIGN_IN_NO_OPERATOR
                                                                            : SIGN_IN_DONE;
}

struct beginning {
    struct endpoint_call *call;
    const struct account *checked; /* whose password was right */
    enum sign_in outcome;
};

/* Looks again: while the password was hashed it may have been changed, to end all sessions, and the
 * account suspended. */
static int look_again(struct registry_write *write, struct beginning *b, struct error *err)
{
    struct account account = {.arena = http_arena(b->call->conn)};
    int r = store_people_find(write->db, b->checked->person.email, take_account, &account, err);
    bool same = r == 0 && strcmp(account.password, b->checked->password) == 0;
    sodium_memzero(account.password, sizeof(account.password));
    b->outcome = same ? check_account(b->call, &account) : SIGN_IN_WRONG;
    return r == E_NOT_FOUND ? 0 : r;
}

static int begin(struct registry_write *write, void *ctx, struct error *err)
{
    struct beginning *b = ctx;
    const struct person *person = b->call->person;
    int r = look_again(write, b, err);
    if (r != 0 || b->outcome != SIGN_IN_DONE)
        return r;
    r = session_begin(b->call, write, &person->id, err);
    if (r == 0)
        r = store_people_signed_in(write->db, &person->id, write->now, err);
    if (r == 0)
        r = session_audit(b->call, write, "session.begun", person->email, NULL, err);
    return r;
}

static int begin_session(struct endpoint_call *call, const struct account *checked,
                         struct sign_in_result *result, struct error *err)
{
    struct beginning b = {.call = call, .checked = checked};
    call->person = &result->person;
    int r = registry_write(call->portal->registry, begin, &b, err);
    result->outcome = b.outcome;
    if (r != 0 || b.outcome != SIGN_IN_DONE)
        call->person = NULL;
    return r;
}

/* Whether the account may be signed in to with the password; its hash stays with it. */
static int check(struct endpoint_call *call, struct str email, struct str password,
                 struct account *account, struct sign_in_result *result, struct error *err)
{
    bool right = false;
    int r = find_account(call, email, account, err);
    if (r == 0)
        r = password_verify(call->portal->passwords, str_from(account->password), password, &right);
    if (r == E_BUSY || r == E_NOMEM)
        return error_set(err, E_BUSY, "too many passwords are being checked");
    result->person = account->person;
    result->outcome = right ? check_account(call, account) : refused(call, email);
    return r;
}

int sign_in_try(struct endpoint_call *call, struct str email, struct str password,
                struct sign_in_result *ret_result, struct error *err)
{
    struct account account;
    struct throttle *throttle = call->portal->throttle;
    struct mono now = clock_mono();
    if (throttle_is_full(throttle, THROTTLE_ACCOUNT, email, now, &ret_result->seconds) ||
        throttle_is_full(throttle, THROTTLE_ADDRESS, endpoint_origin(call), now,
                         &ret_result->seconds)) {
        ret_result->outcome = SIGN_IN_THROTTLED;
        return 0;
    }
    int r = check(call, email, password, &account, ret_result, err);
    if (r == 0 && ret_result->outcome == SIGN_IN_DONE) {
        throttle_forget(throttle, THROTTLE_ACCOUNT, email);
        r = begin_session(call, &account, ret_result, err);
    }
    sodium_memzero(account.password, sizeof(account.password));
    return r;
}

struct str sign_in_sentence(enum sign_in outcome)
{
    switch (outcome) {
    case SIGN_IN_DONE:
        break;
    case SIGN_IN_WRONG:
        return STR("E-mail or password is wrong.");
    case SIGN_IN_UNCONFIRMED:
        return STR("The address of this account is not confirmed yet: follow the link in the mail "
                   "that was sent to it.");
    case SIGN_IN_SUSPENDED:
        return STR("This account is suspended. Ask the operator of this installation.");
    case SIGN_IN_NO_OPERATOR:
        return STR("This account is no operator's. The portal is elsewhere.");
    case SIGN_IN_THROTTLED:
        return STR("Too many attempts. Wait, then try again.");
    }
    return STR_EMPTY;
}

unsigned sign_in_status(enum sign_in outcome)
{
    switch (outcome) {
    case SIGN_IN_DONE:
        return 200;
    case SIGN_IN_WRONG:
        return 401;
    case SIGN_IN_UNCONFIRMED:
    case SIGN_IN_SUSPENDED:
    case SIGN_IN_NO_OPERATOR:
        return 403;
    case SIGN_IN_THROTTLED:
        return 429;
    }
    return 500;
}

void session_post(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct sign_in_result result = {.outcome = SIGN_IN_WRONG};
    int r = sign_in_try(call, input_text(&call->input, "email"),
                        input_text(&call->input, "password"), &result, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else if (result.outcome == SIGN_IN_THROTTLED)
        endpoint_fail_later(call, 429, sign_in_sentence(result.outcome), result.seconds);
    else if (result.outcome != SIGN_IN_DONE)
        endpoint_fail(call, sign_in_status(result.outcome), sign_in_sentence(result.outcome));
    else
        send_session(call, 200);
}

/* --- signing out --- */

static int end_one(struct registry_write *write, void *ctx, struct error *err)
{
    struct endpoint_call *call = ctx;
    return store_sessions_end(write->db, &call->person->session, &call->person->id, err);
}

void session_delete(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    int r = registry_write(call->portal->registry, end_one, call, &err);
    if (r != 0 && r != E_NOT_FOUND) {
        endpoint_fail_error(call, r, &err);
        return;
    }
    session_forget(call);
    endpoint_send_done(call, STR("/"));
}

struct listing {
    struct jsonw *w;
    const struct uuid *own;
};

static int tell_browser(void *ctx, const struct session_row *row)
{
    struct listing *listing = ctx;
    struct jsonw *w = listing->w;
    jsonw_object(w);
    endpoint_uuid(w, "id", &row->id);
    endpoint_time(w, "created", row->created);
    endpoint_time(w, "seen", row->seen);
    endpoint_time(w, "expires", row->expires);
    jsonw_key(w, "address"), jsonw_str(w, row->address);
    jsonw_key(w, "agent"), jsonw_str(w, row->agent);
    jsonw_key(w, "current"), jsonw_bool(w, memcmp(&row->id, listing->own, sizeof(row->id)) == 0);
    jsonw_end(w);
    return 0;
}

void sessions_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct db *db;
    struct listing listing = {.w = &w, .own = &call->person->session};
    int r = registry_read(call->portal->registry, &db, &err);
    if (r != 0) {
        endpoint_fail_error(call, r, &err);
        return;
    }
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items"), jsonw_array(&w);
    r = store_sessions_of_person(db, &call->person->id, clock_wall(), tell_browser, &listing, &err);
    jsonw_end(&w);
    jsonw_end(&w);
    registry_read_done(call->portal->registry, db);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

static int end_others(struct registry_write *write, void *ctx, struct error *err)
{
    struct endpoint_call *call = ctx;
    int r = store_sessions_end_all(write->db, &call->person->id, &call->person->session, err);
    return r == 0
               ? session_audit(call, write, "session.ended_others", call->person->email, NULL, err)
               : r;
}

void sessions_delete_others(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    int r = registry_write(call->portal->registry, end_others, call, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        endpoint_send_done(call, STR("/account"));
}

struct ending {
    struct endpoint_call *call;
    struct uuid id;
};

static int end_named(struct registry_write *write, void *ctx, struct error *err)
{
    struct ending *ending = ctx;
    int r = store_sessions_end(write->db, &ending->id, &ending->call->person->id, err);
    return r == 0 ? session_audit(ending->call, write, "session.ended", ending->call->person->email,
                                  NULL, err)
                  : r;
}

void sessions_delete(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct ending ending = {.call = call};
    if (uuid_parse(call->params[0], &ending.id) != 0) {
        endpoint_fail(call, 404, STR("There is no such session."));
        return;
    }
    int r = registry_write(call->portal->registry, end_named, &ending, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        endpoint_send_done(call, STR("/account"));
}
