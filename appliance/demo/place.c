/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORTS_MAX 8
#define OPEN_FOLDERS 16

/* --- the folder --- */

static int enter_temporary(struct place *place, struct error *err)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] != '/' || strlen(base) > PLACE_PATH_MAX / 2)
        base = "/tmp";
    snprintf(place->dir, sizeof(place->dir), "%s/weir-demo-XXXXXX", base);
    if (mkdtemp(place->dir) == NULL) {
        int e = errno;
        return error_set_errno(err, error_from_errno(e), e,
                               "no temporary folder for the demo can be made in %s", base);
    }
    place->temporary = true;
    return 0;
}

/* Whether the file there is none, or one that a demo wrote. */
static bool may_replace(const char *path)
{
    char line[sizeof(PLACE_MARK)] = "";
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return errno == ENOENT;
    size_t n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    return str_eq(str_make(line, n), STR(PLACE_MARK));
}

static int enter_named(struct place *place, const char *dir, struct error *err)
{
    char absolute[PATH_MAX];
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        int e = errno;
        return error_set_errno(err, error_from_errno(e), e, "the folder %s cannot be made", dir);
    }
    if (realpath(dir, absolute) == NULL) {
        int e = errno;
        return error_set_errno(err, error_from_errno(e), e, "the folder %s cannot be used", dir);
    }
    if (!str_copy(str_from(absolute), place->dir, PLACE_PATH_MAX / 2))
        return error_set(err, E_RANGE, "the path %s is too long for the demo", absolute);
    place->temporary = false;
    return 0;
}

int place_enter(struct place *place, const char *dir, struct error *err)
{
    int r = dir != NULL ? enter_named(place, dir, err) : enter_temporary(place, err);
    if (r != 0)
        return r;
    int n = snprintf(place->config, sizeof(place->config), "%s/weir.yaml", place->dir);
    CHECK(n > 0 && (size_t)n < sizeof(place->config));
    if (!may_replace(place->config))
        return error_set(err, E_EXISTS,
                         "%s was not written by a demo and is left as it is; name another --dir",
                         place->config);
    return 0;
}

int place_write(const struct place *place, struct str text, struct error *err)
{
    FILE *f = fopen(place->config, "we");
    bool written = f != NULL && fwrite(text.p, 1, text.n, f) == text.n;
    int e = errno;
    if (f != NULL && fclose(f) != 0) {
        written = false;
        e = errno;
    }
    if (!written)
        return error_set_errno(err, error_from_errno(e), e, "%s cannot be written", place->config);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

void place_leave(const struct place *place)
{
    if (place->temporary)
        nftw(place->dir, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* --- the ports --- */

int place_port_parse(struct str text, struct place_port *port)
{
    char with_port[64];
    struct ip ip;
    uint16_t number;
    if (ip_port_parse(text, &ip, &number) == 0) {
        *port = (struct place_port){.ip = ip, .port = number, .fixed = number != 0};
        return 0;
    }
    if (ip_parse(text, &port->ip) == 0)
        return 0;
    /* a name that may stand before a port */
    snprintf(with_port, sizeof(with_port), "%" STR_FMT ":1", STR_ARG(str_slice(text, 0, 40)));
    return ip_port_parse(str_from(with_port), &port->ip, &number);
}

socklen_t place_sockaddr(const struct place_port *port, struct sockaddr_storage *sa)
{
    *sa = (struct sockaddr_storage){.ss_family = AF_INET6};
    if (ip_is_v4(port->ip)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port->port);
        memcpy(&v4->sin_addr, port->ip.b + 12, 4);
        return sizeof(*v4);
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;
    v6->sin6_port = htons(port->port);
    memcpy(&v6->sin6_addr, port->ip.b, 16);
    return sizeof(*v6);
}

/* A socket bound there, which holds the port; -1 where it is in use. */
static int hold(struct place_port *port)
{
    struct sockaddr_storage sa;
    socklen_t size = place_sockaddr(port, &sa);
    int one = 1, fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* as the server will: what is left of closed connections does not count */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&sa, size) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &size) != 0) {
        close(fd);
        return -1;
    }
    ip_from_sockaddr((struct sockaddr *)&sa, &port->port);
    return fd;
}

void place_ports(struct place_port *ports, unsigned count)
{
    int held[PORTS_MAX];
    CHECK(count <= PORTS_MAX);
    for (unsigned i = 0; i < count; i++) {
        held[i] = ports[i].fixed ? -1 : hold(&ports[i]);
        if (held[i] >= 0 || ports[i].fixed)
            continue;
        uint16_t wanted = ports[i].port;
        ports[i].port = 0;
        held[i] = hold(&ports[i]);
        ports[i].moved = held[i] >= 0;
        if (!ports[i].moved)
            ports[i].port = wanted; /* not the port is the trouble: the start will tell */
    }
    for (unsigned i = 0; i < count; i++) {
        if (held[i] >= 0)
            close(held[i]);
    }
}

void place_address(const struct place_port *port, char out[static PLACE_ADDRESS_MAX])
{
    char ip[IP_TEXT_MAX];
    bool six = !ip_is_v4(port->ip);
    ip_format(port->ip, ip);
    snprintf(out, PLACE_ADDRESS_MAX, "%s%s%s:%u", six ? "[" : "", ip, six ? "]" : "",
             (unsigned)port->port);
}
