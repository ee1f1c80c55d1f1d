/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/admin.h"

int admin_read(const struct endpoint_call *call, admin_work *work, void *ctx, struct error *err)
{
    struct db *db;
    int r = registry_read(call->portal->registry, &db, err);
    if (r != 0)
        return r;
    r = work(db, ctx, err);
    registry_read_done(call->portal->registry, db);
    return r;
}

int admin_audit(const struct endpoint_call *call, struct registry_write *write, const char *action,
                struct str object, const struct uuid *team, struct str detail, struct error *err)
{
    struct audit_row row = {.action = str_from(action), .object = object, .detail = detail};
    if (team != NULL)
        row.team = *team;
    return session_audit_row(call, write, &row, err);
}

bool admin_id(struct endpoint_call *call, struct str sentence, struct uuid *ret_id)
{
    if (uuid_parse(call->params[0], ret_id) == 0)
        return true;
    endpoint_fail(call, 404, sentence);
    return false;
}
