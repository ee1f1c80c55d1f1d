/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/ask.h"
#include "appliance/control.h"
#include "appliance/options.h"
#include "base/password.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MIN 10
#define SECRET_MAX 1024

struct asked {
    const char *verb, *config, *name;
    char email[256]; /* in lower case */
};

/* --- the password --- */

/* The line without its end; false for none, or one that is too long. */
static bool read_line(char line[static SECRET_MAX + 2])
{
    bool good = fgets(line, SECRET_MAX + 2, stdin) != NULL;
    if (!good)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

/* On a terminal it is not shown, and asked for twice. */
static bool ask_twice(char line[static SECRET_MAX + 2], struct error *err)
{
    struct termios before, quiet;
    char again[SECRET_MAX + 2] = "";
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return error_set_errno(err, E_IO, errno, "the terminal cannot be asked") == 0;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    fprintf(stderr, "New password (10 characters or more): ");
    bool good = read_line(line);
    fprintf(stderr, "\nThe same again: ");
    good = good && read_line(again);
    fprintf(stderr, "\n");
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    good = good && strcmp(line, again) == 0;
    sodium_memzero(again, sizeof(again));
    if (!good)
        error_set(err, E_INVALID, "the two differ: nothing was changed");
    return good;
}

/* Reads a password from the terminal, or the first line of stdin, and hashes it. */
static int read_password(char ret_text[static PASSWORD_TEXT_MAX], struct error *err)
{
    char line[SECRET_MAX + 2] = "";
    bool there = isatty(STDIN_FILENO) ? ask_twice(line, err) : read_line(line);
    int r = there ? 0 : E_INVALID;
    if (there && (strlen(line) < SECRET_MIN || strlen(line) > SECRET_MAX))
        r = error_set(err, E_INVALID, "a password has 10 to %d characters", SECRET_MAX);
    else if (!there && err->code == 0)
        r = error_set(err, E_INVALID, "there is no password on stdin");
    if (r == 0) {
        struct passwords *passwords = passwords_create(1, 0);
        r = password_hash(passwords, str_from(line), ret_text);
        passwords_destroy(passwords);
        if (r != 0)
            error_set(err, r, "the password could not be hashed: %s", error_text(r));
    }
    sodium_memzero(line, sizeof(line));
    return r;
}

/* --- the verbs --- */

static int ask(struct config *config, json_t *request, json_t **ret_answer, struct error *err)
{
    int r = ask_keys(config, request, ret_answer, err);
    json_decref(request);
    return r;
}

static int with_password(struct config *config, const struct asked *asked, const char *command,
                         struct error *err)
{
    char text[PASSWORD_TEXT_MAX];
    json_t *answer = NULL;
    int r = read_password(text, err);
    if (r == 0)
        r = ask(config,
                json_pack("{s:s, s:s, s:s, s:s}", "command", command, "email", asked->email, "name",
                          asked->name, "password", text),
                &answer, err);
    sodium_memzero(text, sizeof(text));
    json_decref(answer);
    return r;
}

static int create(struct config *config, const struct asked *asked, struct error *err)
{
    struct str url = config->admin.url;
    int r = with_password(config, asked, "admin.create", err);
    if (r == 0)
        fprintf(stderr, "weir: %s is an operator; the console is at %" STR_FMT "\n", asked->email,
                STR_ARG(url));
    return r;
}

static int passwd(struct config *config, const struct asked *asked, struct error *err)
{
    int r = with_password(config, asked, "admin.passwd", err);
    if (r == 0)
        fprintf(stderr, "weir: %s has a new password, and is signed out everywhere\n",
                asked->email);
    return r;
}

static int reset_link(struct config *config, const struct asked *asked, struct error *err)
{
    json_t *answer = NULL;
    int r =
        ask(config, json_pack("{s:s, s:s}", "command", "admin.reset_link", "email", asked->email),
            &answer, err);
    if (r != 0)
        return r;
    bool is_operator = json_is_true(json_object_get(answer, "operator"));
    struct str url = is_operator ? config->admin.url : config->portal.url;
    printf("%" STR_FMT "/reset?token=%s\n", STR_ARG(url),
           json_string_value(json_object_get(answer, "token")));
    fprintf(stderr, "weir: with this link %s can set a new password, once, within 24 hours\n",
            asked->email);
    control_wipe(answer);
    return 0;
}

static const struct verb {
    const char *name;
    bool takes_name;
    int (*run)(struct config *config, const struct asked *asked, struct error *err);
} VERBS[] = {
    {"create", true, create},
    {"passwd", false, passwd},
    {"reset-link", false, reset_link},
};

static const struct option OPTIONS[] = {
    OPTIONS_COMMON, {"name", required_argument, NULL, 'n'}, OPTIONS_END};

static int take_email(const struct command *command, const char *text, struct asked *asked)
{
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == '\0' || strlen(text) >= sizeof(asked->email))
        return command_misuse(command, "%s is no e-mail address", text);
    for (size_t i = 0; i <= strlen(text); i++)
        asked->email[i] = str_lower_char(text[i]);
    if (asked->name == NULL)
        asked->name = asked->email;
    return 0;
}

static int find_verb(const struct command *command, int argc, char **argv,
                     const struct verb **ret_verb)
{
    if (optind == argc)
        return command_misuse(command, "say what to do: create, passwd or reset-link");
    for (size_t i = 0; i < ARRAY_LEN(VERBS); i++) {
        if (strcmp(VERBS[i].name, argv[optind]) == 0) {
            *ret_verb = &VERBS[i];
            optind++;
            return 0;
        }
    }
    return command_misuse(command, "%s is none of create, passwd and reset-link", argv[optind]);
}

static int read_command_line(const struct command *command, int argc, char **argv,
                             struct asked *asked, const struct verb **ret_verb)
{
    const struct verb *verb = NULL;
    int r = find_verb(command, argc, argv, &verb);
    if (r == 0)
        r = options_arguments(command, argc, argv, 1, "the e-mail address");
    if (r != 0)
        return r;
    if (asked->name != NULL && !verb->takes_name)
        return command_misuse(command, "`%s` takes no --name", verb->name);
    *ret_verb = verb;
    return take_email(command, argv[optind], asked);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct asked asked = {.config = CONFIG_PATH_DEFAULT};
    struct error err = ERROR_INIT;
    const struct verb *verb = NULL;
    int o;
    while ((o = options_next(command, argc, argv, OPTIONS)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        if (o == OPTIONS_REFUSED)
            return EXIT_MISUSE;
        if (o == 'c')
            asked.config = optarg;
        else if (o == 'n')
            asked.name = optarg;
    }
    int r = read_command_line(command, argc, argv, &asked, &verb);
    if (r != 0)
        return r;
    struct config *config = command_config(asked.config);
    if (config == NULL)
        return EXIT_FAILED;
    r = verb->run(config, &asked, &err);
    config_destroy(config);
    return r == 0 ? EXIT_DONE : command_fail(&err);
}

const struct command command_admin = {
    .name = "admin",
    .synopsis = "create EMAIL | passwd EMAIL | reset-link EMAIL",
    .brief = "Makes operators, and helps people in who forgot their password.",
    .help = OPTIONS_HELP
    "\n"
    "create EMAIL      an account that may use the console\n"
    "      --name TEXT     what people are called; the address by default\n"
    "passwd EMAIL      a new password for any account; it is signed out everywhere\n"
    "reset-link EMAIL  prints a link with which any account can set a new password, once,\n"
    "                  within 24 hours\n"
    "\n"
    "A password is asked for on the terminal, or read as the first line of stdin:\n"
    "  printf '%s\\n' \"$PASSWORD\" | weir admin create you@example.com\n",
    .run = run,
};
