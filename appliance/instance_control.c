/* SPDX-License-Identifier: Apache-2.0 */
/* What commands ask of a running instance. Runs on the control thread. */
#include "appliance/control_people.h"
#include "appliance/inside.h"

#include <unistd.h>

#define FLUSH_PATIENCE_US (10 * US_PER_S)

typedef json_t *answer_fn(struct instance *in, const json_t *request, struct error *err);

static json_t *answer_ping(struct instance *in, const json_t *request, struct error *err)
{
    (void)request;
    (void)err;
    return json_pack("{s:i, s:s, s:I}", "pid", (int)getpid(), "version", WEIR_VERSION, "uptime_ms",
                     (json_int_t)(mono_since(clock_mono(), in->started) / US_PER_MS));
}

/* What was answered before the command came is in the store when it returns. */
static json_t *answer_flush(struct instance *in, const json_t *request, struct error *err)
{
    (void)request;
    int r = writer_flush(in->writer, FLUSH_PATIENCE_US);
    if (r != 0) {
        error_set(err, r, "the records did not get into the store: %s", error_text(r));
        return NULL;
    }
    return json_object();
}

static json_t *answer_reload(struct instance *in, const json_t *request, struct error *err)
{
    (void)request;
    return instance_reload(in, err) == 0 ? json_object() : NULL;
}

static const struct {
    const char *command;
    answer_fn *answer;
} ANSWERS[] = {
    {"ping", answer_ping},
    {"flush", answer_flush},
    {"reload", answer_reload},
};

/* What the commands on keys need; the epoch's slot behind the carriers' is this thread's. */
static json_t *answer_keys(struct instance *in, const char *command, const json_t *request,
                           struct error *err)
{
    struct control_keys keys = {
        .registry = in->registry,
        .access = in->access,
    };
    unsigned slot = carriers_count(in->carriers);
    unsigned token = epoch_enter(in->epoch, slot);
    json_t *result = control_keys_answer(&keys, command, request, err);
    epoch_leave(in->epoch, slot, token);
    return result;
}

json_t *instance_control(void *instance, const char *command, const json_t *request,
                         struct error *err)
{
    struct instance *in = instance;
    for (size_t i = 0; i < ARRAY_LEN(ANSWERS); i++) {
        if (strcmp(ANSWERS[i].command, command) == 0)
            return ANSWERS[i].answer(in, request, err);
    }
    if (control_people_knows(command))
        return control_people_answer(in->registry, command, request, err);
    return answer_keys(in, command, request, err);
}

int instance_create_key(struct instance *instance, const char *app, const char *name, char *out,
                        struct error *err)
{
    json_t *request =
        json_pack("{s:s, s:s, s:s}", "command", "key.create", "app", app, "name", name);
    json_t *answer = NULL;
    int r = control_ask(instance->data_dir, request, &answer, err);
    json_decref(request);
    if (r != 0)
        return r;
    const char *secret = json_string_value(json_object_get(answer, "secret"));
    r = secret != NULL && str_copy(str_from(secret), out, KEY_TEXT_LEN + 1)
            ? 0
            : error_set(err, E_PROTOCOL, "the instance gave no key");
    control_wipe(answer);
    return r;
}
