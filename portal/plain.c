/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/plain.h"

void plain_hidden(struct buf *html, struct str name, struct str value)
{
    buf_add_lit(html, "<input type=\"hidden\" name=\"");
    page_text(html, name);
    buf_add_lit(html, "\" value=\"");
    page_text(html, value);
    buf_add_lit(html, "\">\n");
}

void plain_form(struct buf *html, const struct endpoint_call *call, struct str action)
{
    buf_add_lit(html, "<form class=\"form\" method=\"post\" action=\"");
    page_text(html, action);
    buf_add_lit(html, "\">\n");
    if (call->csrf[0] != '\0')
        plain_hidden(html, STR("csrf"), str_from(call->csrf));
}

static const struct input_fault *find_fault(const struct input *input, struct str field)
{
    for (unsigned i = 0; i < input->fault_count; i++) {
        if (str_eq(input->faults[i].field, field))
            return &input->faults[i];
    }
    return NULL;
}

/* The words for a fault: those of its code, in the person's language. */
static void add_fault(struct buf *html, const struct endpoint_call *call,
                      const struct input_fault *fault, const char *field)
{
    char key[64];
    snprintf(key, sizeof(key), "page.fault.%s", fault->code);
    buf_printf(html, "<p class=\"field-error\" id=\"%s-fault\">", field);
    page_text(html, words(call, str_from(key)));
    buf_add_lit(html, "</p>\n");
}

static void add_described_by(struct buf *html, const struct plain_field *field, bool fault)
{
    if (!fault && field->hint.n == 0)
        return;
    buf_add_lit(html, " aria-describedby=\"");
    if (fault)
        buf_printf(html, "%s-fault", field->name);
    if (field->hint.n > 0)
        buf_printf(html, "%s%s-hint", fault ? " " : "", field->name);
    buf_add_char(html, '"');
}

void plain_field(struct buf *html, const struct endpoint_call *call,
                 const struct plain_field *field)
{
    const struct input_fault *fault = find_fault(&call->input, str_from(field->name));
    buf_printf(html, "<div class=\"field\"><label for=\"%s\">", field->name);
    page_text(html, field->label);
    buf_printf(html, "</label>\n<input id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\"",
               field->name, field->name, field->type, field->autocomplete);
    if (!field->optional)
        buf_add_lit(html, " required");
    add_described_by(html, field, fault != NULL);
    if (fault != NULL)
        buf_add_lit(html, " aria-invalid=\"true\"");
    if (field->value.n > 0) {
        buf_add_lit(html, " dir=\"auto\" value=\"");
        page_text(html, field->value);
        buf_add_char(html, '"');
    }
    buf_add_lit(html, ">\n");
    if (fault != NULL)
        add_fault(html, call, fault, field->name);
    if (field->hint.n > 0) {
        buf_printf(html, "<p class=\"hint\" id=\"%s-hint\">", field->name);
        page_text(html, field->hint);
        buf_add_lit(html, "</p>\n");
    }
    buf_add_lit(html, "</div>\n");
}

void plain_submit(struct buf *html, struct str label)
{
    buf_add_lit(html, "<button class=\"button primary\" type=\"submit\">");
    page_text(html, label);
    buf_add_lit(html, "</button>\n</form>\n");
}

void plain_alert(struct buf *html, const char *tone, struct str text)
{
    if (text.n == 0)
        return;
    buf_printf(html, "<p class=\"alert %s\" role=\"%s\">", tone,
               strcmp(tone, "bad") == 0 ? "alert" : "status");
    page_text(html, text);
    buf_add_lit(html, "</p>\n");
}

struct str plain_sent(const struct endpoint_call *call, const char *field)
{
    return call->input.schema != SCHEMA_NONE ? input_text(&call->input, field) : STR_EMPTY;
}

#define RETURN_BYTES_MAX 1024

struct str plain_return(const struct endpoint_call *call, struct str otherwise)
{
    struct str path;
    if (!endpoint_query(call, STR("return"), &path))
        return otherwise;
    /* it stands in a head, as it is */
    for (size_t i = 0; i < path.n; i++) {
        if (i == RETURN_BYTES_MAX || path.p[i] <= ' ' || path.p[i] > '~')
            return otherwise;
    }
    /* "//host" and "/\host" are other sites for a browser */
    bool ours = str_starts(path, STR("/")) && !str_starts(path, STR("//")) &&
                str_find_char(path, '\\', 0) == path.n;
    return ours ? path : otherwise;
}
