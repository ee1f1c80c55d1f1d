/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/record.h"

#include "analytics/record_wire.h"
#include "gateway/access.h"
#include "gateway/inside.h"

/* The target's name (a host of at most 255 bytes, a port) and the protocol, not known before. */
#define SHORT_TEXTS_MAX 320

/* A parameter whose name contains one of these may carry a secret: its value never reaches a
 * record. */
static const struct str SECRET_NAMES[] = {
    STR_INIT("key"),       STR_INIT("token"),      STR_INIT("secret"), STR_INIT("passw"),
    STR_INIT("signature"), STR_INIT("auth"),       STR_INIT("code"),   STR_INIT("session"),
    STR_INIT("sig"),       STR_INIT("credential"), STR_INIT("pwd"),    STR_INIT("jwt"),
};

static bool contains_nocase(struct str s, struct str needle)
{
    for (size_t i = 0; i + needle.n <= s.n; i++) {
        if (str_eq_nocase(str_slice(s, i, i + needle.n), needle))
            return true;
    }
    return false;
}

/* What a key of ours consists of. */
static bool is_key_char(char c)
{
    char lower = str_lower_char(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool looks_secret(struct str name, const struct str_list *key_params)
{
    for (size_t i = 0; i < key_params->count; i++) {
        if (str_eq_nocase(name, key_params->items[i]))
            return true;
    }
    /* an escape in a name could hide the word: such a name is not worth the risk */
    if (str_find_char(name, '%', 0) < name.n)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(SECRET_NAMES); i++) {
        if (contains_nocase(name, SECRET_NAMES[i]))
            return true;
    }
    return false;
}

struct str record_redact_keys(struct arena *arena, struct str text)
{
    static const struct str KINDS[] = {STR_INIT("live_"), STR_INIT("test_"), STR_INIT("pat_"),
                                       STR_INIT("whs_")};
    const struct str brand = STR("weir_");
    size_t at = str_find(text, brand), kept = 0;
    struct buf out;
    if (likely(at == text.n))
        return text;
    char *mem = arena_alloc(arena, text.n + 1);
    if (mem == NULL)
        return STR("***");
    buf_init_fixed(&out, mem, text.n + 1);
    while (at < text.n) {
        struct str rest = str_slice(text, at + brand.n, text.n);
        size_t n = 0;
        for (size_t i = 0; i < ARRAY_LEN(KINDS); i++)
            n = str_starts(rest, KINDS[i]) ? KINDS[i].n : n;
        if (n > 0) {
            while (n < rest.n && is_key_char(rest.p[n]))
                n++;
            buf_add_str(&out, str_slice(text, kept, at));
            buf_add_lit(&out, "***");
            kept = at + brand.n + n;
        }
        at += brand.n + n;
        at += str_find(str_slice(text, at, text.n), brand);
    }
    buf_add_str(&out, str_slice(text, kept, text.n));
    return buf_str(&out);
}

/* The query with the values of suspicious parameters replaced. */
static struct str redact_values(struct arena *arena, struct str query,
                                const struct str_list *key_params)
{
    struct buf out;
    char *mem = NULL;
    struct str rest = query;
    size_t kept = 0; /* how much of the query has been copied */
    while (rest.p != NULL) {
        struct str pair = str_cut(&rest, '&');
        size_t eq = str_find_char(pair, '=', 0);
        struct str value = str_slice(pair, eq + 1, pair.n);
        if (value.n == 0 || !looks_secret(str_slice(pair, 0, eq), key_params))
            continue;
        if (mem == NULL) {
            /* each replacement may be longer than what it replaces, by three at most */
            size_t cap = query.n * 4 + 4;
            mem = arena_alloc(arena, cap);
            if (mem == NULL)
                return STR("***");
            buf_init_fixed(&out, mem, cap);
        }
        size_t at = (size_t)(value.p - query.p);
        buf_add_str(&out, str_slice(query, kept, at));
        buf_add_lit(&out, "***");
        kept = at + value.n;
    }
    if (mem == NULL)
        return query;
    buf_add_str(&out, str_slice(query, kept, query.n));
    return buf_str(&out);
}

struct str record_redact_query(struct arena *arena, struct str query,
                               const struct str_list *key_params)
{
    return record_redact_keys(arena, redact_values(arena, query, key_params));
}

static void fill_client(struct req *req, struct record *record)
{
    const struct head *head = req->head;
    struct arena *arena = http_arena(req->conn);
    struct str referer = head_value(head, FIELD_REFERER);
    struct str id = head_value(head, FIELD_X_REQUEST_ID);
    record->client_ip = req->client_ip;
    record->user_agent = record_redact_keys(arena, head_value(head, FIELD_USER_AGENT));
    record->referer =
        record_redact_keys(arena, str_slice(referer, 0, str_find_char(referer, '?', 0)));
    if (id.n <= 128 && http_is_token(id))
        record->client_request_id = record_redact_keys(arena, id);
    record->protocol = head->minor == 0 ? STR("HTTP/1.0") : STR("HTTP/1.1");
}

static void fill_quotas(struct req *req, struct record *record)
{
    for (unsigned i = 0; i < req->limits.count && req->metered; i++) {
        const struct limit_now *now = &req->limits.limits[i];
        if (now->rule->kind != LIMIT_QUOTA || record->quota_count == RECORD_QUOTAS_MAX)
            continue;
        record->quotas[record->quota_count++] = (struct record_quota){
            .limit = limit_rule_name(now->rule), .window = now->window, .cost = 1};
    }
}

static void fill_who(struct req *req, struct record *record)
{
    if (req->app != NULL) {
        record->app = req->app->name;
        record->plan = req->app->plan;
    }
    if (req->key != NULL)
        record->key = req->key->kid;
    record->metered = req->metered;
    fill_quotas(req, record);
}

static size_t kept(size_t n)
{
    return n < RECORD_TEXT_MAX ? n : RECORD_TEXT_MAX;
}

size_t record_room(const struct req *req)
{
    const struct str texts[] = {
        req->route->api->name,
        req->route->name,
        req->route->api->upstream->name,
        req->target.path,
        req->app != NULL ? req->app->name : STR_EMPTY,
        req->app != NULL ? req->app->plan : STR_EMPTY,
        req->key != NULL ? req->key->kid : STR_EMPTY,
        head_value(req->head, FIELD_X_REQUEST_ID),
        head_value(req->head, FIELD_USER_AGENT),
        head_value(req->head, FIELD_REFERER),
    };
    /* a redacted query can be four times as long, see record_redact_query() */
    size_t n =
        RECORD_WIRE_FIXED + RECORD_TRAIL_MAX + SHORT_TEXTS_MAX + kept(4 * req->target.query.n);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        n += kept(texts[i].n);
    return n;
}

void record_fill(struct req *req, struct record *record)
{
    struct http_conn *conn = req->conn;
    *record = (struct record){.status = req->status};
    record->time = clock_wall();
    record->request_id = req->id;
    memcpy(record->trace_id, req->trace_id, sizeof(record->trace_id));
    memcpy(record->span_id, req->span_id, sizeof(record->span_id));
    record->method = req->method;
    record->path = record_redact_keys(http_arena(conn), req->target.path);
    record->query =
        record_redact_query(http_arena(conn), req->target.query, &req->snapshot->key_params);
    record->reason = req->reason;
    record->bytes_in = conn->bytes_in;
    record->bytes_out = conn->bytes_out;
    record->duration_us = (uint64_t)mono_since(clock_mono(), conn->began);
    record->upstream_us = req->upstream_us;
    record->queue_us = conn->queue_us;
    record->upstream = req->upstream;
    record->target = req->target_name;
    record->attempts = req->attempts;
    record->trail = buf_str(&req->trail);
    if (req->route != NULL) {
        record->api = req->route->api->name;
        record->route = req->route->name;
    }
    fill_client(req, record);
    fill_who(req, record);
}
