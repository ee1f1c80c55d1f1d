/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions as sentences, with the words that the program is shipped with. */
#include "test.h"

#include "portal/explain.h"

#include <jansson.h>

extern const struct embedded_file web_files[];

#define SENTENCE_MAX 512

/* The notes that the policies write (gateway/policy/), each with its words. */
static const struct {
    const char *note, *key, *en, *tr;
} NOTES[] = {
    {"ip_access pass", "ip_access.pass.bare", "The address may call this API.",
     "Adresin bu API'yi çağırmasına izin var."},
    {"ip_access refused level=api list=allow address=192.0.2.1", "ip_access.refused",
     "The address 192.0.2.1 may not call: the allow list decided, at the level api.",
     "192.0.2.1 adresinin çağırmasına izin yok: kararı api düzeyindeki allow listesi verdi."},
    {"ip_access refused level=installation list=deny network=10.0.0.0/8 address=10.1.2.3",
     "ip_access.refused",
     "The address 10.1.2.3 may not call: the deny list decided, at the level installation.",
     "10.1.2.3 adresinin çağırmasına izin yok: kararı installation düzeyindeki deny listesi "
     "verdi."},
    {"consumer_ip pass", "consumer_ip.pass.bare", "The address may call with this key.",
     "Adresin bu anahtarla çağırmasına izin var."},
    {"consumer_ip refused level=key list=allow address=2001:db8::1", "consumer_ip.refused",
     "The address 2001:db8::1 may not call: the allow list decided, at the level key.",
     "2001:db8::1 adresinin çağırmasına izin yok: kararı key düzeyindeki allow listesi verdi."},
    {"key_auth pass key=4fGh81Zq app=orders-k3f9", "key_auth.pass",
     "The key 4fGh81Zq is good and belongs to the app orders-k3f9.",
     "4fGh81Zq anahtarı geçerli, orders-k3f9 uygulamasına ait."},
    {"key_auth refused why=key_missing", "key_auth.refused",
     "The key was not accepted: key_missing.", "Anahtar kabul edilmedi: key_missing."},
    {"key_auth refused why=key_revoked key=4fGh81Zq", "key_auth.refused",
     "The key was not accepted: key_revoked.", "Anahtar kabul edilmedi: key_revoked."},
    {"subscription pass plan=free", "subscription.pass", "The plan free has this API.",
     "free planında bu API var."},
    {"subscription refused plan=free", "subscription.refused",
     "The app has no plan in force with this API. Its plan: free.",
     "Uygulamanın bu API'yi içeren yürürlükte bir planı yok. Planı: free."},
    {"subscription refused plan=", "subscription.refused.bare", "The app has no plan in force.",
     "Uygulamanın yürürlükte bir planı yok."},
    {"body_limit refused bytes=2048 limit=1024", "body_limit.refused",
     "The body has 2048 bytes; 1024 are taken.", "Gövde 2048 bayt; en çok 1024 bayt alınır."},
    {"limits pass", "limits.pass.bare", "The plan has no limits.", "Planın sınırı yok."},
    {"limits pass burst=9/10 month=411/10000", "limits.pass",
     "Within the limits. Left after it: burst 9/10, month 411/10000.",
     "Sınırlar içinde. Bundan sonra kalan: burst 9/10, month 411/10000."},
    {"limits refused by=burst retry_after_s=1 burst=0/10 month=412/10000", "limits.refused",
     "The limit burst was reached. Left: burst 0/10, month 412/10000. Again in 1 s.",
     "burst sınırına ulaşıldı. Kalan: burst 0/10, month 412/10000. 1 sn sonra yeniden "
     "deneyebilirsiniz."},
};

static void assert_sentence(enum locale locale, const char *text, const char *want)
{
    struct words *words = words_load(web_files);
    struct str rest = str_from(text);
    struct trail_note note;
    char room[SENTENCE_MAX];
    struct buf out;
    buf_init_fixed(&out, room, sizeof(room));
    assert_true(trail_next(&rest, &note));
    explain_sentence(&out, words, locale, &note);
    assert_str_equal(buf_str(&out), want);
    words_free(words);
}

static void every_decision_is_a_sentence_in_both_languages(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(NOTES); i++) {
        assert_sentence(LOCALE_EN, NOTES[i].note, NOTES[i].en);
        assert_sentence(LOCALE_TR, NOTES[i].note, NOTES[i].tr);
    }
}

/* Words that no policy leads to are missing where they are looked for, under another name. */
static void all_words_for_decisions_are_those_of_a_policy(void **state)
{
    static const char PREFIX[] = "page.step.";
    const struct embedded_file *file = embedded_find(web_files, STR("messages.en.json"));
    json_t *catalog = json_loadb(file->data.p, file->data.n, 0, NULL), *text;
    const char *key;
    unsigned found = 0;
    (void)state;
    json_object_foreach(catalog, key, text)
    {
        bool used = false;
        if (strncmp(key, PREFIX, sizeof(PREFIX) - 1) != 0)
            continue;
        found++;
        for (size_t i = 0; i < ARRAY_LEN(NOTES); i++)
            used = used || strcmp(key + sizeof(PREFIX) - 1, NOTES[i].key) == 0;
        if (!used)
            fail_msg("no policy leads to %s", key);
    }
    assert_true(found > 0);
    json_decref(catalog);
}

/* Of a policy that has no words, or a trail cut in the middle: no sentence with a hole. */
static void what_the_words_do_not_fit_is_told_by_its_numbers(void **state)
{
    static const struct {
        const char *note, *want;
    } cases[] = {
        {"tomorrow", ""},
        {"tomorrow refused", ""},
        {"tomorrow refused by=luck left=2/3", "by luck, left 2 of 3 left"},
        {"limits refused", ""},
        {"limits refused by=bur", "by bur"},
        {"key_auth pass key=4fGh81Zq", "key 4fGh81Zq"},
        {"key_auth pass key=4fGh81Zq app", "key 4fGh81Zq app"},
        {"ip_access refused level=api list=deny network=10.0.0.0/8", "level api, list deny"},
        {"limits pass burst=9/10 month=411", "Within the limits. Left after it: burst 9/10."},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_sentence(LOCALE_EN, cases[i].note, cases[i].want);
}

/* The networks of an operator's lists. */
static void some_numbers_are_for_operators(void **state)
{
    static const char NUMBERS[] = "level=api list=deny network=10.0.0.0/8 address=10.1.2.3";
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct str numbers = str_from(NUMBERS);
        struct trail_pair pair;
        unsigned count = 0;
        bool network = false;
        for (; explain_pair_next(&numbers, whole != 0, &pair); count++)
            network = network || str_eq(pair.name, STR("network"));
        assert_int_equal(network, whole);
        assert_int_equal(count, whole != 0 ? 4 : 3);
    }
}

static void parts_that_there_were_not_are_not_told(void **state)
{
    struct record record = {.duration_us = 900};
    struct explain_time times[EXPLAIN_TIMES_MAX];
    (void)state;
    assert_int_equal(explain_times(&record, times), 2);
    assert_string_equal(times[0].name, "total");
    assert_string_equal(times[1].name, "gateway");
    assert_int_equal(times[1].us, 900);
    record.queue_us = 100;
    record.upstream = STR("origin");
    record.upstream_us = 600;
    assert_int_equal(explain_times(&record, times), 4);
    assert_string_equal(times[1].name, "queue");
    assert_int_equal(times[2].us, 300);
    assert_string_equal(times[3].name, "upstream");
    assert_int_equal(times[3].us, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_decision_is_a_sentence_in_both_languages),
        cmocka_unit_test(all_words_for_decisions_are_those_of_a_policy),
        cmocka_unit_test(what_the_words_do_not_fit_is_told_by_its_numbers),
        cmocka_unit_test(some_numbers_are_for_operators),
        cmocka_unit_test(parts_that_there_were_not_are_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
