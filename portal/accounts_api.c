/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts by the JSON API. */
#include "portal/accounts.h"
#include "portal/sign_in.h"

void people_post(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct sign_up_result result;
    struct buf json;
    struct jsonw w;
    int r = accounts_sign_up(call, &result, &err);
    unsigned status = sign_up_status(result.outcome);
    if (r != 0) {
        endpoint_fail_error(call, r, &err);
        return;
    }
    if (result.outcome == SIGN_UP_THROTTLED) {
        endpoint_fail_later(call, status, sign_up_sentence(result.outcome), result.seconds);
        return;
    }
    if (status >= 400) {
        endpoint_fail(call, status, sign_up_sentence(result.outcome));
        return;
    }
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "state");
    jsonw_cstr(&w, result.outcome == SIGN_UP_DONE ? "signed_in" : "confirm");
    jsonw_end(&w);
    endpoint_send_json(call, status, &json);
}

static void send_failure(struct endpoint_call *call, int r, unsigned seconds,
                         const struct error *err)
{
    if (seconds > 0)
        endpoint_fail_later(call, 429, sign_in_sentence(SIGN_IN_THROTTLED), seconds);
    else
        endpoint_fail_error(call, r, err);
}

void confirmations_post(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    unsigned seconds;
    int r = accounts_confirm(call, input_text(&call->input, "token"), &seconds, &err);
    if (r != 0) {
        send_failure(call, r, seconds, &err);
        return;
    }
    struct buf json;
    struct jsonw w;
    endpoint_json(&json, &w);
    sign_in_tell(call, &w);
    endpoint_send_json(call, 200, &json);
}

void resets_post(struct endpoint_call *call)
{
    unsigned seconds;
    struct reply reply = {.status = 202};
    if (!accounts_may_ask_reset(call, &seconds)) {
        endpoint_fail_later(call, 429, sign_in_sentence(SIGN_IN_THROTTLED), seconds);
        return;
    }
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
    accounts_ask_reset(call, input_text(&call->input, "email"));
}

void resets_put(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    unsigned seconds;
    int r = accounts_reset(call, input_text(&call->input, "token"),
                           input_text(&call->input, "password"), &seconds, &err);
    if (r != 0)
        send_failure(call, r, seconds, &err);
    else
        endpoint_send_done(call, STR("/sign-in"));
}
