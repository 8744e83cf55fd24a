/* What is read of a document: events, names, places; and what is none. */
#include "xml_rig.h"

static void b_events(void **state)
{
    (void)state;
    READS("<a/>", "<a></a>");
    READS("<?xml version='1.0'?><a b='1' c=\"2\">x<d> y </d>z</a>",
          "<a b=1 c=2>x<d> y </d>z</a>");
    READS("<a b=' x&#10;&lt;\n'>&amp;&lt;&gt;&quot;&apos;&#x41;&#66;</a>",
          "<a b= x\n< >&<>\"'AB</a>");
    READS("<a>one\r\ntwo\rthree</a>", "<a>one\ntwo\nthree</a>");
    READS("<a>x<![CDATA[<b>&amp;]]>y<![CDATA[]]></a>", "<a>x<b>&amp;y</a>");
    READS("\n<a/>\n", "<a></a>");
}

static void b_no_handler_is_needed(void **state)
{
    (void)state;
    const struct sp_xml_handler none = {0};
    assert_ok(sp_xml_read(SP_VIEW("<a b='c'>d</a>"), &sp_xml_rules_request, &none, NULL,
                          NULL));
    assert_err(sp_xml_read(SP_VIEW("<a"), &sp_xml_rules_request, &none, NULL, NULL),
               SP_E_MALFORMED);
}

static void b_namespaces(void **state)
{
    (void)state;
    READS("<a xmlns='urn:1'><b/><c xmlns=''/></a>",
          "<{urn:1}a><{urn:1}b></{urn:1}b><c></c></{urn:1}a>");
    READS("<p:a xmlns:p='urn:1' p:x='1' x='2'><p:b xmlns:p='urn:2'/><p:c/></p:a>",
          "<{urn:1}a {urn:1}x=1 "
          "x=2><{urn:2}b></{urn:2}b><{urn:1}c></{urn:1}c></{urn:1}a>");
    /* an attribute without prefix is in no namespace; xml: needs no declaration */
    READS("<a xmlns='urn:1' b='c' xml:lang='en'/>",
          "<{urn:1}a b=c {http://www.w3.org/XML/1998/namespace}lang=en></{urn:1}a>");
    READS("<p:a p:b='c' xmlns:p='urn:1'/>", "<{urn:1}a {urn:1}b=c></{urn:1}a>");
}

static void b_attr_is_found_by_name(void **state)
{
    (void)state;
    const struct sp_xml_attr attrs[] = {
        {{SP_VIEW("urn:1"), SP_VIEW("x")}, SP_VIEW("1")},
        {{SP_VIEW(""), SP_VIEW("x")}, SP_VIEW("2")},
    };
    const struct sp_xml_element e = {.attrs = attrs, .attr_count = 2};
    struct sp_view v = {0};
    assert_true(sp_xml_attr(&e, "urn:1", "x", &v));
    assert_view_equal(v, "1");
    assert_true(sp_xml_attr(&e, "", "x", &v));
    assert_view_equal(v, "2");
    assert_false(sp_xml_attr(&e, "urn:2", "x", &v));
    assert_false(sp_xml_attr(&e, "", "y", &v));
    assert_view_equal(v, "2");
}

/* Resolves the prefixes that the attribute "ask" names and compares with "want". */
static enum sp_err ask_start(void *ctx, struct sp_xml *x,
                             const struct sp_xml_element *e)
{
    size_t *asked = ctx;
    struct sp_view prefix, want, ns = SP_VIEW("untouched");
    if (!sp_xml_attr(e, "", "ask", &prefix) || !sp_xml_attr(e, "", "want", &want)) {
        return SP_OK;
    }
    *asked += 1;
    bool found = sp_xml_resolve(x, prefix, &ns);
    if (sp_view_eq_str(want, "nothing")) {
        return !found && sp_view_eq_str(ns, "untouched") ? SP_OK : SP_E_MISMATCH;
    }
    return found && sp_view_eq(ns, want) ? SP_OK : SP_E_MISMATCH;
}

static void b_prefixes_resolve(void **state)
{
    (void)state;
    static const char *const docs[] = {
        "<a ask='p' want='urn:1' xmlns:p='urn:1'/>", /* declared behind its use */
        "<p:a ask='p' want='urn:1' xmlns:p='urn:1'/>",
        "<a xmlns:p='urn:1'><b><c ask='p' want='urn:1'/></b></a>",
        "<a xmlns:p='urn:1'><b xmlns:p='urn:2' ask='p' want='urn:2'/></a>",
        "<a xmlns:p='urn:1'><b xmlns:p='urn:2'/><c ask='p' want='urn:1'/></a>",
        "<a xmlns:q='urn:2'><b xmlns:r='u' xmlns:p='v'/><c ask='q' want='urn:2'/></a>",
        "<a><b xmlns:p='urn:1'/><c ask='p' want='nothing'/></a>",
        "<a ask='p' want='nothing'/>",
        "<a ask='' want='nothing'/>",
        "<a ask='' want='urn:1' xmlns='urn:1'/>",
        "<a xmlns='urn:1'><b xmlns='' ask='' want='nothing'/></a>",
        "<a xmlns='urn:1'><b xmlns=''/><c ask='' want='urn:1'/></a>",
        "<a ask='xml' want='http://www.w3.org/XML/1998/namespace'/>",
        "<a ask='xmlns' want='nothing'/>",
    };
    const struct sp_xml_handler asking = {.start = ask_start};
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
        size_t asked = 0;
        enum sp_err e = sp_xml_read(sp_view_str(docs[i]), &sp_xml_rules_request,
                                    &asking, &asked, NULL);
        if (e != SP_OK || asked != 1) {
            fail_msg("%s: %s", docs[i], sp_err_text(e));
        }
    }
}

static void b_offsets(void **state)
{
    (void)state;
    struct seen s = {0};
    sp_buf_init(&s.log, SP_KIB(1));
    assert_ok(read_str(&s, "\xef\xbb\xbf <a>12<b/></a>", NULL));
    assert_int_equal(s.count, 4);
    assert_int_equal(s.offsets[0], 4);  /* <a> */
    assert_int_equal(s.offsets[1], 9);  /* <b/> */
    assert_int_equal(s.offsets[2], 13); /* behind <b/> */
    assert_int_equal(s.offsets[3], 13); /* </a> */
    sp_buf_fini(&s.log);
}

static void b_places_are_named(void **state)
{
    (void)state;
    FAILS("<a>\n <b></a>", SP_E_MALFORMED, "line 2, column 7: mismatched tag");
    FAILS("<a>\n\n  <!--x--></a>", SP_E_UNSUPPORTED, "line 3, column 3: a comment");
    struct seen s = {.fail_at_start = SP_E_NOTFOUND};
    sp_buf_init(&s.log, SP_KIB(1));
    struct sp_why why = {""};
    assert_err(read_str(&s, "\n<a><b/></a>", &why), SP_E_NOTFOUND);
    assert_string_equal(why.text, "line 2, column 1: there is no such thing");
    assert_view_equal(sp_buf_view(&s.log), "<a>");
    s.sentence = "no such operation";
    why.text[0] = 0;
    assert_err(read_str(&s, "<?xml version='1.0'?><a><b/></a>", &why), SP_E_NOTFOUND);
    assert_string_equal(why.text, "line 1, column 22: no such operation");
    assert_view_equal(sp_buf_view(&s.log), "<a>");
    sp_buf_fini(&s.log);
}

static enum sp_err fail_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    (void)ctx, (void)x, (void)text;
    return SP_E_MISMATCH;
}

static enum sp_err fail_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    (void)ctx, (void)x, (void)name;
    return SP_E_EXISTS;
}

static void b_handler_failures_are_the_result(void **state)
{
    (void)state;
    const struct sp_xml_handler text = {.text = fail_text}, end = {.end = fail_end};
    struct sp_view doc = SP_VIEW("<a>x<b xmlns:p='urn:1'/></a>");
    assert_err(sp_xml_read(doc, &sp_xml_rules_request, &text, NULL, NULL),
               SP_E_MISMATCH);
    assert_err(sp_xml_read(doc, &sp_xml_rules_request, &end, NULL, NULL), SP_E_EXISTS);
}

static void c_not_well_formed(void **state)
{
    (void)state;
    static const char *const docs[] = {
        "",
        " ",
        "x",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a b='1' b='2'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        "<a xmlns:p='u' xmlns:p='v'/>",
        "<p:a/>",
        "<a p:b='1'/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xmlns='urn:1'/>",
        "<a xmlns:xml='urn:1'/>",
        "<a:b:c xmlns:a='urn:1'/>",
        "<a b=1/>",
        "<a b/>",
        "<a b='<'/>",
        "<a b='1'c='2'/>",
        "<a>]]></a>",
        "<a>&</a>",
        "<a>&#0;</a>",
        "<a>&#x1F;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>\x01</a>",
        "<a><![CDATA[x]]</a>",
        "<a><!-- -- --></a>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
        "<?xml encoding='UTF-8'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<1/>",
        "<a xmlns='urn:&#x1F;'/>",
    };
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
        check_fails(sp_view_str(docs[i]), &sp_xml_rules_document, SP_E_MALFORMED, "");
    }
    check_fails(SP_VIEW("<a>xxx\0xxx</a>"), &sp_xml_rules_document, SP_E_MALFORMED, "");
}

static void f_declarations(void **state)
{
    (void)state;
    READS("<?xml version='1.0' encoding='UTF-8'?><a/>", "<a></a>");
    READS("<?xml version='1.0' encoding='utf-8' standalone='yes'?><a/>", "<a></a>");
    READS("<?xml version=\"1.0\" standalone='no' ?><a/>", "<a></a>");
    READS("\xef\xbb\xbf<?xml version='1.0' encoding='Utf-8'?><a/>", "<a></a>");
    READS("\xef\xbb\xbf<a/>", "<a></a>");
    static const char *const encodings[] = {
        "UTF-16", "UTF-7",  "utf-16le", "ISO-8859-1", "US-ASCII",
        "UTF8",   "UTF-8x", "IBM037",   "UTF-32",     "x"};
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        char doc[100];
        snprintf(doc, sizeof doc, "<?xml version='1.0' encoding='%s'?><a/>",
                 encodings[i]);
        check_fails(sp_view_str(doc), &sp_xml_rules_document, SP_E_UNSUPPORTED,
                    "an encoding other than UTF-8");
    }
    FAILS("<?xml version='1.1'?><a/>", SP_E_UNSUPPORTED, "XML version is not 1.0");
    FAILS("<?xml version='1.00'?><a/>", SP_E_UNSUPPORTED, "XML version is not 1.0");
    FAILS("\xef\xbb\xbf\xef\xbb\xbf<a/>", SP_E_MALFORMED, "");
}

static void f_other_encodings(void **state)
{
    (void)state;
    FAILS("\xff\xfe<\0a\0/\0>\0", SP_E_UNSUPPORTED, "not UTF-8");
    FAILS("\xfe\xff\0<\0a\0/\0>", SP_E_UNSUPPORTED, "not UTF-8");
    FAILS("<\0a\0/\0>\0", SP_E_UNSUPPORTED, "not UTF-8");
    FAILS("\0<\0a\0/\0>", SP_E_UNSUPPORTED, "not UTF-8");
    FAILS("\0\0\xfe\xff\0\0\0<", SP_E_UNSUPPORTED, "not UTF-8");
    FAILS("<\0\0\0a\0\0\0", SP_E_UNSUPPORTED, "not UTF-8");
    FAILS("+/v8-<a/>", SP_E_MALFORMED, "");
    FAILS("+ADw-a+AC8-+AD4-", SP_E_MALFORMED, "");
    FAILS("\x4c\x6f\xa7\x94\x93\x40", SP_E_MALFORMED, "");
}

static void f_utf8_is_strict(void **state)
{
    (void)state;
    READS("<a>\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf</a>",
          "<a>\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf</a>");
    READS("<\xc3\xa9/>", "<\xc3\xa9></\xc3\xa9>");
    static const char *const bad[] = {
        "\xc0\xbc",
        "\xc1\xbf",
        "\xe0\x80\xbc",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\xbc",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80",
        "\x80",
        "\xff",
        "\xc2",
        "\xe2\x82",
        "\xef\xbf\xbe",
    };
    static const char *const places[] = {"<a>%s</a>",
                                         "<a b='%s'/>",
                                         "<a><!--%s--></a>",
                                         "<a><![CDATA[%s]]></a>",
                                         "<a%s/>",
                                         "<a xmlns='%s'/>",
                                         "<a>%s"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
            char doc[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(doc, sizeof doc, places[k], bad[i]);
#pragma GCC diagnostic pop
            check_fails(sp_view_str(doc), &sp_xml_rules_document, SP_E_MALFORMED, "");
        }
    }
}

static void f_doctypes(void **state)
{
    (void)state;
    FAILS("<!DOCTYPE a><a/>", SP_E_UNSUPPORTED, "document type");
    FAILS("<?xml version='1.0'?><!DOCTYPE a []><a/>", SP_E_UNSUPPORTED,
          "document type");
    FAILS("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", SP_E_UNSUPPORTED,
          "document type");
    FAILS("<!DOCTYPE a PUBLIC '-//x' 'http://127.0.0.1/'><a/>", SP_E_UNSUPPORTED,
          "document type");
    FAILS("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
          SP_E_UNSUPPORTED, "document type");
    FAILS("<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/x'> %p;]><a/>",
          SP_E_UNSUPPORTED, "document type");
    FAILS("<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
          "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;'>]>"
          "<a>&d;</a>",
          SP_E_UNSUPPORTED, "document type");
    FAILS("<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>", SP_E_UNSUPPORTED,
          "document type");
    FAILS("<!doctype a><a/>", SP_E_MALFORMED, "");
    FAILS("<a><!DOCTYPE a></a>", SP_E_MALFORMED, "");
    READS("<a><![CDATA[<!DOCTYPE a>]]></a>", "<a><!DOCTYPE a></a>");
}

static void f_entities(void **state)
{
    (void)state;
    FAILS("<a>&nbsp;</a>", SP_E_UNSUPPORTED, "undefined entity");
    FAILS("<a b='&x;'/>", SP_E_UNSUPPORTED, "undefined entity");
    FAILS("<?xml version='1.0' standalone='no'?><a>&x;</a>", SP_E_UNSUPPORTED,
          "undefined entity");
    FAILS("<?xml version='1.0' standalone='yes'?><a>&AMP;</a>", SP_E_UNSUPPORTED,
          "undefined entity");
    READS("<a>&amp;nbsp;</a>", "<a>&nbsp;</a>");
}

static void f_instructions_and_comments(void **state)
{
    (void)state;
    FAILS("<a><?x y?></a>", SP_E_UNSUPPORTED, "processing instruction");
    FAILS("<?x?><a/>", SP_E_UNSUPPORTED, "processing instruction");
    FAILS("<a/><?xml-stylesheet href='x'?>", SP_E_UNSUPPORTED,
          "processing instruction");
    FAILS("<!--x--><a/>", SP_E_UNSUPPORTED, "comment");
    FAILS("<a>x<!---->y</a>", SP_E_UNSUPPORTED, "comment");
    FAILS("<a/><!--x-->", SP_E_UNSUPPORTED, "comment");
    READS("<!--x--><a>x<!--<b>&z;-->y</a><!--x-->", "<a>xy</a>");
    READS("<a><![CDATA[<!--x--><?y?>]]></a>", "<a><!--x--><?y?></a>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_events),
        cmocka_unit_test(b_no_handler_is_needed),
        cmocka_unit_test(b_namespaces),
        cmocka_unit_test(b_attr_is_found_by_name),
        cmocka_unit_test(b_prefixes_resolve),
        cmocka_unit_test(b_offsets),
        cmocka_unit_test(b_places_are_named),
        cmocka_unit_test(b_handler_failures_are_the_result),
        cmocka_unit_test(c_not_well_formed),
        cmocka_unit_test(f_declarations),
        cmocka_unit_test(f_other_encodings),
        cmocka_unit_test(f_utf8_is_strict),
        cmocka_unit_test(f_doctypes),
        cmocka_unit_test(f_entities),
        cmocka_unit_test(f_instructions_and_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
