/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenAPI document of the JSON API, made of the rows of endpoints.def and schemas.def: what is
 * in it is what is checked.
 */
#include "portal/endpoint_rows.h"

#define API_PREFIX "/api/v1/"

/* --- schemas --- */

static void tell_ref(struct jsonw *w, enum schema schema)
{
    char ref[96];
    struct str title = SCHEMAS[schema].title;
    snprintf(ref, sizeof(ref), "#/components/schemas/%" STR_FMT, STR_ARG(title));
    jsonw_key(w, "$ref"), jsonw_cstr(w, ref);
}

/* JSON Schema's own words for a type; NULL where it is more than one word. */
static const char *type_name(enum schema_type type)
{
    switch (type) {
    case TYPE_LINE:
    case TYPE_TEXT:
    case TYPE_SECRET:
    case TYPE_EMAIL:
    case TYPE_TIME:
        return "string";
    case TYPE_NUMBER:
        return "integer";
    case TYPE_REAL:
        return "number";
    case TYPE_FLAG:
        return "boolean";
    case TYPE_LINES:
    case TYPE_LIST:
        return "array";
    case TYPE_TEXTS:
        return "object";
    case TYPE_OBJECT:
        break;
    }
    return NULL;
}

static const char *format_name(enum schema_type type)
{
    return type == TYPE_EMAIL    ? "email"
           : type == TYPE_SECRET ? "password"
           : type == TYPE_TIME   ? "date-time"
                                 : NULL;
}

static void tell_bounds(struct jsonw *w, const struct schema_field *f)
{
    bool text = f->type <= TYPE_EMAIL, list = f->type == TYPE_LINES;
    if (f->max == 0 || f->type == TYPE_LIST || f->type == TYPE_OBJECT)
        return;
    jsonw_key(w, text ? "minLength" : list ? "minItems" : "minimum"), jsonw_i64(w, f->min);
    jsonw_key(w, text ? "maxLength" : list ? "maxItems" : "maximum"), jsonw_i64(w, f->max);
}

static void tell_type(struct jsonw *w, const struct schema_field *f)
{
    const char *type = type_name(f->type), *format = format_name(f->type);
    bool nullable = f->need == NEED_NULLABLE;
    if (type == NULL && nullable) {
        jsonw_key(w, "anyOf"), jsonw_array(w);
        jsonw_object(w), tell_ref(w, f->of), jsonw_end(w);
        jsonw_object(w), jsonw_key(w, "type"), jsonw_cstr(w, "null"), jsonw_end(w);
        jsonw_end(w);
        return;
    }
    if (type == NULL) {
        tell_ref(w, f->of);
        return;
    }
    jsonw_key(w, "type");
    if (nullable) {
        jsonw_array(w), jsonw_cstr(w, type), jsonw_cstr(w, "null"), jsonw_end(w);
    } else {
        jsonw_cstr(w, type);
    }
    if (format != NULL)
        jsonw_key(w, "format"), jsonw_cstr(w, format);
    if (f->type == TYPE_TEXTS)
        jsonw_key(w, "additionalProperties"), jsonw_raw(w, STR("{\"type\":\"string\"}"));
    if (f->type == TYPE_LINES || f->type == TYPE_LIST) {
        jsonw_key(w, "items"), jsonw_object(w);
        if (f->type == TYPE_LIST)
            tell_ref(w, f->of);
        else
            jsonw_key(w, "type"), jsonw_cstr(w, "string");
        jsonw_end(w);
    }
}

static void tell_schema(struct jsonw *w, enum schema schema)
{
    size_t count, first = schema_fields(schema, &count);
    jsonw_key_str(w, SCHEMAS[schema].title), jsonw_object(w);
    jsonw_key(w, "type"), jsonw_cstr(w, "object");
    jsonw_key(w, "description"), jsonw_str(w, SCHEMAS[schema].doc);
    jsonw_key(w, "additionalProperties"), jsonw_bool(w, false);
    jsonw_key(w, "properties"), jsonw_object(w);
    for (size_t i = first; i < first + count; i++) {
        const struct schema_field *f = &SCHEMA_FIELDS[i];
        jsonw_key_str(w, f->name), jsonw_object(w);
        tell_type(w, f);
        tell_bounds(w, f);
        jsonw_key(w, "description"), jsonw_str(w, f->doc);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_key(w, "required"), jsonw_array(w);
    for (size_t i = first; i < first + count; i++) {
        if (SCHEMA_FIELDS[i].need != NEED_OPTIONAL)
            jsonw_str(w, SCHEMA_FIELDS[i].name);
    }
    jsonw_end(w);
    jsonw_end(w);
}

/* What failures are: RFC 9457, with our `errors`. */
static void tell_problem(struct jsonw *w)
{
    jsonw_key(w, "Problem");
    jsonw_raw(w, STR("{\"type\":\"object\",\"description\":\"A failure (RFC 9457).\","
                     "\"required\":[\"type\",\"title\",\"status\"],\"properties\":{"
                     "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
                     "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},"
                     "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
                     "\"properties\":{\"field\":{\"type\":\"string\"},"
                     "\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}}}}}}"));
}

/* --- operations --- */

static void tell_params(struct jsonw *w, struct str path)
{
    jsonw_key(w, "parameters"), jsonw_array(w);
    while (path.p != NULL) {
        struct str segment = str_cut(&path, '/');
        if (!str_starts(segment, STR("{")))
            continue;
        jsonw_object(w);
        jsonw_key(w, "name"), jsonw_str(w, str_slice(segment, 1, segment.n - 1));
        jsonw_key(w, "in"), jsonw_cstr(w, "path");
        jsonw_key(w, "required"), jsonw_bool(w, true);
        jsonw_key(w, "schema"), jsonw_raw(w, STR("{\"type\":\"string\"}"));
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void tell_body(struct jsonw *w, enum schema schema)
{
    jsonw_key(w, "content"), jsonw_object(w);
    jsonw_key(w, "application/json"), jsonw_object(w);
    jsonw_key(w, "schema"), jsonw_object(w), tell_ref(w, schema), jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
}

static void tell_responses(struct jsonw *w, const struct endpoint *row)
{
    jsonw_key(w, "responses"), jsonw_object(w);
    jsonw_key(w, "2XX"), jsonw_object(w);
    jsonw_key(w, "description"),
        jsonw_cstr(w, row->out != SCHEMA_NONE ? "Done." : "Done; no body.");
    if (row->out != SCHEMA_NONE)
        tell_body(w, row->out);
    jsonw_end(w);
    jsonw_key(w, "default");
    jsonw_raw(w, STR("{\"description\":\"A failure.\",\"content\":{\"application/problem+json\":"
                     "{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}"));
    jsonw_end(w);
}

static void tell_operation(struct jsonw *w, const struct endpoint *row)
{
    char method[16];
    struct str name = http_method_name(row->method);
    for (size_t i = 0; i < name.n && i < sizeof(method); i++)
        method[i] = str_lower_char(name.p[i]);
    jsonw_key_str(w, str_make(method, name.n)), jsonw_object(w);
    jsonw_key(w, "description"), jsonw_str(w, row->doc);
    jsonw_key(w, "x-role"), jsonw_str(w, role_name(row->role));
    tell_params(w, row->path);
    if (row->in != SCHEMA_NONE) {
        jsonw_key(w, "requestBody"), jsonw_object(w);
        jsonw_key(w, "required"), jsonw_bool(w, true);
        tell_body(w, row->in);
        jsonw_end(w);
    }
    tell_responses(w, row);
    jsonw_end(w);
}

static bool is_listed(const struct endpoint *row, enum endpoint_listener listener)
{
    return (row->listener & listener) != 0 && str_starts(row->path, STR(API_PREFIX));
}

/* All operations of a path, where its first row stands. */
static void tell_paths(struct jsonw *w, enum endpoint_listener listener)
{
    for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
        bool told = !is_listed(&ENDPOINTS[i], listener);
        for (size_t k = 0; k < i && !told; k++)
            told =
                is_listed(&ENDPOINTS[k], listener) && str_eq(ENDPOINTS[k].path, ENDPOINTS[i].path);
        if (told)
            continue;
        jsonw_key_str(w, ENDPOINTS[i].path), jsonw_object(w);
        for (size_t k = i; k < ENDPOINT_COUNT; k++) {
            if (is_listed(&ENDPOINTS[k], listener) && str_eq(ENDPOINTS[k].path, ENDPOINTS[i].path))
                tell_operation(w, &ENDPOINTS[k]);
        }
        jsonw_end(w);
    }
}

void openapi_get(struct endpoint_call *call)
{
    struct buf json;
    struct jsonw w;
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "openapi"), jsonw_cstr(&w, "3.1.0");
    jsonw_key(&w, "info"), jsonw_object(&w);
    jsonw_key(&w, "title"), jsonw_str(&w, call->conf->title);
    jsonw_key(&w, "version"), jsonw_cstr(&w, call->portal->sources.version);
    jsonw_end(&w);
    jsonw_key(&w, "paths"), jsonw_object(&w);
    tell_paths(&w, call->listener);
    jsonw_end(&w);
    jsonw_key(&w, "components"), jsonw_object(&w);
    jsonw_key(&w, "schemas"), jsonw_object(&w);
    tell_problem(&w);
    for (enum schema s = SCHEMA_NONE + 1; s < SCHEMA_COUNT; s++)
        tell_schema(&w, s);
    jsonw_end(&w);
    jsonw_end(&w);
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}
