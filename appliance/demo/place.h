/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h -- where the demo lives: a folder, and ports that are free.
 *
 * Threads: the main thread.
 * Memory:  the caller's; folders and files on the disk.
 * Errors:  one sentence.
 */
#ifndef APPLIANCE_DEMO_PLACE_H
#define APPLIANCE_DEMO_PLACE_H

#include "base/error.h"
#include "base/ip.h"

#define PLACE_PATH_MAX 512

struct place {
    char dir[PLACE_PATH_MAX];    /* absolute */
    char config[PLACE_PATH_MAX]; /* dir/weir.yaml */
    bool temporary;              /* place_leave() removes it */
};

/*
 * Makes the folder `dir`, or a temporary one where it is NULL. A folder that is there already is
 * taken when it is empty of a weir.yaml, or has that of an earlier demo.
 */
must_check int place_enter(struct place *place, const char *dir, struct error *err);

/* The first line of the file: by it an earlier demo is known. */
#define PLACE_MARK "# Written by `weir demo`"

/* Writes weir.yaml. */
must_check int place_write(const struct place *place, struct str text, struct error *err);

/* Removes the folder where it is temporary. */
void place_leave(const struct place *place);

/* Where a listener is to be. */
struct place_port {
    struct ip ip;
    uint16_t port;
    bool fixed; /* asked for: not to be replaced by another */
    bool moved; /* set by place_ports(): the port was taken, this is another */
};

/*
 * "ADDRESS", "ADDRESS:PORT", "[::1]:PORT"; the port of `port` stays where none is named, and 0 is
 * any that is free.
 */
must_check int place_port_parse(struct str text, struct place_port *port);

/* Replaces ports in use by free ones. */
void place_ports(struct place_port *ports, unsigned count);

#define PLACE_ADDRESS_MAX (IP_TEXT_MAX + 10)

/* "127.0.0.1:8080", "[::1]:8080". */
void place_address(const struct place_port *port, char out[static PLACE_ADDRESS_MAX]);

/* The same for the kernel; returns its length. */
socklen_t place_sockaddr(const struct place_port *port, struct sockaddr_storage *sa);

#endif
