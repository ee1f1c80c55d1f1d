/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h -- weir.yaml as a whole: loaded, checked, told in a screenful, compared with the next
 * one.
 *
 * A configuration is immutable. A reload loads another and puts it in the place of the old one; a
 * file with faults gives none, so it never replaces one that works.
 *
 * Threads: constant once loaded; destroyed by its owner when nobody uses it any more.
 * Memory:  everything lies in the configuration's own arena.
 * Errors:  all faults of the file, with positions, in `struct config_errors`.
 */
#ifndef APPLIANCE_CONFIG_H
#define APPLIANCE_CONFIG_H

#include "analytics/config.h"
#include "base/conf.h"
#include "base/log.h"
#include "gateway/config.h"

struct log_config {
    enum log_level level;
    enum log_format format;
};

enum registration { REGISTRATION_OPEN, REGISTRATION_INVITE, REGISTRATION_CLOSED };

struct portal_config {
    struct str *listen;
    size_t listen_count;
    struct str url; /* what people are told, without a trailing slash; "" where the port is 0 */
    bool insecure;  /* may listen beyond loopback without TLS */
    enum registration registration;
    bool verify_email;
    struct str title, tagline; /* the installation's name and words, for people */
    struct str logo, theme;    /* SVG and CSS; empty for Weir's own */
};

enum mail_mode { MAIL_SMTP, MAIL_CONSOLE };

/* Off where the file does not have it. */
struct mail_config {
    bool there;
    enum mail_mode mode;
    struct str url, from, username, password;
    bool insecure;     /* may go unencrypted over a network */
    bool must_encrypt; /* STARTTLS or nothing */
    int64_t timeout_us;
};

struct admin_config {
    struct str *listen;
    size_t listen_count;
    struct str url;        /* as the portal's */
    bool insecure;         /* likewise */
    struct cidr_set allow; /* who may come in */
};

/* The listener for a Prometheus elsewhere; off where it listens on nothing. */
struct metrics_config {
    struct str *listen;
    size_t listen_count;
    struct cidr_set allow; /* empty: everyone who has the token */
    struct str token;      /* Authorization: Bearer; "" for none */
};

struct config {
    struct str data_dir; /* as a path of the process: relative ones began at the file's folder */
    struct log_config log;
    struct gateway_config gateway;
    struct portal_config portal;
    struct admin_config admin;
    struct mail_config mail;
    struct metrics_config metrics;
    struct analytics_config analytics;
    unsigned *lines; /* where each setting stands in the file, by conf_shown.index; 0 for nowhere */
    size_t line_count;
    struct arena arena; /* what all the others lie in */
};

/*
 * Loads the file at `path`, which is borrowed by `errors` as the name in its lines. 0, and the
 * configuration is given to the caller; or E_CONFIG, and at least one line in `errors`, which need
 * not be initialised.
 */
must_check int config_load(const char *path, struct config **ret_config,
                           struct config_errors *errors);

/* The same with the text at hand; `path` names it and tells the folder that paths are relative to.
 */
must_check int config_load_text(const char *path, struct str text, struct config **ret_config,
                                struct config_errors *errors);

/* Overwrites what was secret and frees everything. NULL is accepted. */
void config_destroy(struct config *config);

/* What the configuration amounts to, in about a screen of lines: for `weir check`. No secrets. */
void config_summary(const struct config *config, struct buf *out);

/* Shows the settings but those of APIs, upstreams, plans and apps, with their lines. No secrets. */
void config_show(const struct config *config, conf_show_visit *visit, void *ctx);

/*
 * Adds the names of the settings that differ and that a reload cannot change, "data_dir,
 * gateway.listen"; they wait for a restart. Returns how many there are.
 */
unsigned config_needs_restart(const struct config *now, const struct config *next, struct buf *out);

/* The reference of all settings, as Markdown. */
void config_document(struct buf *out);

#endif
