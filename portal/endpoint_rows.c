/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/endpoint_rows.h"

const struct endpoint ENDPOINTS[] = {
#define X(listener_, method_, path_, role_, handler_, in_, out_, doc_)                             \
    {.listener = ENDPOINT_##listener_,                                                             \
     .method = METHOD_##method_,                                                                   \
     .path = STR_INIT(path_),                                                                      \
     .role = ROLE_##role_,                                                                         \
     .handle = handler_,                                                                           \
     .in = SCHEMA_##in_,                                                                           \
     .out = SCHEMA_##out_,                                                                         \
     .doc = STR_INIT(doc_)},
#include "portal/endpoints.def"
#undef X
#define PAGE(listener_, path_, role_, bundle_, title_, plain_, data_a, data_b)                     \
    {.listener = ENDPOINT_##listener_,                                                             \
     .method = METHOD_GET,                                                                         \
     .path = STR_INIT(path_),                                                                      \
     .role = ROLE_##role_,                                                                         \
     .handle = shell_page,                                                                         \
     .doc = STR_INIT("A page."),                                                                   \
     .page = {.bundle = STR_INIT(bundle_),                                                         \
              .title = STR_INIT(title_),                                                           \
              .plain = plain_,                                                                     \
              .data = {STR_INIT(data_a), STR_INIT(data_b)}}},
#include "portal/pages.def"
#undef PAGE
};

const size_t ENDPOINT_COUNT = ARRAY_LEN(ENDPOINTS);

struct str role_name(enum role role)
{
    static const struct str NAMES[] = {
        [ROLE_MACHINE] = STR_INIT("MACHINE"),     [ROLE_ANYONE] = STR_INIT("ANYONE"),
        [ROLE_PERSON] = STR_INIT("PERSON"),       [ROLE_APP_READ] = STR_INIT("APP_READ"),
        [ROLE_APP_WRITE] = STR_INIT("APP_WRITE"), [ROLE_APP_OWN] = STR_INIT("APP_OWN"),
        [ROLE_OPERATOR] = STR_INIT("OPERATOR"),
    };
    return NAMES[role];
}

/* Whether the path is the row's, segment by segment; how many {params} it has. */
static bool path_matches(struct str row, struct str path, struct str params[static 2],
                         unsigned *ret_count)
{
    unsigned count = 0;
    params[0] = params[1] = STR_EMPTY;
    while (row.p != NULL && path.p != NULL) {
        struct str want = str_cut(&row, '/'), got = str_cut(&path, '/');
        bool is_param = str_starts(want, STR("{"));
        if (is_param ? got.n == 0 : !str_eq(want, got))
            return false;
        if (is_param) {
            CHECK(count < 2);
            params[count++] = got;
        }
    }
    *ret_count = count;
    return row.p == NULL && path.p == NULL;
}

struct endpoint_match endpoint_find(enum endpoint_listener listener, struct str path,
                                    enum http_method method)
{
    struct endpoint_match match = {.row = NULL};
    unsigned fewest = 0;
    if (method == METHOD_HEAD)
        method = METHOD_GET;
    for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
        const struct endpoint *row = &ENDPOINTS[i];
        struct str params[2];
        unsigned count;
        if ((row->listener & listener) == 0 || !path_matches(row->path, path, params, &count))
            continue;
        match.methods |= UINT32_C(1) << row->method;
        if (row->method != method || (match.row != NULL && count >= fewest))
            continue;
        fewest = count;
        match.row = row;
        match.params[0] = params[0];
        match.params[1] = params[1];
    }
    return match;
}
