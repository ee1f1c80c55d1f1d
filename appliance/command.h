/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h -- the commands of the one executable: a row of commands.def and a file in
 * appliance/command/ each.
 *
 * Results go to stdout, errors to stderr as "weir: ...". Exit codes: 0 done, 1 failed, 2 misuse.
 * Every command takes --help; those that work on an installation take -c FILE.
 *
 * Threads: the main thread.
 * Memory:  the command's own.
 * Errors:  command_fail() and command_misuse() print them and give the exit code.
 */
#ifndef APPLIANCE_COMMAND_H
#define APPLIANCE_COMMAND_H

#include "appliance/config.h"

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_MISUSE 2

struct command {
    const char *name;
    const char *synopsis; /* what follows the name: "-c FILE" */
    const char *brief;    /* one line for the overview */
    const char *help;     /* the rest of --help: options, examples */
    /* argv[0] is the command's name; returns the exit code */
    int (*run)(const struct command *command, int argc, char **argv);
};

#define X(name) extern const struct command command_##name;
#include "appliance/commands.def"
#undef X

/* In the order of commands.def, the last one NULL. */
extern const struct command *const commands_all[];

/* Prints how the command is used, to stdout, and returns EXIT_DONE. */
int command_help(const struct command *command);

/* Prints "weir NAME: what is wrong" and where help is; returns EXIT_MISUSE. */
attr_printf(2, 3) int command_misuse(const struct command *command, const char *fmt, ...);

/* Prints "weir: " and the error; returns EXIT_FAILED. */
int command_fail(const struct error *err);

#define CONFIG_PATH_DEFAULT "weir.yaml"

/*
 * Loads the configuration a command works on, or prints its faults. NULL where that failed: return
 * EXIT_FAILED then.
 */
struct config *command_config(const char *path);

/* "data_dir/name" as a NUL-terminated path. */
void command_path(const struct config *config, const char *name, char *out, size_t size);

#endif
