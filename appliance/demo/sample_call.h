/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_call.h -- inside of the sample API: one request on its way to an answer.
 *
 * Threads: a call belongs to its fiber.
 * Memory:  the request's arena.
 * Errors:  those of http_send(): the connection is then over anyway.
 */
#ifndef APPLIANCE_DEMO_SAMPLE_CALL_H
#define APPLIANCE_DEMO_SAMPLE_CALL_H

#include "base/clock.h"
#include "base/http/reply.h"

struct sample_call {
    struct http_conn *conn;
    uint64_t number;  /* of the request, from 1 */
    struct str param; /* what stands for {id} */
    struct str query;
};

/* A number that looks like chance and follows from the seed alone (splitmix64). */
uint64_t sample_dice(uint64_t seed);

/* Between low and high, by the dice of this call; one call in twenty takes `slow` times as long. */
void sample_dawdle(const struct sample_call *call, int64_t low_us, int64_t high_us, unsigned slow);

/* A JSON answer; `json` is borrowed until it is sent. */
void sample_json(struct sample_call *call, unsigned status, struct str json);

/* A failure as a problem document. */
void sample_problem(struct sample_call *call, unsigned status, struct str detail);

/* --- what the paths do --- */
void sample_books(struct sample_call *call);
void sample_book(struct sample_call *call);
void sample_search(struct sample_call *call);
void sample_order(struct sample_call *call);
void sample_daily(struct sample_call *call);
void sample_events(struct sample_call *call);
void sample_archive(struct sample_call *call);

#endif
