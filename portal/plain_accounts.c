/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of who has no session yet: sign in, sign up, confirm, forgot, reset. Plain forms, whole
 * without a script; a link of a mail only shows a button, because mail scanners follow links.
 */
#include "portal/accounts.h"
#include "portal/form.h"
#include "portal/locale.h"
#include "portal/plain.h"
#include "portal/session.h"
#include "portal/sign_in.h"

#define WORD(key) words(call, STR(key))

static struct str home_of(const struct endpoint_call *call)
{
    return call->listener == ENDPOINT_ADMIN ? STR("/overview") : STR("/apps");
}

/* "PAGE?return=/apps" where a way back was asked for. */
static struct str with_return(const struct endpoint_call *call, const char *page)
{
    struct str path = plain_return(call, STR_EMPTY);
    struct buf to;
    if (path.n == 0)
        return str_from(page);
    buf_init(&to, 4096);
    buf_printf(&to, "%s?return=", page);
    form_encode(&to, path);
    struct str whole = buf_finish(&to) == 0 ? buf_str(&to) : str_from(page);
    whole = arena_dup(http_arena(call->conn), whole);
    buf_free(&to);
    return whole;
}

static void begin(struct buf *html, struct endpoint_call *call, struct str title)
{
    page_begin(html, call, title);
    buf_add_lit(html, "<section class=\"narrow card\"><h1>");
    page_text(html, title);
    buf_add_lit(html, "</h1>\n");
}

static void end(struct buf *html, struct endpoint_call *call, unsigned status)
{
    buf_add_lit(html, "</section>\n");
    page_end(html, call);
    endpoint_send_page(call, status, html);
}

static void add_link(struct buf *html, struct str path, struct str words_)
{
    buf_add_lit(html, "<p><a href=\"");
    page_text(html, path);
    buf_add_lit(html, "\">");
    page_text(html, words_);
    buf_add_lit(html, "</a></p>\n");
}

/* A failure of ours or of the database, on the page it happened on. */
static unsigned status_of(int r)
{
    return r == E_BUSY || r == E_TIMEOUT || r == E_NO_SPACE ? 503 : 500;
}

/* --- sign in --- */

static void show_sign_in(struct endpoint_call *call, unsigned status, struct str fault)
{
    struct buf html;
    begin(&html, call, WORD("page.sign_in.title"));
    plain_alert(&html, "bad", fault);
    plain_form(&html, call, with_return(call, "/sign-in"));
    plain_field(&html, call,
                &(struct plain_field){.name = "email",
                                      .type = "email",
                                      .autocomplete = "username",
                                      .label = WORD("page.email"),
                                      .value = plain_sent(call, "email")});
    plain_field(&html, call,
                &(struct plain_field){.name = "password",
                                      .type = "password",
                                      .autocomplete = "current-password",
                                      .label = WORD("page.password")});
    plain_submit(&html, WORD("page.sign_in.do"));
    add_link(&html, STR("/forgot"), WORD("page.sign_in.forgot"));
    if (call->listener == ENDPOINT_PORTAL && call->conf->registration != PORTAL_CLOSED)
        add_link(&html, with_return(call, "/sign-up"), WORD("page.sign_in.no_account"));
    if (call->listener == ENDPOINT_ADMIN) {
        buf_add_lit(&html, "<p class=\"note\">");
        page_text(&html, WORD("page.sign_in.operator"));
        buf_add_lit(&html, "</p>\n<pre><code>weir admin create you@example.com"
                           "</code></pre>\n");
        add_link(&html, STR("/status"), WORD("page.sign_in.status"));
    }
    end(&html, call, status);
}

void sign_in_page(struct endpoint_call *call)
{
    if (call->person != NULL)
        endpoint_redirect(call, plain_return(call, home_of(call)));
    else
        show_sign_in(call, 200, STR_EMPTY);
}

static struct str sign_in_fault(const struct endpoint_call *call, enum sign_in outcome)
{
    static const struct str KEYS[] = {
        [SIGN_IN_DONE] = STR_INIT(""),
        [SIGN_IN_WRONG] = STR_INIT("page.sign_in.wrong"),
        [SIGN_IN_UNCONFIRMED] = STR_INIT("page.sign_in.unconfirmed"),
        [SIGN_IN_SUSPENDED] = STR_INIT("page.sign_in.suspended"),
        [SIGN_IN_NO_OPERATOR] = STR_INIT("page.sign_in.no_operator"),
        [SIGN_IN_THROTTLED] = STR_INIT("page.throttled"),
    };
    return words(call, KEYS[outcome]);
}

void sign_in_submit(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct sign_in_result result = {.outcome = SIGN_IN_WRONG};
    if (call->input.fault_count > 0) {
        show_sign_in(call, 422, STR_EMPTY);
        return;
    }
    int r = sign_in_try(call, input_text(&call->input, "email"),
                        input_text(&call->input, "password"), &result, &err);
    if (r != 0)
        show_sign_in(call, status_of(r), WORD("page.busy"));
    else if (result.outcome == SIGN_IN_DONE)
        endpoint_redirect(call, plain_return(call, home_of(call)));
    else
        show_sign_in(call, sign_in_status(result.outcome), sign_in_fault(call, result.outcome));
}

/* --- sign up --- */

static void show_sign_up(struct endpoint_call *call, unsigned status, struct str fault)
{
    struct buf html;
    struct str invitation = plain_sent(call, "invitation");
    if (invitation.n == 0 && !endpoint_query(call, STR("invitation"), &invitation))
        invitation = STR_EMPTY;
    begin(&html, call, WORD("page.sign_up.title"));
    plain_alert(&html, "bad", fault);
    plain_form(&html, call, with_return(call, "/sign-up"));
    plain_field(&html, call,
                &(struct plain_field){.name = "name",
                                      .type = "text",
                                      .autocomplete = "name",
                                      .label = WORD("page.name"),
                                      .value = plain_sent(call, "name")});
    plain_field(&html, call,
                &(struct plain_field){.name = "email",
                                      .type = "email",
                                      .autocomplete = "username",
                                      .label = WORD("page.email"),
                                      .value = plain_sent(call, "email")});
    plain_field(&html, call,
                &(struct plain_field){.name = "password",
                                      .type = "password",
                                      .autocomplete = "new-password",
                                      .label = WORD("page.password"),
                                      .hint = WORD("page.password.hint")});
    if (invitation.n > 0)
        plain_hidden(&html, STR("invitation"), invitation);
    plain_submit(&html, WORD("page.sign_up.do"));
    add_link(&html, with_return(call, "/sign-in"), WORD("page.sign_up.have_account"));
    end(&html, call, status);
}

/* A page with a heading and a sentence. */
static void show_sentence(struct endpoint_call *call, unsigned status, struct str title,
                          struct str sentence)
{
    struct buf html;
    begin(&html, call, title);
    buf_add_lit(&html, "<p class=\"lead\">");
    page_text(&html, sentence);
    buf_add_lit(&html, "</p>\n");
    add_link(&html, STR("/sign-in"), WORD("page.sign_in.do"));
    end(&html, call, status);
}

void sign_up_page(struct endpoint_call *call)
{
    struct str invitation;
    bool invited = endpoint_query(call, STR("invitation"), &invitation);
    if (call->person != NULL)
        endpoint_redirect(call, home_of(call));
    else if (call->conf->registration == PORTAL_CLOSED)
        show_sentence(call, 200, WORD("page.sign_up.title"), WORD("page.sign_up.closed"));
    else if (call->conf->registration == PORTAL_INVITE && !invited)
        show_sentence(call, 200, WORD("page.sign_up.title"), WORD("page.sign_up.invite"));
    else
        show_sign_up(call, 200, STR_EMPTY);
}

static struct str sign_up_fault(const struct endpoint_call *call, enum sign_up outcome)
{
    static const struct str KEYS[] = {
        [SIGN_UP_DONE] = STR_INIT(""),
        [SIGN_UP_CONFIRM] = STR_INIT(""),
        [SIGN_UP_CLOSED] = STR_INIT("page.sign_up.closed"),
        [SIGN_UP_INVITED] = STR_INIT("page.sign_up.invite"),
        [SIGN_UP_TAKEN] = STR_INIT("page.sign_up.taken"),
        [SIGN_UP_THROTTLED] = STR_INIT("page.throttled"),
    };
    return words(call, KEYS[outcome]);
}

void sign_up_submit(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct sign_up_result result;
    if (call->input.fault_count > 0) {
        show_sign_up(call, 422, STR_EMPTY);
        return;
    }
    int r = accounts_sign_up(call, &result, &err);
    if (r != 0)
        show_sign_up(call, status_of(r), WORD("page.busy"));
    else if (result.outcome == SIGN_UP_DONE)
        endpoint_redirect(call, plain_return(call, STR("/apps")));
    else if (result.outcome == SIGN_UP_CONFIRM)
        show_sentence(call, 202, WORD("page.sign_up.mailed.title"), WORD("page.sign_up.mailed"));
    else
        show_sign_up(call, sign_up_status(result.outcome), sign_up_fault(call, result.outcome));
}

/* --- links of mails --- */

static struct str token_of(const struct endpoint_call *call)
{
    struct str token = plain_sent(call, "token");
    if (token.n == 0 && !endpoint_query(call, STR("token"), &token))
        return STR_EMPTY;
    return token;
}

void confirm_page(struct endpoint_call *call)
{
    struct buf html;
    begin(&html, call, WORD("page.confirm.title"));
    plain_form(&html, call, STR("/confirm"));
    plain_hidden(&html, STR("token"), token_of(call));
    plain_submit(&html, WORD("page.confirm.do"));
    end(&html, call, 200);
}

void confirm_submit(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    unsigned seconds;
    int r = accounts_confirm(call, token_of(call), &seconds, &err);
    if (r == 0)
        endpoint_redirect(call, STR("/apps"));
    else if (seconds > 0)
        show_sentence(call, 429, WORD("page.confirm.title"), WORD("page.throttled"));
    else if (r == E_NOT_FOUND)
        show_sentence(call, 404, WORD("page.confirm.title"), WORD("page.link.gone"));
    else
        show_sentence(call, status_of(r), WORD("page.confirm.title"), WORD("page.busy"));
}

static void show_forgot(struct endpoint_call *call, unsigned status, struct str fault)
{
    struct buf html;
    begin(&html, call, WORD("page.forgot.title"));
    plain_alert(&html, "bad", fault);
    plain_form(&html, call, STR("/forgot"));
    plain_field(&html, call,
                &(struct plain_field){.name = "email",
                                      .type = "email",
                                      .autocomplete = "username",
                                      .label = WORD("page.email"),
                                      .value = plain_sent(call, "email")});
    plain_submit(&html, WORD("page.forgot.do"));
    end(&html, call, status);
}

void forgot_page(struct endpoint_call *call)
{
    if (call->conf->mail)
        show_forgot(call, 200, STR_EMPTY);
    else
        show_sentence(call, 200, WORD("page.forgot.title"), WORD("page.forgot.no_mail"));
}

void forgot_submit(struct endpoint_call *call)
{
    unsigned seconds;
    if (call->input.fault_count > 0) {
        show_forgot(call, 422, STR_EMPTY);
    } else if (!accounts_may_ask_reset(call, &seconds)) {
        show_forgot(call, 429, WORD("page.throttled"));
    } else {
        show_sentence(call, 202, WORD("page.forgot.title"), WORD("page.forgot.mailed"));
        accounts_ask_reset(call, input_text(&call->input, "email"));
    }
}

static void show_reset(struct endpoint_call *call, unsigned status, struct str fault)
{
    struct buf html;
    begin(&html, call, WORD("page.reset.title"));
    plain_alert(&html, "bad", fault);
    plain_form(&html, call, STR("/reset"));
    plain_hidden(&html, STR("token"), token_of(call));
    plain_field(&html, call,
                &(struct plain_field){.name = "password",
                                      .type = "password",
                                      .autocomplete = "new-password",
                                      .label = WORD("page.password.new"),
                                      .hint = WORD("page.password.hint")});
    plain_submit(&html, WORD("page.reset.do"));
    end(&html, call, status);
}

void reset_page(struct endpoint_call *call)
{
    show_reset(call, 200, STR_EMPTY);
}

void reset_submit(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    if (call->input.fault_count > 0) {
        show_reset(call, 422, STR_EMPTY);
        return;
    }
    unsigned seconds;
    int r =
        accounts_reset(call, token_of(call), input_text(&call->input, "password"), &seconds, &err);
    if (r == 0)
        endpoint_redirect(call, STR("/sign-in"));
    else if (seconds > 0)
        show_reset(call, 429, WORD("page.throttled"));
    else if (r == E_NOT_FOUND)
        show_sentence(call, 404, WORD("page.reset.title"), WORD("page.link.gone"));
    else
        show_reset(call, status_of(r), WORD("page.busy"));
}

/* --- sign out, and the language --- */

void sign_out_submit(struct endpoint_call *call)
{
    session_delete(call);
}

void language_submit(struct endpoint_call *call)
{
    enum locale locale;
    struct str name = input_text(&call->input, "language");
    if (call->input.fault_count == 0 && locale_find(name, &locale))
        call->set_cookie =
            arena_printf(http_arena(call->conn),
                         "weir_language=%" STR_FMT "; Path=/; Max-Age=31536000; SameSite=Lax",
                         STR_ARG(locale_name(locale)));
    endpoint_redirect(call, plain_return(call, STR("/")));
}
