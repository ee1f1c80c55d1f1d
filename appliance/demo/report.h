/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h -- what the demo prints on stdout: what runs where, how it goes, what came of it.
 *
 * Within 80 columns; in colours only on a terminal, and not under NO_COLOR (no-color.org).
 *
 * Threads: the main thread, report_line() excepted.
 * Memory:  borrows everything.
 * Errors:  of writing: ignored, but report_line() tells.
 */
#ifndef APPLIANCE_DEMO_REPORT_H
#define APPLIANCE_DEMO_REPORT_H

#include "appliance/demo/people.h"
#include "appliance/demo/place.h"
#include "appliance/demo/traffic.h"
#include "base/uuid.h"

/* Escape sequences, or empty texts. */
struct paint {
    const char *bold, *dim, *link, *warn, *end;
};

struct report {
    struct paint paint;
    bool terminal; /* stdout is one */
};

void report_init(struct report *report);

struct greeting {
    const struct place *place;
    const struct place_port *gateway, *portal, *admin;
    const char *gateway_url, *portal_url, *admin_url;
    const struct people *people;
    const char *key, *request_id; /* of the call to paste, which was made once */
    int64_t seconds;              /* 0: until it is stopped */
    bool traffic;
};

/* Everything one needs to look around. */
void report_greeting(const struct report *report, const struct greeting *greeting);

/* How it goes: replaces the line before. On a terminal only. False where nobody reads it. */
bool report_line(const struct report *report, const char *text);

struct app_total {
    struct traffic_count seen; /* by the app itself */
    bool known;                /* `seen` is: not where people make the calls */
    uint64_t metered;          /* as in `weir usage` */
};

/* What came of it. */
void report_totals(const struct report *report, const struct people *people,
                   const struct app_total totals[static DEMO_APPS]);

#endif
