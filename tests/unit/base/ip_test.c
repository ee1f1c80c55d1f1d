/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(str_from(text), &ip), 0);
    return ip;
}

static struct cidr cidr_of(const char *text)
{
    struct cidr cidr;
    if (cidr_parse(str_from(text), &cidr) != 0)
        fail_msg("%s is refused", text);
    return cidr;
}

static void addresses_come_back_in_their_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"10.200.30.4", "10.200.30.4"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        /* RFC 5952 §4.2.2: one zero group alone is not shortened */
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        /* §4.2.3: the longest run, and of equals the first */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"fe80:0000:0000:0000:0204:61ff:fe9d:f156", "fe80::204:61ff:fe9d:f156"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::192.0.2.1", "::c000:201"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[IP_TEXT_MAX];
        size_t n = ip_format(ip_of(cases[i].text), out);
        assert_string_equal(out, cases[i].canonical);
        assert_int_equal(n, strlen(out));
        assert_true(ip_eq(ip_of(out), ip_of(cases[i].text)));
    }
}

static void what_is_no_address_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",           "10",         "10.0.0",
        "10.0.0.256", "010.0.0.1",  "10.0.0.1.",
        "10.0.0.1 ",  " 10.0.0.1",  "10.0.0.1:80",
        "[::1]",      "fe80::1%lo", "1::2::3",
        "12345::",    ":::",        "localhost",
        "0x7f.0.0.1", "10.0.0.1/8", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
    };
    struct ip ip = {{7}}, before = ip;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (ip_parse(str_from(cases[i]), &ip) != E_INVALID)
            fail_msg("\"%s\" is taken", cases[i]);
    }
    assert_int_equal(ip_parse(STR("10.0.0.1\0"), &ip), E_INVALID);
    assert_true(ip_eq(ip, before));
}

static void socket_addresses_of_both_families_are_the_same_client(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(8080)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(8081)};
    struct sockaddr other = {.sa_family = AF_UNIX};
    uint16_t port;
    assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &in.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr), 1);
    struct ip a = ip_from_sockaddr((const struct sockaddr *)&in, &port);
    assert_int_equal(port, 8080);
    struct ip b = ip_from_sockaddr((const struct sockaddr *)&in6, &port);
    assert_int_equal(port, 8081);
    assert_true(ip_eq(a, b));
    assert_true(ip_is_v4(a));
    assert_true(ip_eq(ip_from_sockaddr(&other, &port), ip_of("::")));
    assert_int_equal(port, 0);
}

static void networks_come_back_in_their_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"10.0.0.0/8", "10.0.0.0/8"},       {"10.0.0.1", "10.0.0.1/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},         {"::/0", "::/0"},
        {"2001:DB8::/32", "2001:db8::/32"}, {"::1", "::1/128"},
        {"10.128.0.0/9", "10.128.0.0/9"},   {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"fe80::/10", "fe80::/10"},         {"::ffff:10.0.0.1", "10.0.0.1/32"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[CIDR_TEXT_MAX];
        size_t n = cidr_format(cidr_of(cases[i].text), out);
        assert_string_equal(out, cases[i].canonical);
        assert_int_equal(n, strlen(out));
    }
}

static void what_is_no_network_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "::/129",
        "10.0.0.0/08",
        "10.0.0.0/-1",
        "10.0.0.0/8/",
        "2001:db8::1/32",
        "10.0.0.0/ 8",
        "10/8",
    };
    struct cidr cidr;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (cidr_parse(str_from(cases[i]), &cidr) != E_INVALID)
            fail_msg("\"%s\" is taken", cases[i]);
    }
}

static void a_network_contains_its_own_family_only(void **state)
{
    (void)state;
    static const struct {
        const char *network, *address;
        bool inside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "::1", true},
        {"::/0", "10.0.0.1", false},
        {"10.128.0.0/9", "10.127.255.255", false},
        {"10.128.0.0/9", "10.128.0.0", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.0", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (cidr_contains(cidr_of(cases[i].network), ip_of(cases[i].address)) != cases[i].inside)
            fail_msg("%s and %s", cases[i].network, cases[i].address);
    }
}

static void a_set_is_sorted_and_what_another_contains_is_gone(void **state)
{
    (void)state;
    struct cidr items[] = {
        cidr_of("2001:db8:1::/48"), cidr_of("10.6.6.6"),      cidr_of("192.0.2.0/24"),
        cidr_of("10.0.0.0/8"),      cidr_of("2001:db8::/32"), cidr_of("10.0.0.0/8"),
        cidr_of("10.0.0.0/16"),     cidr_of("9.0.0.0/8"),     cidr_of("192.0.2.128/25"),
    };
    static const char *const want[] = {"9.0.0.0/8", "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"};
    struct cidr_set set = cidr_set_build(items, ARRAY_LEN(items));
    assert_int_equal(set.count, ARRAY_LEN(want));
    for (size_t i = 0; i < set.count; i++) {
        char out[CIDR_TEXT_MAX];
        cidr_format(set.items[i], out);
        assert_string_equal(out, want[i]);
    }
}

static void a_set_names_the_network_that_decided(void **state)
{
    (void)state;
    struct cidr items[] = {cidr_of("10.0.0.0/8"), cidr_of("192.0.2.7"), cidr_of("::1"),
                           cidr_of("2001:db8::/32")};
    struct cidr_set set = cidr_set_build(items, ARRAY_LEN(items));
    static const struct {
        const char *address, *network;
    } cases[] = {
        {"9.255.255.255", NULL},
        {"10.0.0.0", "10.0.0.0/8"},
        {"10.255.255.255", "10.0.0.0/8"},
        {"11.0.0.0", NULL},
        {"192.0.2.6", NULL},
        {"192.0.2.7", "192.0.2.7/32"},
        {"192.0.2.8", NULL},
        {"255.255.255.255", NULL},
        {"::", NULL},
        {"::1", "::1/128"},
        {"::2", NULL},
        {"2001:db8::", "2001:db8::/32"},
        {"2001:db8:ffff::1", "2001:db8::/32"},
        {"2001:db9::", NULL},
        {"ffff::", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct cidr *found = cidr_set_find(&set, ip_of(cases[i].address));
        char out[CIDR_TEXT_MAX] = "none";
        if (found != NULL)
            cidr_format(*found, out);
        assert_string_equal(out, cases[i].network != NULL ? cases[i].network : "none");
    }
    struct cidr_set empty = cidr_set_build(NULL, 0);
    assert_null(cidr_set_find(&empty, ip_of("::1")));
}

/* Small numbers that repeat, so that networks meet; the plain loop over the list is the truth. */
static void a_set_answers_as_the_plain_list_does(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    struct cidr list[60], items[60];
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        struct ip ip = i % 2 == 0 ? ip_of("10.0.0.0") : ip_of("2001::");
        for (size_t k = 13; k < 16; k++) {
            seed = seed * 1664525 + 1013904223;
            ip.b[k] = (unsigned char)(seed >> 24 & 3);
        }
        seed = seed * 1664525 + 1013904223;
        list[i] = items[i] = cidr_make(ip, (uint8_t)(128 - (seed >> 24) % 12));
    }
    struct cidr_set set = cidr_set_build(items, ARRAY_LEN(items));
    unsigned inside = 0;
    for (unsigned n = 0; n < 2 * 5 * 5 * 5; n++) {
        struct ip ip = n % 2 == 0 ? ip_of("10.0.0.0") : ip_of("2001::");
        ip.b[13] = (unsigned char)(n / 2 % 5);
        ip.b[14] = (unsigned char)(n / 10 % 5);
        ip.b[15] = (unsigned char)(n / 50 % 5);
        bool want = false;
        for (size_t i = 0; i < ARRAY_LEN(list); i++)
            want |= cidr_contains(list[i], ip);
        assert_int_equal(cidr_set_find(&set, ip) != NULL, want);
        inside += want;
    }
    assert_in_range(inside, 10, 240);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_come_back_in_their_canonical_form),
        cmocka_unit_test(what_is_no_address_is_refused_and_changes_nothing),
        cmocka_unit_test(socket_addresses_of_both_families_are_the_same_client),
        cmocka_unit_test(networks_come_back_in_their_canonical_form),
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(a_network_contains_its_own_family_only),
        cmocka_unit_test(a_set_is_sorted_and_what_another_contains_is_gone),
        cmocka_unit_test(a_set_names_the_network_that_decided),
        cmocka_unit_test(a_set_answers_as_the_plain_list_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
