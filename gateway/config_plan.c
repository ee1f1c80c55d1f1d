/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections `plans` and `apps`: what may be called how often, and by whom.
 */
#include "base/error.h"
#include "gateway/config_rows.h"

#define SECRET_CHARS_MIN 16
#define SECRET_CHARS_MAX 512
#define REQUESTS_MAX UINT64_C(1000000000000)

struct quota_draft {
    uint64_t requests;
    enum calendar per;
};

/* What a plan says of limits, before it becomes the plan's array of them. */
struct limits_draft {
    struct plan_conf *plan;
    struct {
        uint64_t requests; /* 0: no rate */
        int64_t per_us;
        uint64_t burst;
    } rate;
    struct quota_draft *quotas;
    size_t quota_count;
};

static const char *const PERIODS[] = {
    [CAL_MINUTE] = "minute", [CAL_HOUR] = "hour",   [CAL_DAY] = "day",
    [CAL_WEEK] = "week",     [CAL_MONTH] = "month", NULL,
};

int quota_unit_find(struct str name, enum calendar *ret_unit)
{
    for (enum calendar unit = CAL_MINUTE; unit <= CAL_MONTH; unit++) {
        if (str_eq(name, str_from(PERIODS[unit]))) {
            *ret_unit = unit;
            return 0;
        }
    }
    return E_NOT_FOUND;
}

static const struct conf_field RATE_FIELDS[] = {
    {.name = "requests",
     CONF_AS_U64(struct limits_draft, rate.requests),
     .flags = CONF_REQUIRED,
     .min = 1,
     .max = REQUESTS_MAX,
     .doc = "Calls that are let through in each `per`."},
    {.name = "per",
     CONF_AS_DURATION(struct limits_draft, rate.per_us),
     .fallback = "1s",
     .min = US_PER_MS,
     .max = 31 * US_PER_DAY,
     .doc = "The time they are for; they come back continuously, not all at once."},
    {.name = "burst",
     CONF_AS_U64(struct limits_draft, rate.burst),
     .unset = "`requests`",
     .min = 1,
     .max = REQUESTS_MAX,
     .doc = "Calls that may come at once after a pause."},
    {.name = NULL},
};

static const struct conf_field QUOTA_FIELDS[] = {
    {.name = "requests",
     CONF_AS_U64(struct quota_draft, requests),
     .flags = CONF_REQUIRED,
     .min = 1,
     .max = REQUESTS_MAX,
     .doc = "Calls that are let through in each period."},
    {.name = "per",
     CONF_AS_ENUM(struct quota_draft, per),
     .flags = CONF_REQUIRED,
     .names = PERIODS,
     .doc = "The period, by the calendar in UTC; a week begins on Monday."},
    {.name = NULL},
};

static void *enter_limits(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct limits_draft *draft = conf_alloc(conf, 1, sizeof(*draft));
    (void)node;
    if (draft != NULL)
        draft->plan = base;
    return draft;
}

/* The `index`th quota as it stands in the file. */
static const struct yaml_node *quota_node(const struct yaml_node *plan, size_t index)
{
    const struct yaml_node *quotas = yaml_find(plan, STR("quota"));
    const struct yaml_node *item = conf_first(quotas);
    while (index-- > 0)
        item = conf_next(quotas, item);
    return item;
}

static bool has_window(const struct plan_conf *plan, enum calendar window)
{
    for (size_t i = 0; i < plan->limit_count; i++) {
        if (plan->limits[i].kind == LIMIT_QUOTA && plan->limits[i].window == window)
            return true;
    }
    return false;
}

static void add_quota(struct conf *conf, const struct yaml_node *node, struct plan_conf *plan,
                      const struct quota_draft *quota)
{
    if (has_window(plan, quota->per)) {
        conf_fault(conf, node, "there are two quotas for each %s; keep one", PERIODS[quota->per]);
        return;
    }
    if (plan->limit_count == PLAN_LIMITS_MAX) {
        conf_fault(conf, node, "a plan has at most %d limits, its rate included", PLAN_LIMITS_MAX);
        return;
    }
    plan->limits[plan->limit_count++] = (struct limit_conf){
        .kind = LIMIT_QUOTA,
        .name = str_from(PERIODS[quota->per]),
        .requests = quota->requests,
        .window = quota->per,
    };
}

static void finish_limits(struct conf *conf, const struct yaml_node *node, void *base)
{
    const struct limits_draft *draft = base;
    struct plan_conf *plan = draft->plan;
    if (draft->rate.requests > 0) {
        plan->limits[plan->limit_count++] = (struct limit_conf){
            .kind = LIMIT_RATE,
            .name = STR("burst"),
            .requests = draft->rate.requests,
            .per_us = draft->rate.per_us,
            .burst = draft->rate.burst > 0 ? draft->rate.burst : draft->rate.requests,
        };
    }
    conf->field = "quota";
    for (size_t i = 0; i < draft->quota_count; i++) {
        if (draft->quotas[i].requests > 0)
            add_quota(conf, quota_node(node, i), plan, &draft->quotas[i]);
    }
    conf->field = NULL;
}

static const struct conf_field LIMIT_FIELDS[] = {
    {.name = "rate",
     .type = CONF_MAP,
     .fields = RATE_FIELDS,
     .unset = "no limit",
     .doc = "How fast an app may call: a bucket of `burst` calls that fills again evenly."},
    {.name = "quota",
     CONF_AS_LIST(struct limits_draft, quotas, quota_count, struct quota_draft),
     .fields = QUOTA_FIELDS,
     .what = "quota",
     .unset = "no limit",
     .doc = "How much an app may call in a period of the calendar. Exactly so many are let "
            "through."},
    {.name = NULL, .done = finish_limits},
};

static void read_apis(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, void *base)
{
    const struct gateway_config *config = conf->group;
    struct plan_conf *plan = base;
    const struct named_set apis = {.items = config->apis,
                                   .count = config->api_count,
                                   .size = sizeof(struct api_conf),
                                   .name_offset = offsetof(struct api_conf, name),
                                   .what = "api"};
    (void)field;
    plan->apis = conf_alloc(conf, conf_count(node), sizeof(struct api_conf *));
    if (plan->apis == NULL)
        return;
    for (const struct yaml_node *item = conf_first(node); item != NULL;
         item = conf_next(node, item)) {
        struct api_conf *api = named_find(conf, item, &apis);
        for (size_t i = 0; api != NULL && i < plan->api_count; i++) {
            if (plan->apis[i] != api)
                continue;
            conf_fault(conf, item, "`%" STR_FMT "` is there twice", STR_ARG(api->name));
            api = NULL;
        }
        if (api != NULL)
            plan->apis[plan->api_count++] = api;
    }
}

static const char *const APPROVALS[] = {
    [APPROVAL_AUTOMATIC] = "automatic", [APPROVAL_MANUAL] = "manual", NULL};

static void finish_plan(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct plan_conf *plan = base;
    (void)conf;
    (void)node;
    if (plan->title.n == 0)
        plan->title = plan->name;
}

const struct conf_field plan_conf_fields[] = {
    {.name = "title",
     CONF_AS_STRING(struct plan_conf, title),
     .unset = "its name",
     .max = 200,
     .doc = "What people are shown."},
    {.name = "apis",
     .type = CONF_CUSTOM,
     .flags = CONF_REQUIRED,
     .read = read_apis,
     .what = "name of an api, or a list",
     .doc = "What the plan's apps may call."},
    {.name = "", .type = CONF_GROUP, .fields = LIMIT_FIELDS, .enter = enter_limits},
    {.name = "access",
     CONF_AS_MAP(struct plan_conf, access),
     .fields = access_conf_fields,
     .doc = "Which client addresses the plan's apps may call from."},
    {.name = "approval",
     CONF_AS_ENUM(struct plan_conf, approval),
     .names = APPROVALS,
     .fallback = "automatic",
     .doc = "Whether an operator decides when a developer chooses the plan."},
    {.name = NULL, .done = finish_plan},
};

static const struct conf_field KEY_FIELDS[] = {
    {.name = "secret",
     CONF_AS_STRING(struct file_key_conf, secret),
     .flags = CONF_REQUIRED | CONF_HIDDEN,
     .min = SECRET_CHARS_MIN,
     .max = SECRET_CHARS_MAX,
     .doc = "The key as it is sent. Better inserted than written: `\"${env:NAME}\"`, "
            "`\"${file:PATH}\"`."},
    {.name = "access",
     CONF_AS_MAP(struct file_key_conf, access),
     .fields = access_conf_fields,
     .doc = "Which client addresses the key may be used from."},
    {.name = NULL},
};

static void read_plan(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, void *base)
{
    const struct gateway_config *config = conf->group;
    struct app_conf *app = base;
    (void)field;
    app->plan = named_find(conf, node,
                           &(struct named_set){.items = config->plans,
                                               .count = config->plan_count,
                                               .size = sizeof(struct plan_conf),
                                               .name_offset = offsetof(struct plan_conf, name),
                                               .what = "plan"});
}

static void finish_app(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct app_conf *app = base;
    (void)conf;
    (void)node;
    if (app->title.n == 0)
        app->title = app->name;
}

const struct conf_field app_conf_fields[] = {
    {.name = "title",
     CONF_AS_STRING(struct app_conf, title),
     .unset = "its name",
     .max = 200,
     .doc = "What people are shown."},
    {.name = "plan",
     .type = CONF_CUSTOM,
     .flags = CONF_REQUIRED,
     .read = read_plan,
     .what = "name of a plan",
     .doc = "What the app may call, and how often."},
    {.name = "access",
     CONF_AS_MAP(struct app_conf, access),
     .fields = access_conf_fields,
     .doc = "Which client addresses the app may call from."},
    {.name = "suspended",
     CONF_AS_BOOL(struct app_conf, suspended),
     .fallback = "false",
     .doc = "Refuses all its calls while it is true."},
    {.name = "keys",
     CONF_AS_OBJECTS(struct app_conf, keys, key_count, struct file_key_conf),
     .flags = CONF_HIDDEN,
     .fields = KEY_FIELDS,
     .what = "key",
     .shorthand = "secret",
     .doc = "Keys that are in the file. Others are issued with `weir key create`."},
    {.name = NULL, .done = finish_app},
};
