/* Documents that are read while their reply arrives: what comes of the reply is the
 * same, however it is cut into pieces and however its documents are written. */
#include "small_cabinet.h"
#include "unit.h"

#include "app/serve/preview.h"
#include "core/wsus/reading.h"

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define S    "http://www.microsoft.com/SoftwareDistribution"
#define M    "http://schemas.microsoft.com/msus/2002/12/Update"
#define ID   "0c0a0001-1111-4222-8333-444444444444"
#define HEAD                                                                           \
    "<s:Envelope xmlns:s=\"" SOAP "\"><s:Body><GetUpdateDataResponse xmlns=\"" S       \
    "\"><GetUpdateDataResult><updates>"
#define TAIL                                                                           \
    "</updates></GetUpdateDataResult></GetUpdateDataResponse></s:Body></s:Envelope>"
#define OPEN  "<XmlUpdateBlobCompressed>"
#define CLOSE "</XmlUpdateBlobCompressed>"

/* What stands in an update behind its Id. '@' stands for the base64 of a cabinet, but
 * for its first character, which is 'T', and its last four. */
static const struct {
    const char *text;
    bool is_foreseen;
} ways[] = {
    {OPEN "T@$$$$" CLOSE, true},
    {OPEN "\r\n T\t@ $$$$\n" CLOSE, true},
    {OPEN "<![CDATA[T@$$$$]]>" CLOSE, false},
    {OPEN "&#84;@$$$$" CLOSE, false},
    {OPEN "T@<!-- -->$$$$" CLOSE, false},
    {OPEN "T@" CLOSE, false},
    {OPEN CLOSE, false},
    {OPEN "AAAA" CLOSE, false},
    {"<XmlUpdateBlobCompressed a=\"1\">T@$$$$" CLOSE, false},
    {OPEN "T@$$$$</XmlUpdateBlobCompressed >", false},
    {"<Other>" OPEN "T@$$$$" CLOSE "</Other>", false},
    {"<Other><![CDATA[" OPEN "AAAA" CLOSE OPEN "]]></Other>" OPEN "T@$$$$" CLOSE, true},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static void put_document(struct sp_buf *b, unsigned n)
{
    assert_ok(sp_buf_printf(
        b,
        "<Update xmlns=\"" M "\"><UpdateIdentity UpdateID=\"" ID
        "\" RevisionNumber=\"%u\"/><Properties UpdateType=\"Software\"/><Files><File "
        "Digest=\"AAAAAAAAAAAAAAAAAAAAAAAAAAA=\" FileName=\"%u.cab\" "
        "Size=\"%u\"/></Files></Update>",
        n, n, n));
}

static void put_update(struct sp_buf *body, unsigned n)
{
    SP_AUTO(sp_buf_fini) struct sp_buf document, cabinet, text;
    sp_buf_init(&document, 4096);
    sp_buf_init(&cabinet, 8192);
    sp_buf_init(&text, 16384);
    put_document(&document, n);
    assert_ok(sp_buf_append_byte(&document, 0));
    put_cabinet(&cabinet, (const char *)document.data);
    assert_ok(sp_base64_append(&text, sp_buf_view(&cabinet)));
    assert_int_equal(text.data[0], 'T');
    assert_ok(sp_buf_printf(body,
                            "<ServerSyncUpdateData><Id><UpdateID>" ID
                            "</UpdateID><RevisionNumber>%u</RevisionNumber></Id>",
                            n));
    for (const char *c = ways[n].text; *c; c++) {
        if (*c == '@') {
            assert_ok(sp_buf_append(
                body, sp_view_slice(sp_buf_view(&text), 1, text.len - 4)));
        } else if (*c == '$') {
            size_t left = strspn(c, "$");
            assert_ok(sp_buf_append_byte(body, text.data[text.len - left]));
        } else {
            assert_ok(sp_buf_append_byte(body, (uint8_t)*c));
        }
    }
    assert_ok(sp_buf_append_str(body, "</ServerSyncUpdateData>"));
}

static void put_reply(struct sp_buf *body)
{
    sp_buf_init(body, SP_KIB(256));
    assert_ok(sp_buf_append_str(body, HEAD));
    for (unsigned n = 0; n < WAYS; n++) {
        put_update(body, n);
    }
    assert_ok(sp_buf_append_str(body, TAIL));
}

static void assert_same_facts(const struct sp_facts *a, const struct sp_facts *b)
{
    SP_AUTO(sp_buf_fini) struct sp_buf x, y;
    sp_buf_init(&x, SP_KIB(64));
    sp_buf_init(&y, SP_KIB(64));
    assert_ok(sp_facts_encode(a, &x));
    assert_ok(sp_facts_encode(b, &y));
    assert_true(sp_view_eq(sp_buf_view(&x), sp_buf_view(&y)));
}

static void assert_same_revision(const struct sp_revision *a,
                                 const struct sp_revision *b)
{
    assert_same_facts(a->facts, b->facts);
    assert_memory_equal(a->document_sha256, b->document_sha256, 32);
    assert_int_equal(a->claim_count, b->claim_count);
    for (size_t i = 0; i < a->claim_count; i++) {
        assert_memory_equal(a->claims[i].sha1, b->claims[i].sha1, 20);
        assert_int_equal(a->claims[i].size, b->claims[i].size);
        assert_true(sp_view_eq(a->claims[i].name, b->claims[i].name));
    }
}

static struct sp_reply *inspect(struct sp_view body, const struct sp_foresight *f)
{
    struct sp_reply *reply = NULL;
    struct sp_why why = {0};
    assert_ok(sp_reply_inspect_with(SP_OP_GET_UPDATE_DATA, 200, body, NULL, 0, f,
                                    &reply, &why));
    assert_string_equal(why.text, "");
    assert_int_equal(reply->revision_count, WAYS);
    return reply;
}

/* ---- where documents are -----------------------------------------------------------
 */

static void c_found_whatever_the_pieces(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    struct sp_place whole[2 * WAYS], text;
    struct sp_reading_search s = {0};
    size_t count = 0;
    put_reply(&body);
    while (sp_reading_next(&s, sp_buf_view(&body), &text)) {
        assert_true(count < 2 * WAYS);
        whole[count++] = text;
    }
    assert_true(count >= 3);
    for (size_t piece = 1; piece < 100; piece++) {
        size_t found = 0;
        s = (struct sp_reading_search){0};
        for (size_t end = piece; end < body.len + piece; end += piece) {
            struct sp_view part = sp_view_slice(sp_buf_view(&body), 0, end);
            while (sp_reading_next(&s, part, &text)) {
                assert_true(found < count);
                assert_int_equal(text.from, whole[found].from);
                assert_int_equal(text.to, whole[found++].to);
            }
        }
        assert_int_equal(found, count);
    }
}

/* ---- as a reply arrives ------------------------------------------------------------
 */

struct arrival {
    struct sp_msg msg;
    struct sp_job job;
    uv_timer_t timer;
    struct sp_loop *loop;
    struct sp_view body;
    size_t piece;
    uint64_t wait_ms; /* between the last piece and the inspection */
    struct sp_budget budget;
    struct sp_arrival *reply;
    struct sp_preview *preview;
    struct sp_foresight ahead;
    struct sp_reply *found;
    size_t taken;
};

static bool count_taken(void *ctx, size_t text_at, struct sp_reading *out)
{
    struct arrival *a = ctx;
    bool is_there = a->ahead.take(a->ahead.ctx, text_at, out);
    a->taken += is_there;
    return is_there;
}

static void inspect_work(struct sp_job *job)
{
    struct arrival *a = SP_HOLDER(job, struct arrival, job);
    a->ahead = sp_preview_foresight(a->preview);
    struct sp_foresight f = {count_taken, a};
    a->found = inspect(sp_buf_view(&a->reply->bytes), &f);
}

static void on_closed(uv_handle_t *h)
{
    struct arrival *a = h->data;
    sp_loop_stop(a->loop);
}

static void inspect_done(struct sp_job *job)
{
    struct arrival *a = SP_HOLDER(job, struct arrival, job);
    sp_preview_close(&a->preview);
    assert_null(a->preview);
    sp_arrival_unref(&a->reply);
    uv_close((uv_handle_t *)&a->timer, on_closed);
}

static void on_whole(uv_timer_t *t)
{
    struct arrival *a = t->data;
    a->job = (struct sp_job){.work = inspect_work, .done = inspect_done};
    sp_loop_work(a->loop, &a->job);
}

static void begin(struct arrival *a)
{
    sp_budget_set(&a->budget, a->body.len);
    assert_ok(sp_arrival_new(&a->budget, a->body.len, &a->reply));
    assert_ok(sp_arrival_fix(a->reply, a->body.len));
    assert_ok(sp_preview_new(a->loop, a->reply, &a->preview));
}

static void arrive(struct sp_msg *msg)
{
    struct arrival *a = SP_HOLDER(msg, struct arrival, msg);
    begin(a);
    for (size_t at = 0; at < a->body.len; at += a->piece) {
        assert_ok(
            sp_buf_append(&a->reply->bytes, sp_view_slice(a->body, at, at + a->piece)));
        sp_preview_more(a->preview);
    }
    a->timer.data = a;
    assert_int_equal(uv_timer_init(sp_loop_uv(a->loop), &a->timer), 0);
    assert_int_equal(uv_timer_start(&a->timer, on_whole, a->wait_ms, 0), 0);
}

/* How many documents were read ahead; the reply is as expected. */
static size_t run(struct sp_view body, size_t piece, uint64_t wait_ms,
                  const struct sp_reply *expected)
{
    struct arrival a = {
        .msg.run = arrive, .body = body, .piece = piece, .wait_ms = wait_ms};
    assert_ok(sp_loop_new("arrival", &a.loop));
    sp_loop_post(a.loop, &a.msg);
    sp_loop_run(a.loop);
    sp_loop_free(&a.loop);
    assert_int_equal(atomic_load(&a.budget.held), 0);
    assert_same_facts(a.found->facts, expected->facts);
    for (size_t i = 0; i < WAYS; i++) {
        assert_same_revision(&a.found->revisions[i], &expected->revisions[i]);
    }
    sp_reply_free(&a.found);
    return a.taken;
}

static size_t count_foreseen(void)
{
    size_t n = 0;
    for (size_t i = 0; i < WAYS; i++) {
        n += ways[i].is_foreseen;
    }
    return n;
}

static void c_the_reply_is_the_same(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 64, 1000, SP_KIB(256)};
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    put_reply(&body);
    SP_AUTO(sp_reply_free)
    struct sp_reply *expected = inspect(sp_buf_view(&body), NULL);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        assert_true(run(sp_buf_view(&body), pieces[i], 0, expected) <=
                    count_foreseen());
    }
}

/* Given time, all that are written as servers write them. */
static void c_documents_are_read_ahead(void **state)
{
    enum { LONGEST_MS = 10000 };
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    put_reply(&body);
    SP_AUTO(sp_reply_free)
    struct sp_reply *expected = inspect(sp_buf_view(&body), NULL);
    size_t taken = 0;
    for (uint64_t ms = 10; taken < count_foreseen() && ms < LONGEST_MS; ms *= 2) {
        taken = run(sp_buf_view(&body), 500, ms, expected);
    }
    assert_int_equal(taken, count_foreseen());
}

/* The upstream breaks off, and nothing is inspected. */
static void break_off(struct sp_msg *msg)
{
    struct arrival *a = SP_HOLDER(msg, struct arrival, msg);
    begin(a);
    assert_ok(sp_buf_append(&a->reply->bytes, a->body));
    sp_preview_more(a->preview);
    sp_preview_close(&a->preview);
    sp_arrival_unref(&a->reply);
    sp_loop_stop(a->loop);
}

static void f_closed_while_it_is_read(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    put_reply(&body);
    for (int i = 0; i < 20; i++) {
        struct arrival a = {.msg.run = break_off, .body = sp_buf_view(&body)};
        assert_ok(sp_loop_new("arrival", &a.loop));
        sp_loop_post(a.loop, &a.msg);
        sp_loop_run(a.loop);
        sp_loop_free(&a.loop);
        assert_int_equal(atomic_load(&a.budget.held), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_found_whatever_the_pieces),
        cmocka_unit_test(c_the_reply_is_the_same),
        cmocka_unit_test(c_documents_are_read_ahead),
        cmocka_unit_test(f_closed_while_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
