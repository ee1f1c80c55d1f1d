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

/* Sets req->client_ip, as base/http/forwarded.h finds it, and req->via_proxy. */
void client_find(struct req *req);

#endif
