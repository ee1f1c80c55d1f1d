/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h -- the bookshop that `weir demo` puts behind the gateway: a small HTTP API with moods.
 *
 * Answers take their time and sometimes fail, as those of real services do; which ones follows from
 * the number of the request, so two runs look alike. openapi.json, beside this file, describes it.
 *
 *     /shop/books, /shop/books/{id}   quick; 404 for a book that is not there
 *     /shop/search?q=TEXT             slow: 50 to 400 ms
 *     /shop/orders                    POST {"book": 7, "quantity": 2}: 201, or 400
 *     /shop/openapi.json              what it offers, as OpenAPI 3.0
 *     /sales/daily                    sometimes 500 or 503
 *     /sales/events                   server-sent events, for five seconds
 *     /sales/archive                  2 MiB of CSV
 *     /health                         ok
 *
 * Threads: started and stopped by one thread; serves on fibers of a carrier of its own.
 * Memory:  owns it all; nothing of an order is kept.
 * Errors:  start reports in one sentence.
 */
#ifndef APPLIANCE_DEMO_SAMPLE_H
#define APPLIANCE_DEMO_SAMPLE_H

#include "base/error.h"
#include "base/str.h"

struct sample;

/* Serves at a free port of 127.0.0.1. */
must_check int sample_start(struct sample **ret_sample, struct error *err);

/* "127.0.0.1:40123". */
struct str sample_address(const struct sample *sample);

/* Ends what is in flight, at once. NULL is accepted. */
void sample_stop(struct sample *sample);

#endif
