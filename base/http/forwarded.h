/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarded.h -- who stands behind the proxies that a request came through.
 *
 * Threads: any.
 * Memory:  none.
 * Errors:  none.
 */
#ifndef BASE_HTTP_FORWARDED_H
#define BASE_HTTP_FORWARDED_H

#include "base/http/head.h"
#include "base/ip.h"

/*
 * The address of the client: the peer, unless that is a trusted proxy. Then it is the last address
 * of `field` -- X-Forwarded-For, or Forwarded (RFC 7239) -- that is not itself a trusted proxy. An
 * element that is no address ends the search: what lies beyond it is hearsay.
 */
struct ip forwarded_client(const struct cidr_set *trusted, enum http_field field,
                           const struct head *head, struct ip peer);

#endif
