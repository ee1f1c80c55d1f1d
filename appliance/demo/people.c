/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/people.h"

#include "appliance/control.h"
#include "appliance/demo/portal_client.h"
#include "base/password.h"

#include <sodium.h>

static void draw_password(char out[static PEOPLE_PASSWORD_LEN + 1])
{
    static const char ALPHABET[] = "23456789abcdefghjkmnpqrstuvwxyz";
    for (size_t i = 0; i < PEOPLE_PASSWORD_LEN; i++)
        out[i] = i % 5 == 4 ? '-' : ALPHABET[randombytes_uniform(sizeof(ALPHABET) - 1)];
    out[PEOPLE_PASSWORD_LEN] = '\0';
}

/* --- by the control socket, as commands do --- */

static int ask_admin(const char *data_dir, const char *command, const char *email, const char *name,
                     const char *password)
{
    char text[PASSWORD_TEXT_MAX];
    struct error err = ERROR_INIT;
    struct passwords *passwords = passwords_create(1, 0);
    json_t *answer = NULL;
    int r = password_hash(passwords, str_from(password), text);
    passwords_destroy(passwords);
    if (r != 0)
        return r;
    json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "command", command, "email", email, "name",
                                name, "password", text);
    r = control_ask(data_dir, request, &answer, &err);
    json_decref(request);
    json_decref(answer);
    return r;
}

static int settle_operator(struct people *people, const char *data_dir, struct error *err)
{
    draw_password(people->operator_password);
    int r = ask_admin(data_dir, "admin.create", PEOPLE_OPERATOR, "Olivia Operator",
                      people->operator_password);
    if (r == E_EXISTS)
        r = ask_admin(data_dir, "admin.passwd", PEOPLE_OPERATOR, "", people->operator_password);
    return r == 0 ? 0 : error_set(err, r, "the demo's operator could not be made");
}

/* --- by the portal, as developers do --- */

/* Signs up, or in where the account is of an earlier demo in this folder. */
static int sign_in(struct portal_client *client, struct people *people, const char *data_dir,
                   struct error *err)
{
    json_t *answer = NULL;
    draw_password(people->developer_password);
    json_t *wish = json_pack("{s:s, s:s, s:s}", "email", PEOPLE_DEVELOPER, "name",
                             "Deniz Developer", "password", people->developer_password);
    int r = portal_client_ask(client, "POST", "/api/v1/people", wish, &answer, err);
    json_decref(wish);
    json_decref(answer);
    if (r != E_EXISTS)
        return r;
    *err = (struct error)ERROR_INIT;
    r = ask_admin(data_dir, "admin.passwd", PEOPLE_DEVELOPER, "", people->developer_password);
    if (r != 0)
        return error_set(err, r, "the demo's developer could not get a new password");
    wish =
        json_pack("{s:s, s:s}", "email", PEOPLE_DEVELOPER, "password", people->developer_password);
    r = portal_client_ask(client, "POST", "/api/v1/session", wish, &answer, err);
    json_decref(wish);
    json_decref(answer);
    return r;
}

/* The name of the developer's app with that title, from an earlier demo; NULL for none. */
static const char *find_app(const json_t *apps, const char *title)
{
    size_t i;
    const json_t *app;
    json_array_foreach(json_object_get(apps, "items"), i, app)
    {
        const char *there = json_string_value(json_object_get(app, "title"));
        if (there != NULL && strcmp(there, title) == 0)
            return json_string_value(json_object_get(app, "name"));
    }
    return NULL;
}

static int make_app(struct portal_client *client, const struct demo_app_row *row,
                    char name[static PEOPLE_APP_MAX], struct error *err)
{
    json_t *answer = NULL;
    json_t *wish = json_pack("{s:s, s:s, s:s}", "title", row->title, "description", row->what,
                             "plan", row->plan);
    int r = portal_client_ask(client, "POST", "/api/v1/apps", wish, &answer, err);
    json_decref(wish);
    if (r == 0 && !str_copy(str_from(json_string_value(json_object_get(answer, "name"))), name,
                            PEOPLE_APP_MAX))
        r = error_set(err, E_PROTOCOL, "the portal made an app without a name");
    json_decref(answer);
    return r;
}

static int issue_key(struct portal_client *client, const char *app, struct key_text *ret_key,
                     struct error *err)
{
    char path[128];
    json_t *answer = NULL;
    json_t *wish = json_pack("{s:s}", "name", "demo");
    snprintf(path, sizeof(path), "/api/v1/apps/%s/keys", app);
    int r = portal_client_ask(client, "POST", path, wish, &answer, err);
    json_decref(wish);
    if (r == 0 && !str_copy(str_from(json_string_value(json_object_get(answer, "secret"))),
                            ret_key->p, sizeof(ret_key->p)))
        r = error_set(err, E_PROTOCOL, "the portal issued no key");
    control_wipe(answer);
    return r;
}

static int settle_apps(struct portal_client *client, struct people *people, struct error *err)
{
    json_t *apps = NULL;
    int r = portal_client_ask(client, "GET", "/api/v1/apps", NULL, &apps, err);
    for (size_t i = 0; i < DEMO_APPS && r == 0; i++) {
        const char *there = find_app(apps, DEMO_APP_ROWS[i].title);
        if (there == NULL)
            r = make_app(client, &DEMO_APP_ROWS[i], people->apps[i], err);
        else
            str_copy(str_from(there), people->apps[i], PEOPLE_APP_MAX);
        if (r == 0)
            r = issue_key(client, people->apps[i], &people->keys[i], err);
    }
    json_decref(apps);
    return r;
}

/* So that the operator has something to decide. */
static int ask_for_more(struct portal_client *client, const struct people *people,
                        struct error *err)
{
    char path[128];
    json_t *answer = NULL, *wish = json_pack("{s:s}", "plan", "pro");
    snprintf(path, sizeof(path), "/api/v1/apps/%s/subscription", people->apps[APP_SHOP]);
    int r = portal_client_ask(client, "POST", path, wish, &answer, err);
    json_decref(wish);
    json_decref(answer);
    return r;
}

int people_settle(struct people *people, const char *data_dir, const struct place_port *portal,
                  struct error *err)
{
    struct portal_client client;
    int r = settle_operator(people, data_dir, err);
    if (r != 0)
        return r;
    portal_client_init(&client, portal);
    r = sign_in(&client, people, data_dir, err);
    if (r == 0)
        r = settle_apps(&client, people, err);
    if (r == 0)
        r = ask_for_more(&client, people, err);
    portal_client_finish(&client);
    if (r != 0)
        error_prefix(err, "the demo's developer");
    return r;
}

void people_forget(struct people *people)
{
    sodium_memzero(people, sizeof(*people));
}
