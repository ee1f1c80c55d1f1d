/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h -- the options of a command, with words for what is wrong with them.
 *
 *     static const struct option options[] = {OPTIONS_COMMON,
 *                                             {"app", required_argument, NULL, 'a'},
 *                                             OPTIONS_END};
 *     while ((o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
 *         switch (o) {
 *         case OPTIONS_REFUSED: return EXIT_MISUSE;
 *         case 'h': return command_help(command);
 *
 * Only -c and -h have a short form; arguments may stand before, between and behind options.
 *
 * Threads: the main thread (getopt_long's state is the process's).
 * Memory:  none; values are the process's arguments.
 * Errors:  printed as misuse of the command.
 */
#ifndef APPLIANCE_OPTIONS_H
#define APPLIANCE_OPTIONS_H

#include "appliance/command.h"
#include "appliance/table.h"

#include <getopt.h>

#define OPTIONS_COMMON                                                                             \
    {"config", required_argument, NULL, 'c'},                                                      \
    {                                                                                              \
        "help", no_argument, NULL, 'h'                                                             \
    }
#define OPTIONS_END                                                                                \
    {                                                                                              \
        NULL, 0, NULL, 0                                                                           \
    }

#define OPTIONS_DONE (-1)
#define OPTIONS_REFUSED (-2)

#define OPTIONS_HELP "  -c, --config FILE   the configuration; weir.yaml by default\n"

/* The next option's value of `options`, with its argument in `optarg`; or one of the above. */
int options_next(const struct command *command, int argc, char **argv,
                 const struct option *options);

/* 0, or EXIT_MISUSE and printed, where there are fewer or more arguments than that. */
int options_arguments(const struct command *command, int argc, char **argv, int count,
                      const char *what);

/* Values of options: 0, or EXIT_MISUSE and printed. */
int options_format(const struct command *command, const char *text, enum table_format *ret_format);
int options_number(const struct command *command, const char *name, uint64_t max,
                   uint64_t *ret_number);

/* A moment in the past: how long ago ("30d", "2h"), a day or a time. */
int options_since(const struct command *command, const char *text, struct wall *ret_since);

#endif
