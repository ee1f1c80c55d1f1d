/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_mail.h -- the section `mail` of weir.yaml.
 *
 * Threads: one.
 * Memory:  what is read lies in the configuration's arena.
 * Errors:  reported through struct conf.
 */
#ifndef APPLIANCE_CONFIG_MAIL_H
#define APPLIANCE_CONFIG_MAIL_H

#include "appliance/config.h"

/* Of struct mail_config. */
extern const struct conf_field config_mail_fields[];

/* What holds for `mail` together with the other sections; sets what the file left to it. */
void config_check_mail(struct conf *conf, const struct yaml_node *root, struct config *config);

#endif
