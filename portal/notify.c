/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/notify.h"

int notify(struct endpoint_call *call, struct registry_write *write, struct notice *notice,
           struct error *err)
{
    (void)write;
    (void)notice;
    (void)err;
    CHECK(!call->conf->mail);
    return 0;
}
