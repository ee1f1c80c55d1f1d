/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/options.h"
#include "gateway/preview.h"

#include <stdio.h>

#define SUMMARY_MAX (1UL << 20)

/* What a running instance would find out only when it puts the file in force. */
static int try_out(struct config *config, const char *path)
{
    struct preview *preview;
    struct error err = ERROR_INIT;
    if (preview_create(&preview, &config->gateway, &err) != 0) {
        fprintf(stderr, "%s: error: %s\n", path, err.text);
        return EXIT_FAILED;
    }
    preview_destroy(preview);
    return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {OPTIONS_COMMON, OPTIONS_END};
    const char *path = CONFIG_PATH_DEFAULT;
    int o;
    while ((o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        if (o == OPTIONS_REFUSED)
            return EXIT_MISUSE;
        path = optarg;
    }
    if (options_arguments(command, argc, argv, 0, NULL) != 0)
        return EXIT_MISUSE;
    struct config *config = command_config(path);
    if (config == NULL)
        return EXIT_FAILED;
    int code = try_out(config, path);
    struct buf text;
    buf_init(&text, SUMMARY_MAX);
    if (code == EXIT_DONE)
        config_summary(config, &text);
    if (text.n > 0)
        fwrite(text.p, 1, text.n, stdout);
    buf_free(&text);
    config_destroy(config);
    return code;
}

const struct command command_check = {
    .name = "check",
    .synopsis = "[-c FILE]",
    .brief = "Tells whether a configuration is good, and what it amounts to.",
    .help =
        OPTIONS_HELP "\n"
                     "A good file: a summary, exit 0. Else one line a fault on stderr, exit 1:\n"
                     "  weir.yaml:12:5: error: unknown key `upstrem`; did you mean `upstream`?\n",
    .run = run,
};
