/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h -- the gateway's part of the configuration, as plain structures.
 *
 * Read from weir.yaml by the typed rows of config.c (from which the reference in docs/ is generated
 * too), checked as a whole, then never changed: a reload builds a new one.
 *
 * Threads: constant once read.
 * Memory:  everything lies in the arena of the configuration.
 * Errors:  all of a file are collected, see base/conf.h.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "analytics/record.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/ip.h"
#include "base/str.h"

/* A place where addresses may be restricted: API, route, plan, app, key. Deny wins; an empty allow
 * allows. */
struct access_conf {
    struct cidr_set allow, deny;
};

struct target_conf {
    struct str url;  /* as written: "http://127.0.0.1:9001" */
    struct str host; /* name or address, without brackets */
    uint16_t port;
    struct str prefix; /* path of the URL without its trailing slash, "" usually; put before the
                          forwarded one */
    uint32_t weight;   /* 1..1000 */
};

struct upstream_conf {
    struct str name;
    struct target_conf *targets;
    size_t target_count;
    int64_t connect_timeout_us; /* for one target */
    int64_t idle_timeout_us;    /* how long a pooled connection is kept */
    uint32_t max_idle;          /* pooled connections a carrier keeps for one target */
};

enum auth_kind { AUTH_KEY, AUTH_NONE };

struct auth_conf {
    enum auth_kind kind;
    struct str query_param; /* where a key may also be sent; "" for nowhere */
    bool forward_key;       /* whether the upstream gets to see it; false */
};

/* Match of a route; an empty list matches everything. */
struct match_conf {
    struct str *hosts; /* lower case, without port; "*.example.com" covers one or more labels */
    size_t host_count;
    struct str *paths; /* as written: "/users", "=/users", "/users/{id}", "~^/v[0-9]+/" */
    size_t path_count;
    uint32_t methods; /* bit 1 << enum http_method; 0 for all */
};

struct route_conf {
    struct str name; /* "default" for the API's own */
    struct api_conf *api;
    struct match_conf match;   /* what a named route leaves out is the API's */
    struct access_conf access; /* the route's own; the API's is checked besides */
    int64_t timeout_us;        /* from the request's head to the end of the answer's head */
    uint64_t max_body;         /* bytes; 0 for no limit */
    bool strip_path;           /* the matched prefix is not forwarded */
    unsigned line, column;     /* where its name stands in the file: for faults found later */
};

struct api_conf {
    struct str name, title;
    struct str example; /* a path that GET answers, for people who call first; may be empty */
    struct upstream_conf *upstream;
    struct auth_conf auth;
    struct access_conf access;
    struct route_conf *routes; /* [0] is the API's own, "default" */
    size_t route_count;
    uint32_t id; /* index in gateway_config.apis */
};

enum limit_kind { LIMIT_RATE, LIMIT_QUOTA };

struct limit_conf {
    enum limit_kind kind;
    struct str name;      /* in RateLimit-Policy: "burst"; "minute" .. "month" for quotas */
    uint64_t requests;    /* rate: refilled in each `per`; quota: let through in each window */
    int64_t per_us;       /* rate only */
    uint64_t burst;       /* rate only: capacity of the bucket */
    enum calendar window; /* quota only */
};

/* The unit of a quota's name; 0, or E_NOT_FOUND. */
must_check int quota_unit_find(struct str name, enum calendar *ret_unit);

#define PLAN_LIMITS_MAX 4

enum plan_approval { APPROVAL_AUTOMATIC, APPROVAL_MANUAL };

struct plan_conf {
    struct str name, title;
    struct api_conf **apis;
    size_t api_count;
    struct limit_conf limits[PLAN_LIMITS_MAX]; /* the rate first */
    size_t limit_count;
    struct access_conf access;
    enum plan_approval approval; /* of a developer's wish for the plan */
};

/* A key written in the file. Its secret is any string of 16 characters or more. */
struct file_key_conf {
    struct str name;
    struct str secret; /* zeroed once the key table has its hash */
    struct access_conf access;
};

struct app_conf {
    struct str name, title;
    struct plan_conf *plan;
    struct access_conf access;
    bool suspended;
    struct file_key_conf *keys;
    size_t key_count;
};

enum client_header { CLIENT_X_FORWARDED_FOR, CLIENT_FORWARDED };

struct gateway_config {
    struct str *listen; /* "127.0.0.1:8080", "[::1]:8080" */
    size_t listen_count;
    struct str url; /* what consumers are told, without a trailing slash; from the first
                       listen address where not given, "" where its port is 0 */
    struct cidr_set trusted_proxies;
    enum client_header client_header; /* which of their fields is read */
    uint32_t workers;                 /* connections served at once */
    uint32_t max_connections_per_client;
    uint64_t max_head, max_target; /* bytes */
    int64_t head_timeout_us;       /* from the first byte of a head to its end */
    int64_t body_timeout_us;       /* between two reads of a body */
    int64_t send_timeout_us;       /* between two writes to a client that takes nothing */
    int64_t keep_alive_us;         /* how long an idle connection is kept */
    int64_t drain_timeout_us;

    struct upstream_conf *upstreams;
    size_t upstream_count;
    struct api_conf *apis;
    size_t api_count;
    struct plan_conf *plans;
    size_t plan_count;
    struct app_conf *apps;
    size_t app_count;
};

/*
 * The sections gateway, upstreams, apis, plans and apps: rows of the root of weir.yaml, for a
 * CONF_GROUP whose structure is a struct gateway_config.
 */
extern const struct conf_field gateway_config_fields[];

/* "http://" and the first listen address as one can call it (127.0.0.1 for 0.0.0.0); "" for port 0.
 */
struct str listen_url(struct conf *conf, const struct str *listen, size_t count);

/* Rows of struct access_conf. */
extern const struct conf_field access_conf_fields[];

#endif
