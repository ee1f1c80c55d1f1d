/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/policy_levels.h"

#include "gateway/access.h"

static void note_refusal(struct req *req, const char *policy, const struct level *level,
                         const struct cidr *cidr)
{
    char text[CIDR_TEXT_MAX];
    note_begin(req, policy);
    buf_add_lit(&req->trail, " refused");
    note_str(req, "level", str_from(level->name));
    note_str(req, "list", cidr != NULL ? STR("deny") : STR("allow"));
    if (cidr != NULL)
        note_str(req, "network", str_make(text, cidr_format(*cidr, text)));
    note_str(req, "address", str_make(text, ip_format(req->client_ip, text)));
    note_end(req);
}

enum verdict levels_decide(struct req *req, const char *policy, const struct level *levels,
                           unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct access_decision d = access_decide(levels[i].access, req->client_ip);
        if (d.allowed)
            continue;
        note_refusal(req, policy, &levels[i], d.cidr);
        req_refuse(req, REASON_IP_DENIED, NULL);
        return REPLY;
    }
    note_begin(req, policy);
    buf_add_lit(&req->trail, " pass");
    note_end(req);
    return NEXT;
}
