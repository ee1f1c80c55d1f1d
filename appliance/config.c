/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/config.h"

#include "appliance/config_face.h"
#include "appliance/config_listen.h"
#include "appliance/config_mail.h"
#include "base/error.h"
#include "base/limits.h"
#include "gateway/gateway.h"
#include "gateway/router.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARENA_CHUNK (64U << 10)
#define FOLDER_MAX 4096
#define TOKEN_CHARS_MIN 16

static const char *const LEVELS[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug", NULL};
static const char *const FORMATS[] = {[LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json", NULL};
static const char *const REGISTRATIONS[] = {[REGISTRATION_OPEN] = "open",
                                            [REGISTRATION_INVITE] = "invite",
                                            [REGISTRATION_CLOSED] = "closed",
                                            NULL};

static const struct conf_field LOG_FIELDS[] = {
    {.name = "level",
     CONF_AS_ENUM(struct log_config, level),
     .names = LEVELS,
     .fallback = "info",
     .doc = "The least that is logged. Calls are not: they are records."},
    {.name = "format",
     CONF_AS_ENUM(struct log_config, format),
     .names = FORMATS,
     .fallback = "logfmt",
     .doc = "Of the lines on stderr."},
    {.name = NULL},
};

#define INSECURE_DOC                                                                               \
    "Allows listening beyond loopback without TLS, so that passwords and sessions can be read on " \
    "the way."

static const struct conf_field PORTAL_FIELDS[] = {
    {.name = "listen",
     CONF_AS_STRINGS(struct portal_config, listen, listen_count),
     .fallback = "127.0.0.1:8081",
     .valid = conf_listen_fault,
     .doc = "Where developers find the portal. A change needs a restart."},
    {.name = "url",
     CONF_AS_STRING(struct portal_config, url),
     .unset = "from `listen`",
     .min = 1,
     .max = GATEWAY_PROBLEM_BASE_MAX,
     .valid = conf_url_fault,
     .doc = "What people are told. With `https` something in front ends TLS."},
    {.name = "insecure",
     CONF_AS_BOOL(struct portal_config, insecure),
     .fallback = "false",
     .doc = INSECURE_DOC},
    {.name = "registration",
     CONF_AS_ENUM(struct portal_config, registration),
     .names = REGISTRATIONS,
     .fallback = "invite",
     .doc = "Who may make an account."},
    {.name = "verify_email",
     CONF_AS_BOOL(struct portal_config, verify_email),
     .unset = "true where there is `mail`",
     .doc = "Whether an account must show that its address is its own, by a mail."},
    {.name = "title",
     CONF_AS_STRING(struct portal_config, title),
     .fallback = "Weir",
     .min = 1,
     .max = 80,
     .doc = "Name of the installation, on every page and in every mail."},
    {.name = "tagline",
     CONF_AS_STRING(struct portal_config, tagline),
     .unset = "none",
     .max = 200,
     .doc = "A sentence below the name on the portal's first page."},
    {.name = "logo",
     CONF_AS_STRING(struct portal_config, logo),
     .flags = CONF_LINES,
     .unset = "Weir's mark",
     .max = LOGO_BYTES_MAX,
     .valid = config_logo_fault,
     .doc = "A square SVG beside the name: `${file:logo.svg}`."},
    {.name = "theme",
     CONF_AS_STRING(struct portal_config, theme),
     .flags = CONF_LINES,
     .unset = "Weir's own",
     .max = THEME_BYTES_MAX,
     .valid = config_theme_fault,
     .doc =
         "Colors, type and spaces of portal and console, `${file:theme.css}`: one `:root { --name: "
         "value; }` that sets tokens ([docs/portal.md](../portal.md#your-name-logo-and-colors))."},
    {.name = NULL},
};

static const struct conf_field ADMIN_FIELDS[] = {
    {.name = "listen",
     CONF_AS_STRINGS(struct admin_config, listen, listen_count),
     .fallback = "127.0.0.1:8082",
     .valid = conf_listen_fault,
     .doc = "Where operators find the console, `/metrics` and health. A change needs a restart."},
    {.name = "url",
     CONF_AS_STRING(struct admin_config, url),
     .unset = "from `listen`",
     .valid = conf_url_fault,
     .doc = "What operators are told. With `https` something in front ends TLS."},
    {.name = "insecure",
     CONF_AS_BOOL(struct admin_config, insecure),
     .fallback = "false",
     .doc = INSECURE_DOC},
    {.name = "allow",
     CONF_AS_CIDRS(struct admin_config, allow),
     .fallback = "127.0.0.0/8 ::1/128",
     .doc = "Client addresses that may come in; nobody else, wherever it listens."},
    {.name = NULL},
};

static const struct conf_field METRICS_FIELDS[] = {
    {.name = "listen",
     CONF_AS_STRINGS(struct metrics_config, listen, listen_count),
     .flags = CONF_REQUIRED,
     .valid = conf_listen_fault,
     .doc = "Where a Prometheus on another machine finds `/metrics`, and nothing else. A change "
            "needs a restart."},
    {.name = "allow",
     CONF_AS_CIDRS(struct metrics_config, allow),
     .unset = "everyone",
     .doc = "Client addresses that may read it."},
    {.name = "token",
     CONF_AS_STRING(struct metrics_config, token),
     .flags = CONF_HIDDEN,
     .unset = "none",
     .min = TOKEN_CHARS_MIN,
     .doc = "What must be sent as `Authorization: Bearer`."},
    {.name = NULL},
};

static void read_version(struct conf *conf, const struct conf_field *field,
                         const struct yaml_node *node, void *base)
{
    char was[CONF_FOUND_MAX];
    (void)field;
    (void)base;
    conf_found(node, was);
    if (node->kind != YAML_SCALAR || !str_eq(node->text, STR("1")))
        conf_fault(conf, node, "expected 1, the only version there is, found %s", was);
}

static void finish_config(struct conf *conf, const struct yaml_node *root, void *base)
{
    struct config *config = base;
    if (yaml_find(root, STR("version")) == NULL)
        conf_fault_key(conf, root, "`version` is missing; begin the file with `version: 1`");
    if (!str_starts(config->data_dir, STR("/")) && strcmp(conf->folder, ".") != 0)
        config->data_dir =
            arena_printf(conf->arena, "%s/%" STR_FMT, conf->folder, STR_ARG(config->data_dir));
    if (config->portal.url.n == 0)
        config->portal.url = listen_url(conf, config->portal.listen, config->portal.listen_count);
    if (config->admin.url.n == 0)
        config->admin.url = listen_url(conf, config->admin.listen, config->admin.listen_count);
    while (str_ends(config->portal.url, STR("/")))
        config->portal.url.n--;
    while (str_ends(config->admin.url, STR("/")))
        config->admin.url.n--;
    config_check_listeners(conf, root, config);
    config_check_mail(conf, root, config);
}

static const struct conf_field ROOT_FIELDS[] = {
    {.name = "version",
     .type = CONF_CUSTOM,
     .read = read_version,
     .what = "1",
     .unset = "required",
     .doc = "Of this format."},
    {.name = "data_dir",
     CONF_AS_STRING(struct config, data_dir),
     .fallback = "data",
     .min = 1,
     .max = 512,
     .doc = "Where everything is kept that must outlive a restart; relative to the folder of this "
            "file. A change needs a restart."},
    {.name = "log", CONF_AS_MAP(struct config, log), .fields = LOG_FIELDS, .doc = "The log."},
    {.name = "portal",
     CONF_AS_MAP(struct config, portal),
     .fields = PORTAL_FIELDS,
     .doc = "The listener for developers."},
    {.name = "admin",
     CONF_AS_MAP(struct config, admin),
     .fields = ADMIN_FIELDS,
     .doc = "The listener for operators."},
    {.name = "mail",
     CONF_AS_MAP(struct config, mail),
     .fields = config_mail_fields,
     .unset = "no mails",
     .doc =
         "How people get mails: to confirm an address, to set a forgotten password, before a key "
         "expires."},
    {.name = "metrics",
     CONF_AS_MAP(struct config, metrics),
     .fields = METRICS_FIELDS,
     .unset = "off",
     .doc = "A listener for Prometheus alone. The admin listener has `/metrics` too."},
    {.name = "analytics",
     CONF_AS_MAP(struct config, analytics),
     .fields = analytics_config_fields,
     .doc = "What is kept of the calls, and who is told."},
    {.name = "",
     .type = CONF_GROUP,
     .offset = offsetof(struct config, gateway),
     .fields = gateway_config_fields},
    {.name = NULL, .done = finish_config},
};

void config_document(struct buf *out)
{
    conf_document(ROOT_FIELDS, out);
}

/* --- what is shown of it --- */

static void count_setting(void *ctx, const struct conf_shown *shown)
{
    size_t *count = ctx;
    *count = shown->index + 1;
}

static void note_line(void *ctx, const struct conf_shown *shown)
{
    unsigned *lines = ctx;
    lines[shown->index] = shown->line;
}

/* While the file's tree is there. */
static void note_lines(struct config *config, const struct yaml_node *root)
{
    size_t count = 0;
    conf_show(ROOT_FIELDS, root, config, count_setting, &count);
    config->lines = arena_array(&config->arena, count, sizeof(*config->lines));
    if (config->lines == NULL)
        return; /* then they are told without their lines */
    config->line_count = count;
    conf_show(ROOT_FIELDS, root, config, note_line, config->lines);
}

struct with_lines {
    const struct config *config;
    conf_show_visit *visit;
    void *ctx;
};

static void show_with_line(void *ctx, const struct conf_shown *shown)
{
    const struct with_lines *with = ctx;
    struct conf_shown own = *shown;
    if (own.index < with->config->line_count)
        own.line = with->config->lines[own.index];
    with->visit(with->ctx, &own);
}

void config_show(const struct config *config, conf_show_visit *visit, void *ctx)
{
    struct with_lines with = {.config = config, .visit = visit, .ctx = ctx};
    conf_show(ROOT_FIELDS, NULL, config, show_with_line, &with);
}

/* --- loading --- */

static void folder_of(const char *path, char out[static FOLDER_MAX])
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        str_copy(STR("."), out, FOLDER_MAX);
    else
        str_copy(str_make(path, slash == path ? 1 : (size_t)(slash - path)), out, FOLDER_MAX);
}

/* What only the table of all routes shows: two that are equal, an expression that cannot be. */
static void check_routes(const struct config *config, struct config_errors *errors)
{
    struct router *router = NULL;
    struct error err = ERROR_INIT;
    if (router_create(&config->gateway, &router, &err) != 0)
        config_errors_add(errors, err.line, err.column, "%s", err.text);
    router_destroy(router);
}

static void read_root(struct config *config, const struct yaml_node *root, const char *path,
                      struct config_errors *errors)
{
    char folder[FOLDER_MAX], was[CONF_FOUND_MAX];
    struct conf conf;
    folder_of(path, folder);
    conf_init(&conf, &config->arena, errors, folder);
    conf_found(root, was);
    if (yaml_is_null(root))
        config_errors_add(errors, 0, 0, "the file is empty; `weir init` writes one to begin with");
    else if (root->kind != YAML_MAP)
        config_errors_add(errors, root->line, root->column,
                          "expected sections such as `gateway:` and `apis:`, found %s", was);
    else
        conf_read(&conf, ROOT_FIELDS, root, config);
    if (errors->count == 0)
        check_routes(config, errors);
    if (errors->count == 0)
        note_lines(config, root);
}

int config_load_text(const char *path, struct str text, struct config **ret_config,
                     struct config_errors *errors)
{
    struct yaml_node *root;
    struct arena tree;
    config_errors_init(errors, path);
    struct config *config = calloc(1, sizeof(*config));
    if (config == NULL)
        return config_errors_add(errors, 0, 0, "%s", error_text(E_NOMEM));
    arena_init(&config->arena, ARENA_CHUNK, LIMIT_CONFIG_ARENA_BYTES);
    arena_init(&tree, ARENA_CHUNK, LIMIT_CONFIG_ARENA_BYTES);
    if (yaml_parse(&tree, text, &root, errors) == 0)
        read_root(config, root, path, errors);
    arena_finish_clean(&tree);
    if (errors->count > 0) {
        config_destroy(config);
        return E_CONFIG;
    }
    *ret_config = config;
    return 0;
}

/*
 * The whole file, to its end: it may be a pipe; or as much as there is room for, which is told to
 * be too much when it is parsed. The room is taken at once, and only touched pages of it cost
 * memory: a buffer that grows leaves copies of secrets behind. 0 or an errno.
 */
static int read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    char *to = buf_reserve(out, out->max);
    int saved = to != NULL ? 0 : ENOMEM;
    for (ssize_t n = 1; n != 0 && saved == 0;) {
        n = read(fd, to + out->n, out->max - out->n);
        if (n > 0)
            buf_advance(out, (size_t)n);
        else if (n < 0 && errno != EINTR)
            saved = errno;
    }
    close(fd);
    return saved;
}

int config_load(const char *path, struct config **ret_config, struct config_errors *errors)
{
    char why[128];
    struct buf text;
    int r = E_CONFIG;
    buf_init(&text, LIMIT_CONFIG_BYTES + 1);
    int saved = read_file(path, &text);
    config_errors_init(errors, path);
    if (saved == 0)
        r = config_load_text(path, buf_str(&text), ret_config, errors);
    else
        config_errors_add(errors, 0, 0, "cannot read the file: %s%s",
                          strerror_r(saved, why, sizeof(why)),
                          saved == ENOENT ? "; `weir init` writes one to begin with" : "");
    if (text.p != NULL)
        explicit_bzero(text.p, text.n);
    buf_free(&text);
    return r;
}

void config_destroy(struct config *config)
{
    if (config == NULL)
        return;
    arena_finish_clean(&config->arena);
    free(config);
}
