/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/options.h"
#include "appliance/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A file that could not be written whole is taken away: it would pass for a good one. */
static int fill(int fd, const char *path, struct error *err)
{
    struct str rest = starter_text;
    while (rest.n > 0) {
        ssize_t n = write(fd, rest.p, rest.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int e = n < 0 ? errno : ENOSPC;
            unlink(path);
            return error_set_errno(err, error_from_errno(e), e, "%s cannot be written", path);
        }
        rest = str_slice(rest, (size_t)n, rest.n);
    }
    return 0;
}

static int write_starter(const char *path, struct error *err)
{
    /* secrets may be put in later: for this user alone */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        int e = errno;
        if (e == EEXIST)
            return error_set(err, E_EXISTS,
                             "%s exists already and is left as it is; name another file", path);
        return error_set_errno(err, error_from_errno(e), e, "%s cannot be made", path);
    }
    int r = fill(fd, path, err);
    if (close(fd) != 0 && r == 0) {
        r = error_set_errno(err, E_IO, errno, "%s cannot be written", path);
        unlink(path);
    }
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, OPTIONS_END};
    const char *path = CONFIG_PATH_DEFAULT;
    struct error err = ERROR_INIT;
    int o;
    while ((o = options_next(command, argc, argv, options)) != OPTIONS_DONE) {
        if (o == 'h')
            return command_help(command);
        if (o == OPTIONS_REFUSED)
            return EXIT_MISUSE;
        path = optarg; /* -c FILE names it as well */
    }
    if (optind < argc)
        path = argv[optind++];
    if (optind < argc)
        return command_misuse(command, "unexpected argument %s", argv[optind]);
    if (write_starter(path, &err) != 0)
        return command_fail(&err);
    fprintf(stderr,
            "weir: %s is written. Next:\n"
            "  edit %s            put your server under `upstreams`\n"
            "  weir check -c %s   says what is wrong, and where\n"
            "  weir serve -c %s   runs it\n",
            path, path, path, path);
    return EXIT_DONE;
}

const struct command command_init = {
    .name = "init",
    .synopsis = "[FILE]",
    .brief = "Writes a commented configuration to begin with.",
    .help = "FILE is weir.yaml where none is named. A file that exists is never overwritten.\n",
    .run = run,
};
