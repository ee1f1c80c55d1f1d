/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/settings.h"

#include "appliance/demo/place.h"

/* clang-format off: one line of the file a line */
static const char APIS[] =
    "apis:\n"
    "  shop:\n"
    "    title: Bookshop\n"
    "    upstream: bookshop\n"
    "    match: { paths: [/shop] }\n"
    "    example: /shop/books                # where the portal's first call goes\n"
    "    routes:\n"
    "      search:                           # a part with a name and settings of its own\n"
    "        match: { paths: [\"=/shop/search\"], methods: [GET] }\n"
    "        timeout: 2s\n"
    "  reports:\n"
    "    title: Sales reports\n"
    "    upstream: sales\n"
    "    match: { paths: [/reports] }\n"
    "    strip_path: true                    # /reports/daily reaches the upstream as "
    "/sales/daily\n"
    "    access: { deny: [203.0.113.0/24] }  # a network kept for documentation (RFC 5737)\n"
    "  health:\n"
    "    title: Health of the bookshop\n"
    "    upstream: bookshop\n"
    "    match: { paths: [\"=/health\"] }\n"
    "    auth: none                          # for everyone, without a key\n"
    "\n"
    "plans:\n"
    "  free:\n"
    "    apis: [shop]\n"
    "    rate: { requests: 5, per: 1s, burst: 10 }\n"
    "    quota: { requests: 1000, per: day }\n"
    "  standard:\n"
    "    apis: [shop, reports]\n"
    "    rate: { requests: 20, per: 1s, burst: 40 }\n"
    "    quota: { requests: 100000, per: month }\n"
    "  pro:\n"
    "    apis: [shop, reports]\n"
    "    rate: { requests: 1000, per: 1s }\n"
    "    approval: manual                    # an operator says yes in the console\n";
/* clang-format on */

void demo_settings(const struct demo_addresses *addresses, struct buf *out)
{
    buf_printf(out,
               PLACE_MARK ". A change is taken up at once, while it runs.\n"
                          "version: 1\n"
                          "data_dir: data\n"
                          "log: { level: warn }\n"
                          "\n"
                          "gateway:\n"
                          "  listen: \"%s\"\n"
                          "  drain_timeout: 1s\n"
                          "portal:\n"
                          "  listen: \"%s\"\n"
                          "  registration: open\n"
                          "  title: Bookshop APIs\n"
                          "  tagline: Books, orders and sales reports, for programs.\n"
                          "admin:\n"
                          "  listen: \"%s\"\n"
                          "\n",
               addresses->gateway, addresses->portal, addresses->admin);
    buf_printf(out,
               "# One program that runs inside the demo.\n"
               "upstreams:\n"
               "  bookshop:\n"
               "    targets: [\"http://%" STR_FMT "\"]\n"
               "  sales:\n"
               "    targets: [\"http://%" STR_FMT "/sales\"]\n"
               "\n",
               STR_ARG(addresses->sample), STR_ARG(addresses->sample));
    buf_add_lit(out, APIS);
}
