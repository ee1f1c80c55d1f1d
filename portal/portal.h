/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal.h -- what people find on the portal and admin listeners.
 *
 * The room knows nothing of how the appliance is put together: what its pages show is handed down
 * at start as `struct portal_sources`, and what a reload may change comes by portal_configure().
 * The listeners' own servers are the appliance's; it gives them portal_serve_admin() and
 * portal_serve_developers() as handlers, with the portal as their argument.
 *
 * Threads: create and destroy by one thread while no listener serves; the rest as said.
 * Memory:  the portal copies its configuration and borrows what the sources point to, for good.
 * Errors:  none; a source that fails is answered with 503.
 */
#ifndef PORTAL_PORTAL_H
#define PORTAL_PORTAL_H

#include "analytics/metric_cells.h"
#include "base/arena.h"
#include "base/embedded.h"
#include "base/http/server.h"
#include "gateway/config.h"

/* --- what is handed down --- */

struct portal_listener {
    struct str name;    /* gateway, portal, admin */
    struct str address; /* 127.0.0.1:8080, as bound */
    uint64_t connections;
};

/* One thing that can be well or not: the journal, the store, an upstream, a drain. */
struct portal_check {
    struct str name;
    bool ok;
    bool vital;        /* while it fails, /readyz says 503 */
    struct str detail; /* one sentence for a person; may be empty where ok */
};

struct portal_sink {
    struct str name;
    uint64_t backlog, sent, errors; /* records to send, records sent, failed attempts */
};

struct portal_store {
    struct str name; /* control, totals, requests */
    uint64_t bytes;
};

/* How the instance stands at one moment. Unused parts may be zero. */
struct portal_facts {
    const struct portal_listener *listeners;
    size_t listener_count;
    const struct portal_check *checks;
    size_t check_count;
    const struct portal_sink *sinks;
    size_t sink_count;
    const struct portal_store *stores;
    size_t store_count;
    const struct str *apis; /* the names configured now, in the order to show */
    size_t api_count;
    size_t route_count;
    struct str config_file;
    struct wall config_loaded; /* when the configuration in force was */
    /* why a newer file was not taken; empty where none waits. Shown by /readyz, which stays 200 for
     * it: the configuration in force goes on serving. */
    struct str config_fault;
    uint64_t journal_backlog;
};

/* The gateway as it is configured now. */
struct portal_gateway {
    const struct gateway_config *config;
    struct str url; /* where calls go, without a slash at its end */
};
typedef void portal_gateway_visit(void *ctx, const struct portal_gateway *gateway);

/* The last use of a key. */
struct portal_key_use {
    struct wall time;
    char address[IP_TEXT_MAX];
};

/* One setting of the file, as it is in force. */
struct portal_setting {
    struct str path;     /* "gateway.max_head" */
    struct str value;    /* as the file could have it; "" for none, and for a secret */
    struct str fallback; /* what holds where the file is silent; "" for nothing */
    struct str doc;      /* what it does: a sentence or two, Markdown */
    bool secret;         /* its value is not shown */
    bool waits;          /* the value is the file's, but needs a restart to be in force */
    unsigned line;       /* where it stands in the file; 0 where it does not */
};
typedef void portal_setting_visit(void *ctx, const struct portal_setting *setting);

typedef void portal_target_visit(void *ctx, struct str upstream, struct str target, bool healthy);

struct registry;

/* All functions are called from the workers of both listeners, at the same time. */
struct portal_sources {
    const char *version;
    struct mono started;
    const struct embedded_file *web_files; /* cmake/Web.cmake's table; NULL for none */
    struct registry *registry;             /* weir.db; NULL only where nobody can sign in */
    const char *store_dir;                 /* of analytics/query.h; NULL for no records of calls */
    void *ctx;                             /* of the functions */

    /* Tells how it stands; what the facts point to lies in `arena` or lives for good. 0 or E_NOMEM.
     */
    int (*look)(void *ctx, struct arena *arena, struct portal_facts *ret_facts);

    /* metric_cells_visit() of the writer. */
    void (*visit_cells)(void *ctx, metric_cell_visit *visit, void *visit_ctx);

    /* Appends the text of /metrics, in Prometheus' form or in OpenMetrics'. 0 or a negative code.
     */
    int (*metrics)(void *ctx, bool openmetrics, struct buf *out);

    /* Shows the configuration in force. No other gets into force meanwhile, so the visit is short
     * and takes no lock but that of gateway/access.h. False, and no visit, while all is starting.
     */
    bool (*show_gateway)(void *ctx, portal_gateway_visit *visit, void *visit_ctx);

    /* Shows where upstreams' calls go, and whether that could be reached lately. Not while all is
     * starting. */
    void (*visit_targets)(void *ctx, portal_target_visit *visit, void *visit_ctx);

    /* Shows the settings in force but those of APIs, upstreams, plans and apps. */
    void (*visit_settings)(void *ctx, portal_setting_visit *visit, void *visit_ctx);

    /* When and from where a key (by what records call it) was last used, to a second or so; 0, or
     * E_NOT_FOUND where it never was or nobody can tell. */
    int (*key_use)(void *ctx, struct str key, struct portal_key_use *ret_use);
};

enum portal_registration { PORTAL_OPEN, PORTAL_INVITE, PORTAL_CLOSED };

/* The mail server, and as whom mails are sent. */
struct portal_mail {
    bool console; /* nothing is sent: mails are shown in the console */
    struct str url, from;
    struct str username, password; /* empty for none */
    bool must_encrypt;
    int64_t timeout_us;
};

/* What a reload may change. */
struct portal_conf {
    struct str title;                              /* name of the installation, for people */
    struct str tagline;                            /* the operator's words; may be empty */
    struct str logo, theme;                        /* SVG and CSS; may be empty */
    enum portal_registration registration;         /* who may make an account */
    bool verify_email;                             /* an account must confirm its address */
    bool mail;                                     /* whether there are mails at all */
    struct portal_mail mailing;                    /* where there are */
    struct str gateway_url, portal_url, admin_url; /* without a slash at the end; may be empty */
    struct cidr_set admin_allow; /* who may speak to the admin listener; empty for nobody */
};

/* --- the portal --- */

struct portal;

struct portal *portal_create(const struct portal_sources *sources, const struct portal_conf *conf);

/* No listener may use it any more. NULL is accepted. */
void portal_destroy(struct portal *portal);

/* In force from the next request on. Any thread. */
void portal_configure(struct portal *portal, const struct portal_conf *conf);

/* Takes a look at the metric cells: the rates of the status page come from these. To be called each
 * second, by one thread. */
void portal_sample(struct portal *portal);

/* For http_options.handle; `portal` is the struct portal. On threads, not on fibers: they may wait
 * for locks. */
void portal_serve_admin(struct http_conn *conn, void *portal);
void portal_serve_developers(struct http_conn *conn, void *portal);

#endif
