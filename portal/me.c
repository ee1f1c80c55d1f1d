/* SPDX-License-Identifier: Apache-2.0 */
/* One's own account. */
#include "portal/locale.h"
#include "portal/session.h"
#include "portal/sign_in.h"
#include "portal/store_links.h"
#include "portal/store_people.h"
#include "portal/store_sessions.h"

#include <sodium.h>

static int take_person(void *ctx, const struct person_row *row)
{
    struct jsonw *w = ctx;
    struct person person = {
        .id = row->id,
        .email = row->email,
        .name = row->name,
        .locale = row->locale,
        .time_zone = row->time_zone,
        .is_operator = row->is_operator,
    };
    sign_in_tell_person(w, &person);
    return 0;
}

void me_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct db *db;
    endpoint_json(&json, &w);
    int r = registry_read(call->portal->registry, &db, &err);
    if (r == 0) {
        r = store_people_get(db, &call->person->id, take_person, &w, &err);
        registry_read_done(call->portal->registry, db);
    }
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

/* The text of a field that was sent, or the view of nothing that leaves things as they are. */
static struct str sent(const struct input *input, const char *field)
{
    struct str text = input_text(input, field);
    if (!input_has(input, field))
        return STR_EMPTY;
    return text.p != NULL ? text : STR("");
}

static int describe(struct registry_write *write, void *ctx, struct error *err)
{
    struct endpoint_call *call = ctx;
    const struct input *in = &call->input;
    return store_people_describe(write->db, &call->person->id, sent(in, "name"), sent(in, "locale"),
                                 sent(in, "time_zone"), err);
}

/* "Europe/Istanbul": what Intl takes is known to the browser; here only the form is checked. */
static bool is_time_zone(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = str_lower_char(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
              c == '-' || c == '+'))
            return false;
    }
    return true;
}

void me_patch(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct input *in = &call->input;
    struct str locale = input_text(in, "locale");
    enum locale known;
    if (locale.n > 0 && !locale_find(locale, &known))
        input_fault(in, STR("locale"), "unknown", "There are no words in this language.");
    if (!is_time_zone(input_text(in, "time_zone")))
        input_fault(in, STR("time_zone"), "characters", "This is no name of a time zone.");
    if (in->fault_count > 0) {
        endpoint_fail_input(call);
        return;
    }
    int r = registry_write(call->portal->registry, describe, call, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        me_get(call);
}

/* --- the password --- */

struct password_change {
    struct endpoint_call *call;
    char old[PASSWORD_TEXT_MAX], new[PASSWORD_TEXT_MAX];
};

static int take_password(void *ctx, const struct person_row *row)
{
    struct password_change *change = ctx;
    str_copy(row->password, change->old, sizeof(change->old));
    return 0;
}

static int change_password(struct registry_write *write, void *ctx, struct error *err)
{
    struct password_change *change = ctx;
    const struct person *person = change->call->person;
    int r = store_people_set_password(write->db, &person->id, str_from(change->new), err);
    if (r == 0)
        r = store_sessions_end_all(write->db, &person->id, &person->session, err);
    if (r == 0) /* a link to reset it may be in the wrong hands as well */
        r = store_links_end_all(write->db, &person->id, err);
    if (r == 0)
        r = session_audit(change->call, write, "password.changed", person->email, NULL, err);
    return r;
}

/* Whether the current password is right; counts where it is not. False where the answer was sent.
 */
static bool current_is_right(struct password_change *change)
{
    struct endpoint_call *call = change->call;
    struct error err = ERROR_INIT;
    struct db *db;
    bool right = false;
    unsigned seconds;
    struct mono now = clock_mono();
    if (throttle_is_full(call->portal->throttle, THROTTLE_ACCOUNT, call->person->email, now,
                         &seconds)) {
        endpoint_fail_later(call, 429, sign_in_sentence(SIGN_IN_THROTTLED), seconds);
        return false;
    }
    int r = registry_read(call->portal->registry, &db, &err);
    if (r == 0) {
        r = store_people_get(db, &call->person->id, take_password, change, &err);
        registry_read_done(call->portal->registry, db);
    }
    if (r == 0)
        r = password_verify(call->portal->passwords, str_from(change->old),
                            input_text(&call->input, "current"), &right);
    if (r != 0) {
        endpoint_fail_error(call, r, &err);
        return false;
    }
    if (right)
        return true;
    throttle_count(call->portal->throttle, THROTTLE_ACCOUNT, call->person->email, now);
    input_fault(&call->input, STR("current"), "wrong", "This is not your password.");
    endpoint_fail_input(call);
    return false;
}

void me_password(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct password_change change = {.call = call};
    if (!current_is_right(&change))
        return;
    int r =
        password_hash(call->portal->passwords, input_text(&call->input, "password"), change.new);
    if (r == 0)
        r = registry_write(call->portal->registry, change_password, &change, &err);
    sodium_memzero(&change.old, sizeof(change.old));
    sodium_memzero(&change.new, sizeof(change.new));
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        endpoint_send_done(call, STR("/account"));
}
