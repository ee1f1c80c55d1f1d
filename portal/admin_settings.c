/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as it is in force: shown, and changed in the file only. */
#include "portal/admin.h"
#include "portal/facts.h"

struct showing {
    struct jsonw *w;
    struct str file; /* its name, without the folder */
};

/* "weir.yaml:12", or that the file is silent. */
static void tell_where(const struct showing *s, const struct portal_setting *setting)
{
    char where[160];
    jsonw_key(s->w, "where");
    if (setting->line == 0) {
        jsonw_cstr(s->w, "default");
        return;
    }
    int n = snprintf(where, sizeof(where), "%.100s:%u", s->file.n > 0 ? s->file.p : "the file",
                     setting->line);
    jsonw_str(s->w, str_make(where, (size_t)n));
}

static void tell_setting(void *ctx, const struct portal_setting *setting)
{
    const struct showing *s = ctx;
    struct jsonw *w = s->w;
    jsonw_object(w);
    jsonw_key(w, "name"), jsonw_str(w, setting->path);
    jsonw_key(w, "value"), jsonw_str(w, setting->value);
    jsonw_key(w, "default"), jsonw_str(w, setting->fallback);
    jsonw_key(w, "secret"), jsonw_bool(w, setting->secret);
    jsonw_key(w, "waits"), jsonw_bool(w, setting->waits);
    tell_where(s, setting);
    jsonw_key(w, "doc"), jsonw_str(w, setting->doc);
    jsonw_end(w);
}

void admin_settings_get(struct endpoint_call *call)
{
    const struct portal_sources *sources = &call->portal->sources;
    struct portal_facts facts;
    struct arena arena;
    struct buf json;
    struct jsonw w;
    if (!facts_look(call, &arena, &facts))
        return;
    struct showing s = {.w = &w, .file = facts.config_file};
    for (size_t slash; (slash = str_find_char(s.file, '/', 0)) < s.file.n;)
        s.file = str_slice(s.file, slash + 1, s.file.n);
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "file"), jsonw_str(&w, facts.config_file);
    endpoint_time(&w, "loaded", facts.config_loaded);
    jsonw_key(&w, "error"), jsonw_str(&w, facts.config_fault);
    jsonw_key(&w, "items"), jsonw_array(&w);
    if (sources->visit_settings != NULL)
        sources->visit_settings(sources->ctx, tell_setting, &s);
    jsonw_end(&w);
    jsonw_end(&w);
    arena_finish(&arena);
    endpoint_send_json(call, 200, &json);
}
