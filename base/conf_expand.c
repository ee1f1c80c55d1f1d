/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf_internal.h"

#include "base/error.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 4096

bool conf_is_inserted(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && str_find(node->text, STR("${")) < node->text.n;
}

static bool put_env(struct conf *conf, const struct yaml_node *node, struct str name,
                    struct buf *out)
{
    char text[256];
    const char *value = str_copy(name, text, sizeof(text)) ? getenv(text) : NULL;
    if (value == NULL) {
        conf_fault(conf, node, "the environment variable `%" STR_FMT "` is not set", STR_ARG(name));
        return false;
    }
    buf_add_cstr(out, value);
    return true;
}

/* The path as the process can open it; false when it is too long or holds a NUL. */
static bool resolve(const char *folder, struct str path, char out[static PATH_BYTES_MAX])
{
    bool absolute = str_starts(path, STR("/"));
    int n = snprintf(out, PATH_BYTES_MAX, "%s%s%" STR_FMT, absolute ? "" : folder,
                     absolute ? "" : "/", STR_ARG(path));
    return n > 0 && n < PATH_BYTES_MAX;
}

/* The whole of an open file into the room there is. 0 or an errno. */
static int read_all(int fd, struct buf *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    for (;;) {
        ssize_t n = read(fd, out->p + out->n, out->cap - out->n);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n == 0)
            return out->n < out->cap ? 0 : EFBIG;
        if (n > 0)
            buf_advance(out, (size_t)n);
    }
}

static bool put_file(struct conf *conf, const struct yaml_node *node, struct str path,
                     struct buf *out)
{
    char text[PATH_BYTES_MAX];
    size_t before = out->n;
    if (path.n == 0 || !resolve(conf->folder, path, text)) {
        conf_fault(conf, node, "${file:PATH} needs a path");
        return false;
    }
    /* not to hang on a named pipe: only regular files are read */
    int fd = open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int saved = fd < 0 ? errno : read_all(fd, out);
    if (fd >= 0)
        close(fd);
    if (saved != 0) {
        char why[128];
        conf_fault(conf, node, "cannot read `%s`: %s", text,
                   saved == EINVAL ? "not a regular file" : strerror_r(saved, why, sizeof(why)));
        return false;
    }
    if (out->n > before && out->p[out->n - 1] == '\n')
        out->n--;
    if (out->n > before && out->p[out->n - 1] == '\r')
        out->n--;
    return true;
}

/* One ${...}: what stands between the braces. */
static bool put_insertion(struct conf *conf, const struct yaml_node *node, struct str inside,
                          struct buf *out)
{
    if (str_starts(inside, STR("env:")))
        return put_env(conf, node, str_slice(inside, 4, inside.n), out);
    if (str_starts(inside, STR("file:")))
        return put_file(conf, node, str_slice(inside, 5, inside.n), out);
    conf_fault(conf, node,
               "`${%" STR_FMT "}` is unknown; write ${env:NAME} or ${file:PATH}, or $${ for the "
               "characters themselves",
               STR_ARG(inside));
    return false;
}

static bool put_all(struct conf *conf, const struct yaml_node *node, struct buf *out)
{
    struct str rest = node->text;
    while (rest.n > 0) {
        size_t dollar = str_find(rest, STR("${"));
        if (dollar > 0 && dollar < rest.n && rest.p[dollar - 1] == '$') {
            buf_add(out, rest.p, dollar - 1);
            buf_add_lit(out, "${");
            rest = str_slice(rest, dollar + 2, rest.n);
            continue;
        }
        buf_add(out, rest.p, dollar);
        if (dollar == rest.n)
            break;
        size_t end = str_find_char(rest, '}', dollar);
        if (end == rest.n) {
            conf_fault(conf, node, "`${` without its `}`; write $${ for the characters themselves");
            return false;
        }
        if (!put_insertion(conf, node, str_slice(rest, dollar + 2, end), out))
            return false;
        rest = str_slice(rest, end + 1, rest.n);
    }
    return true;
}

bool conf_expand(struct conf *conf, const struct yaml_node *node, struct str *ret_text)
{
    struct buf out;
    struct str text = STR_EMPTY;
    /* all room at once: it may be a secret, and a buffer that grows leaves copies behind */
    buf_init(&out, conf_is_inserted(node) ? LIMIT_CONFIG_TEXT_BYTES + 1 : node->text.n + 1);
    bool good = buf_reserve(&out, out.max) != NULL;
    if (!good)
        conf_no_room(conf);
    good = good && put_all(conf, node, &out);
    if (good && (buf_finish(&out) != 0 || out.n > LIMIT_CONFIG_TEXT_BYTES)) {
        conf_fault(conf, node, "longer than %u KiB", LIMIT_CONFIG_TEXT_BYTES >> 10);
        good = false;
    }
    if (good && !str_is_utf8(buf_str(&out))) {
        conf_fault(conf, node, "what is inserted is not UTF-8");
        good = false;
    }
    if (good) {
        text = arena_dup(conf->arena, buf_str(&out));
        good = text.p != NULL;
        if (!good)
            conf_no_room(conf);
    }
    if (out.p != NULL)
        explicit_bzero(out.p, out.n);
    buf_free(&out);
    if (good)
        *ret_text = text;
    return good;
}
