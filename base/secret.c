/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include "base/crc32.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#define BASE 62

static const struct {
    struct str name, prefix;
} ENVS[] = {
    [KEY_LIVE] = {STR_INIT("live"), STR_INIT("weir_live_")},
    [KEY_TEST] = {STR_INIT("test"), STR_INIT("weir_test_")},
};

struct str key_env_name(enum key_env env)
{
    return ENVS[env].name;
}

int key_env_find(struct str name, enum key_env *ret_env)
{
    for (size_t i = 0; i < ARRAY_LEN(ENVS); i++) {
        if (str_eq(name, ENVS[i].name)) {
            *ret_env = (enum key_env)i;
            return 0;
        }
    }
    return E_INVALID;
}

/* Each digit equally likely: of the 256 values of a byte only the first 4 * 62 are used. */
static void draw_digits(char *out, size_t n)
{
    unsigned char pool[64];
    size_t left = 0;
    while (n > 0) {
        if (left == 0) {
            randombytes_buf(pool, sizeof(pool));
            left = sizeof(pool);
        }
        unsigned char byte = pool[--left];
        if (byte < 256 / BASE * BASE) {
            *out++ = DIGITS[byte % BASE];
            n--;
        }
    }
    sodium_memzero(pool, sizeof(pool));
}

static void write_crc(const char *text, size_t n, char out[static KEY_CRC_LEN])
{
    uint32_t crc = crc32_add(0, text, n);
    for (size_t i = KEY_CRC_LEN; i-- > 0; crc /= BASE)
        out[i] = DIGITS[crc % BASE];
}

void key_generate(enum key_env env, struct key_text *ret_text)
{
    struct str prefix = ENVS[env].prefix;
    char *p = ret_text->p;
    memcpy(p, prefix.p, prefix.n);
    p += prefix.n;
    draw_digits(p, KEY_KID_LEN);
    p += KEY_KID_LEN;
    *p++ = '_';
    draw_digits(p, KEY_SECRET_LEN);
    p += KEY_SECRET_LEN;
    write_crc(ret_text->p, (size_t)(p - ret_text->p), p);
    p[KEY_CRC_LEN] = '\0';
}

void key_text_clear(struct key_text *text)
{
    sodium_memzero(text, sizeof(*text));
}

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], lower = str_lower_char(c);
        if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z'))
            return false;
    }
    return true;
}

enum key_form key_parse(struct str text, struct key_parsed *ret_parsed)
{
    enum key_env env = KEY_LIVE;
    if (str_starts(text, ENVS[KEY_TEST].prefix))
        env = KEY_TEST;
    else if (!str_starts(text, ENVS[KEY_LIVE].prefix))
        return KEY_FOREIGN;
    if (text.n != KEY_TEXT_LEN)
        return KEY_OURS_BROKEN;
    size_t at = ENVS[env].prefix.n;
    struct str kid = str_slice(text, at, at + KEY_KID_LEN);
    at += KEY_KID_LEN;
    if (!all_digits(kid) || text.p[at] != '_' || !all_digits(str_slice(text, at + 1, text.n)))
        return KEY_OURS_BROKEN;
    char crc[KEY_CRC_LEN];
    write_crc(text.p, text.n - KEY_CRC_LEN, crc);
    if (memcmp(crc, text.p + text.n - KEY_CRC_LEN, KEY_CRC_LEN) != 0)
        return KEY_OURS_BROKEN;
    if (ret_parsed != NULL)
        *ret_parsed = (struct key_parsed){.env = env, .kid = kid};
    return KEY_OURS;
}

struct secret_hash secret_hash_make(const struct pepper *pepper, struct str secret)
{
    struct secret_hash hash;
    int r = crypto_generichash(hash.b, sizeof(hash.b), (const unsigned char *)secret.p, secret.n,
                               pepper->b, sizeof(pepper->b));
    CHECK(r == 0);
    return hash;
}

bool secret_hash_eq(const struct secret_hash *a, const struct secret_hash *b)
{
    return sodium_memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static int pepper_read(const char *path, struct pepper *ret_pepper, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT
                   ? E_NOT_FOUND
                   : error_set_errno(err, error_from_errno(errno), errno, "cannot open %s", path);
    struct stat st;
    /* one byte more than a pepper has, so that a longer file is seen */
    unsigned char bytes[sizeof(struct pepper) + 1];
    ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, bytes, sizeof(bytes)) : -1;
    close(fd);
    int r = 0;
    if (n != (ssize_t)sizeof(struct pepper))
        r = error_set(err, E_CORRUPT,
                      "%s is not a file of %zu bytes; put it back from your backup, keys cannot be "
                      "checked without it",
                      path, sizeof(struct pepper));
    else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        r = error_set(err, E_DENIED, "%s may be read by others than its owner; run: chmod 600 %s",
                      path, path);
    else
        memcpy(ret_pepper->b, bytes, sizeof(ret_pepper->b));
    sodium_memzero(bytes, sizeof(bytes));
    return r;
}

/* Writes a drawn pepper to `temp`, whole and on the disk; 0, or a code with errno as it was. */
static int pepper_write_temp(const char *temp)
{
    struct pepper pepper;
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return error_from_errno(errno);
    randombytes_buf(&pepper, sizeof(pepper));
    ssize_t n = write(fd, pepper.b, sizeof(pepper.b));
    sodium_memzero(&pepper, sizeof(pepper));
    int r = 0;
    if (n != (ssize_t)sizeof(pepper.b)) {
        errno = n < 0 ? errno : ENOSPC;
        r = error_from_errno(errno);
    } else if (fsync(fd) != 0) {
        r = error_from_errno(errno);
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return r;
}

/* Makes the file unless another process is faster; either way there is one afterwards. */
static int pepper_create(const char *dir, const char *path, struct error *err)
{
    char temp[PATH_MAX];
    int n = snprintf(temp, sizeof(temp), "%s.%08x", path, randombytes_random());
    if (n < 0 || (size_t)n >= sizeof(temp))
        return error_set(err, E_TOO_LARGE, "the path %s is too long", path);
    int r = pepper_write_temp(temp);
    if (r != 0) {
        r = error_set_errno(err, r, errno, "cannot write %s", temp);
    } else if (link(temp, path) != 0 && errno != EEXIST) { /* unlike rename, never replaces */
        r = error_set_errno(err, error_from_errno(errno), errno, "cannot create %s", path);
    } else {
        int e = file_sync(dir);
        if (e != 0)
            r = error_set(err, error_from_errno(e), "cannot sync the folder %s", dir);
    }
    unlink(temp);
    return r;
}

static bool is_there(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

int pepper_load_beside(const char *dir, const char *file, struct pepper *ret_pepper,
                       struct error *err)
{
    if (is_there(dir, file) && !is_there(dir, "pepper"))
        return error_set(err, E_NOT_FOUND,
                         "%s/pepper is missing, and the keys in %s cannot be checked without it; "
                         "put it back from your backup",
                         dir, file);
    return pepper_load(dir, ret_pepper, err);
}

int pepper_load(const char *dir, struct pepper *ret_pepper, struct error *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/pepper", dir);
    if (n < 0 || (size_t)n >= sizeof(path))
        return error_set(err, E_TOO_LARGE, "the path of the folder %s is too long", dir);
    int r = pepper_read(path, ret_pepper, err);
    if (r != E_NOT_FOUND)
        return r;
    r = pepper_create(dir, path, err);
    if (r != 0)
        return r;
    r = pepper_read(path, ret_pepper, err);
    return r == E_NOT_FOUND ? error_set(err, r, "%s vanished while it was made", path) : r;
}
