/* Every limit of a document, one below and one above. */
#include "xml_rig.h"

static void check_limit(struct sp_buf *doc, const struct sp_xml_rules *rules,
                        const char *sentence)
{
    if (sentence) {
        check_fails(sp_buf_view(doc), rules, SP_E_LIMIT, sentence);
    } else {
        struct seen s = {0};
        sp_buf_init(&s.log, SP_MIB(16));
        assert_ok(read_view(&s, sp_buf_view(doc), rules, NULL));
        sp_buf_fini(&s.log);
    }
    sp_buf_clear(doc);
}

static void f_depth(void **state)
{
    (void)state;
    struct sp_buf doc;
    sp_buf_init(&doc, SP_MIB(8));
    for (size_t over = 0; over < 2; over++) {
        repeat(&doc, "<a>", SP_LIMIT_XML_DEPTH + over);
        repeat(&doc, "</a>", SP_LIMIT_XML_DEPTH + over);
        check_limit(&doc, &sp_xml_rules_request, over ? "nested deeper than 64" : NULL);
    }
    /* siblings do not add up */
    repeat(&doc, "<a>", SP_LIMIT_XML_DEPTH - 1);
    repeat(&doc, "<b/>", 100);
    repeat(&doc, "</a>", SP_LIMIT_XML_DEPTH - 1);
    check_limit(&doc, &sp_xml_rules_request, NULL);
    repeat(&doc, "<a>", 1000000);
    check_limit(&doc, &sp_xml_rules_document, "nested deeper than 64");
    sp_buf_fini(&doc);
}

static void f_nesting_takes_no_stack(void **state)
{
    (void)state;
    const struct sp_xml_rules deep = {
        .depth = 2000000, .attributes = 1, .nodes = 2000000};
    const struct sp_xml_handler none = {0};
    struct sp_buf doc;
    sp_buf_init(&doc, SP_MIB(8));
    repeat(&doc, "<a>", 1000000);
    repeat(&doc, "</a>", 1000000);
    assert_ok(sp_xml_read(sp_buf_view(&doc), &deep, &none, NULL, NULL));
    sp_buf_fini(&doc);
}

static void f_attributes(void **state)
{
    (void)state;
    struct sp_buf doc;
    sp_buf_init(&doc, SP_MIB(1));
    for (size_t over = 0; over < 2; over++) {
        for (int declare = 0; declare < 3; declare++) {
            assert_ok(sp_buf_append_str(&doc, "<a"));
            for (size_t i = 0; i < SP_LIMIT_XML_ATTRIBUTES + over; i++) {
                bool is_ns = declare == 2 || (declare == 1 && i % 2);
                assert_ok(sp_buf_printf(&doc, " %sx%zu='u'", is_ns ? "xmlns:" : "", i));
            }
            assert_ok(sp_buf_append_str(&doc, "/>"));
            check_limit(&doc, &sp_xml_rules_request, over ? "64 attributes" : NULL);
        }
    }
    sp_buf_fini(&doc);
}

static void f_nodes(void **state)
{
    (void)state;
    const struct sp_xml_rules few = {.depth = 8, .attributes = 8, .nodes = 10};
    struct sp_buf doc;
    sp_buf_init(&doc, SP_MIB(8));
    for (size_t over = 0; over < 2; over++) {
        const char *sentence = over ? "more than 10 elements and attributes" : NULL;
        repeat(&doc, "<a>", 1);
        repeat(&doc, "<b/>", 9 + over);
        repeat(&doc, "</a>", 1);
        check_limit(&doc, &few, sentence);
        repeat(&doc, "<a><b c='1' d='2' xmlns:p='u'/><b c='1' d='2'/>", 1);
        repeat(&doc, "<b/>", 2 + over);
        repeat(&doc, "</a>", 1);
        check_limit(&doc, &few, sentence);
        repeat(&doc, "<a>", 1);
        repeat(&doc, "<b/>", SP_LIMIT_XML_NODES_REQUEST - 1 + over);
        repeat(&doc, "</a>", 1);
        check_limit(&doc, &sp_xml_rules_request, over ? "more than 200000" : NULL);
    }
    sp_buf_fini(&doc);
}

static void f_names(void **state)
{
    (void)state;
    struct sp_buf doc;
    sp_buf_init(&doc, SP_KIB(64));
    for (size_t over = 0; over < 2; over++) {
        repeat(&doc, "<", 1);
        repeat(&doc, "n", SP_LIMIT_XML_NAME + over);
        repeat(&doc, "/>", 1);
        check_limit(&doc, &sp_xml_rules_request, over ? "a name has 257 bytes" : NULL);
        repeat(&doc, "<a ", 1);
        repeat(&doc, "n", SP_LIMIT_XML_NAME + over);
        repeat(&doc, "=''/>", 1);
        check_limit(&doc, &sp_xml_rules_request, over ? "a name has 257 bytes" : NULL);
        repeat(&doc, "<a xmlns:", 1);
        repeat(&doc, "n", SP_LIMIT_XML_NAME + over);
        repeat(&doc, "='u'/>", 1);
        check_limit(&doc, &sp_xml_rules_request, over ? "prefix or namespace" : NULL);
        repeat(&doc, "<a xmlns='", 1);
        repeat(&doc, "n", SP_LIMIT_XML_NAME + over);
        repeat(&doc, "'/>", 1);
        check_limit(&doc, &sp_xml_rules_request, over ? "prefix or namespace" : NULL);
    }
    sp_buf_fini(&doc);
}

static void f_text(void **state)
{
    (void)state;
    const size_t limit = SP_LIMIT_XML_TEXT_REQUEST;
    struct sp_buf doc;
    sp_buf_init(&doc, SP_MIB(1));
    for (size_t over = 0; over < 2; over++) {
        const char *sentence = over ? "text is longer than 65536 bytes" : NULL;
        repeat(&doc, "<a>", 1);
        repeat(&doc, "t", limit + over);
        repeat(&doc, "</a>", 1);
        check_limit(&doc, &sp_xml_rules_request, sentence);
        /* references and CDATA do not begin anew; a tag does */
        repeat(&doc, "<a>", 1);
        repeat(&doc, "t", limit - 2);
        repeat(&doc, "&amp;<![CDATA[", 1);
        repeat(&doc, "t", 1 + over);
        repeat(&doc, "]]><b>", 1);
        repeat(&doc, "\n", limit);
        repeat(&doc, "</b>", 1);
        repeat(&doc, "t", limit);
        repeat(&doc, "</a>", 1);
        check_limit(&doc, &sp_xml_rules_request, sentence);
        repeat(&doc, "<a b='", 1);
        repeat(&doc, "t", limit + over);
        repeat(&doc, "'/>", 1);
        check_limit(&doc, &sp_xml_rules_request, sentence);
    }
    repeat(&doc, "<a>", 1);
    repeat(&doc, "t", limit + 1);
    repeat(&doc, "</a>", 1);
    check_limit(&doc, &sp_xml_rules_reply, NULL);
    sp_buf_fini(&doc);
}

static enum sp_err add_value(void *ctx, struct sp_xml *x,
                             const struct sp_xml_element *e)
{
    (void)x;
    size_t *sum = ctx;
    for (size_t i = 0; i < e->attr_count; i++) {
        *sum += e->attrs[i].value.len;
    }
    return SP_OK;
}

static enum sp_err add_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    (void)x;
    size_t *sum = ctx;
    *sum += text.len;
    return SP_OK;
}

/* Many blocks, and tokens longer than a block: every byte arrives once. */
static void c_large_documents(void **state)
{
    (void)state;
    const struct sp_xml_handler sums = {.start = add_value, .text = add_text};
    struct sp_buf doc;
    sp_buf_init(&doc, SP_MIB(40));
    repeat(&doc, "<a x='", 1);
    repeat(&doc, "0123456789abcdef", SP_MIB(1));
    repeat(&doc, "'><!--", 1);
    repeat(&doc, "0123456789abcdef", SP_KIB(100));
    repeat(&doc, "-->", 1);
    repeat(&doc, "0123456789abcd\xc3\xa9", SP_KIB(512));
    repeat(&doc, "<b>\r\n</b>", SP_KIB(500));
    repeat(&doc, "</a>", 1);
    size_t sum = 0;
    assert_ok(
        sp_xml_read(sp_buf_view(&doc), &sp_xml_rules_document, &sums, &sum, NULL));
    assert_int_equal(sum, SP_MIB(16) + SP_MIB(8) + SP_KIB(500));
    sp_buf_fini(&doc);
}

static void f_absurd_length_is_refused_unread(void **state)
{
    (void)state;
    const struct sp_xml_handler none = {0};
    struct sp_view doc = {(const uint8_t *)"<a/>", SP_MIB(3000)};
    assert_err(sp_xml_read(doc, &sp_xml_rules_document, &none, NULL, NULL), SP_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_depth),
        cmocka_unit_test(f_nesting_takes_no_stack),
        cmocka_unit_test(f_attributes),
        cmocka_unit_test(f_nodes),
        cmocka_unit_test(f_names),
        cmocka_unit_test(f_text),
        cmocka_unit_test(c_large_documents),
        cmocka_unit_test(f_absurd_length_is_refused_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
