/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, as operators see and change them. */
#include "portal/admin.h"
#include "portal/store_people.h"
#include "portal/store_sessions.h"

#define NO_PERSON STR("There is no such account.")

static void tell_account(struct jsonw *w, const struct person_row *row)
{
    jsonw_object(w);
    endpoint_uuid(w, "id", &row->id);
    jsonw_key(w, "email"), jsonw_str(w, row->email);
    jsonw_key(w, "name"), jsonw_str(w, row->name);
    jsonw_key(w, "state"), jsonw_str(w, person_state_name(row->state));
    jsonw_key(w, "operator"), jsonw_bool(w, row->is_operator);
    endpoint_time(w, "created", row->created);
    endpoint_time(w, "signed_in", row->signed_in);
    jsonw_end(w);
}

/* --- the list --- */

static int tell_item(void *ctx, const struct person_row *row)
{
    struct listing *l = ctx;
    if (listing_take(l, row->email))
        tell_account(&l->w, row);
    return 0;
}

static int list(struct db *db, void *ctx, struct error *err)
{
    struct listing *l = ctx;
    struct people_page page = {.search = l->search, .after = l->after, .limit = l->limit + 1};
    return store_people_list(db, &page, tell_item, l, err);
}

void admin_people_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct listing l;
    if (!listing_begin(call, &l))
        return;
    int r = admin_read(call, list, &l, &err);
    listing_send(&l, r, &err);
}

/* --- one --- */

struct one {
    struct uuid id;
    struct jsonw w;
};

static int tell_one(void *ctx, const struct person_row *row)
{
    struct one *one = ctx;
    tell_account(&one->w, row);
    return 0;
}

static int find_one(struct db *db, void *ctx, struct error *err)
{
    struct one *one = ctx;
    return store_people_get(db, &one->id, tell_one, one, err);
}

static void send_one(struct endpoint_call *call, const struct uuid *id)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct one one = {.id = *id};
    endpoint_json(&json, &one.w);
    int r = admin_read(call, find_one, &one, &err);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

void admin_person_get(struct endpoint_call *call)
{
    struct uuid id;
    if (admin_id(call, NO_PERSON, &id))
        send_one(call, &id);
}

/* --- changing one --- */

struct change {
    struct endpoint_call *call;
    struct uuid id;
    bool suspend, activate; /* at most one */
    bool set_operator, is_operator;

    /* as it was before */
    char email[PERSON_EMAIL_MAX + 1];
    enum person_state state;
    bool was_operator;
};

static int take_former(void *ctx, const struct person_row *row)
{
    struct change *change = ctx;
    CHECK(str_copy(row->email, change->email, sizeof(change->email)));
    change->state = row->state;
    change->was_operator = row->is_operator;
    return 0;
}

static int set_state(struct registry_write *write, const struct change *change, struct error *err)
{
    enum person_state state = change->suspend ? PERSON_SUSPENDED : PERSON_ACTIVE;
    if ((!change->suspend && !change->activate) || state == change->state)
        return 0;
    int r = store_people_set_state(write->db, &change->id, state, err);
    return r == 0 ? admin_audit(change->call, write,
                                change->suspend ? "person.suspended" : "person.activated",
                                str_from(change->email), NULL, STR_EMPTY, err)
                  : r;
}

static int set_operator(struct registry_write *write, const struct change *change,
                        struct error *err)
{
    if (!change->set_operator || change->is_operator == change->was_operator)
        return 0;
    int r = store_people_set_operator(write->db, &change->id, change->is_operator, err);
    return r == 0 ? admin_audit(change->call, write,
                                change->is_operator ? "operator.made" : "operator.unmade",
                                str_from(change->email), NULL, STR_EMPTY, err)
                  : r;
}

/* Who may do less than before signs in again, everywhere. */
static int end_sessions(struct registry_write *write, const struct change *change,
                        struct error *err)
{
    static const struct uuid none;
    bool less = change->suspend || (change->set_operator && !change->is_operator);
    return less ? store_sessions_end_all(write->db, &change->id, &none, err) : 0;
}

/* After the change, so that two operators who take the flag from each other cannot both succeed. */
static int check_operators(struct registry_write *write, struct error *err)
{
    bool there;
    int r = store_people_has_operator(write->db, &there, err);
    if (r == 0 && !there)
        return error_set(err, E_INVALID,
                         "This would leave nobody who can sign in to the console: make another "
                         "person an operator first.");
    return r;
}

static int apply(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    int r = store_people_get(write->db, &change->id, take_former, change, err);
    if (r == 0)
        r = set_state(write, change, err);
    if (r == 0)
        r = set_operator(write, change, err);
    if (r == 0)
        r = check_operators(write, err);
    return r == 0 ? end_sessions(write, change, err) : r;
}

/* Reads the wish into `change`, and faults what cannot be. */
static void read_change(struct endpoint_call *call, struct change *change)
{
    struct input *in = &call->input;
    struct str state = input_text(in, "state");
    change->suspend = str_eq(state, person_state_name(PERSON_SUSPENDED));
    change->activate = str_eq(state, person_state_name(PERSON_ACTIVE));
    change->set_operator = input_has(in, "operator");
    change->is_operator = input_number(in, "operator", 0) != 0;
    if (input_has(in, "state") && !change->suspend && !change->activate)
        input_fault(in, STR("state"), "unknown", "This is active or suspended.");
    if (change->suspend && memcmp(&change->id, &call->person->id, sizeof(change->id)) == 0)
        input_fault(in, STR("state"), "own", "You cannot suspend yourself.");
}

void admin_person_patch(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct change change = {.call = call};
    if (!admin_id(call, NO_PERSON, &change.id))
        return;
    read_change(call, &change);
    if (call->input.fault_count > 0) {
        endpoint_fail_input(call);
        return;
    }
    int r = registry_write(call->portal->registry, apply, &change, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        send_one(call, &change.id);
}
