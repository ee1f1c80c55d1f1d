/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/params.h"

#include "portal/form.h"

void params_fault(struct endpoint_call *call, const char *name, const char *code,
                  const char *detail)
{
    input_fault(&call->input, str_from(name), code, detail);
}

bool params_good(struct endpoint_call *call)
{
    if (call->input.fault_count == 0)
        return true;
    endpoint_fail_input(call);
    return false;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    }
    return false;
}

struct str params_text(struct endpoint_call *call, const char *name)
{
    struct str rest = call->target.query, key, value;
    int r;
    while ((r = form_next(http_arena(call->conn), &rest, &key, &value)) > 0) {
        if (!str_eq(key, str_from(name)))
            continue;
        if (has_control(value))
            params_fault(call, name, "characters", "This has characters that cannot be used here.");
        else if (value.n > PARAM_TEXT_MAX)
            params_fault(call, name, "too_long", "This is too long.");
        else
            return value;
        return STR_EMPTY;
    }
    if (r < 0) /* what follows may be the one that was asked for */
        params_fault(call, name, "characters", "The query of this address is damaged.");
    return STR_EMPTY;
}

struct wall params_time(struct endpoint_call *call, const char *name)
{
    struct wall t = {.us = 0};
    struct str text = params_text(call, name);
    if (text.n > 0 && (wall_parse(text, &t) != 0 || t.us <= 0)) {
        params_fault(call, name, "type", "This is no time such as 2026-11-24T03:00:00Z.");
        t.us = 0;
    }
    return t;
}

int params_choice(struct endpoint_call *call, const char *name, const struct str *names,
                  unsigned count)
{
    struct str text = params_text(call, name);
    for (unsigned i = 0; i < count; i++) {
        if (str_eq(names[i], text))
            return (int)i;
    }
    if (text.n > 0)
        params_fault(call, name, "unknown", "This is none of what can be chosen here.");
    return -1;
}
