/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people.h -- who lives in the demo: an operator, and a developer whose apps make the traffic.
 *
 * The operator is made as `weir admin create` does it. The developer comes as everyone does: signs
 * up at the portal by HTTP, makes the apps, chooses their plans and issues their keys. In a folder
 * that is kept both are there already; they get new passwords then, and new keys.
 *
 * Threads: the main thread.
 * Memory:  the caller's; people_forget() overwrites what is secret.
 * Errors:  one sentence.
 */
#ifndef APPLIANCE_DEMO_PEOPLE_H
#define APPLIANCE_DEMO_PEOPLE_H

#include "appliance/demo/place.h"
#include "appliance/demo/traffic.h"

#define PEOPLE_OPERATOR "operator@demo.example"
#define PEOPLE_DEVELOPER "developer@demo.example"
#define PEOPLE_PASSWORD_LEN 14
#define PEOPLE_APP_MAX 64

struct people {
    char operator_password[PEOPLE_PASSWORD_LEN + 1];
    char developer_password[PEOPLE_PASSWORD_LEN + 1];
    char apps[DEMO_APPS]
             [PEOPLE_APP_MAX]; /* names of the apps of apps.def, as the portal gave them */
    struct key_text keys[DEMO_APPS];
};

/* Makes them, in the instance that runs on `data_dir` and has its portal at `portal`. */
must_check int people_settle(struct people *people, const char *data_dir,
                             const struct place_port *portal, struct error *err);

void people_forget(struct people *people);

#endif
