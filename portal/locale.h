/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locale.h -- inside of portal/: the languages there are words in, and which one a request wants.
 *
 * A person's own choice goes first, then the choice made in the footer (a cookie), then what the
 * browser asks for (Accept-Language, RFC 9110 §12.5.4), then English.
 *
 * Threads: pure functions.
 * Memory:  constants.
 * Errors:  none.
 */
#ifndef PORTAL_LOCALE_H
#define PORTAL_LOCALE_H

#include "portal/endpoint.h"

enum locale { LOCALE_EN, LOCALE_TR, LOCALE_COUNT };

/* "en", "tr". */
struct str locale_name(enum locale locale);

/* By its name, without regard to what follows a hyphen ("tr-CY"). */
bool locale_find(struct str name, enum locale *ret_locale);

/* The best of an Accept-Language field; LOCALE_EN where none fits. */
enum locale locale_negotiate(struct str accept);

/* Of this request. */
enum locale locale_of(const struct endpoint_call *call);

#endif
