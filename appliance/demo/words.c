/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/words.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void words_quote(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+:@%,";
    if (text[0] != '\0' && strspn(text, plain) == strlen(text)) {
        buf_add_cstr(out, text);
        return;
    }
    buf_add_char(out, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            buf_add_lit(out, "'\\''");
        else
            buf_add_char(out, *p);
    }
    buf_add_char(out, '\'');
}

static bool is_file(const char *path, const struct stat *file)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* Whether a shell that is told `name` would run that file. */
static bool path_finds(const char *name, const struct stat *file)
{
    struct str rest = str_from(getenv("PATH"));
    while (rest.p != NULL) {
        char candidate[PATH_MAX];
        struct str dir = str_cut(&rest, ':');
        int n = snprintf(candidate, sizeof(candidate), "%" STR_FMT "/%s", STR_ARG(dir), name);
        if (dir.n > 0 && n > 0 && (size_t)n < sizeof(candidate) && access(candidate, X_OK) == 0)
            return is_file(candidate, file);
    }
    return false;
}

bool words_program(struct buf *out)
{
    char exe[PATH_MAX] = "", here[PATH_MAX];
    struct stat file;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    const char *slash = strrchr(exe, '/');
    if (n <= 0 || slash == NULL || stat(exe, &file) != 0 || path_finds(slash + 1, &file)) {
        words_quote(out, slash != NULL ? slash + 1 : "weir");
        return false;
    }
    size_t length = getcwd(here, sizeof(here)) != NULL ? strlen(here) : 0;
    if (length > 1 && strncmp(exe, here, length) == 0 && exe[length] == '/') {
        bool below = strchr(exe + length + 1, '/') != NULL;
        buf_add_cstr(out, below ? "" : "./"); /* else it would be looked for in the PATH */
        words_quote(out, exe + length + 1);
        return true;
    }
    words_quote(out, exe);
    return false;
}

void words_proxy(struct buf *out)
{
    static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            buf_add_lit(out, " --noproxy '*'");
            return;
        }
    }
}

/* "client-ip client-port server-ip server-port" (sshd). */
bool words_ssh(struct buf *out)
{
    struct str rest = str_from(getenv("SSH_CONNECTION")), parts[4];
    uint64_t port;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        parts[i] = rest.p != NULL ? str_cut(&rest, ' ') : STR_EMPTY;
    char host[64];
    if (str_to_u64(parts[3], 1, UINT16_MAX, &port) != 0 || parts[2].n == 0 ||
        !str_copy(parts[2], host, sizeof(host)))
        return false;
    /* cppcheck-suppress getpwuidCalled -- one thread asks, once */
    char room[1024];
    struct passwd entry, *user = NULL;
    if (getpwuid_r(getuid(), &entry, room, sizeof(room), &user) != 0)
        user = NULL; /* then the client's own name is right as often as not */
    if (port != 22)
        buf_printf(out, "-p %u ", (unsigned)port);
    if (user != NULL) {
        words_quote(out, user->pw_name);
        buf_add_char(out, '@');
    }
    words_quote(out, host);
    return true;
}
