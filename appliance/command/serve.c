/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/command.h"
#include "appliance/instance.h"

#include <getopt.h>

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *path = CONFIG_PATH_DEFAULT;
    int o;
    while ((o = getopt_long(argc, argv, "+:c:h", options, NULL)) != -1) {
        if (o == 'h')
            return command_help(command);
        if (o != 'c')
            return command_misuse(command, o == ':' ? "%s wants a file" : "unknown option %s",
                                  argv[optind - 1]);
        path = optarg;
    }
    if (optind < argc)
        return command_misuse(command, "unexpected argument %s", argv[optind]);
    /* first of all: a SIGHUP sent while a long file is read must not end what is to be reloaded */
    instance_block_signals();
    struct config *config = command_config(path);
    if (config == NULL)
        return EXIT_FAILED;
    struct instance *instance;
    struct error err = ERROR_INIT;
    if (instance_start(&instance, config, path, &err) != 0)
        return command_fail(&err);
    instance_run(instance, MONO_NEVER);
    instance_stop(instance);
    return EXIT_DONE;
}

const struct command command_serve = {
    .name = "serve",
    .synopsis = "[-c FILE]",
    .brief = "Runs gateway, portal and admin listener in the foreground.",
    .help = "  -c, --config FILE   the configuration; weir.yaml by default\n\n"
            "SIGHUP, or a change of the file, reloads it; a faulty file changes nothing.\n"
            "SIGTERM and SIGINT finish what is in flight, then stop (exit 0).\n",
    .run = run,
};
