/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control_people.h"

#include "appliance/control.h"
#include "portal/store_audit.h"
#include "portal/store_links.h"
#include "portal/store_people.h"
#include "portal/store_sessions.h"

#include <sodium.h>

#define RESET_LINK_US US_PER_DAY

struct work {
    struct str email, name, password;
    struct uuid person;
    bool is_operator;
    struct link_token token;
};

static struct str text_of(const json_t *request, const char *name)
{
    const json_t *value = json_object_get(request, name);
    return json_is_string(value) ? str_make(json_string_value(value), json_string_length(value))
                                 : STR("");
}

static int audit(struct registry_write *write, const char *action, struct str object,
                 struct error *err)
{
    struct audit_row row = {.id = registry_id(write),
                            .at = write->now,
                            .actor_name = STR("shell"),
                            .action = str_from(action),
                            .object = object};
    return store_audit_add(write->db, &row, err);
}

static int take_person(void *ctx, const struct person_row *row)
{
    struct work *work = ctx;
    work->person = row->id;
    work->is_operator = row->is_operator;
    return 0;
}

static int find_person(struct registry_write *write, struct work *work, struct error *err)
{
    int r = store_people_find(write->db, work->email, take_person, work, err);
    if (r == E_NOT_FOUND)
        return error_set(err, E_INVALID,
                         "%" STR_FMT " has no account; `weir admin create` makes one",
                         STR_ARG(work->email));
    return r;
}

/* --- the commands --- */

static int create_operator(struct registry_write *write, void *ctx, struct error *err)
{
    struct work *work = ctx;
    struct person_wish wish = {.id = registry_id(write),
                               .team = registry_id(write),
                               .email = work->email,
                               .name = work->name,
                               .password = work->password,
                               .state = PERSON_ACTIVE,
                               .is_operator = true,
                               .now = write->now};
    int r = store_people_create(write->db, &wish, err);
    return r == 0 ? audit(write, "operator.created", work->email, err) : r;
}

static int set_password(struct registry_write *write, void *ctx, struct error *err)
{
    static const struct uuid none;
    struct work *work = ctx;
    int r = find_person(write, work, err);
    if (r == 0)
        r = store_people_set_password(write->db, &work->person, work->password, err);
    if (r == 0)
        r = store_sessions_end_all(write->db, &work->person, &none, err);
    return r == 0 ? audit(write, "password.set", work->email, err) : r;
}

static int make_reset_link(struct registry_write *write, void *ctx, struct error *err)
{
    struct work *work = ctx;
    int r = find_person(write, work, err);
    if (r != 0)
        return r;
    struct link_row row = {.id = registry_id(write),
                           .kind = LINK_RESET,
                           .person = work->person,
                           .email = work->email,
                           .created = write->now,
                           .expires = {.us = write->now.us + RESET_LINK_US}};
    r = store_links_add(write->db, write->pepper, &row, &work->token, err);
    return r == 0 ? audit(write, "password.link_made", work->email, err) : r;
}

static const struct {
    const char *command;
    registry_work *work;
} COMMANDS[] = {
    {"admin.create", create_operator},
    {"admin.passwd", set_password},
    {"admin.reset_link", make_reset_link},
};

bool control_people_knows(const char *command)
{
    return strncmp(command, "admin.", 6) == 0;
}

json_t *control_people_answer(struct registry *registry, const char *command, const json_t *request,
                              struct error *err)
{
    struct work work = {.email = text_of(request, "email"),
                        .name = text_of(request, "name"),
                        .password = text_of(request, "password")};
    json_t *answer = NULL;
    int r = error_set(err, E_INVALID, "the instance that runs does not know `%s`", command);
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].command, command) != 0)
            continue;
        *err = (struct error)ERROR_INIT;
        r = registry_write(registry, COMMANDS[i].work, &work, err);
    }
    if (r == 0)
        answer = json_pack("{s:s%, s:b}", "email", work.email.p, work.email.n, "operator",
                           (int)work.is_operator);
    if (answer != NULL && work.token.p[0] != '\0')
        json_object_set_new(answer, "token", json_string(work.token.p));
    sodium_memzero(&work.token, sizeof(work.token));
    return answer;
}
