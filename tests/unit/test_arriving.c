/* Documents and replies that are read while they come: how far one may rely on them. */
#include "unit.h"

#include "core/wsus/wsus.h"
#include "core/xml/xml.h"

#define NS "http://www.microsoft.com/SoftwareDistribution"
#define HEAD                                                                           \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"       \
    "<GetDeploymentsResponse xmlns=\"" NS "\"><GetDeploymentsResult>"
#define FOOT "</GetDeploymentsResult></GetDeploymentsResponse></s:Body></s:Envelope>"

/* ---- documents ------------------------------------------------------------------- */

static const struct sp_xml_handler deaf = {0};

static struct sp_xml_arriving *arriving(void)
{
    struct sp_xml_arriving *a = NULL;
    assert_ok(sp_xml_arriving_new(&sp_xml_rules_document, &deaf, NULL, SP_MIB(64), &a));
    return a;
}

/* How far text is read before its rest is there. */
static size_t read_of(const char *text)
{
    struct sp_xml_arriving *a = arriving();
    size_t read = 0;
    assert_ok(sp_xml_arriving_more(a, sp_view_str(text), &read));
    sp_xml_arriving_free(&a);
    return read;
}

static void b_up_to_the_last_that_may_go_on(void **state)
{
    (void)state;
    assert_int_equal(read_of(""), 0);
    assert_int_equal(read_of("<?xml version=\"1.0\"?>"), 0);
    assert_int_equal(read_of("<?xml version=\"1.0\"?><a"), 0);
    assert_int_equal(read_of("<a>"), 0);
    assert_int_equal(read_of("<a>text</a"), 7);
    assert_int_equal(read_of("<a>text<b c='>'"), 7);
    assert_int_equal(read_of("<a>text<b c='>'/>more"), 7);
    assert_int_equal(read_of("<a>text<b c='>'/>more<"), 21);
}

static void f_wrong_before_its_end_is_there(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "<a></b><c", "<a><b <c>", "<a>&amp<b>",       "<a>\x01<b>",      "<a>\xc3<b>",
        "<a>]]><b>", "x<a>",      "<a/><b/><c>",      "<!DOCTYPE a><a>", "<a><?pi?><b>",
        "<a b='<",   "<a/>x<",    "<a><!-- -- --><b>"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sp_xml_arriving *a = arriving();
        size_t read = 0;
        struct sp_view text = sp_view_str(wrong[i]);
        assert_int_not_equal(sp_xml_arriving_more(a, text, &read), SP_OK);
        assert_int_equal(read, 0);
        assert_int_not_equal(sp_xml_arriving_more(a, text, &read), SP_OK);
        assert_int_not_equal(sp_xml_arriving_end(a, text), SP_OK);
        sp_xml_arriving_free(&a);
    }
}

static void c_comments_and_sections_wait_for_their_end(void **state)
{
    (void)state;
    static const char text[] = "<a>1<![CDATA[<<<<<<<<]]>2<!--<<<<<<-->3</a>  ";
    size_t reads[sizeof text];
    struct sp_xml_arriving *a = arriving();
    size_t read = 0;
    for (size_t n = 0; n < sizeof text; n++) {
        assert_ok(sp_xml_arriving_more(a, sp_view(text, n), &read));
        reads[n] = read;
    }
    assert_int_equal(reads[20], 4); /* in the section */
    assert_int_equal(reads[27], 25);
    assert_int_equal(reads[33], 25);              /* in the comment */
    assert_int_equal(reads[sizeof text - 1], 25); /* of what waits twice as much */
    assert_ok(sp_xml_arriving_end(a, sp_view(text, sizeof text - 1)));
    sp_xml_arriving_free(&a);
}

/* A section of 4 MiB of '<', shown in a thousand pieces: in time. */
static void f_a_long_section_is_not_looked_through_each_time(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20, PIECE = 4096 };
    struct sp_buf text;
    uint8_t *to = NULL;
    sp_buf_init(&text, 2 * SIZE);
    assert_ok(sp_buf_append_str(&text, "<a><![CDATA["));
    assert_ok(sp_buf_reserve(&text, SIZE, &to));
    memset(to, '<', SIZE);
    text.len += SIZE;
    assert_ok(sp_buf_append_str(&text, "]]></a>"));
    struct sp_xml_arriving *a = arriving();
    size_t read = 0;
    for (size_t n = PIECE; n < text.len; n += PIECE) {
        assert_ok(sp_xml_arriving_more(a, sp_view(text.data, n), &read));
        assert_in_range(read, 0, 3);
    }
    assert_ok(sp_xml_arriving_end(a, sp_buf_view(&text)));
    sp_xml_arriving_free(&a);
    sp_buf_fini(&text);
}

/* ---- replies --------------------------------------------------------------------- */

/* How far text may go out, read byte by byte; *e says what became of it. */
static size_t open_of(const char *text, enum sp_err *e)
{
    struct sp_reply_arriving *a = NULL;
    struct sp_reply *reply = NULL;
    size_t open = 0;
    *e = SP_OK;
    assert_ok(sp_reply_arriving_new(SP_OP_GET_DEPLOYMENTS, &a));
    for (size_t n = 1; *e == SP_OK && n <= strlen(text); n++) {
        size_t before = open;
        *e = sp_reply_arriving_more(a, sp_view(text, n), &open);
        assert_in_range(open, before, n);
    }
    if (*e == SP_OK) {
        *e = sp_reply_arriving_end(a, sp_view_str(text), &reply);
    }
    assert_int_equal(*e == SP_OK, reply != NULL);
    sp_reply_free(&reply);
    sp_reply_arriving_free(&a);
    return open;
}

static size_t at(const char *text, const char *what)
{
    return (size_t)(strstr(text, what) - text);
}

static void b_what_ends_the_response_stays(void **state)
{
    (void)state;
    static const char text[] = HEAD "<Anchor>1</Anchor><Deployments/>" FOOT;
    static const char padded[] = HEAD "<Anchor>1</Anchor>" FOOT "   <!-- long -->   ";
    enum sp_err e;
    assert_int_equal(open_of(text, &e), at(text, "</GetDeploymentsResponse"));
    assert_ok(e);
    assert_int_equal(open_of(padded, &e), at(padded, "</GetDeploymentsResponse"));
    assert_ok(e);
}

static void f_what_is_refused_stays(void **state)
{
    (void)state;
    static const struct {
        const char *text, *from; /* nothing from there on may go out */
    } rows[] = {
        {HEAD "<A>1</A><B></C>" FOOT, "</C>"},
        {HEAD "<A>1</A><B>&x;</B>" FOOT, "<B>"},
        {HEAD "<A>1</A></GetDeploymentsResult><GetDeploymentsResult/>",
         "<GetDeploymentsResult/>"},
        {HEAD "<A/></GetDeploymentsResult></GetDeploymentsResponse>"
              "<GetDeploymentsResponse xmlns=\"" NS "\"/>",
         "</GetDeploymentsResponse"},
        {"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
         "<GetCookieResponse xmlns=\"" NS "\"><a/><b/>",
         "<GetCookieResponse"},
        {"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
         "<s:Fault><a/><b/>",
         "<s:Fault"},
        {HEAD "<A>1</A><CookieData>AAEC</CookieData><B/>" FOOT, "<CookieData"},
        {HEAD "<A>1</A><EncryptedData>AAEC</EncryptedData><B/>" FOOT, "<EncryptedData"},
        {HEAD
         "<A>1</A><FileLocations><FileLocation><Url>u</Url></FileLocation><B/>" FOOT,
         "<FileLocation>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum sp_err e;
        assert_in_range(open_of(rows[i].text, &e), 0, at(rows[i].text, rows[i].from));
        assert_int_not_equal(e, SP_OK);
    }
}

static void f_a_beginning_alone_is_no_reply(void **state)
{
    (void)state;
    enum sp_err e;
    (void)open_of(HEAD "<A>1</A>", &e);
    assert_int_not_equal(e, SP_OK);
    (void)open_of(HEAD "<A>1</A></GetDeploymentsResult></GetDeploymentsResponse>", &e);
    assert_int_not_equal(e, SP_OK);
}

static void b_the_same_facts_but_for_the_digest(void **state)
{
    (void)state;
    struct sp_view text = SP_VIEW(HEAD "<Anchor>1</Anchor>" FOOT);
    struct sp_reply_arriving *a = NULL;
    struct sp_reply *one = NULL, *two = NULL;
    struct sp_why why;
    assert_ok(sp_reply_arriving_new(SP_OP_GET_DEPLOYMENTS, &a));
    assert_ok(sp_reply_arriving_end(a, text, &one));
    assert_ok(sp_reply_inspect(SP_OP_GET_DEPLOYMENTS, 200, text, NULL, 0, &two, &why));
    for (enum sp_fact k = 0; k < SP_FACT_COUNT; k++) {
        assert_int_equal(sp_facts_count(one->facts, k), sp_facts_count(two->facts, k));
    }
    sp_reply_free(&one);
    sp_reply_free(&two);
    sp_reply_arriving_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_up_to_the_last_that_may_go_on),
        cmocka_unit_test(f_wrong_before_its_end_is_there),
        cmocka_unit_test(c_comments_and_sections_wait_for_their_end),
        cmocka_unit_test(f_a_long_section_is_not_looked_through_each_time),
        cmocka_unit_test(b_what_ends_the_response_stays),
        cmocka_unit_test(f_what_is_refused_stays),
        cmocka_unit_test(f_a_beginning_alone_is_no_reply),
        cmocka_unit_test(b_the_same_facts_but_for_the_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
