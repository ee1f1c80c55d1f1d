/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/options.h"
#include "base/libraries.h"

#include <stdio.h>

static const char *sanitizer(void)
{
    return WITH_ASAN ? ", address sanitizer" : WITH_TSAN ? ", thread sanitizer" : "";
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, OPTIONS_END};
    char text[LIBRARY_VERSION_MAX];
    int o;
    while ((o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        return o == OPTIONS_REFUSED ? EXIT_MISUSE : command_misuse(command, "it takes no file");
    }
    if (optind < argc)
        return command_misuse(command, "unexpected argument %s", argv[optind]);
    printf("weir %s\n", WEIR_VERSION);
#ifdef __clang__
    printf("built with clang %s", __clang_version__);
#else
    printf("built with gcc %s", __VERSION__);
#endif
#ifdef __OPTIMIZE__
    printf(", optimized");
#else
    printf(", not optimized");
#endif
    printf("%s\n", sanitizer());
    for (size_t i = 0; i < library_count(); i++) {
        const char *name = library_version(i, text);
        printf("%-10s %s\n", name, text);
    }
    return EXIT_DONE;
}

const struct command command_version = {
    .name = "version",
    .synopsis = "",
    .brief = "Tells the version, the build and the libraries in use.",
    .run = run,
};
