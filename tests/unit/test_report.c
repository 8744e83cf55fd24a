/* Reports from the entries of a made-up ledger: what they count, and what they leave
 * out. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/report/report.h"

#define ID(n)             "00000000-0000-4000-8000-0000000000" n
#define HEAD(kind, day)   "entry.kind " kind "\nentry.time 2026-01-" day "T00:00:00Z\n"
#define FROM              "peer.address 10.0.0.1\npeer.listener door\ntransport tls\n"
#define PLAIN             "peer.address 10.0.0.9\npeer.listener door-http\n" HTTP
#define HTTP              "transport http\n"
#define UP                "upstream.name head\nupstream.host head:8531\n"
#define UPDATE(n, number) "update.id " ID(n) "\nupdate.revision " number "\n"
#define A                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B                 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C                 "cccccccccccccccccccccccccccccccccccccccc"
#define PASSED            "verdict.ruling passed\n"

/* A product and a classification; a bundle of two leaves that share a file, with a KB;
 * an older and a newer revision of an update; a file that came; refusals. */
static const char *const history[] = {
    HEAD("revision", "01") FROM UP UPDATE(
        "01", "100") "document.type Category\ndocument.title Windows 11\n"
                     "document.category-type Product\n" PASSED,
    HEAD("revision", "01") FROM UP UPDATE(
        "02", "100") "document.type Category\ndocument.title Security Updates\n"
                     "document.category-type UpdateClassification\n" PASSED,
    HEAD("revision", "02") FROM UP UPDATE(
        "11", "200") "document.type Software\ndocument.restart CanRequestReboot\n"
                     "file.claim " A " - 100 cab\nfile.claim " B " - 20 cab\n" PASSED,
    HEAD("revision", "02") FROM UP UPDATE(
        "12", "200") "document.type Software\ndocument.restart NeverReboots\n"
                     "file.claim " A " - 100 cab\n" PASSED,
    HEAD("revision", "02") FROM UP UPDATE(
        "10",
        "204") "document.type Software\ndocument.title Cumulative\ndocument.kb "
               "5000001\n"
               "document.bulletin MS26-001\ndocument.created 2026-01-13T18:00:00Z\n"
               "document.bundles " ID("11") ".200\ndocument.bundles " ID(
                   "12") ".200\n"
                         "document.deployable true\ndocument.category " ID(
                             "01") "\n"
                                   "document.category " ID(
                                       "02") "\ndocument.severity Critical\n"
                                             "document.support-url "
                                             "https://support.example.test/1\n"
                                             "document.supersedes " ID(
                                                 "20") "\n" PASSED,
    HEAD("revision", "03") PLAIN UP UPDATE(
        "20", "200") "document.type Software\ndocument.title Old\ndocument.kb 4000000\n"
                     "document.created 2025-12-09T18:00:00Z\n"
                     "file.claim " C " - 5000 cab\n" PASSED,
    HEAD("revision", "04") FROM UP UPDATE(
        "20", "201") "document.type Software\ndocument.title Old, again\ndocument.kb "
                     "4000000\n"
                     "document.created 2025-12-09T18:00:00Z\ndocument.category " ID(
                         "03") "\n" PASSED "verdict.observed times-zoned\n",
    HEAD("claims", "04") UPDATE("20", "201") "file.claim " C " - 7 psf\n",
    HEAD("file", "05") FROM UP
    "file.path /x\nfile.sha1 " A "\nfile.sha256 "
    "1111111111111111111111111111111111111111111111111111111111111111\n"
    "file.size 100\nfile.name a.cab\nsign.class signed\nsign.signer CN=Maker\n"
    "sign.root CN=Root\nsign.root-trusted true\n" PASSED,
    HEAD("refusal", "06") PLAIN "service client\noperation SyncUpdates\n"
                                "verdict.ruling refused\nverdict.rule downstream-tls\n",
    HEAD("refusal", "07") PLAIN "service client\noperation SyncUpdates\n"
                                "verdict.ruling refused\nverdict.rule downstream-tls\n",
    HEAD("refusal", "07") PLAIN "operation content\nverdict.ruling refused\n"
                                "verdict.rule file-claimed\n",
    HEAD("posture", "08") UP "posture non-conforming\nposture.reason pin-expires\n",
};

struct made {
    struct sp_book book;
    struct sp_join join;
    struct sp_sheet sheet;
    struct sp_report_ask ask;
    enum sp_err e;
};

static const struct sp_view mended[] = {{(const uint8_t *)"5000001", 7},
                                        {(const uint8_t *)"9999999", 7}};
static const struct sp_advisory advisories[] = {
    {.cve = {(const uint8_t *)"CVE-2026-0002", 13},
     .cvss = -1,
     .kbs = mended,
     .kb_count = 1},
    {.cve = {(const uint8_t *)"CVE-2026-0001", 13},
     .cvss = 98,
     .kbs = mended,
     .kb_count = 2}};
static const struct sp_kb_note notes[] = {
    {{(const uint8_t *)"5000001", 7}, {(const uint8_t *)"breaks printing", 15}}};
static const struct sp_imported imported = {advisories, 2, notes, 1};

static void read_book(struct sp_book *b, size_t count)
{
    assert_ok(sp_book_init(b, SP_MIB(4)));
    for (size_t i = 0; i < count; i++) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        struct sp_why why = {0};
        enum sp_err e = sp_facts_decode(sp_view_str(history[i]), &f, &why);
        if (e != SP_OK) {
            print_error("%zu: %s\n", i, why.text);
        }
        assert_ok(e);
        assert_ok(sp_book_take(b, i, f));
    }
    assert_ok(sp_book_finish(b));
}

static void make(struct made *m, enum sp_report r, const char *kb)
{
    *m = (struct made){.e = SP_OK};
    read_book(&m->book, sizeof history / sizeof history[0]);
    assert_ok(sp_sheet_init(&m->sheet, sp_report_word(r), SP_MIB(4)));
    assert_ok(sp_join_init(&m->join, &imported, m->sheet.arena));
    m->ask = (struct sp_report_ask){.book = &m->book,
                                    .join = &m->join,
                                    .kb = sp_view_str(kb),
                                    .now = 1769000000}; /* 2026-01-21 */
    m->e = sp_report_make(r, &m->ask, &m->sheet);
}

static void drop(struct made *m)
{
    sp_join_fini(&m->join);
    sp_sheet_fini(&m->sheet);
    sp_book_fini(&m->book);
}

static enum sp_err put(void *ctx, struct sp_view bytes)
{
    return sp_buf_append(ctx, bytes);
}

static const char *as_it_is(const char *text)
{
    return text;
}

/* The section as CSV, without its headings. */
static void section_is(struct made *m, size_t part, const char *expected)
{
    struct sp_buf out;
    struct sp_sheet one = m->sheet;
    sp_buf_init(&out, SP_MIB(1));
    struct sp_sheet_style style = {
        .format = SP_FORMAT_CSV, .say = as_it_is, .ctx = &out, .put = put};
    assert_true(part < m->sheet.part_count);
    one.part_count = 1;
    one.parts[0] = m->sheet.parts[part];
    assert_ok(sp_sheet_write(&one, &style));
    assert_ok(sp_buf_append_byte(&out, 0));
    assert_string_equal(strstr((const char *)out.data, "\r\n") + 2, expected);
    sp_buf_fini(&out);
}

static void b_sizes(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_SIZES, "");
    assert_ok(m.e);
    /* each file once, and of an update its newest revision: A, B, and C as the file
     * claims it last */
    section_is(&m, 0, "2,3,127,100\r\n");
    section_is(&m, 1, "\"5000001\",1,2,120,100\r\n\"4000000\",1,1,7,0\r\n");
    section_is(&m, 2, "\"Windows 11\",1,2,120,100\r\n\"" ID("03") "\",1,1,7,0\r\n");
    section_is(&m, 3, "\"Security Updates\",1,2,120,100\r\n,1,1,7,0\r\n");
    section_is(&m, 4, "\"2025-12\",1,1,7,0\r\n\"2026-01\",1,2,120,100\r\n");
    drop(&m);
}

static void b_updates(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_UPDATES, "");
    assert_ok(m.e);
    section_is(
        &m, 0,
        "\"5000001\",\"Cumulative\",\"Security Updates\",\"Critical\","
        "\"CanRequestReboot\",\"2026-01-13\",120,\"Windows 11\",\"MS26-001\","
        "false,1,\"https://support.example.test/1\","
        "\"CVE-2026-0002; CVE-2026-0001\",9.8,1,\"" ID(
            "10") "\",204,4\r\n"
                  "\"4000000\",\"Old, again\",\"\",,,\"2025-12-09\",7,\"" ID(
                      "03") "\",\"\",true,0,,\"\",,0,\"" ID("20") "\",201,6\r\n");
    drop(&m);
}

static void b_one_kb(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_KB, "5000001");
    assert_ok(m.e);
    assert_int_equal(m.sheet.parts[0].count, 1);
    section_is(&m, 1, "\"supersedes\",\"4000000\",\"Old, again\",\"" ID("20") "\"\r\n");
    section_is(
        &m, 2,
        "\"a.cab\",100,true,\"CN=Maker\",\"" A "\",\""
        "1111111111111111111111111111111111111111111111111111111111111111\",8\r\n"
        "\"" B ".cab\",20,false,,\"" B "\",,\r\n");
    section_is(
        &m, 3,
        "\"CVE-2026-0001\",,9.8,,\"5000001\",\"9999999\",\"5000001; 9999999\"\r\n"
        "\"CVE-2026-0002\",,,,\"5000001\",\"\",\"5000001\"\r\n");
    section_is(&m, 4, "\"5000001\",\"breaks printing\"\r\n");
    drop(&m);
    make(&m, SP_REPORT_KB, "4000000");
    assert_ok(m.e);
    section_is(&m, 1,
               "\"superseded-by\",\"5000001\",\"Cumulative\",\"" ID("10") "\"\r\n");
    assert_int_equal(m.sheet.parts[3].count, 0);
    assert_int_equal(m.sheet.parts[4].count, 0);
    drop(&m);
    make(&m, SP_REPORT_KB, "500000");
    assert_err(m.e, SP_E_NOTFOUND);
    drop(&m);
}

static void b_severity(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_SEVERITY, "");
    assert_ok(m.e);
    section_is(&m, 0, "\"Critical\",1,2,120,2,9.8\r\n,1,1,7,0,\r\n");
    drop(&m);
}

static void b_advisories(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_ADVISORIES, "");
    assert_ok(m.e);
    section_is(
        &m, 0,
        "\"CVE-2026-0001\",,9.8,,\"5000001\",\"9999999\",\"5000001; 9999999\"\r\n"
        "\"CVE-2026-0002\",,,,\"5000001\",\"\",\"5000001\"\r\n");
    drop(&m);
}

/* Content may come over HTTP and is no matter of this report. */
static void b_plain_http(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_PLAIN_HTTP, "");
    assert_ok(m.e);
    section_is(&m, 0,
               "\"10.0.0.9\",\"door-http\",\"SyncUpdates\",0,2,"
               "\"2026-01-06T00:00:00Z\",\"2026-01-07T00:00:00Z\"\r\n"
               "\"10.0.0.9\",\"door-http\",,1,0,"
               "\"2026-01-03T00:00:00Z\",\"2026-01-03T00:00:00Z\"\r\n");
    drop(&m);
}

static void b_blocked(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_BLOCKED, "");
    assert_ok(m.e);
    section_is(&m, 0,
               "\"downstream-tls\",2,0,\"2026-01-07T00:00:00Z\"\r\n"
               "\"file-claimed\",1,0,\"2026-01-07T00:00:00Z\"\r\n"
               "\"times-zoned\",0,1,\"2026-01-04T00:00:00Z\"\r\n");
    section_is(&m, 1,
               "\"downstream-tls\",\"10.0.0.9\",2,0,\"2026-01-07T00:00:00Z\"\r\n"
               "\"file-claimed\",\"10.0.0.9\",1,0,\"2026-01-07T00:00:00Z\"\r\n"
               "\"times-zoned\",\"10.0.0.1\",0,1,\"2026-01-04T00:00:00Z\"\r\n");
    drop(&m);
}

static void b_signers(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_SIGNERS, "");
    assert_ok(m.e);
    section_is(&m, 0,
               "\"CN=Maker\",\"signed\",true,1,100,\"CN=Root\","
               "\"2026-01-05T00:00:00Z\"\r\n");
    drop(&m);
}

static void b_freshness(void **state)
{
    (void)state;
    struct made m;
    make(&m, SP_REPORT_FRESHNESS, "");
    assert_ok(m.e);
    /* the second Tuesday was the 13th, and its four days of grace are over */
    section_is(&m, 0,
               "\"head\",\"2026-01-04T00:00:00Z\",17,\"2026-01-13\",7,\"2026-01-13\","
               "\"non-conforming\",\"head:8531\",\"pin-expires\"\r\n");
    drop(&m);
}

/* An empty ledger gives empty reports. */
static void b_nothing(void **state)
{
    (void)state;
    static const struct sp_imported none = {0};
    for (enum sp_report r = 0; r < SP_REPORT_COUNT; r++) {
        struct sp_book book;
        struct sp_sheet sheet;
        struct sp_join join;
        read_book(&book, 0);
        assert_ok(sp_sheet_init(&sheet, "x", SP_MIB(1)));
        assert_ok(sp_join_init(&join, &none, sheet.arena));
        struct sp_report_ask ask = {.book = &book, .join = &join, .kb = SP_VIEW("1")};
        assert_err(sp_report_make(r, &ask, &sheet),
                   r == SP_REPORT_KB ? SP_E_NOTFOUND : SP_OK);
        sp_join_fini(&join);
        sp_sheet_fini(&sheet);
        sp_book_fini(&book);
    }
}

/* Bundles in a circle, a bundle of itself, sizes that add up to more than there is. */
static void f_documents_that_lie(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD("revision", "01") UPDATE("01", "1") "document.kb 1\ndocument.bundles " ID(
            "01") ".1\ndocument.bundles " ID("02") ".1\n",
        HEAD("revision", "01") UPDATE("02", "1") "document.bundles " ID("01") ".1\n",
        HEAD("revision", "01") UPDATE("03", "1") "document.kb 3\ndocument.bundles " ID(
            "02") ".1\ndocument.bundles " ID("09") "\ndocument.bundles "
                                                   "nonsense\n"
                                                   "file.claim " A
                                                   " - 9223372036854775807 -\n"
                                                   "file.claim " B
                                                   " - 9223372036854775807 -\n"
                                                   "file.claim nonsense\n",
        HEAD("claims", "01") UPDATE("04", "1") "file.claim " C " - 1 -\n",
        HEAD("file", "01") "file.size 1\n",
    };
    struct made m = {.e = SP_OK};
    assert_ok(sp_book_init(&m.book, SP_MIB(1)));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        assert_ok(sp_facts_decode(sp_view_str(texts[i]), &f, NULL));
        assert_ok(sp_book_take(&m.book, i, f));
    }
    assert_ok(sp_book_finish(&m.book));
    assert_ok(sp_sheet_init(&m.sheet, "x", SP_MIB(1)));
    assert_ok(sp_join_init(&m.join, &imported, m.sheet.arena));
    m.ask = (struct sp_report_ask){.book = &m.book, .join = &m.join};
    assert_ok(sp_report_make(SP_REPORT_SIZES, &m.ask, &m.sheet));
    section_is(&m, 1, "\"3\",1,2,9223372036854775807,0\r\n");
    drop(&m);
}

/* The ceiling of a book holds: one entry more, and no entry less, is refused. */
static void f_more_than_a_book_holds(void **state)
{
    (void)state;
    struct sp_book b;
    enum sp_err e = SP_OK;
    size_t taken = 0;
    assert_ok(sp_book_init(&b, SP_KIB(64)));
    while (e == SP_OK && taken < 10000) {
        char text[512];
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        snprintf(text, sizeof text,
                 HEAD("revision", "01") "update.id 00000000-0000-4000-8000-%012zu\n"
                                        "update.revision 1\ndocument.title T %zu\n",
                 taken, taken);
        assert_ok(sp_facts_decode(sp_view_str(text), &f, NULL));
        e = sp_book_take(&b, taken, f);
        taken += e == SP_OK;
    }
    assert_err(e, SP_E_LIMIT);
    assert_true(taken > 100 && taken < 2000);
    sp_book_fini(&b);
}

static void b_names(void **state)
{
    (void)state;
    struct sp_arena *arena = NULL;
    struct sp_names n;
    assert_ok(sp_arena_new(SP_MIB(4), &arena));
    sp_names_init(&n, arena);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            uint32_t number;
            assert_ok(sp_names_put(&n, sp_view(&i, sizeof i), &number));
            assert_int_equal(number, i);
        }
    }
    uint32_t none = 70000, number;
    assert_false(sp_names_find(&n, sp_view(&none, sizeof none), &number));
    assert_int_equal(n.count, 5000);
    sp_names_fini(&n);
    sp_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_names),
        cmocka_unit_test(b_sizes),
        cmocka_unit_test(b_updates),
        cmocka_unit_test(b_one_kb),
        cmocka_unit_test(b_severity),
        cmocka_unit_test(b_advisories),
        cmocka_unit_test(b_plain_http),
        cmocka_unit_test(b_blocked),
        cmocka_unit_test(b_signers),
        cmocka_unit_test(b_freshness),
        cmocka_unit_test(b_nothing),
        cmocka_unit_test(f_documents_that_lie),
        cmocka_unit_test(f_more_than_a_book_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
