/* SPDX-License-Identifier: Apache-2.0 */
/* What the bookshop answers. */
#include "appliance/demo/sample_call.h"
#include "base/jsonw.h"

#include <jansson.h>

#define ORDER_BYTES_MAX 4096
#define ORDER_QUANTITY_MAX 100
#define EVENTS 20
#define EVENT_EVERY_US (250 * US_PER_MS)
#define ARCHIVE_LINE 32 /* bytes, each line alike: so the length is known before the first */
#define ARCHIVE_LINES 65536
#define ARCHIVE_LINES_AT_ONCE 512

struct book {
    const char *title, *author;
    unsigned year, cents;
};

static const struct book BOOKS[] = {
    {"Middlemarch", "George Eliot", 1871, 1450},
    {"Moby-Dick", "Herman Melville", 1851, 1290},
    {"Pride and Prejudice", "Jane Austen", 1813, 990},
    {"Frankenstein", "Mary Shelley", 1818, 850},
    {"Walden", "Henry David Thoreau", 1854, 1100},
    {"The Time Machine", "H. G. Wells", 1895, 790},
    {"Twenty Thousand Leagues Under the Seas", "Jules Verne", 1870, 1350},
    {"Notes from Underground", "Fyodor Dostoevsky", 1864, 890},
    {"The Wind in the Willows", "Kenneth Grahame", 1908, 950},
    {"On the Origin of Species", "Charles Darwin", 1859, 1690},
    {"The Water-Babies", "Charles Kingsley", 1863, 820},
    {"Three Men in a Boat", "Jerome K. Jerome", 1889, 880},
};

static const struct book *book_find(struct str id, unsigned *ret_id)
{
    uint64_t number;
    if (str_to_u64(id, 1, ARRAY_LEN(BOOKS), &number) != 0)
        return NULL;
    *ret_id = (unsigned)number;
    return &BOOKS[number - 1];
}

static void write_book(struct jsonw *w, unsigned id)
{
    const struct book *book = &BOOKS[id - 1];
    jsonw_object(w);
    jsonw_key(w, "id"), jsonw_u64(w, id);
    jsonw_key(w, "title"), jsonw_cstr(w, book->title);
    jsonw_key(w, "author"), jsonw_cstr(w, book->author);
    jsonw_key(w, "year"), jsonw_u64(w, book->year);
    jsonw_key(w, "price"), jsonw_double(w, book->cents / 100.0);
    jsonw_end(w);
}

/* Sends what was written, with the newline that a terminal likes. */
static void send_json(struct sample_call *call, unsigned status, struct buf *json)
{
    buf_add_char(json, '\n');
    if (buf_finish(json) == 0)
        sample_json(call, status, buf_str(json));
    else
        sample_problem(call, 500, STR("The answer became too long."));
    buf_free(json);
}

void sample_books(struct sample_call *call)
{
    struct buf json;
    struct jsonw w;
    sample_dawdle(call, 2 * US_PER_MS, 8 * US_PER_MS, 8);
    buf_init(&json, HTTP_ARENA_BYTES);
    jsonw_init(&w, &json);
    jsonw_array(&w);
    for (unsigned id = 1; id <= ARRAY_LEN(BOOKS); id++)
        write_book(&w, id);
    jsonw_end(&w);
    send_json(call, 200, &json);
}

void sample_book(struct sample_call *call)
{
    struct buf json;
    struct jsonw w;
    unsigned id;
    sample_dawdle(call, US_PER_MS, 5 * US_PER_MS, 6);
    if (book_find(call->param, &id) == NULL) {
        sample_problem(call, 404, STR("There is no such book; they are numbered from 1 to 12."));
        return;
    }
    buf_init(&json, HTTP_ARENA_BYTES);
    jsonw_init(&w, &json);
    write_book(&w, id);
    send_json(call, 200, &json);
}

/* --- search --- */

static bool contains_nocase(struct str text, struct str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++) {
        if (str_eq_nocase(str_slice(text, i, i + part.n), part))
            return true;
    }
    return false;
}

/* The value of `q`; not decoded, as no title of ours needs it. */
static struct str wanted(struct str query)
{
    while (query.p != NULL) {
        struct str pair = str_cut(&query, '&');
        if (str_starts(pair, STR("q=")))
            return str_slice(pair, 2, pair.n);
    }
    return STR_EMPTY;
}

void sample_search(struct sample_call *call)
{
    struct buf json;
    struct jsonw w;
    struct str q = wanted(call->query);
    sample_dawdle(call, 50 * US_PER_MS, 400 * US_PER_MS, 1);
    buf_init(&json, HTTP_ARENA_BYTES);
    jsonw_init(&w, &json);
    jsonw_array(&w);
    for (unsigned id = 1; id <= ARRAY_LEN(BOOKS); id++) {
        const struct book *book = &BOOKS[id - 1];
        if (contains_nocase(str_from(book->title), q) || contains_nocase(str_from(book->author), q))
            write_book(&w, id);
    }
    jsonw_end(&w);
    send_json(call, 200, &json);
}

/* --- orders --- */

/* Reads the body to its end. 0, E_TOO_LARGE, or what http_body_read() said. */
static int read_body(struct http_conn *conn, struct buf *body)
{
    for (;;) {
        struct str piece;
        int r = http_body_read(conn, &piece);
        if (r != 0)
            return r;
        if (piece.n == 0)
            return buf_finish(body);
        buf_add_str(body, piece);
    }
}

/* Where the order is faulty: what is wrong with it; else NULL, and it is read. */
static const char *order_fault(const json_t *order, unsigned *ret_book, unsigned *ret_quantity)
{
    const json_t *book = json_object_get(order, "book"),
                 *quantity = json_object_get(order, "quantity");
    if (!json_is_object(order))
        return "An order is a JSON object, {\"book\": 7, \"quantity\": 2}.";
    json_int_t id = json_integer_value(book), count = 1;
    if (!json_is_integer(book) || id < 1 || id > (json_int_t)ARRAY_LEN(BOOKS))
        return "`book` must be the number of a book, from 1 to 12.";
    if (quantity != NULL)
        count = json_is_integer(quantity) ? json_integer_value(quantity) : 0;
    if (count < 1 || count > ORDER_QUANTITY_MAX)
        return "`quantity` must be a number from 1 to 100.";
    *ret_book = (unsigned)id;
    *ret_quantity = (unsigned)count;
    return NULL;
}

static void confirm(struct sample_call *call, unsigned book, unsigned quantity)
{
    struct buf json;
    struct jsonw w;
    buf_init(&json, HTTP_ARENA_BYTES);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_key(&w, "id"), jsonw_u64(&w, call->number);
    jsonw_key(&w, "book"), write_book(&w, book);
    jsonw_key(&w, "quantity"), jsonw_u64(&w, quantity);
    jsonw_key(&w, "total"), jsonw_double(&w, BOOKS[book - 1].cents * quantity / 100.0);
    jsonw_end(&w);
    send_json(call, 201, &json);
}

void sample_order(struct sample_call *call)
{
    char room[ORDER_BYTES_MAX];
    struct buf body;
    unsigned book, quantity;
    buf_init_fixed(&body, room, sizeof(room));
    int r = read_body(call->conn, &body);
    if (r == E_TOO_LARGE) {
        sample_problem(call, 413, STR("An order has 4,096 bytes at most."));
        return;
    }
    if (r != 0) {
        call->conn->close = true;
        return;
    }
    sample_dawdle(call, 4 * US_PER_MS, 24 * US_PER_MS, 4);
    json_t *order = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    const char *fault = order_fault(order, &book, &quantity);
    json_decref(order);
    if (fault != NULL)
        sample_problem(call, 400, str_from(fault));
    else
        confirm(call, book, quantity);
}

/* --- reports --- */

void sample_daily(struct sample_call *call)
{
    uint64_t dice = sample_dice(call->number ^ UINT64_C(0xda11)) % 16;
    sample_dawdle(call, 20 * US_PER_MS, 120 * US_PER_MS, 3);
    if (dice == 0) {
        sample_problem(call, 503, STR("The till is being counted."));
        return;
    }
    if (dice <= 2) {
        sample_problem(call, 500, STR("The numbers do not add up."));
        return;
    }
    struct buf json;
    struct jsonw w;
    buf_init(&json, HTTP_ARENA_BYTES);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_key(&w, "orders"), jsonw_u64(&w, 200 + sample_dice(call->number) % 100);
    jsonw_key(&w, "revenue"), jsonw_double(&w, (double)(sample_dice(~call->number) % 900000) / 100);
    jsonw_end(&w);
    send_json(call, 200, &json);
}

/* Sends the head of an answer whose body comes in pieces; false where no body is to follow. */
static bool begin_stream(struct sample_call *call, const char *type, struct str framing)
{
    struct http_conn *conn = call->conn;
    char date[HTTP_DATE_SIZE];
    http_date(date);
    conn->close =
        conn->close || http_wants_back(conn) || conn->head->close || conn->head->minor == 0;
    struct str head = arena_printf(
        http_arena(conn),
        "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
        "%" STR_FMT "%s\r\n",
        date, type, STR_ARG(framing), conn->close ? "Connection: close\r\n" : "");
    struct iovec iov = {.iov_base = (void *)(uintptr_t)head.p, .iov_len = head.n};
    return http_send(conn, &iov, 1) == 0 && !str_eq(conn->head->method, STR("HEAD"));
}

void sample_events(struct sample_call *call)
{
    bool chunked = call->conn->head->minor > 0;
    http_settle_body(call->conn);
    if (!begin_stream(call, "text/event-stream",
                      chunked ? STR("Transfer-Encoding: chunked\r\n") : STR_EMPTY))
        return;
    for (unsigned i = 1; i <= EVENTS; i++) {
        char event[160], frame[200];
        uint64_t dice = sample_dice(call->number * EVENTS + i);
        int n = snprintf(event, sizeof(event), "id: %u\nevent: sale\ndata: {\"book\":%u}\n\n", i,
                         (unsigned)(dice % ARRAY_LEN(BOOKS)) + 1);
        if (chunked)
            n = snprintf(frame, sizeof(frame), "%x\r\n%s\r\n%s", (unsigned)n, event,
                         i == EVENTS ? "0\r\n\r\n" : "");
        struct iovec iov = {.iov_base = chunked ? frame : event, .iov_len = (size_t)n};
        if (http_send(call->conn, &iov, 1) != 0)
            return;
        if (i < EVENTS && fiber_sleep(mono_after(clock_mono(), EVENT_EVERY_US)) != 0) {
            call->conn->close = true; /* canceled in the middle */
            return;
        }
    }
}

void sample_archive(struct sample_call *call)
{
    char lines[ARCHIVE_LINES_AT_ONCE * ARCHIVE_LINE + 1];
    char length[48];
    snprintf(length, sizeof(length), "Content-Length: %d\r\n", ARCHIVE_LINES * ARCHIVE_LINE);
    http_settle_body(call->conn);
    if (!begin_stream(call, "text/csv; charset=utf-8", str_from(length)))
        return;
    for (unsigned line = 0; line < ARCHIVE_LINES;) {
        char *p = lines;
        for (unsigned i = 0; i < ARCHIVE_LINES_AT_ONCE; i++, line++, p += ARCHIVE_LINE)
            snprintf(p, ARCHIVE_LINE + 1, "%010u,%04u,%015u\n", line, line % 12 + 1,
                     (unsigned)(sample_dice(line) >> 40));
        struct iovec iov = {.iov_base = lines, .iov_len = (size_t)(p - lines)};
        if (http_send(call->conn, &iov, 1) != 0)
            return;
    }
}
