/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h -- whose request it is: the peer, or who stands behind trusted proxies.
 *
 * Threads: the request's fiber.
 * Memory:  none.
 * Errors:  none.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H

#include "gateway/req.h"

/*
 * Sets req->client_ip and req->via_proxy. Behind a trusted proxy the client is the last address of
 * X-Forwarded-For, or of Forwarded where that is configured, that is not itself a trusted proxy. An
 * element that is no address ends the search: what lies beyond it is hearsay.
 */
void client_find(struct req *req);

#endif
