/* SPDX-License-Identifier: Apache-2.0 */
#include "base/curl.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define WAIT_MS 1000 /* between two looks where nothing happens; a cancel ends the wait at once */

struct fetch_client {
    CURL *easy;
    CURLM *multi;          /* holds the kept connection; its poll can be woken from outside */
    _Atomic bool canceled; /* set by any thread, release; pairs with the acquire in transfer() */
    struct buf *body;      /* of the running request; may be NULL */
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_init(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int fetch_client_create(struct fetch_client **ret_client, struct error *err)
{
    pthread_once(&global_once, global_init);
    if (global_result != CURLE_OK)
        return error_set(err, E_UNAVAILABLE, "libcurl cannot be used: %s",
                         curl_easy_strerror(global_result));
    struct fetch_client *client = calloc(1, sizeof(*client));
    CHECK(client != NULL);
    client->easy = curl_easy_init();
    client->multi = curl_multi_init();
    if (client->easy == NULL || client->multi == NULL) {
        fetch_client_destroy(client);
        return error_set(err, E_NOMEM, "libcurl cannot be used: out of memory");
    }
    *ret_client = client;
    return 0;
}

void fetch_client_destroy(struct fetch_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    free(client);
}

void fetch_cancel(struct fetch_client *client)
{
    atomic_store_explicit(&client->canceled, true, memory_order_release);
    curl_multi_wakeup(client->multi);
}

static int code_of(CURLcode rc)
{
    /* of the hundred codes of libcurl, those that someone acts on */
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return E_TIMEOUT;
    if (rc == CURLE_COULDNT_CONNECT)
        return E_REFUSED;
    if (rc == CURLE_COULDNT_RESOLVE_HOST)
        return E_NOT_FOUND;
    if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL)
        return E_INVALID;
    if (rc == CURLE_SEND_ERROR || rc == CURLE_RECV_ERROR || rc == CURLE_GOT_NOTHING ||
        rc == CURLE_PARTIAL_FILE)
        return E_RESET;
    if (rc == CURLE_LOGIN_DENIED)
        return E_DENIED;
    return rc == CURLE_OUT_OF_MEMORY ? E_NOMEM : E_IO;
}

/* Called by libcurl with pieces of the answer's body. */
static size_t take_body(char *p, size_t size, size_t count, void *ctx)
{
    struct buf *body = ((struct fetch_client *)ctx)->body;
    size_t n = size * count;
    if (body != NULL)
        buf_add(body, p, n < body->max - body->n ? n : body->max - body->n);
    return n;
}

static long ms_of(int64_t us)
{
    /* 0 would mean: no limit */
    return us < US_PER_MS ? 1 : (long)(us / US_PER_MS);
}

static struct curl_slist *header_list(const struct fetch_request *request)
{
    /* a server that does not know `Expect: 100-continue` would cost a second of waiting */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < request->header_count && list != NULL; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (longer == NULL)
            curl_slist_free_all(list);
        list = longer;
    }
    CHECK(list != NULL);
    return list;
}

/* What holds for every transfer. */
static void set_common(struct fetch_client *client, const char *url, const char *protocols,
                       int64_t timeout_us)
{
    CURL *easy = client->easy;
    curl_easy_reset(easy); /* the connection stays */
    client->error[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms_of(timeout_us));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* a name server that is silent holds up neither a cancel nor the end of the time: libcurl's
     * thread that asks it is left to itself */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* also switches off those of the environment */
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
}

static void set_up(struct fetch_client *client, const struct fetch_request *request,
                   struct curl_slist *headers)
{
    CURL *easy = client->easy;
    int64_t connect_us =
        request->connect_timeout_us > 0 ? request->connect_timeout_us : request->timeout_us;
    set_common(client, request->url, "http,https", request->timeout_us);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (request->body.n > 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.p);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    }
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms_of(connect_us));
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
}

/* What became of the one transfer there is; false while it goes on. */
static bool transfer_ended(struct fetch_client *client, CURLcode *ret_result)
{
    int left;
    for (CURLMsg *m = curl_multi_info_read(client->multi, &left); m != NULL;
         m = curl_multi_info_read(client->multi, &left)) {
        if (m->msg == CURLMSG_DONE) {
            *ret_result = m->data.result;
            return true;
        }
    }
    return false;
}

/* Runs the transfer. 0 with libcurl's result, or E_CANCELED. */
static int transfer(struct fetch_client *client, CURLcode *ret_result)
{
    int running;
    CURLMcode rc = curl_multi_add_handle(client->multi, client->easy);
    *ret_result = CURLE_FAILED_INIT;
    int r = 0;
    while (rc == CURLM_OK) {
        if (atomic_load_explicit(&client->canceled, memory_order_acquire)) {
            r = E_CANCELED;
            break;
        }
        rc = curl_multi_perform(client->multi, &running);
        if (transfer_ended(client, ret_result))
            break;
        if (rc == CURLM_OK)
            rc = curl_multi_poll(client->multi, NULL, 0, WAIT_MS, NULL);
    }
    curl_multi_remove_handle(client->multi, client->easy);
    return r;
}

static void read_response(struct fetch_client *client, struct fetch_response *response)
{
    long status = 0;
    curl_off_t retry_after = 0;
    char *type = NULL;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(client->easy, CURLINFO_CONTENT_TYPE, &type);
    response->status = (unsigned)status;
    response->retry_after_us =
        retry_after > INT64_MAX / US_PER_S ? INT64_MAX : retry_after * US_PER_S;
    str_copy(str_from(type), response->type, sizeof(response->type));
}

/* The sentence and code of a transfer that came to nothing. */
static int explain(struct fetch_client *client, const char *url, int r, CURLcode result,
                   struct error *err)
{
    if (r != 0)
        return error_set(err, r, "%s: canceled", url);
    return error_set(err, code_of(result), "%s: %s", url,
                     client->error[0] != '\0' ? client->error : curl_easy_strerror(result));
}

int fetch(struct fetch_client *client, const struct fetch_request *request,
          struct fetch_response *ret_response, struct buf *body, struct error *err)
{
    struct curl_slist *headers = header_list(request);
    CURLcode result;
    client->body = body;
    set_up(client, request, headers);
    int r = transfer(client, &result);
    if (r == 0 && result == CURLE_OK)
        read_response(client, ret_response);
    else
        r = explain(client, request->url, r, result, err);
    /* what it borrowed ends here */
    curl_easy_reset(client->easy);
    curl_slist_free_all(headers);
    client->body = NULL;
    return r;
}

/* --- mail --- */

/* Called by libcurl for the next piece of the mail. */
static size_t give_text(char *to, size_t size, size_t count, void *ctx)
{
    struct str *left = ctx;
    size_t n = size * count < left->n ? size * count : left->n;
    if (n > 0)
        memcpy(to, left->p, n);
    *left = str_slice(*left, n, left->n);
    return n;
}

static void set_up_mail(struct fetch_client *client, const struct fetch_mail *mail,
                        struct curl_slist *readers, struct str *left)
{
    CURL *easy = client->easy;
    set_common(client, mail->url, "smtp,smtps", mail->timeout_us);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, readers);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_text);
    curl_easy_setopt(easy, CURLOPT_READDATA, left);
    if (mail->must_encrypt)
        curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    if (mail->username != NULL) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, mail->username);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password);
    }
}

int fetch_mail_send(struct fetch_client *client, const struct fetch_mail *mail,
                    unsigned *ret_status, struct error *err)
{
    struct curl_slist *readers = curl_slist_append(NULL, mail->to);
    struct str left = mail->text;
    long status = 0;
    CURLcode result;
    CHECK(readers != NULL);
    set_up_mail(client, mail, readers, &left);
    int r = transfer(client, &result);
    if (r != 0 || result != CURLE_OK)
        r = explain(client, mail->url, r, result, err);
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    *ret_status = (unsigned)status;
    curl_easy_reset(client->easy);
    curl_slist_free_all(readers);
    return r;
}
