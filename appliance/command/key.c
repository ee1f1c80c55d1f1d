/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/ask.h"
#include "appliance/control.h"
#include "appliance/key_list.h"
#include "appliance/options.h"
#include "portal/store_keys.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define OVERLAP_DEFAULT "24h"

/* What was written on the command line; each option's letter is also a bit of `given`. */
struct asked {
    const char *verb, *config, *app, *name, *kid;
    enum key_env env;
    struct wall expires;
    int64_t overlap_us;
    json_t *allow;
    enum table_format format;
    uint32_t given;
};

static uint32_t bit_of(int letter)
{
    return UINT32_C(1) << (letter - 'a');
}

static void tell_expiry(const json_t *answer, const char *name)
{
    char text[CLOCK_TEXT_MAX];
    struct wall t = {.us = json_integer_value(json_object_get(answer, name))};
    if (t.us == 0) {
        fprintf(stderr, "never expires");
        return;
    }
    wall_format(t, text);
    fprintf(stderr, "expires %.19sZ", text);
}

static const char *text_of(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));
    return text != NULL ? text : "";
}

/* The secret alone goes to stdout, past buffers that would keep it. */
static int print_secret(const json_t *answer, struct error *err)
{
    char line[KEY_TEXT_LEN + 2];
    int n = snprintf(line, sizeof(line), "%s\n", text_of(answer, "secret"));
    ssize_t written =
        n > 0 && (size_t)n < sizeof(line) ? write(STDOUT_FILENO, line, (size_t)n) : -1;
    sodium_memzero(line, sizeof(line));
    if (written == n)
        return 0;
    return error_set(err, E_IO,
                     "the key %s was issued, but its secret could not be written: revoke it",
                     text_of(answer, "kid"));
}

static int tell_new_key(const struct config *config, const json_t *answer, struct error *err)
{
    int r = print_secret(answer, err);
    if (r != 0)
        return r;
    fprintf(stderr, "weir: key %s of app %s, ", text_of(answer, "kid"), text_of(answer, "app"));
    tell_expiry(answer, "expires_us");
    fprintf(stderr, ". The secret is shown this once. Send it as\n  X-API-Key: KEY");
    if (config->gateway.url.n > 0)
        fprintf(stderr, "    to %" STR_FMT, STR_ARG(config->gateway.url));
    fprintf(stderr, "\n");
    if (text_of(answer, "old")[0] != '\0') {
        fprintf(stderr, "weir: the key before it, %s, ", text_of(answer, "old"));
        tell_expiry(answer, "old_expires_us");
        fprintf(stderr, "\n");
    }
    return 0;
}

/* Makes the request, takes it over, and tells what came of it. */
static int ask(struct config *config, json_t *request, struct error *err)
{
    json_t *answer = NULL;
    int r = ask_keys(config, request, &answer, err);
    json_decref(request);
    if (r != 0)
        return r;
    if (json_object_get(answer, "secret") != NULL)
        r = tell_new_key(config, answer, err);
    else
        fprintf(stderr, "weir: key %s of app %s is %s now\n", text_of(answer, "kid"),
                text_of(answer, "app"), text_of(answer, "state"));
    control_wipe(answer);
    return r;
}

static int create(struct config *config, const struct asked *asked, struct error *err)
{
    struct str env = key_env_name(asked->env);
    return ask(config,
               json_pack("{s:s, s:s, s:s, s:s%, s:I, s:O}", "command", "key.create", "app",
                         asked->app, "name", asked->name, "env", env.p, env.n, "expires_us",
                         (json_int_t)asked->expires.us, "allow", asked->allow),
               err);
}

static int rotate(struct config *config, const struct asked *asked, struct error *err)
{
    return ask(config,
               json_pack("{s:s, s:s, s:I}", "command", "key.rotate", "kid", asked->kid,
                         "overlap_us", (json_int_t)asked->overlap_us),
               err);
}

/* revoke, enable and disable */
static int change(struct config *config, const struct asked *asked, struct error *err)
{
    char name[32];
    snprintf(name, sizeof(name), "key.%s", asked->verb);
    return ask(config, json_pack("{s:s, s:s}", "command", name, "kid", asked->kid), err);
}

static int list(struct config *config, const struct asked *asked, struct error *err)
{
    return key_list(config, str_from(asked->app), asked->format, err);
}

static const struct verb {
    const char *name;
    const char *options; /* the letters it takes besides -c */
    bool takes_kid;
    int (*run)(struct config *config, const struct asked *asked, struct error *err);
} VERBS[] = {
    {"create", "antew", false, create}, {"list", "af", false, list},  {"rotate", "o", true, rotate},
    {"revoke", "", true, change},       {"enable", "", true, change}, {"disable", "", true, change},
};

static int take_expiry(const struct command *command, struct asked *asked)
{
    struct wall now = clock_wall();
    int64_t us;
    if (str_eq(str_from(optarg), STR("never"))) {
        asked->expires.us = 0;
        return 0;
    }
    if (duration_parse(str_from(optarg), &us) == 0 && us > 0 && us <= INT64_MAX - now.us) {
        asked->expires.us = now.us + us;
        return 0;
    }
    if (wall_parse(str_from(optarg), &asked->expires) != 0)
        return command_misuse(command, "%s is no expiry: write 90d, 2027-01-31, or never", optarg);
    if (asked->expires.us <= now.us)
        return command_misuse(command, "%s is over already", optarg);
    return 0;
}

static int take_network(const struct command *command, struct asked *asked)
{
    struct cidr cidr;
    if (cidr_parse(str_from(optarg), &cidr) != 0)
        return command_misuse(command, "%s is no network: write 10.0.0.0/8 or 10.1.2.3", optarg);
    json_array_append_new(asked->allow, json_string(optarg));
    return 0;
}

static int take_option(const struct command *command, int o, struct asked *asked)
{
    if (o == OPTIONS_REFUSED)
        return EXIT_MISUSE;
    asked->given |= bit_of(o);
    switch (o) {
    case 'c':
        asked->config = optarg;
        return 0;
    case 'a':
        asked->app = optarg;
        return 0;
    case 'n':
        asked->name = optarg;
        return 0;
    case 't':
        asked->env = KEY_TEST;
        return 0;
    case 'e':
        return take_expiry(command, asked);
    case 'w':
        return take_network(command, asked);
    case 'o':
        if (duration_parse(str_from(optarg), &asked->overlap_us) == 0 && asked->overlap_us >= 0)
            return 0;
        return command_misuse(command, "%s is no duration: write 24h, 7d, or 0", optarg);
    case 'f':
        return options_format(command, optarg, &asked->format);
    default:
        return EXIT_MISUSE;
    }
}

static const struct option OPTIONS[] = {OPTIONS_COMMON,
                                        {"app", required_argument, NULL, 'a'},
                                        {"name", required_argument, NULL, 'n'},
                                        {"test", no_argument, NULL, 't'},
                                        {"expires", required_argument, NULL, 'e'},
                                        {"allow", required_argument, NULL, 'w'},
                                        {"overlap", required_argument, NULL, 'o'},
                                        {"format", required_argument, NULL, 'f'},
                                        OPTIONS_END};

/* An option that does nothing for this verb is a mistake of whoever wrote it. */
static int check_options(const struct command *command, const struct verb *verb, uint32_t given)
{
    given &= ~bit_of('c');
    for (const char *p = verb->options; *p != '\0'; p++)
        given &= ~bit_of(*p);
    for (size_t i = 0; OPTIONS[i].name != NULL; i++) {
        if ((given & bit_of(OPTIONS[i].val)) != 0)
            return command_misuse(command, "`%s` takes no --%s", verb->name, OPTIONS[i].name);
    }
    return 0;
}

static int find_verb(const struct command *command, int argc, char **argv,
                     const struct verb **ret_verb)
{
    if (optind == argc)
        return command_misuse(command, "say what to do: create, list, rotate, revoke, enable or "
                                       "disable");
    for (size_t i = 0; i < ARRAY_LEN(VERBS); i++) {
        if (strcmp(VERBS[i].name, argv[optind]) == 0) {
            *ret_verb = &VERBS[i];
            optind++;
            return 0;
        }
    }
    return command_misuse(command, "%s is none of create, list, rotate, revoke, enable and disable",
                          argv[optind]);
}

static int read_command_line(const struct command *command, int argc, char **argv,
                             struct asked *asked, const struct verb **ret_verb)
{
    const struct verb *verb = NULL;
    int r = find_verb(command, argc, argv, &verb);
    if (r == 0)
        r = check_options(command, verb, asked->given);
    if (r == 0)
        r = options_arguments(command, argc, argv, verb->takes_kid ? 1 : 0, "the key's id");
    if (r != 0)
        return r;
    if (verb->run == create && asked->app[0] == '\0')
        return command_misuse(command, "--app is missing: whose key is it?");
    if (verb->takes_kid)
        asked->kid = argv[optind];
    asked->verb = verb->name;
    *ret_verb = verb;
    return 0;
}

static int work(const struct verb *verb, const struct asked *asked)
{
    struct error err = ERROR_INIT;
    struct config *config = command_config(asked->config);
    if (config == NULL)
        return EXIT_FAILED;
    int r = verb->run(config, asked, &err);
    config_destroy(config);
    return r == 0 ? EXIT_DONE : command_fail(&err);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct asked asked = {.config = CONFIG_PATH_DEFAULT, .app = "", .name = ""};
    const struct verb *verb = NULL;
    int o, r = duration_parse(STR(OVERLAP_DEFAULT), &asked.overlap_us);
    asked.allow = json_array();
    while (r == 0 && (o = options_next(command, argc, argv, OPTIONS)) != OPTIONS_DONE) {
        if (o == 'h') {
            json_decref(asked.allow);
            return command_help(command);
        }
        r = take_option(command, o, &asked);
    }
    if (r == 0)
        r = read_command_line(command, argc, argv, &asked, &verb);
    if (r == 0)
        r = work(verb, &asked);
    json_decref(asked.allow);
    return r;
}

const struct command command_key = {
    .name = "key",
    .synopsis = "create --app A | list | rotate KID | revoke KID | enable KID | disable KID",
    .brief = "Issues, lists and withdraws API keys.",
    .help = OPTIONS_HELP
    "\n"
    "create        prints the new key's secret, alone, on stdout; it is shown this once\n"
    "      --app NAME       whose key it is (an app of the file or the portal)\n"
    "      --name TEXT      what people know it by\n"
    "      --test           a test key (weir_test_...) rather than a live one\n"
    "      --expires WHEN   90d, 2027-01-31, or never (the default)\n"
    "      --allow NETWORK  may only be used from there (10.0.0.0/8); may be repeated\n"
    "list          the keys issued, and by APP/NAME those written in the configuration\n"
    "      --app NAME       only that app's\n"
    "      --format NAME    table (the default), csv or json\n"
    "rotate KID    issues a successor like the key, and prints its secret\n"
    "      --overlap TIME   how long the old one still works: 24h by default\n"
    "revoke KID    for good, from the next request on\n"
    "disable KID   until `enable KID`\n"
    "\n"
    "KID is the key's public id: the 8 characters between weir_live_ and the secret. While an\n"
    "instance runs, the command returns when the change is in force.\n",
    .run = run,
};
