/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/command.h"

#include <stdarg.h>
#include <stdio.h>

const struct command *const commands_all[] = {
#define X(name) &command_##name,
#include "appliance/commands.def"
#undef X
    NULL,
};

int command_help(const struct command *command)
{
    printf("usage: weir %s %s\n\n%s\n", command->name, command->synopsis, command->brief);
    if (command->help != NULL)
        printf("\n%s", command->help);
    return EXIT_DONE;
}

int command_misuse(const struct command *command, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "weir %s: ", command->name);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nusage: weir %s %s (weir %s --help tells more)\n", command->name,
            command->synopsis, command->name);
    return EXIT_MISUSE;
}

int command_fail(const struct error *err)
{
    fprintf(stderr, "weir: %s\n", err->text[0] != '\0' ? err->text : error_text(err->code));
    return EXIT_FAILED;
}

struct config *command_config(const char *path)
{
    struct config_errors errors;
    struct config *config;
    if (config_load(path, &config, &errors) == 0)
        return config;
    struct buf text;
    buf_init(&text, CONFIG_ERRORS_MAX * (CONFIG_ERROR_TEXT_MAX + 1) * 2);
    config_errors_print(&errors, &text);
    fprintf(stderr, "%" STR_FMT, STR_ARG(buf_str(&text)));
    buf_free(&text);
    return NULL;
}

void command_path(const struct config *config, const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%" STR_FMT "/%s", STR_ARG(config->data_dir), name);
    CHECK(n > 0 && (size_t)n < size);
}
