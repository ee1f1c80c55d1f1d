/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of the demo's traffic. All of it together is some twenty calls a second. */
#include "appliance/demo/flow.h"

#include "appliance/demo/sample_call.h"

#include <math.h>

#define MOBILE_PER_S 8.0
#define SHOP_LEAST_PER_S 1.0
#define SHOP_MOST_PER_S 12.0
#define SHOP_DAY_US US_PER_MINUTE
#define BURST_CALLS 25
#define BURST_EVERY_US (6 * US_PER_S)

static const char *const WORDS[] = {"time", "the", "eliot", "sea", "wind", "jane"};

static unsigned dice(struct flow *flow, unsigned sides)
{
    return (unsigned)(sample_dice(flow->steps) % sides);
}

static void get(struct flow *flow, const char *path)
{
    flow_call(flow, &(struct flow_call){.path = path});
}

static void get_book(struct flow *flow, unsigned id)
{
    char path[FLOW_PATH_MAX];
    snprintf(path, sizeof(path), "/shop/books/%u", id);
    get(flow, path);
}

static void search(struct flow *flow)
{
    char path[FLOW_PATH_MAX];
    snprintf(path, sizeof(path), "/shop/search?q=%s", WORDS[dice(flow, ARRAY_LEN(WORDS))]);
    get(flow, path);
}

static void order(struct flow *flow)
{
    char body[64];
    snprintf(body, sizeof(body), "{\"book\":%u,\"quantity\":%u}", dice(flow, 12) + 1,
             dice(flow, 3) + 1);
    flow_call(flow, &(struct flow_call){.path = "/shop/orders", .body = body});
}

/* The time between two calls of that rate, uneven as life is. `spent_us` of it are over. */
static int64_t gap_us(struct flow *flow, double per_s, struct mono step_began)
{
    double even = (double)US_PER_S / per_s;
    int64_t gap = (int64_t)(even * (0.5 + dice(flow, 1001) / 1000.0));
    int64_t spent = mono_since(clock_mono(), step_began);
    return gap > spent ? gap - spent : 0;
}

static int64_t mobile_step(struct flow *flow)
{
    struct mono began = clock_mono();
    flow->steps++;
    switch (dice(flow, 16)) {
    case 0:
        search(flow);
        break;
    case 1:
        get_book(flow, 99); /* an old bookmark: 404 */
        break;
    case 2:
    case 3:
        get(flow, "/reports/daily");
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        get(flow, "/shop/books");
        break;
    default:
        get_book(flow, dice(flow, 12) + 1);
    }
    return gap_us(flow, MOBILE_PER_S, began);
}

static int64_t shop_step(struct flow *flow)
{
    struct mono began = clock_mono();
    double day = (double)mono_since(began, flow->began) / (double)SHOP_DAY_US;
    /* begins in the morning, so that a short look sees it rise */
    double light = (1.0 - cos(2 * M_PI * (day + 0.15))) / 2;
    flow->steps++;
    switch (dice(flow, 10)) {
    case 0:
    case 1:
    case 2:
        order(flow);
        break;
    case 3:
        search(flow);
        break;
    case 4:
    case 5:
        get(flow, "/shop/books");
        break;
    default:
        get_book(flow, dice(flow, 12) + 1);
    }
    return gap_us(flow, SHOP_LEAST_PER_S + light * (SHOP_MOST_PER_S - SHOP_LEAST_PER_S), began);
}

static int64_t importer_step(struct flow *flow)
{
    for (unsigned i = 0; i < BURST_CALLS && !flow_stopping(flow); i++) {
        flow->steps++;
        order(flow);
    }
    get(flow, "/reports/archive"); /* not in its plan: 403 */
    return BURST_EVERY_US;
}

/* One long answer after the other: events, and now and then the archive. */
static int64_t feed_step(struct flow *flow)
{
    flow->steps++;
    get(flow, flow->steps % 3 == 2 ? "/reports/archive" : "/reports/events");
    return 3 * US_PER_S;
}

/* Knocks with keys that open nothing. */
static int64_t stranger_step(struct flow *flow)
{
    static const char *const keys[] = {"a-key-from-an-old-notebook", "weir_live_0000cafe_mistyped"};
    flow->steps++;
    flow_call(flow, &(struct flow_call){.path = "/shop/books",
                                        .key = keys[flow->steps % ARRAY_LEN(keys)]});
    return 5 * US_PER_S;
}

#define AGENT_MOBILE "User-Agent: Bookworm/3.2 (Android 14)"
#define AGENT_SHOP "User-Agent: web-shop/1.8 (Node.js)"
#define AGENT_IMPORTER "User-Agent: importer/0.4 (Python)"
#define AGENT_STRANGER "User-Agent: script/0.1"

const struct flow_row FLOW_ROWS[FLOW_ROW_COUNT] = {
    {"mobile-app", APP_MOBILE, AGENT_MOBILE, 0, mobile_step},
    {"web-shop", APP_SHOP, AGENT_SHOP, 50 * US_PER_MS, shop_step},
    {"batch-importer", APP_IMPORTER, AGENT_IMPORTER, US_PER_S, importer_step},
    {"events", APP_MOBILE, AGENT_MOBILE, 2 * US_PER_S, feed_step},
    {"stranger", DEMO_APPS, AGENT_STRANGER, 3 * US_PER_S, stranger_step},
};
