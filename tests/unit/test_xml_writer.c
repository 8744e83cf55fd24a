/* What is written into a document reads back as it was. */
#include "xml_rig.h"

static void b_writer_escapes(void **state)
{
    (void)state;
    struct sp_buf b;
    sp_buf_init(&b, SP_KIB(1));
    assert_ok(sp_xml_write_text(&b, SP_VIEW("a<b>&\"'\r\n\t\xc3\xa9")));
    assert_view_equal(sp_buf_view(&b), "a&lt;b&gt;&amp;\"'&#xD;\n\t\xc3\xa9");
    sp_buf_clear(&b);
    assert_ok(sp_xml_write_value(&b, SP_VIEW("a<b>&\"'\r\n\t\xc3\xa9")));
    assert_view_equal(sp_buf_view(&b),
                      "a&lt;b&gt;&amp;&quot;&apos;&#xD;&#xA;&#x9;\xc3\xa9");
    sp_buf_clear(&b);
    assert_ok(sp_xml_write_text(&b, SP_VIEW("")));
    assert_int_equal(b.len, 0);
    sp_buf_fini(&b);
}

static void f_writer_refuses_what_no_reader_takes(void **state)
{
    (void)state;
    struct sp_buf b;
    sp_buf_init(&b, 16);
    assert_ok(sp_buf_append_str(&b, "kept"));
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {{"a\0", 2},          {"a\x01", 2},        {"a\x1f", 2},
               {"a\x80", 2},        {"\xc0\xbc", 2},     {"\xc3", 1},
               {"\xed\xa0\x80", 3}, {"\xef\xbf\xbe", 3}, {"\xef\xbf\xbf", 3}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sp_view v = sp_view(bad[i].bytes, bad[i].len);
        assert_err(sp_xml_write_text(&b, v), SP_E_MALFORMED);
        assert_err(sp_xml_write_value(&b, v), SP_E_MALFORMED);
        assert_view_equal(sp_buf_view(&b), "kept");
    }
    assert_err(sp_xml_write_text(&b, SP_VIEW("aaaaaaaa&")), SP_E_LIMIT);
    assert_view_equal(sp_buf_view(&b), "kept");
    assert_ok(sp_xml_write_text(&b, SP_VIEW("aaaaaaa&")));
    sp_buf_clear(&b);
    assert_ok(sp_xml_write_text(&b, SP_VIEW("\x7f\xef\xbf\xbd\xef\xbb\xbf")));
    sp_buf_fini(&b);
}

static void c_written_text_reads_back(void **state)
{
    (void)state;
    struct sp_buf doc;
    sp_buf_init(&doc, SP_KIB(4));
    struct sp_view nasty =
        SP_VIEW("]]>&amp;<!--\r\n\r\t x='\"' \xf0\x9f\x98\x80 &#10;\n ");
    repeat(&doc, "<a b=\"", 1);
    assert_ok(sp_xml_write_value(&doc, nasty));
    repeat(&doc, "\">", 1);
    assert_ok(sp_xml_write_text(&doc, nasty));
    repeat(&doc, "</a>", 1);
    char expected[256];
    snprintf(expected, sizeof expected, "<a b=" SP_VIEW_FMT ">" SP_VIEW_FMT "</a>",
             SP_VIEW_ARG(nasty), SP_VIEW_ARG(nasty));
    check_reads(sp_buf_view(&doc), expected);
    sp_buf_fini(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_writer_escapes),
        cmocka_unit_test(f_writer_refuses_what_no_reader_takes),
        cmocka_unit_test(c_written_text_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
