/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/options.h"

#define SHORT_OPTIONS ":c:h"
#define NEAR 3 /* further away is no typing mistake */

static const char *nearest(const struct option *options, struct str name)
{
    const char *near = NULL;
    unsigned best = NEAR;
    for (size_t i = 0; options[i].name != NULL; i++) {
        unsigned d = str_distance(str_from(options[i].name), name);
        if (d < best) {
            best = d;
            near = options[i].name;
        }
    }
    return near;
}

static void refuse_unknown(const struct command *command, const struct option *options,
                           const char *word)
{
    struct str name = str_from(word);
    if (!str_starts(name, STR("--"))) {
        command_misuse(command, "unknown option -%c", optopt);
        return;
    }
    size_t end = str_find_char(name, '=', 0);
    struct str bare = str_slice(name, 2, end);
    for (size_t i = 0; options[i].name != NULL; i++) {
        if (end < name.n && options[i].has_arg == no_argument &&
            str_starts(str_from(options[i].name), bare)) {
            command_misuse(command, "--%s takes no value", options[i].name);
            return;
        }
    }
    const char *near = nearest(options, bare);
    if (near != NULL)
        command_misuse(command, "unknown option --%" STR_FMT "; did you mean --%s?", STR_ARG(bare),
                       near);
    else
        command_misuse(command, "unknown option --%" STR_FMT, STR_ARG(bare));
}

int options_next(const struct command *command, int argc, char **argv, const struct option *options)
{
    int o = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL);
    if (o == ':') {
        command_misuse(command, "%s wants a value", argv[optind - 1]);
        return OPTIONS_REFUSED;
    }
    if (o == '?') {
        refuse_unknown(command, options, argv[optind - 1]);
        return OPTIONS_REFUSED;
    }
    return o == -1 ? OPTIONS_DONE : o;
}

int options_arguments(const struct command *command, int argc, char **argv, int count,
                      const char *what)
{
    if (argc - optind < count)
        return command_misuse(command, "%s is missing", what);
    if (argc - optind > count)
        return command_misuse(command, "unexpected argument %s", argv[optind + count]);
    return 0;
}

int options_format(const struct command *command, const char *text, enum table_format *ret_format)
{
    if (table_format_find(str_from(text), ret_format) == 0)
        return 0;
    return command_misuse(command, "the format %s is none of table, csv and json", text);
}

int options_number(const struct command *command, const char *name, uint64_t max,
                   uint64_t *ret_number)
{
    if (str_to_u64(str_from(optarg), 1, max, ret_number) == 0)
        return 0;
    return command_misuse(command, "--%s wants a number from 1 to %llu, not %s", name,
                          (unsigned long long)max, optarg);
}

int options_since(const struct command *command, const char *text, struct wall *ret_since)
{
    struct wall now = clock_wall();
    int64_t ago;
    if (duration_parse(str_from(text), &ago) == 0 && ago >= 0 && ago <= now.us) {
        ret_since->us = now.us - ago;
        return 0;
    }
    if (wall_parse(str_from(text), ret_since) != 0)
        return command_misuse(command,
                              "%s is no time: write 30d, 2h, 2026-11-01 or "
                              "2026-11-01T12:00:00Z",
                              text);
    if (ret_since->us > now.us)
        return command_misuse(command, "%s has not come yet", text);
    return 0;
}
