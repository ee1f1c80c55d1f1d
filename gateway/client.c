/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client.h"

#include "base/http/forwarded.h"
#include "gateway/inside.h"

void client_find(struct req *req)
{
    const struct gateway_config *config = req->snapshot->config;
    req->via_proxy = config->trusted_proxies.count > 0 &&
                     cidr_set_find(&config->trusted_proxies, req->conn->peer) != NULL;
    req->client_ip = forwarded_client(
        &config->trusted_proxies,
        config->client_header == CLIENT_FORWARDED ? FIELD_FORWARDED : FIELD_X_FORWARDED_FOR,
        req->head, req->conn->peer);
}
