/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/ask.h"

#include "analytics/writer.h"
#include "appliance/command.h"
#include "appliance/control.h"
#include "appliance/control_keys.h"
#include "appliance/control_people.h"
#include "appliance/lock.h"
#include "base/fiber/fiber.h"
#include "gateway/preview.h"
#include "portal/control.h"

#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

/* The directory may be held by an instance that is starting or stopping, or by another command. */
#define LOCK_PATIENCE_US (10 * US_PER_S)
#define LOCK_RETRY_MS 50

static void dir_of(const struct config *config, char out[static PATH_MAX])
{
    CHECK(str_copy(config->data_dir, out, PATH_MAX));
}

/* Under the lock. */
static int work_alone(struct config *config, const char *dir, const json_t *request,
                      json_t **ret_answer, struct error *err)
{
    struct pepper pepper;
    struct preview *preview;
    struct control_keys keys = {.registry = NULL};
    int r = preview_create(&preview, &config->gateway, err);
    if (r != 0)
        return r;
    r = pepper_load_beside(dir, CONTROL_FILE, &pepper, err);
    keys.access = preview_access(preview);
    struct registry_options options = {.data_dir = dir, .access = keys.access, .pepper = &pepper};
    if (r == 0)
        r = registry_open(&keys.registry, &options, err);
    if (r == 0)
        r = registry_load(keys.registry, err);
    if (r == 0) {
        const char *command = json_string_value(json_object_get(request, "command"));
        json_t *answer = control_people_knows(command)
                             ? control_people_answer(keys.registry, command, request, err)
                             : control_keys_answer(&keys, command, request, err);
        r = answer != NULL ? 0 : err->code;
        if (answer != NULL)
            *ret_answer = answer;
    }
    registry_close(keys.registry);
    sodium_memzero(&pepper, sizeof(pepper));
    preview_destroy(preview);
    return r;
}

int ask_keys(struct config *config, const json_t *request, json_t **ret_answer, struct error *err)
{
    char dir[PATH_MAX];
    struct dir_lock lock;
    struct mono deadline = mono_after(clock_mono(), LOCK_PATIENCE_US);
    dir_of(config, dir);
    for (;;) {
        struct error none = ERROR_INIT, held = ERROR_INIT;
        int r = control_ask(dir, request, ret_answer, &none);
        if (r != E_NOT_FOUND)
            return r == 0 ? 0 : error_set(err, r, "%s", none.text);
        r = dir_lock_take(&lock, dir, &held);
        if (r == 0)
            break;
        if (r != E_BUSY || clock_mono().us >= deadline.us)
            return error_set(err, r, "%s", held.text);
        poll(NULL, 0, LOCK_RETRY_MS);
    }
    int r = work_alone(config, dir, request, ret_answer, err);
    dir_lock_release(&lock);
    return r;
}

static int ask_simple(const struct config *config, const char *command, struct error *err)
{
    char dir[PATH_MAX];
    json_t *answer = NULL, *request = json_pack("{s:s}", "command", command);
    dir_of(config, dir);
    int r = control_ask(dir, request, &answer, err);
    json_decref(answer);
    json_decref(request);
    return r;
}

/* Counts what an instance that was killed left in its journal. Under the lock. */
static int replay(const struct config *config, const char *dir, const char *journal_dir,
                  struct error *err)
{
    char store_dir[PATH_MAX + 16];
    struct journal *journal;
    struct writer *writer;
    snprintf(store_dir, sizeof(store_dir), "%s/analytics", dir);
    int r =
        journal_open(&journal, journal_dir, cpus_allowed(), config->analytics.journal_bytes, err);
    if (r != 0)
        return r;
    struct writer_options options = {
        .dir = store_dir,
        .journal = journal,
        .retention = config->analytics.retention,
        .max_series = config->analytics.max_series,
    };
    r = writer_create(&writer, &options, err);
    if (r == 0)
        writer_destroy(writer);
    journal_close(journal);
    return r;
}

/* Where nothing was ever recorded, nothing is made. */
static int replay_alone(const struct config *config, struct error *err)
{
    char dir[PATH_MAX], journal_dir[PATH_MAX + 16];
    struct dir_lock lock;
    dir_of(config, dir);
    snprintf(journal_dir, sizeof(journal_dir), "%s/journal", dir);
    if (access(journal_dir, F_OK) != 0)
        return 0;
    int r = dir_lock_take(&lock, dir, err);
    if (r != 0)
        return r;
    r = replay(config, dir, journal_dir, err);
    dir_lock_release(&lock);
    return r;
}

bool ask_flush(const struct config *config)
{
    struct error err = ERROR_INIT, alone = ERROR_INIT;
    int r = ask_simple(config, "flush", &err);
    bool running = r != E_NOT_FOUND;
    if (!running)
        r = replay_alone(config, &alone);
    if (r != 0)
        fprintf(stderr, "weir: the newest calls may be missing: %s\n",
                running ? err.text : alone.text);
    return running;
}

bool ask_running(const struct config *config)
{
    struct error err = ERROR_INIT;
    return ask_simple(config, "ping", &err) == 0;
}
