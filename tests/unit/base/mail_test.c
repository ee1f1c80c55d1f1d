/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/mail.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void addresses_are_told_from_what_is_none(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a@b", "ada@example.com", "a.b+c@x-y.example", A64 "@example.com", "o'hara@example.ie",
    };
    static const char *const bad[] = {
        "",
        "@",
        "a@",
        "@b",
        "a",
        "a@b@c",
        "a b@c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a@b.",
        "a@.b",
        "a@b..c",
        "a@-b",
        "a@b-",
        "a@b c",
        "a@b\r\nRCPT TO:<x@y>",
        "a\"b@c",
        "<a@b>",
        "a@[127.0.0.1]",
        "a@b_c",
        A64 "a@example.com",
        "a@" A64 ".example",
        "ş@example.com",
        "a@şirket.example",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (mail_address_fault(str_from(good[i])) != NULL)
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (mail_address_fault(str_from(bad[i])) == NULL)
            fail_msg("%s", bad[i]);
    assert_non_null(mail_address_fault(str_make("a\0b@c", 5)));
}

static struct mail a_mail(void)
{
    return (struct mail){.id = STR("0192"),
                         .date = wall_from_civil(2026, 11, 24),
                         .from = STR("weir@example.com"),
                         .from_name = STR("Acme \"APIs\""),
                         .to = STR("ada@example.org"),
                         .to_name = STR("Ada"),
                         .subject = STR("Confirm your address"),
                         .text = STR("Hello\n.\nx = y \nend")};
}

static void a_mail_is_written_with_its_head(void **state)
{
    (void)state;
    struct mail mail = a_mail();
    struct buf out;
    buf_init(&out, 4096);
    mail_write(&out, &mail);
    assert_string_equal(buf_cstr(&out), "Date: Tue, 24 Nov 2026 00:00:00 +0000\r\n"
                                        "From: \"Acme \\\"APIs\\\"\"\r\n <weir@example.com>\r\n"
                                        "To: \"Ada\"\r\n <ada@example.org>\r\n"
                                        "Subject: Confirm your address\r\n"
                                        "Message-ID: <0192@example.com>\r\n"
                                        "Auto-Submitted: auto-generated\r\n"
                                        "MIME-Version: 1.0\r\n"
                                        "Content-Type: text/plain; charset=utf-8\r\n"
                                        "Content-Transfer-Encoding: quoted-printable\r\n"
                                        "\r\n"
                                        "Hello\r\n.\r\nx =3D y=20\r\nend\r\n");
    buf_free(&out);
}

/* Whatever the words: lines end with CRLF, are short and ASCII, and the head has its own fields. */
static void expect_lines(struct str s)
{
    size_t begin = 0, fields = 0;
    bool head = true;
    for (size_t i = 0; i < s.n; i++) {
        assert_true((unsigned char)s.p[i] < 0x7f);
        assert_true(s.p[i] != '\n' || (i > 0 && s.p[i - 1] == '\r'));
        if (s.p[i] != '\n')
            continue;
        assert_true(i - begin <= 78);
        head = head && i - begin > 1;
        fields += head && s.p[begin] != ' ' ? 1 : 0;
        begin = i + 1;
    }
    assert_int_equal(begin, s.n);
    assert_int_equal(fields, 9);
}

#define LONG A64 A64 A64
#define STRAY "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
#define NOT_UTF8 "\xff\xfe not UTF-8 " STRAY STRAY STRAY STRAY

static void no_word_breaks_the_lines(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",
        "x\r\nBcc: eve@example.com",
        "Çok uzun bir başlık: ığüşöçİ ığüşöçİ ığüşöçİ ığüşöçİ ığüşöç",
        "=?UTF-8?Q?x?=",
        "مرحبا بالعالم مرحبا بالعالم مرحبا بالعالم مرحبا",
        "a\tb\x7f",
        LONG,
        NOT_UTF8,
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct mail mail = a_mail();
        struct buf out;
        buf_init(&out, 64U << 10);
        mail.from_name = mail.to_name = mail.subject = mail.text = str_from(words[i]);
        mail_write(&out, &mail);
        expect_lines(buf_str(&out));
        buf_free(&out);
    }
}

static void other_letters_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct mail mail = a_mail();
    struct buf out;
    buf_init(&out, 4096);
    mail.subject = STR("Şifre");
    mail.text = STR("ş");
    mail_write(&out, &mail);
    assert_true(str_find(buf_str(&out), STR("Subject: =?UTF-8?B?xZ5pZnJl?=\r\n")) < out.n);
    assert_true(str_ends(buf_str(&out), STR("\r\n\r\n=C5=9F\r\n")));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_told_from_what_is_none),
        cmocka_unit_test(a_mail_is_written_with_its_head),
        cmocka_unit_test(no_word_breaks_the_lines),
        cmocka_unit_test(other_letters_come_out_as_they_went_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
