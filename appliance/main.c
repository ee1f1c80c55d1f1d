/* SPDX-License-Identifier: Apache-2.0 */
/* weir: finds the command and runs it. */
#include "appliance/command.h"

#include <sodium.h>
#include <stdio.h>

static void overview(FILE *out)
{
    fprintf(out, "usage: weir COMMAND [OPTION]...\n\ncommands:\n");
    for (size_t i = 0; commands_all[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", commands_all[i]->name, commands_all[i]->brief);
    fprintf(out, "\nweir COMMAND --help tells more; `weir demo` shows everything at once.\n");
}

static const struct command *find(struct str name)
{
    for (size_t i = 0; commands_all[i] != NULL; i++) {
        if (str_eq(str_from(commands_all[i]->name), name))
            return commands_all[i];
    }
    return NULL;
}

static int unknown(struct str name)
{
    const struct command *near = NULL;
    unsigned best = 3; /* further away is no typing mistake */
    for (size_t i = 0; commands_all[i] != NULL; i++) {
        unsigned d = str_distance(str_from(commands_all[i]->name), name);
        if (d < best) {
            best = d;
            near = commands_all[i];
        }
    }
    fprintf(stderr, "weir: unknown command `%" STR_FMT "`", STR_ARG(name));
    if (near != NULL)
        fprintf(stderr, "; did you mean `%s`?", near->name);
    fprintf(stderr, "\n");
    if (near == NULL)
        overview(stderr);
    return EXIT_MISUSE;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0) {
        fprintf(stderr, "weir: libsodium could not be initialised\n");
        return EXIT_FAILED;
    }
    if (argc < 2) {
        overview(stderr);
        return EXIT_MISUSE;
    }
    struct str name = str_from(argv[1]);
    if (str_eq(name, STR("--help")) || str_eq(name, STR("-h")) || str_eq(name, STR("help"))) {
        overview(stdout);
        return EXIT_DONE;
    }
    if (str_eq(name, STR("--version")))
        name = STR("version");
    const struct command *command = find(name);
    if (command == NULL)
        return unknown(name);
    return command->run(command, argc - 1, argv + 1);
}
