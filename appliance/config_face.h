/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_face.h -- what an operator may make the portal look like: a logo and a theme.
 *
 * Both are texts of the configuration, mostly by ${file:...}. They reach every visitor's browser,
 * so only what is harmless there is taken.
 *
 * Threads: any.
 * Memory:  none.
 * Errors:  the functions say what is wrong, for `valid` of struct conf_field; NULL: nothing.
 */
#ifndef APPLIANCE_CONFIG_FACE_H
#define APPLIANCE_CONFIG_FACE_H

#include "base/str.h"

#define LOGO_BYTES_MAX (32U << 10)
#define THEME_BYTES_MAX (16U << 10)

/* An SVG document. What it may do is up to how it is served: as a picture, without scripts. */
const char *config_logo_fault(struct str text);

/* One `:root { --name: value; ... }` with comments, nothing else: it sets tokens of
 * web/src/ui/tokens.css. Values are plain: no url(), no other rules. */
const char *config_theme_fault(struct str text);

#endif
