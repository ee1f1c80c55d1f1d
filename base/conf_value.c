/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf_internal.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>

#define FOUND_SHOWN_MAX 60 /* bytes of a value that a message quotes */
#define NETWORK_EXAMPLE "an address or a network such as 10.0.0.0/8"

static const struct {
    struct str name;
    uint64_t bytes;
} SIZE_UNITS[] = {
    /* largest first: the shortest exact form is the first that divides */
    {STR_INIT("GiB"), UINT64_C(1) << 30},
    {STR_INIT("MiB"), UINT64_C(1) << 20},
    {STR_INIT("KiB"), UINT64_C(1) << 10},
    {STR_INIT(""), 1},
};

int size_parse(struct str s, uint64_t *ret_bytes)
{
    size_t digits = 0;
    uint64_t value;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    struct str unit = str_slice(s, digits, s.n);
    for (size_t i = 0; i < ARRAY_LEN(SIZE_UNITS); i++) {
        if (!str_eq(unit, SIZE_UNITS[i].name))
            continue;
        uint64_t bytes = SIZE_UNITS[i].bytes;
        int r = str_to_u64(str_slice(s, 0, digits), 0, UINT64_MAX / bytes, &value);
        if (r == 0)
            *ret_bytes = value * bytes;
        return r;
    }
    return E_INVALID;
}

size_t size_format(uint64_t bytes, char out[static 24])
{
    size_t i = 0;
    while (bytes % SIZE_UNITS[i].bytes != 0 || (bytes == 0 && SIZE_UNITS[i].bytes > 1))
        i++;
    return (size_t)snprintf(out, 24, "%llu%s", (unsigned long long)(bytes / SIZE_UNITS[i].bytes),
                            SIZE_UNITS[i].name.p);
}

void conf_print_limit(const struct conf_field *field, uint64_t value, struct buf *out)
{
    char text[CLOCK_TEXT_MAX];
    if (field->type == CONF_SIZE) {
        size_format(value, text);
        buf_add_cstr(out, text);
    } else if (field->type == CONF_DURATION) {
        duration_format((int64_t)value, text);
        buf_add_cstr(out, text);
    } else {
        buf_add_u64(out, value);
    }
}

static void describe_names(const struct conf_field *field, struct buf *out)
{
    for (size_t i = 0; field->names[i] != NULL; i++) {
        if (i > 0)
            buf_add_cstr(out, field->names[i + 1] == NULL ? " or " : ", ");
        buf_add_cstr(out, field->names[i]);
    }
}

void conf_describe(const struct conf_field *field, struct buf *out)
{
    static const char *const TEXTS[] = {
        [CONF_STRING] = "a text",
        [CONF_BOOL] = "true or false",
        [CONF_U32] = "a whole number",
        [CONF_U64] = "a whole number",
        [CONF_SIZE] = "a size such as 64KiB or 10MiB",
        [CONF_DURATION] = "a duration such as 250ms, 10s or 1h",
        [CONF_ENUM] = "",
        [CONF_CIDRS] = NETWORK_EXAMPLE,
        [CONF_STRINGS] = "a text or a list of texts",
        [CONF_MAP] = "a map",
        [CONF_LIST] = "a list of maps",
        [CONF_OBJECTS] = "a map of names",
        [CONF_GROUP] = "a map",
        [CONF_CUSTOM] = "a value",
    };
    buf_add_cstr(out, TEXTS[field->type]);
    if (field->type == CONF_ENUM)
        describe_names(field, out);
    if ((field->type == CONF_U32 || field->type == CONF_U64) && field->max > 0)
        buf_printf(out, " from %llu to %llu", (unsigned long long)field->min,
                   (unsigned long long)field->max);
}

void conf_found(const struct yaml_node *node, char out[static CONF_FOUND_MAX])
{
    struct str text = node->text;
    if (node->kind != YAML_SCALAR || yaml_is_null(node)) {
        snprintf(out, CONF_FOUND_MAX, "%s",
                 node->kind == YAML_MAP    ? "a map"
                 : node->kind == YAML_LIST ? "a list"
                                           : "nothing");
        return;
    }
    size_t shown = text.n;
    if (shown > FOUND_SHOWN_MAX) {
        shown = FOUND_SHOWN_MAX;
        while (shown > 0 && ((unsigned char)text.p[shown] & 0xc0) == 0x80)
            shown--;
    }
    const char *quote = node->quoted && !conf_is_inserted(node) ? "\"" : "";
    snprintf(out, CONF_FOUND_MAX, "%s`%s%.*s%s%s`", conf_is_inserted(node) ? "the value of " : "",
             quote, (int)shown, text.p, shown < text.n ? "..." : "", quote);
}

void conf_found_in(const struct conf_field *field, const struct yaml_node *node,
                   char out[static CONF_FOUND_MAX])
{
    /* a URL may have a password before its @ */
    bool has_user = str_find(node->text, STR("://")) < node->text.n &&
                    str_find_char(node->text, '@', 0) < node->text.n;
    bool hidden = (field->flags & (CONF_HIDDEN | CONF_LINES)) != 0 || has_user;
    if (hidden && node->kind == YAML_SCALAR && !yaml_is_null(node))
        snprintf(out, CONF_FOUND_MAX, "a value that is not shown");
    else
        conf_found(node, out);
}

/* "expected X, found Y", with a last part about what to do where that can be told. */
static void fault_type(struct conf *conf, const struct conf_field *field,
                       const struct yaml_node *node, const char *advice)
{
    char was[CONF_FOUND_MAX], text[256];
    struct buf expected;
    buf_init_fixed(&expected, text, sizeof(text));
    conf_describe(field, &expected);
    conf_found_in(field, node, was);
    conf_fault(conf, node, "expected %.*s, found %s%s", (int)expected.n, text, was, advice);
}

static uint64_t limit_of(const struct conf_field *field)
{
    if (field->max > 0)
        return field->max;
    switch (field->type) {
    case CONF_STRING:
    case CONF_STRINGS:
        return CONF_STRING_MAX;
    case CONF_U32:
        return UINT32_MAX;
    case CONF_DURATION:
        return INT64_MAX;
    case CONF_U64:
    case CONF_SIZE:
    case CONF_BOOL:
    case CONF_ENUM:
    case CONF_CIDRS:
    case CONF_MAP:
    case CONF_LIST:
    case CONF_OBJECTS:
    case CONF_GROUP:
    case CONF_CUSTOM:
        break;
    }
    return UINT64_MAX;
}

static void fault_range(struct conf *conf, const struct conf_field *field,
                        const struct yaml_node *node)
{
    char was[CONF_FOUND_MAX], text[128];
    struct buf range;
    conf_found_in(field, node, was);
    buf_init_fixed(&range, text, sizeof(text));
    conf_print_limit(field, field->min, &range);
    buf_add_lit(&range, " to ");
    conf_print_limit(field, limit_of(field), &range);
    conf_fault(conf, node, "%s is out of range; allowed is %.*s", was, (int)range.n, text);
}

static bool is_number_type(enum conf_type type)
{
    return type == CONF_BOOL || type == CONF_U32 || type == CONF_U64;
}

/* Parses a number of any unit. 0, E_INVALID or E_RANGE. */
static int parse_number(const struct conf_field *field, struct str text, uint64_t *ret_value)
{
    int64_t us = 0;
    int r;
    if (field->type == CONF_DURATION) {
        r = duration_parse(text, &us);
        *ret_value = (uint64_t)us;
    } else if (field->type == CONF_SIZE) {
        r = size_parse(text, ret_value);
    } else {
        r = str_to_u64(text, 0, UINT64_MAX, ret_value);
    }
    if (r == 0 && (*ret_value < field->min || *ret_value > limit_of(field)))
        r = E_RANGE;
    return r;
}

static void read_number(struct conf *conf, const struct conf_field *field,
                        const struct yaml_node *node, struct str text, void *at)
{
    uint64_t value = 0, plain;
    int r = parse_number(field, text, &value);
    if (r == E_RANGE) {
        fault_range(conf, field, node);
    } else if (r != 0) {
        bool no_unit = field->type == CONF_DURATION && str_to_u64(text, 0, UINT64_MAX, &plain) == 0;
        fault_type(conf, field, node, no_unit ? "; its unit is missing" : "");
    } else if (field->type == CONF_U32) {
        *(uint32_t *)at = (uint32_t)value;
    } else if (field->type == CONF_DURATION) {
        *(int64_t *)at = (int64_t)value;
    } else {
        *(uint64_t *)at = value;
    }
}

static void read_bool(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, struct str text, bool *at)
{
    if (str_eq(text, STR("true")))
        *at = true;
    else if (str_eq(text, STR("false")))
        *at = false;
    else
        fault_type(conf, field, node, "");
}

static void read_enum(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, struct str text, void *at)
{
    struct suggestion near;
    suggestion_init(&near, text);
    for (unsigned i = 0; field->names[i] != NULL; i++) {
        struct str name = str_from(field->names[i]);
        if (str_eq(text, name)) {
            memcpy(at, &i, sizeof(i));
            return;
        }
        suggestion_offer(&near, name);
    }
    fault_type(conf, field, node, conf_is_inserted(node) ? "" : suggestion_text(&near));
}

static bool is_one_line(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

/* Whether a text is what its row asks for; reports where not. */
static bool check_string(struct conf *conf, const struct conf_field *field,
                         const struct yaml_node *node, struct str text)
{
    uint64_t max = limit_of(field);
    char was[CONF_FOUND_MAX];
    if ((field->flags & CONF_LINES) == 0 && !is_one_line(text)) {
        conf_fault(conf, node, "must be one line without control characters");
        return false;
    }
    if (text.n < field->min && text.n == 0) {
        conf_fault(conf, node, "must not be empty");
        return false;
    }
    if (text.n < field->min || text.n > max) {
        conf_fault(conf, node, "must have %s %llu characters, and has %zu",
                   text.n < field->min ? "at least" : "at most",
                   (unsigned long long)(text.n < field->min ? field->min : max), text.n);
        return false;
    }
    const char *wrong = field->valid != NULL ? field->valid(text) : NULL;
    if (wrong != NULL) {
        bool shown = (field->flags & CONF_LINES) == 0;
        conf_found_in(field, node, was);
        conf_fault(conf, node, "%s%s%s", shown ? was : "", shown ? " " : "", wrong);
    }
    return wrong == NULL;
}

static bool read_cidr(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, struct cidr *ret_cidr)
{
    char was[CONF_FOUND_MAX], network[CIDR_TEXT_MAX], one[IP_TEXT_MAX];
    struct str text;
    struct ip ip;
    uint64_t bits;
    if (!conf_text(conf, node, NETWORK_EXAMPLE, &text))
        return false;
    if (cidr_parse(text, ret_cidr) == 0)
        return true;
    struct str rest = text, address = str_cut(&rest, '/');
    uint64_t before = str_find_char(address, ':', 0) == address.n ? 96 : 0;
    if (ip_parse(address, &ip) != 0 || str_to_u64(rest, 0, 128 - before, &bits) != 0) {
        fault_type(conf, field, node, "");
        return false;
    }
    cidr_format(cidr_make(ip, (uint8_t)(before + bits)), network);
    ip_format(ip, one);
    conf_found_in(field, node, was);
    conf_fault(conf, node,
               "%s has bits beyond its prefix; write %s for the network or %s for the "
               "one address",
               was, network, one);
    return false;
}

static void read_cidrs(struct conf *conf, const struct conf_field *field,
                       const struct yaml_node *node, struct cidr_set *at)
{
    struct cidr *items = conf_alloc(conf, conf_count(node), sizeof(*items));
    size_t n = 0;
    if (items == NULL)
        return;
    for (const struct yaml_node *item = conf_first(node); item != NULL;
         item = conf_next(node, item)) {
        if (read_cidr(conf, field, item, &items[n]))
            n++;
    }
    *at = cidr_set_build(items, n);
}

static void read_strings(struct conf *conf, const struct conf_field *field,
                         const struct yaml_node *node, void *base)
{
    struct str *items = conf_alloc(conf, conf_count(node), sizeof(*items));
    size_t n = 0;
    if (items == NULL)
        return;
    for (const struct yaml_node *item = conf_first(node); item != NULL;
         item = conf_next(node, item)) {
        struct str text;
        if (conf_text(conf, item, "a text", &text) && check_string(conf, field, item, text))
            items[n++] = text;
    }
    *(struct str **)(void *)((char *)base + field->offset) = items;
    *(size_t *)(void *)((char *)base + field->count_offset) = n;
}

static void read_scalar(struct conf *conf, const struct conf_field *field,
                        const struct yaml_node *node, void *at)
{
    struct str text;
    if (node->kind != YAML_SCALAR || yaml_is_null(node)) {
        fault_type(conf, field, node, "");
        return;
    }
    if (!conf_text(conf, node, "a text", &text))
        return;
    if (is_number_type(field->type) && node->quoted && !conf_is_inserted(node))
        fault_type(conf, field, node, "; remove the quotes");
    else if (field->type == CONF_BOOL)
        read_bool(conf, field, node, text, at);
    else if (field->type == CONF_ENUM)
        read_enum(conf, field, node, text, at);
    else if (field->type != CONF_STRING)
        read_number(conf, field, node, text, at);
    else if (check_string(conf, field, node, text))
        *(struct str *)at = text;
}

void conf_read_value(struct conf *conf, const struct conf_field *field,
                     const struct yaml_node *node, void *base)
{
    void *at = (char *)base + field->offset;
    if ((field->type == CONF_CIDRS || field->type == CONF_STRINGS) && node->kind == YAML_MAP)
        fault_type(conf, field, node, "");
    else if (field->type == CONF_CIDRS)
        read_cidrs(conf, field, node, at);
    else if (field->type == CONF_STRINGS)
        read_strings(conf, field, node, base);
    else
        read_scalar(conf, field, node, at);
}

const char *conf_listen_fault(struct str text)
{
    struct ip ip;
    uint16_t port;
    if (ip_port_parse(text, &ip, &port) == 0)
        return NULL;
    return "is no ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080; all interfaces are 0.0.0.0 "
           "and [::]";
}

const char *conf_url_fault(struct str text)
{
    bool tls = str_starts_nocase(text, STR("https://"));
    if (!tls && !str_starts_nocase(text, STR("http://")))
        return "must begin with http:// or https://";
    if (text.n == (tls ? sizeof("https://") : sizeof("http://")) - 1)
        return "has no host";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= 0x20 || c >= 0x7f || strchr("?#@\"<>\\", c) != NULL)
            return "must be a URL of scheme, host, port and path only";
    }
    return NULL;
}
