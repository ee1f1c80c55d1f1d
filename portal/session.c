/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/session.h"

#include "base/log.h"
#include "portal/store_sessions.h"

#include <sodium.h>
#include <stdio.h>

#define TOKEN_BYTES 32
#define TOKEN_LEN 43 /* base64 without padding */
#define SEEN_EVERY_US (5 * US_PER_MINUTE)
#define AGENT_MAX 200
#define TEXT_VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const struct audience {
    struct str name, cookie;
    int64_t idle_us, whole_us;
} PORTAL_AUDIENCE = {STR_INIT("portal"), STR_INIT("weir_portal"), 7 * US_PER_DAY, 30 * US_PER_DAY},
  CONSOLE_AUDIENCE = {STR_INIT("console"), STR_INIT("weir_console"), 12 * US_PER_HOUR,
                      7 * US_PER_DAY};

static const struct audience *audience_of(const struct endpoint_call *call)
{
    return call->listener == ENDPOINT_ADMIN ? &CONSOLE_AUDIENCE : &PORTAL_AUDIENCE;
}

static bool is_secure(const struct endpoint_call *call)
{
    struct str url =
        call->listener == ENDPOINT_ADMIN ? call->conf->admin_url : call->conf->portal_url;
    return str_starts_nocase(url, STR("https://"));
}

/* --- the cookie --- */

/* The value of our cookie; of several the first (RFC 6265 §5.4: the one with the longest path). */
static struct str cookie_value(const struct endpoint_call *call)
{
    struct str name = audience_of(call)->cookie;
    struct str rest = endpoint_header(call, STR("Cookie"));
    while (rest.p != NULL) {
        struct str pair = str_trim(str_cut(&rest, ';'));
        if (is_secure(call) && !str_starts(pair, STR("__Host-")))
            continue;
        if (is_secure(call))
            pair = str_slice(pair, 7, pair.n);
        if (pair.n > name.n && str_starts(pair, name) && pair.p[name.n] == '=')
            return str_slice(pair, name.n + 1, pair.n);
    }
    return STR_EMPTY;
}

static void set_cookie(struct endpoint_call *call, struct str value, int64_t max_age_s)
{
    bool secure = is_secure(call);
    call->set_cookie =
        arena_printf(http_arena(call->conn),
                     "%s%" STR_FMT "=%" STR_FMT "; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
                     secure ? "__Host-" : "", STR_ARG(audience_of(call)->cookie), STR_ARG(value),
                     (long long)max_age_s, secure ? "; Secure" : "");
}

void session_forget(struct endpoint_call *call)
{
    set_cookie(call, STR_EMPTY, 0);
}

/* What a change must bring along: known to who can read our pages, made of the cookie alone. */
static void make_csrf(struct str token, char out[static CSRF_TEXT_MAX])
{
    static const char purpose[] = "weir csrf";
    unsigned char hash[32];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)purpose, sizeof(purpose) - 1,
                       (const unsigned char *)token.p, token.n);
    sodium_bin2base64(out, CSRF_TEXT_MAX, hash, sizeof(hash), TEXT_VARIANT);
}

/* --- finding --- */

struct finding {
    struct endpoint_call *call;
    struct person *person;
    struct wall seen, created;
};

static int take_session(void *ctx, const struct session_row *row)
{
    struct finding *finding = ctx;
    struct arena *arena = http_arena(finding->call->conn);
    *finding->person = (struct person){
        .id = row->person,
        .session = row->id,
        .email = arena_dup(arena, row->email),
        .name = arena_dup(arena, row->name),
        .locale = arena_dup(arena, row->locale),
        .time_zone = arena_dup(arena, row->time_zone),
        .is_operator = row->is_operator,
    };
    finding->seen = row->seen;
    finding->created = row->created;
    return 0;
}

struct prolonging {
    struct uuid id;
    struct wall expires;
};

static int prolong(struct registry_write *write, void *ctx, struct error *err)
{
    const struct prolonging *p = ctx;
    return store_sessions_seen(write->db, &p->id, write->now, p->expires, err);
}

/* Notes now and then that the session is used. That it cannot be noted stops nobody. */
static void note_seen(const struct finding *finding, struct wall now)
{
    const struct audience *audience = audience_of(finding->call);
    struct error err = ERROR_INIT;
    int64_t idle_end = now.us + audience->idle_us;
    int64_t whole_end = finding->created.us + audience->whole_us;
    struct prolonging p = {.id = finding->person->session,
                           .expires = {.us = idle_end < whole_end ? idle_end : whole_end}};
    if (now.us - finding->seen.us < SEEN_EVERY_US)
        return;
    if (registry_write(finding->call->portal->registry, prolong, &p, &err) != 0)
        log_debug("a session could not be prolonged", kv_str("why", err.text));
}

bool session_find(struct endpoint_call *call, struct person *person)
{
    struct error err = ERROR_INIT;
    struct db *db;
    struct finding finding = {.call = call, .person = person};
    struct str token = call->portal->registry != NULL ? cookie_value(call) : STR_EMPTY;
    struct wall now = clock_wall();
    if (token.n != TOKEN_LEN)
        return true;
    struct secret_hash hash = secret_hash_make(registry_pepper(call->portal->registry), token);
    int r = registry_read(call->portal->registry, &db, &err);
    if (r == 0) {
        r = store_sessions_find(db, &hash, audience_of(call)->name, now, take_session, &finding,
                                &err);
        registry_read_done(call->portal->registry, db);
    }
    if (r != 0 && r != E_NOT_FOUND) {
        endpoint_fail_error(call, r, &err);
        return false;
    }
    if (r == 0) {
        note_seen(&finding, now);
        call->person = person;
        make_csrf(token, call->csrf);
    }
    return true;
}

/* --- beginning --- */

int session_begin(struct endpoint_call *call, struct registry_write *write,
                  const struct uuid *person, struct error *err)
{
    const struct audience *audience = audience_of(call);
    unsigned char bytes[TOKEN_BYTES];
    char token[TOKEN_LEN + 1];
    struct str agent = head_value(call->conn->head, FIELD_USER_AGENT);
    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(token, sizeof(token), bytes, sizeof(bytes), TEXT_VARIANT);
    struct secret_hash hash = secret_hash_make(write->pepper, str_make(token, TOKEN_LEN));
    struct session_row row = {
        .id = registry_id(write),
        .person = *person,
        .audience = audience->name,
        .created = write->now,
        .seen = write->now,
        .expires = {.us = write->now.us + audience->idle_us},
        .address = endpoint_address(call),
        .agent = str_is_utf8(agent) ? str_slice(agent, 0, AGENT_MAX) : STR_EMPTY,
    };
    int r = store_sessions_add(write->db, &row, &hash, err);
    if (r == 0) {
        set_cookie(call, str_make(token, TOKEN_LEN), audience->whole_us / US_PER_S);
        make_csrf(str_make(token, TOKEN_LEN), call->csrf);
    }
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(token, sizeof(token));
    return r;
}

int session_audit_row(const struct endpoint_call *call, struct registry_write *write,
                      struct audit_row *row, struct error *err)
{
    row->id = registry_id(write);
    row->at = write->now;
    row->actor_name = STR("weir");
    row->address = endpoint_address(call);
    if (call->person != NULL) {
        row->actor = call->person->id;
        row->actor_name = call->person->email;
    }
    return store_audit_add(write->db, row, err);
}

int session_audit(const struct endpoint_call *call, struct registry_write *write,
                  const char *action, struct str object, const struct uuid *team, struct error *err)
{
    struct audit_row row = {.action = str_from(action), .object = object};
    if (team != NULL)
        row.team = *team;
    return session_audit_row(call, write, &row, err);
}
