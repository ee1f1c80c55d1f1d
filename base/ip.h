/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ip.h -- addresses of both families as one type, and sets of networks.
 *
 * An IPv4 address is kept in its mapped form (::ffff:a.b.c.d, RFC 4291 §2.5.5.2), so that a client
 * seen through a dual-stack socket is the same client.
 *
 * Threads: pure functions; a built set never changes.
 * Memory:  a set borrows the array it was built over (usually an arena's).
 * Errors:  parsers return E_INVALID.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/str.h"

#include <sys/socket.h>

#define IP_TEXT_MAX 46 /* the longest text with its NUL */
#define CIDR_TEXT_MAX 50

struct ip {
    unsigned char b[16];
};

bool ip_is_v4(struct ip ip);
bool ip_eq(struct ip a, struct ip b);

/* "10.0.0.1", "2001:db8::1"; a zone, a port or a leading zero in a dotted part is refused. */
must_check int ip_parse(struct str s, struct ip *ret_ip);

/* RFC 5952 text; IPv4 in dotted form. Returns the length. */
size_t ip_format(struct ip ip, char out[static IP_TEXT_MAX]);

/* Address and port of a socket address; another family gives :: and 0. */
struct ip ip_from_sockaddr(const struct sockaddr *sa, uint16_t *ret_port);

/*
 * Where to listen or connect: "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (127.0.0.1). Other
 * names are refused; port 0 is taken. 0 or E_INVALID.
 */
must_check int ip_port_parse(struct str s, struct ip *ret_ip, uint16_t *ret_port);

/* 127.0.0.0/8 and ::1. */
bool ip_is_loopback(struct ip ip);

/* 0.0.0.0 and ::, which stand for all interfaces. */
bool ip_is_unspecified(struct ip ip);

/* A network: an address and how many of its 128 bits count. */
struct cidr {
    struct ip ip; /* bits past the prefix are 0 */
    uint8_t prefix;
};

/*
 * "10.0.0.0/8", "10.0.0.1" (a /32), "2001:db8::/32". Bits set past the prefix ("10.0.0.1/8") are
 * refused: either the address or the length is a mistake.
 */
must_check int cidr_parse(struct str s, struct cidr *ret_cidr);
size_t cidr_format(struct cidr cidr, char out[static CIDR_TEXT_MAX]);

/* The network of that many bits (of 128) that ip lies in: the bits past the prefix are cleared. */
struct cidr cidr_make(struct ip ip, uint8_t prefix);

/* Families stay apart: "::/0" is every IPv6 address and no IPv4 one, though the mapped form is
 * inside. */
bool cidr_contains(struct cidr cidr, struct ip ip);

/*
 * A set of networks, sorted and with what another contains removed: one binary search answers.
 * `index` of the deciding network is given back so that an explanation can name it.
 */
struct cidr_set {
    const struct cidr *items;
    size_t count;
};

/* Sorts and prunes `items` in place. The set borrows them. */
struct cidr_set cidr_set_build(struct cidr *items, size_t count);

/* The network of the set that contains ip; NULL where there is none. */
const struct cidr *cidr_set_find(const struct cidr_set *set, struct ip ip);

#endif
