/* The offline catalogue's XML, the judge of its file, its index and what it testifies.
 */
#include "folder.h"

#include "core/catalog/catalog.h"
#include "core/catalog/proof.h"
#include "io/store/catalog.h"

#define ID_A "11111111-2222-4333-8444-555555555555"
#define ID_B "11111111-2222-4333-8444-666666666666"
#define ONE  "AQEBAQEBAQEBAQEBAQEBAQEBAQE=" /* twenty times 1, 2, 3 */
#define TWO  "AgICAgICAgICAgICAgICAgICAgI="

#define HEAD                                                                           \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><OfflineSyncPackage "                   \
    "xmlns=\"http://schemas.microsoft.com/msus/2004/02/OfflineSync\" "                 \
    "PackageId=\"77777777-8888-4999-8aaa-bbbbbbbbbbbb\" "                              \
    "CreationDate=\"2026-01-13T10:00:00Z\">"
#define UPDATE_A                                                                       \
    "<Update UpdateId=\"" ID_A "\" RevisionNumber=\"200\" RevisionId=\"7\" "           \
    "CreationDate=\"2026-01-13T09:00:00Z\" DeploymentAction=\"Bundle\">"               \
    "<PayloadFiles><File Id=\"" ONE "\" /><File Id=\"" TWO "\" /></PayloadFiles>"      \
    "<Prerequisites><UpdateId Id=\"" ID_B "\" /></Prerequisites></Update>"
#define UPDATE_B                                                                       \
    "<Update UpdateId=\"" ID_B "\" RevisionNumber=\"1\" RevisionId=\"8\" />"
#define LOCATION "<FileLocation Id=\"" ONE "\" Url=\"http://u.example/one.cab\" />"
#define WHOLE                                                                          \
    HEAD "<Updates>" UPDATE_A UPDATE_B "</Updates>" LOCATION "</OfflineSyncPackage>"

/* ---- package.xml ----------------------------------------------------------------- */

struct seen {
    char log[4096];
    enum sp_err fail;
};

static void add(struct seen *s, const char *text)
{
    strncat(s->log, text, sizeof s->log - strlen(s->log) - 1);
}

static enum sp_err see_package(void *ctx, const struct sp_catalog_package *p)
{
    char at[SP_TIME_TEXT];
    sp_time_format(p->created, at);
    add(ctx, "package ");
    add(ctx, at);
    return ((struct seen *)ctx)->fail;
}

static enum sp_err see_update(void *ctx, const struct sp_catalog_update *u)
{
    char line[128];
    snprintf(line, sizeof line, "|update %d.%d " SP_VIEW_FMT, (int)u->revision,
             (int)u->number, SP_VIEW_ARG(u->deployment));
    add(ctx, line);
    return SP_OK;
}

static enum sp_err see_payload(void *ctx, uint64_t revision, const uint8_t sha1[20])
{
    char line[64];
    snprintf(line, sizeof line, "|payload %d %d", (int)revision, sha1[0]);
    add(ctx, line);
    return SP_OK;
}

static enum sp_err see_location(void *ctx, const uint8_t sha1[20], struct sp_view url)
{
    char line[128];
    snprintf(line, sizeof line, "|at %d " SP_VIEW_FMT, sha1[0], SP_VIEW_ARG(url));
    add(ctx, line);
    return SP_OK;
}

static enum sp_err see_details(void *ctx, const struct sp_catalog_details *d)
{
    char line[128];
    snprintf(line, sizeof line,
             "|details %d kb=" SP_VIEW_FMT " " SP_VIEW_FMT " " SP_VIEW_FMT,
             (int)d->revision, SP_VIEW_ARG(d->kb), SP_VIEW_ARG(d->bulletin),
             SP_VIEW_ARG(d->severity));
    add(ctx, line);
    return SP_OK;
}

static enum sp_err see_title(void *ctx, uint64_t revision, struct sp_view title)
{
    char line[128];
    snprintf(line, sizeof line, "|title %d " SP_VIEW_FMT, (int)revision,
             SP_VIEW_ARG(title));
    add(ctx, line);
    return SP_OK;
}

static enum sp_err see_file(void *ctx, const struct sp_catalog_file *f)
{
    char line[128];
    snprintf(line, sizeof line, "|file %d %d %d " SP_VIEW_FMT, f->sha1[0],
             f->has_sha256 ? f->sha256[0] : -1, (int)f->size, SP_VIEW_ARG(f->name));
    add(ctx, line);
    return SP_OK;
}

static struct sp_catalog_sink sink_of(struct seen *s)
{
    return (struct sp_catalog_sink){see_package, see_update, see_payload, see_location,
                                    see_details, see_title,  see_file,    s};
}

static enum sp_err read_package(const char *text, size_t step, struct seen *s,
                                struct sp_why *why)
{
    struct sp_catalog_sink sink = sink_of(s);
    SP_AUTO(sp_package_free) struct sp_package_reader *r = NULL;
    struct sp_view v = sp_view_str(text);
    SP_TRY(sp_package_new(&sink, &r));
    for (size_t at = 0; at < v.len; at += step) {
        SP_TRY(sp_package_feed(r, sp_view_slice(v, at, at + step), why));
    }
    return sp_package_finish(r, why);
}

static void b_package(void **state)
{
    (void)state;
    const size_t steps[] = {1, 7, 100000};
    for (size_t i = 0; i < 3; i++) {
        struct seen s = {0};
        struct sp_why why = {0};
        assert_ok(read_package(WHOLE, steps[i], &s, &why));
        assert_string_equal(s.log, "package 2026-01-13T10:00:00Z|update 7.200 Bundle"
                                   "|payload 7 1|payload 7 2|update 8.1 "
                                   "|at 1 http://u.example/one.cab");
    }
}

static void b_package_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } wrong[] = {
        {"<Other />", "no OfflineSyncPackage"},
        {HEAD, "no element found"},
        {HEAD "<Update UpdateId=\"x\" RevisionNumber=\"1\" RevisionId=\"8\" />",
         "Update/@UpdateId"},
        {HEAD "<Update UpdateId=\"" ID_B "\" RevisionNumber=\"-1\" RevisionId=\"8\" />",
         "Update/@RevisionNumber"},
        {HEAD "<Update UpdateId=\"" ID_B "\" RevisionNumber=\"1\" />",
         "Update/@RevisionId"},
        {HEAD "<Update UpdateId=\"" ID_B "\" RevisionNumber=\"1\" RevisionId=\"8\">"
              "<PayloadFiles><File Id=\"AAAA\" />",
         "File/@Id"},
        {HEAD "<FileLocation Id=\"AAAA\" Url=\"x\" />", "FileLocation/@Id"},
        {"<OfflineSyncPackage PackageId=\"" ID_A "\" CreationDate=\"soon\" />",
         "@CreationDate"},
        {"\xff\xfe<", "not UTF-8"},
        {"<!DOCTYPE a><OfflineSyncPackage />", "document type"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct seen s = {0};
        struct sp_why why = {0};
        assert_int_not_equal(read_package(wrong[i].text, 9, &s, &why), SP_OK);
        if (!strstr(why.text, wrong[i].why)) {
            fail_msg("%s: %s", wrong[i].text, why.text);
        }
    }
    struct seen s = {.fail = SP_E_CANCELLED};
    assert_err(read_package(WHOLE, 9, &s, NULL), SP_E_CANCELLED);
}

/* A tag that never ends is not collected for ever. */
static void f_endless_tag(void **state)
{
    (void)state;
    const size_t sizes[] = {SP_LIMIT_XML_TOKEN - 1000, SP_LIMIT_XML_TOKEN + 70000};
    for (size_t i = 0; i < 2; i++) {
        struct seen s = {0};
        struct sp_why why = {0};
        struct sp_buf b;
        sp_buf_init(&b, SP_MIB(4));
        assert_ok(sp_buf_append_str(&b, HEAD "<a b='"));
        for (size_t n = 0; n < sizes[i]; n++) {
            assert_ok(sp_buf_append_byte(&b, 'x'));
        }
        assert_ok(sp_buf_append_str(&b, i ? "" : "'/></OfflineSyncPackage>"));
        assert_ok(sp_buf_append_byte(&b, 0));
        assert_err(read_package((const char *)b.data, SP_KIB(32), &s, &why),
                   i ? SP_E_LIMIT : SP_OK);
        sp_buf_fini(&b);
    }
}

/* ---- fragments ------------------------------------------------------------------- */

static void b_fragment_names(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_int_equal(sp_fragment_of(SP_VIEW("x/300001"), &n), SP_FRAGMENT_EXTENDED);
    assert_int_equal(n, 300001);
    assert_int_equal(sp_fragment_of(SP_VIEW("x\\2"), &n), SP_FRAGMENT_EXTENDED);
    assert_int_equal(sp_fragment_of(SP_VIEW("l/en/3"), &n), SP_FRAGMENT_LOCALIZED);
    assert_int_equal(n, 3);
    static const char *const others[] = {
        "c/1", "l/de/1", "x/", "x/a", "x/-1", "x/1/2", "x/99999999999", "files/00", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(sp_fragment_of(sp_view_str(others[i]), &n), SP_FRAGMENT_OTHER);
    }
}

#define SHA256_9 "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="

static enum sp_err read_fragment(enum sp_fragment kind, const char *text,
                                 struct seen *s)
{
    struct sp_catalog_sink sink = sink_of(s);
    return sp_fragment_read(kind, 7, sp_view_str(text), &sink, NULL);
}

static void b_fragments(void **state)
{
    (void)state;
    struct seen s = {0};
    assert_ok(read_fragment(
        SP_FRAGMENT_EXTENDED,
        "<ExtendedProperties MsrcSeverity=\"Critical\"><KBArticleID> 5000001\n"
        "</KBArticleID><SecurityBulletinID>MS26-001</SecurityBulletinID>"
        "</ExtendedProperties><Files><File Digest=\"" ONE "\" DigestAlgorithm=\"SHA1\" "
        "FileName=\"a.cab\" Size=\"12\"><AdditionalDigest "
        "Algorithm=\"SHA256\">" SHA256_9 "</AdditionalDigest></File><File Digest=\"" TWO
        "\" Size=\"13\"/>"
        "<File Digest=\"AAAA\" Size=\"1\"/></Files>",
        &s));
    assert_string_equal(s.log, "|file 1 9 12 a.cab|file 2 -1 13 "
                               "|details 7 kb=5000001 MS26-001 Critical");
    s = (struct seen){0};
    assert_ok(
        read_fragment(SP_FRAGMENT_LOCALIZED,
                      "\xef\xbb\xbf<LocalizedProperties><Title>One &amp; two</Title>"
                      "<Description>x</Description></LocalizedProperties>",
                      &s));
    assert_string_equal(s.log, "|title 7 One & two");
}

static void b_fragments_refused(void **state)
{
    (void)state;
    struct seen s = {0};
    assert_err(read_fragment(SP_FRAGMENT_EXTENDED,
                             "<File Digest=\"" ONE "\" Size=\"1\">"
                             "<AdditionalDigest Algorithm=\"SHA256\">AAAA"
                             "</AdditionalDigest></File>",
                             &s),
               SP_E_MALFORMED);
    assert_err(read_fragment(SP_FRAGMENT_EXTENDED, "</fragments>", &s), SP_E_MALFORMED);
    assert_err(read_fragment(SP_FRAGMENT_LOCALIZED, "<Title>", &s), SP_E_MALFORMED);
    for (size_t over = 0; over < 2; over++) {
        struct sp_buf b;
        sp_buf_init(&b, SP_KIB(16));
        assert_ok(sp_buf_append_str(&b, "<Title>"));
        for (size_t i = 0; i < SP_LIMIT_CATALOG_TEXT + over; i++) {
            assert_ok(sp_buf_append_byte(&b, 't'));
        }
        assert_ok(sp_buf_append_str(&b, "</Title>"));
        struct sp_catalog_sink sink = sink_of(&s);
        assert_err(
            sp_fragment_read(SP_FRAGMENT_LOCALIZED, 1, sp_buf_view(&b), &sink, NULL),
            over ? SP_E_LIMIT : SP_OK);
        sp_buf_fini(&b);
    }
}

/* ---- the index ------------------------------------------------------------------- */

static void make_index(const char *path)
{
    struct sp_catalog_build *b = NULL;
    struct sp_package_reader *r = NULL;
    struct sp_catalog_about about = {
        .size = 99, .signed_at = 1750000000, .sha256 = {5}};
    assert_ok(sp_catalog_build_new(path, &b, NULL));
    struct sp_catalog_sink sink = sp_catalog_build_sink(b);
    assert_ok(sp_fragment_read(SP_FRAGMENT_LOCALIZED, 7,
                               SP_VIEW("<Title>Seven</Title>"), &sink, NULL));
    assert_ok(sp_package_new(&sink, &r));
    assert_ok(sp_package_feed(r, SP_VIEW(WHOLE), NULL));
    assert_ok(sp_package_finish(r, NULL));
    sp_package_free(&r);
    assert_ok(
        sp_fragment_read(SP_FRAGMENT_EXTENDED, 7,
                         SP_VIEW("<P><KBArticleID>5000001</KBArticleID></P>"
                                 "<File Digest=\"" ONE "\" Size=\"12\">"
                                 "<AdditionalDigest Algorithm=\"SHA256\">" SHA256_9
                                 "</AdditionalDigest></File>"),
                         &sink, NULL));
    assert_ok(sp_catalog_build_finish(&b, &about, NULL));
    assert_null(b);
    assert_int_equal(about.revisions, 2);
    assert_int_equal(about.payloads, 2);
}

static struct sp_catalog *open_index(void)
{
    char path[128];
    struct sp_catalog *c = NULL;
    snprintf(path, sizeof path, "%s/x.db", folder_path);
    make_index(path);
    assert_ok(sp_catalog_open(path, &c, NULL));
    return c;
}

static enum sp_err note_row(void *ctx, const struct sp_catalog_row *r)
{
    char line[128];
    snprintf(line, sizeof line, "|%d.%d %s %s", (int)r->revision, (int)r->number, r->kb,
             r->title);
    add(ctx, line);
    return SP_OK;
}

static enum sp_err note_payload(void *ctx, const struct sp_catalog_payload *p)
{
    char line[256];
    snprintf(line, sizeof line, "|%d %d %d %s", p->sha1[0],
             p->has_sha256 ? p->sha256[0] : -1, p->has_size ? (int)p->size : -1,
             p->url);
    add(ctx, line);
    return SP_OK;
}

static void b_index(void **state)
{
    (void)state;
    struct sp_catalog *c = open_index();
    struct sp_guid a, b;
    struct seen s = {0};
    assert_int_equal(sp_catalog_about(c)->size, 99);
    assert_int_equal(sp_catalog_about(c)->signed_at, 1750000000);
    assert_int_equal(sp_catalog_about(c)->sha256[0], 5);
    assert_ok(sp_guid_parse(SP_VIEW(ID_A), &a));
    assert_ok(sp_guid_parse(SP_VIEW(ID_B), &b));
    assert_ok(sp_catalog_find_kb(c, SP_VIEW("5000001"), note_row, &s));
    assert_ok(sp_catalog_find_kb(c, SP_VIEW(""), note_row, &s));
    assert_ok(sp_catalog_find_update(c, &a, 201, note_row, &s));
    assert_ok(sp_catalog_find_update(c, &a, 200, note_row, &s));
    assert_ok(sp_catalog_find_update(c, &b, -1, note_row, &s));
    assert_string_equal(s.log, "|7.200 5000001 Seven|7.200 5000001 Seven|8.1  ");
    s = (struct seen){0};
    assert_ok(sp_catalog_payloads(c, 7, note_payload, &s));
    assert_string_equal(s.log, "|1 9 12 http://u.example/one.cab|2 -1 -1 ");
    sp_catalog_close(&c);
}

/* Caches stand where there is room: behind a link to another disk, too. */
static void c_index_in_a_linked_folder(void **state)
{
    (void)state;
    struct sp_catalog *c = NULL;
    assert_int_equal(mkdir(in_folder("real"), 0700), 0);
    assert_int_equal(symlink("real", in_folder("link")), 0);
    make_index(in_folder("link/x.db"));
    assert_ok(sp_catalog_open(in_folder("real/x.db"), &c, NULL));
    sp_catalog_close(&c);
    assert_ok(sp_catalog_open(in_folder("link/x.db"), &c, NULL));
    assert_int_equal(sp_catalog_about(c)->size, 99);
    sp_catalog_close(&c);
}

static void b_index_without_package(void **state)
{
    (void)state;
    char path[128];
    struct sp_catalog_build *b = NULL;
    struct sp_catalog *c = NULL;
    struct sp_catalog_about about = {0};
    snprintf(path, sizeof path, "%s/none.db", folder_path);
    assert_ok(sp_catalog_build_new(path, &b, NULL));
    assert_err(sp_catalog_build_finish(&b, &about, NULL), SP_E_MALFORMED);
    assert_err(sp_catalog_open(path, &c, NULL), SP_E_NOTFOUND);
}

static void b_index_that_is_none(void **state)
{
    (void)state;
    char path[128];
    struct sp_catalog *c = NULL;
    snprintf(path, sizeof path, "%s/odd.db", folder_path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("this is no index, whatever its name says, and long enough to be read as one",
          f);
    fclose(f);
    assert_err(sp_catalog_open(path, &c, NULL), SP_E_CORRUPT);
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_err(sp_catalog_open(path, &c, NULL), SP_E_CORRUPT);
    assert_int_equal(mkfifo(in_folder("fifo.db"), 0600), 0);
    assert_err(sp_catalog_open(in_folder("fifo.db"), &c, NULL), SP_E_CORRUPT);
    assert_int_equal(symlink("elsewhere", in_folder("link.db")), 0);
    assert_err(sp_catalog_open(in_folder("link.db"), &c, NULL), SP_E_CORRUPT);
}

static void b_same_revision_twice(void **state)
{
    (void)state;
    char path[128];
    struct sp_catalog_build *b = NULL;
    struct sp_catalog_update u = {.revision = 1};
    snprintf(path, sizeof path, "%s/twice.db", folder_path);
    assert_ok(sp_catalog_build_new(path, &b, NULL));
    struct sp_catalog_sink sink = sp_catalog_build_sink(b);
    assert_ok(sink.update(sink.ctx, &u));
    assert_err(sink.update(sink.ctx, &u), SP_E_MALFORMED);
    sp_catalog_build_drop(&b);
}

/* ---- the witness ----------------------------------------------------------------- */

static struct sp_catalog_claim claim(uint8_t sha1, int sha256)
{
    struct sp_catalog_claim c = {.has_sha256 = sha256 >= 0};
    memset(c.sha1, sha1, sizeof c.sha1);
    memset(c.sha256, sha256 < 0 ? 0 : sha256, sizeof c.sha256);
    return c;
}

static void c_witness(void **state)
{
    (void)state;
    struct sp_catalog *c = open_index();
    struct sp_guid a, b;
    assert_ok(sp_guid_parse(SP_VIEW(ID_A), &a));
    assert_ok(sp_guid_parse(SP_VIEW(ID_B), &b));
    struct sp_catalog_claim one = claim(1, -1), one_right = claim(1, 9),
                            one_wrong = claim(1, 8), two = claim(2, 4),
                            odd = claim(3, -1);
    const struct {
        const struct sp_guid *id;
        int64_t number;
        struct sp_catalog_claim claims[2];
        size_t count;
        const char *witness;
        uint8_t odd;
    } cases[] = {
        {&a, 200, {one}, 1, "appears", 0},
        {&a, 200, {one_right, two}, 2, "appears", 0},
        {&a, 200, {one_wrong, two}, 2, "contradicts", 1},
        {&a, 200, {two, odd}, 2, "contradicts", 3},
        {&a, 200, {odd}, 0, "absent", 0},
        {&a, 199, {one}, 1, "absent", 0},
        {&b, 1, {one}, 1, "absent", 0}, /* known, but no file of it is named */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_catalog_testimony t;
        assert_ok(sp_catalog_witness(c, cases[i].id, cases[i].number, cases[i].claims,
                                     cases[i].count, &t));
        assert_string_equal(sp_witness_text(t.witness), cases[i].witness);
        assert_int_equal(t.odd_sha1[19], cases[i].odd);
        assert_int_equal(t.knows_revision, cases[i].number != 199);
    }
    sp_catalog_close(&c);
}

static void b_witness_facts(void **state)
{
    (void)state;
    static const struct {
        enum sp_witness witness;
        enum sp_fact fact;
    } cases[] = {{SP_WITNESS_ABSENT, SP_FACT_CATALOG_ABSENT},
                 {SP_WITNESS_APPEARS, SP_FACT_CATALOG_APPEARS},
                 {SP_WITNESS_CONTRADICTS, SP_FACT_CATALOG_CONTRADICTS}};
    const uint8_t sha256[32] = {7};
    for (size_t i = 0; i < 3; i++) {
        struct sp_facts *f = NULL;
        struct sp_fact_value v;
        assert_ok(sp_facts_new(SP_KIB(4), &f));
        assert_ok(sp_witness_to_facts(cases[i].witness, sha256, 1750000000, f));
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(sp_facts_has_flag(f, cases[k].fact), k == i);
        }
        assert_true(sp_facts_get(f, SP_FACT_CATALOG_SIGNED, 0, &v));
        assert_view_equal(v.bytes, "2025-06-15T15:06:40Z");
        assert_true(sp_facts_get(f, SP_FACT_CATALOG_SHA256, 0, &v));
        assert_int_equal(v.bytes.data[0], 7);
        sp_facts_free(&f);
    }
}

/* ---- the judge ------------------------------------------------------------------- */

#define NOW INT64_C(1768300000)

static void put_flag(struct sp_facts *f, enum sp_fact k, bool v)
{
    assert_ok(sp_facts_flag(f, k, v));
}

static void put_text(struct sp_facts *f, enum sp_fact k, const char *v)
{
    assert_ok(sp_facts_text(f, k, sp_view_str(v)));
}

/* What a good catalogue shows, but for one flag that is turned over. */
static struct sp_facts *shown(enum sp_fact turned, const char *format, const char *time)
{
    static const struct {
        enum sp_fact fact;
        bool value;
    } flags[] = {
        {SP_FACT_SIGN_EXTENSION_AGREES, true}, {SP_FACT_SIGN_DIGEST_GOOD, true},
        {SP_FACT_SIGN_SIGNATURE_GOOD, true},   {SP_FACT_SIGN_ROOT_TRUSTED, true},
        {SP_FACT_SIGN_TIME_TRUSTED, true},     {SP_FACT_SIGN_EXPLICIT_CURVE, false},
        {SP_FACT_SIGN_TRAILING_DATA, false},   {SP_FACT_SIGN_OUTSIDE_BYTES, false},
        {SP_FACT_SIGN_OVERLAP, false},         {SP_FACT_SIGN_WEAK_ONLY, false}};
    struct sp_facts *f = NULL;
    assert_ok(sp_facts_new(SP_KIB(64), &f));
    put_text(f, SP_FACT_SIGN_FORMAT, format);
    put_text(f, SP_FACT_SIGN_CLASS, "signed");
    assert_ok(sp_facts_int(f, SP_FACT_SIGN_COUNT, 1));
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        put_flag(f, flags[i].fact, flags[i].value != (flags[i].fact == turned));
    }
    if (time) {
        put_text(f, SP_FACT_SIGN_TIME, time);
    }
    return f;
}

static const char *judged(struct sp_facts *f, int64_t last, struct sp_catalog_ruling *r)
{
    assert_ok(sp_catalog_judge(f, NOW, last, r));
    sp_facts_free(&f);
    assert_int_equal(r->good, r->why.text[0] == 0);
    return r->why.text;
}

#define SIGNED_TEXT "2026-01-10T10:00:00Z"
#define SIGNED      INT64_C(1768039200)

static void b_judge(void **state)
{
    (void)state;
    struct sp_catalog_ruling r;
    assert_string_equal(judged(shown(SP_FACT_COUNT, "cab", SIGNED_TEXT), 0, &r), "");
    assert_int_equal(r.signed_at, SIGNED);
    assert_string_equal(judged(shown(SP_FACT_COUNT, "cab", SIGNED_TEXT), SIGNED, &r),
                        "");
    assert_non_null(
        strstr(judged(shown(SP_FACT_COUNT, "cab", SIGNED_TEXT), SIGNED + 1, &r),
               "older than the one in force"));
    assert_non_null(
        strstr(judged(shown(SP_FACT_COUNT, "pe", SIGNED_TEXT), 0, &r), "no cabinet"));
    assert_non_null(
        strstr(judged(shown(SP_FACT_COUNT, "cab", NULL), 0, &r), "time stamp"));
    static const enum sp_fact flags[] = {
        SP_FACT_SIGN_EXTENSION_AGREES, SP_FACT_SIGN_DIGEST_GOOD,
        SP_FACT_SIGN_SIGNATURE_GOOD,   SP_FACT_SIGN_ROOT_TRUSTED,
        SP_FACT_SIGN_TIME_TRUSTED,     SP_FACT_SIGN_EXPLICIT_CURVE,
        SP_FACT_SIGN_TRAILING_DATA,    SP_FACT_SIGN_OUTSIDE_BYTES,
        SP_FACT_SIGN_OVERLAP,          SP_FACT_SIGN_WEAK_ONLY};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        judged(shown(flags[i], "cab", SIGNED_TEXT), 0, &r);
        assert_false(r.good);
    }
}

static void b_judge_times(void **state)
{
    (void)state;
    struct sp_catalog_ruling r;
    char at[SP_TIME_TEXT];
    sp_time_format(NOW + SP_CATALOG_CLOCK_SKEW, at);
    assert_string_equal(judged(shown(SP_FACT_COUNT, "cab", at), 0, &r), "");
    sp_time_format(NOW + SP_CATALOG_CLOCK_SKEW + 1, at);
    assert_non_null(strstr(judged(shown(SP_FACT_COUNT, "cab", at), 0, &r), "future"));
    struct sp_facts *two = shown(SP_FACT_COUNT, "cab", SIGNED_TEXT);
    put_text(two, SP_FACT_SIGN_TIME, "2026-01-09T10:00:00Z");
    judged(two, 0, &r);
    assert_int_equal(r.signed_at, SIGNED - 86400);
    struct sp_facts *half = shown(SP_FACT_COUNT, "cab", SIGNED_TEXT);
    put_flag(half, SP_FACT_SIGN_TIME_TRUSTED, false); /* of a second signature */
    judged(half, 0, &r);
    assert_false(r.good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_package),
        cmocka_unit_test(b_package_refused),
        cmocka_unit_test(f_endless_tag),
        cmocka_unit_test(b_fragment_names),
        cmocka_unit_test(b_fragments),
        cmocka_unit_test(b_fragments_refused),
        cmocka_unit_test_setup_teardown(b_index, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(c_index_in_a_linked_folder, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(b_index_without_package, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(b_index_that_is_none, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(b_same_revision_twice, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(c_witness, folder_setup, folder_teardown),
        cmocka_unit_test(b_witness_facts),
        cmocka_unit_test(b_judge),
        cmocka_unit_test(b_judge_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
