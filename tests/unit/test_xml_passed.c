/* What a handler passes over: as strict as elsewhere, and nobody is told of it. */
#include "unit.h"

#include "core/xml/xml.h"

static enum sp_err pass_over(void *ctx, struct sp_xml *x,
                             const struct sp_xml_element *e)
{
    SP_TRY(sp_buf_printf(ctx, "<" SP_VIEW_FMT, SP_VIEW_ARG(e->name.local)));
    if (sp_view_eq_str(e->name.local, "pass")) {
        sp_xml_pass_over(x);
    }
    return SP_OK;
}

static enum sp_err pass_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    (void)x;
    return sp_buf_append(ctx, text);
}

static enum sp_err pass_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    return sp_buf_printf(ctx, ">" SP_VIEW_FMT "@%zu ", SP_VIEW_ARG(name.local),
                         sp_xml_offset(x));
}

static const struct sp_xml_handler passing = {pass_over, pass_text, pass_end};

static enum sp_err pass_read(const char *document, const struct sp_xml_rules *rules,
                             struct sp_buf *seen, struct sp_why *why)
{
    sp_buf_init(seen, SP_KIB(1));
    return sp_xml_read(sp_view_str(document), rules, &passing, seen, why);
}

static void c_inside_of_what_is_passed(void **state)
{
    (void)state;
    struct sp_buf seen;
    struct sp_why why = {0};
    assert_ok(pass_read("<a>1<pass>2<pass>3</pass><b>4</b><b>5</b><b>6</b></pass>7"
                        "<b>8</b><pass/><pass><b/></pass></a>",
                        &sp_xml_rules_reply, &seen, &why));
    assert_view_equal(sp_buf_view(&seen),
                      "<a1<pass>pass@49 7<b8>b@61 <pass>pass@72 <pass>pass@82 >a@89 ");
    sp_buf_fini(&seen);
}

/* As strict as elsewhere, where a row is like the one before but for this. */
static void f_inside_of_what_is_passed(void **state)
{
    (void)state;
#define ROW "<r><e>1</e><f>2</f></r>"
    static const struct {
        const char *document, *sentence;
    } cases[] = {
        {"<pass>" ROW ROW "</pass>", NULL},
        {"<pass>" ROW "<r><e>1</f><f>2</f></r></pass>", "mismatched tag"},
        {"<pass>" ROW "<r><e>1</e><f>2</f></pass></r>", "mismatched tag"},
        {"<pass>" ROW "<r><e>1</e><f>2</f></r></r></pass>", "mismatched tag"},
        {"<pass>" ROW "<r><e>1</e ><f>2</f\n></r></pass>", NULL},
        {"<pass>" ROW "<r><e>1</ e><f>2</f></r></pass>", "not well-formed"},
        {"<pass>" ROW "<r><e>1]]></e><f>2</f></r></pass>", "not well-formed"},
        {"<pass>" ROW "<r><e>&lt;&#65;</e><f>2</f></r></pass>", NULL},
        {"<pass>" ROW "<r><e>&b;</e><f>2</f></r></pass>", "undefined entity"},
        {"<pass>" ROW "<r><e x=''>1</e><f>2</f></r></pass>", NULL},
        {"<pass>" ROW "<r><e x='' x=''>1</e><f>2</f></r></pass>", "duplicate"},
        {"<pass>" ROW "<r><p:e>1</p:e><f>2</f></r></pass>", "unbound prefix"},
        {"<pass>" ROW "<r xmlns='u' xmlns:p='u'><e>1</e><p:f>2</p:f></r></pass>", NULL},
        {"<pass>" ROW "<r><e>\x01</e><f>2</f></r></pass>", "not well-formed"},
        {"<pass>" ROW "<r><e>1</e><f>2</f></r>", "no element found"},
        {"<pass>" ROW ROW "</pass>" ROW, "junk after document"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_buf seen;
        struct sp_why why = {0};
        enum sp_err e = pass_read(cases[i].document, &sp_xml_rules_reply, &seen, &why);
        assert_int_equal(e == SP_OK, cases[i].sentence == NULL);
        if (cases[i].sentence && !strstr(why.text, cases[i].sentence)) {
            fail_msg("%s: %s", cases[i].document, why.text);
        }
        sp_buf_fini(&seen);
    }
#undef ROW
}

static void f_limits_of_what_is_passed(void **state)
{
    (void)state;
    const struct sp_xml_rules few = {.depth = 3, .attributes = 8, .nodes = 8};
    static const struct {
        const char *document, *sentence;
    } cases[] = {
        {"<pass><b><c></c></b><b><c></c></b><b><c></c></b><b></b></pass>", NULL},
        {"<pass><b><c></c></b><b><c></c></b><b><c></c></b><b><c></c></b></pass>",
         "more than 8 elements"},
        {"<pass><b><b></b><b></b></b></pass>", NULL},
        {"<pass><b><b><b></b></b></b></pass>", "nested deeper than 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_buf seen;
        struct sp_why why = {0};
        enum sp_err e = pass_read(cases[i].document, &few, &seen, &why);
        assert_int_equal(e, cases[i].sentence ? SP_E_LIMIT : SP_OK);
        assert_true(!cases[i].sentence || strstr(why.text, cases[i].sentence));
        sp_buf_fini(&seen);
    }
}

/* More names than it remembers, so that they take each other's places. */
static void c_many_names_are_passed(void **state)
{
    (void)state;
    struct sp_buf doc, seen;
    struct sp_why why = {0};
    sp_buf_init(&doc, SP_MIB(1));
    sp_buf_init(&seen, SP_KIB(1));
    assert_ok(sp_buf_append_str(&doc, "<pass>"));
    for (size_t row = 0; row < 3; row++) {
        for (size_t i = 0; i < 300; i++) {
            assert_ok(sp_buf_printf(&doc, "<n%zu><m%zu>1</m%zu></n%zu>", i, i * 7 % 90,
                                    i * 7 % 90, i));
        }
    }
    assert_ok(sp_buf_append_str(&doc, "</pass>"));
    assert_ok(
        sp_xml_read(sp_buf_view(&doc), &sp_xml_rules_reply, &passing, &seen, &why));
    sp_buf_fini(&doc);
    sp_buf_fini(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_inside_of_what_is_passed),
        cmocka_unit_test(f_inside_of_what_is_passed),
        cmocka_unit_test(f_limits_of_what_is_passed),
        cmocka_unit_test(c_many_names_are_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
