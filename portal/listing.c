/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/listing.h"

#include "portal/store_text.h"

bool listing_begin(struct endpoint_call *call, struct listing *listing)
{
    *listing = (struct listing){.call = call, .after = STR(""), .search = STR("")};
    if (!endpoint_limit(call, &listing->limit))
        return false;
    endpoint_query(call, STR("after"), &listing->after);
    endpoint_query(call, STR("q"), &listing->search);
    if (!str_is_utf8(listing->after) || !str_is_utf8(listing->search) ||
        listing->search.n > STORE_SEARCH_MAX) {
        endpoint_fail(call, 422, STR("`q` and `after` are UTF-8, `q` of at most 128 bytes."));
        return false;
    }
    endpoint_json(&listing->json, &listing->w);
    jsonw_object(&listing->w);
    jsonw_key(&listing->w, "items"), jsonw_array(&listing->w);
    return true;
}

bool listing_take(struct listing *listing, struct str key)
{
    if (listing->told == listing->limit) {
        listing->more = true;
        return false;
    }
    listing->told++;
    CHECK(str_copy(key, listing->last, sizeof(listing->last)));
    return true;
}

bool listing_after_id(struct endpoint_call *call, struct uuid *ret_after)
{
    struct str after;
    *ret_after = (struct uuid){.b = {0}};
    if (!endpoint_query(call, STR("after"), &after) || after.n == 0 ||
        uuid_parse(after, ret_after) == 0)
        return true;
    endpoint_fail(call, 422, STR("`after` is the `next` of the page before."));
    return false;
}

bool listing_take_id(struct listing *listing, struct uuid id)
{
    char text[UUID_TEXT_LEN];
    uuid_format(id, text);
    return listing_take(listing, str_make(text, sizeof(text)));
}

void listing_send(struct listing *listing, int code, const struct error *err)
{
    struct jsonw *w = &listing->w;
    jsonw_end(w);
    jsonw_key(w, "next");
    if (listing->more)
        jsonw_cstr(w, listing->last);
    else
        jsonw_null(w);
    jsonw_end(w);
    if (code == 0) {
        endpoint_send_json(listing->call, 200, &listing->json);
        return;
    }
    buf_free(&listing->json);
    endpoint_fail_error(listing->call, code, err);
}
