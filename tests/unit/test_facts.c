#include "unit.h"

#include "core/base/text.h"
#include "core/custody/facts_plain.h"
#include "sallyport/facts.h"

enum { CEILING = 1 << 20 };

static struct sp_facts *facts_new(void)
{
    struct sp_facts *f = NULL;
    assert_ok(sp_facts_new(CEILING, &f));
    return f;
}

static void assert_encodes(const struct sp_facts *f, const char *expected)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, CEILING);
    assert_ok(sp_facts_encode(f, &text));
    assert_ok(sp_buf_append_byte(&text, 0));
    assert_string_equal((const char *)text.data, expected);
}

static void assert_decodes(const char *text, enum sp_err expected)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct sp_why why = {0};
    enum sp_err e = sp_facts_decode(sp_view_str(text), &f, &why);
    if (e != expected) {
        print_message("text: %s\nwhy: %s\n", text, why.text);
    }
    assert_err(e, expected);
    if (e == SP_OK) {
        assert_encodes(f, text);
    } else {
        assert_null(f);
        assert_true(why.text[0] != 0);
    }
}

static void b_canonical_order_does_not_depend_on_adding(void **state)
{
    (void)state;
    static const char expected[] = "reply.status 200\n"
                                   "update.revision -7\n"
                                   "update.revision 9\n"
                                   "update.revision 10\n"
                                   "document.kb 1\n"
                                   "document.kb 12\n"
                                   "document.kb 2\n";
    static const char *const kb[] = {"2", "12", "1"};
    for (size_t turn = 0; turn < 3; turn++) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = facts_new();
        for (size_t i = 0; i < 6; i++) {
            struct sp_view v = sp_view_str(kb[(i + turn) % 3]);
            assert_ok(sp_facts_text(f, SP_FACT_DOCUMENT_KB, v));
        }
        assert_ok(sp_facts_int(f, SP_FACT_UPDATE_REVISION, 10));
        assert_ok(sp_facts_int(f, SP_FACT_UPDATE_REVISION, -7));
        assert_ok(sp_facts_int(f, SP_FACT_UPDATE_REVISION, 9));
        assert_ok(sp_facts_int(f, SP_FACT_REPLY_STATUS, 200));
        assert_encodes(f, expected);
        assert_int_equal(sp_facts_count(f, SP_FACT_DOCUMENT_KB), 3);
        struct sp_fact_value v;
        assert_true(sp_facts_get(f, SP_FACT_DOCUMENT_KB, 1, &v));
        assert_view_equal(v.bytes, "12");
        assert_false(sp_facts_get(f, SP_FACT_DOCUMENT_KB, 3, &v));
        assert_false(sp_facts_get(f, SP_FACT_DOCUMENT_TITLE, 0, &v));
    }
}

static void b_every_kind_has_its_text(void **state)
{
    (void)state;
    struct sp_guid g;
    SP_AUTO(sp_facts_free) struct sp_facts *f = facts_new();
    assert_ok(sp_guid_parse(SP_VIEW("0123ABCD-4567-89ab-cdef-001122334455"), &g));
    assert_ok(sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(g.bytes, 16)));
    assert_ok(sp_facts_bytes(f, SP_FACT_UPSTREAM_PIN, SP_VIEW("\x00\xff")));
    assert_ok(sp_facts_flag(f, SP_FACT_UPDATE_ASKED, true));
    assert_ok(sp_facts_flag(f, SP_FACT_REPLY_WELLFORMED, false));
    assert_ok(sp_facts_text(f, SP_FACT_TRANSPORT, SP_VIEW("")));
    assert_ok(sp_facts_int(f, SP_FACT_FILE_SIZE, INT64_MAX));
    assert_encodes(f, "transport \n"
                      "upstream.pin 00ff\n"
                      "reply.wellformed false\n"
                      "update.id 0123abcd-4567-89ab-cdef-001122334455\n"
                      "update.asked true\n"
                      "file.size 9223372036854775807\n");
}

static void b_control_characters_are_escaped(void **state)
{
    (void)state;
    SP_AUTO(sp_facts_free) struct sp_facts *f = facts_new();
    assert_ok(sp_facts_text(f, SP_FACT_DOCUMENT_TITLE,
                            SP_VIEW("a\r\n%\x7f \xc2\x9b\xc2\xa0\xc3\xa4\x1b")));
    assert_encodes(f, "document.title a%0D%0A%25%7F %C2%9B\xc2\xa0\xc3\xa4%1B\n");
}

static void b_decoding_accepts_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sp_err expected;
    } rows[] = {
        {"", SP_OK},
        {"transport tls\n", SP_OK},
        {"transport \n", SP_OK},
        {"transport a  b \n", SP_OK},
        {"transport tls", SP_E_MALFORMED},
        {"transport\n", SP_E_MALFORMED},
        {"\n", SP_E_MALFORMED},
        {" transport tls\n", SP_E_UNSUPPORTED},
        {"transports tls\n", SP_E_UNSUPPORTED},
        {"Transport tls\n", SP_E_UNSUPPORTED},
        {"transport tls\r\n", SP_E_MALFORMED},
        {"transport %0D\n", SP_OK},
        {"transport %0d\n", SP_E_MALFORMED},
        {"transport %41\n", SP_E_MALFORMED},
        {"transport %2\n", SP_E_MALFORMED},
        {"transport %\n", SP_E_MALFORMED},
        {"transport %FF\n", SP_E_MALFORMED},
        {"transport %C2%9B\n", SP_OK},
        {"transport \xc2\x9b\n", SP_E_MALFORMED},
        {"transport %C2%A0\n", SP_E_MALFORMED},
        {"transport \xff\n", SP_E_MALFORMED},
        {"transport b\ntransport a\n", SP_E_MALFORMED},
        {"transport a\ntransport a\n", SP_E_MALFORMED},
        {"transport a\ntransport b\n", SP_OK},
        {"service x\ntransport a\n", SP_E_MALFORMED},
        {"reply.status 0\n", SP_OK},
        {"reply.status -1\n", SP_OK},
        {"reply.status 9223372036854775807\n", SP_OK},
        {"reply.status -9223372036854775807\n", SP_OK},
        {"reply.status 9223372036854775808\n", SP_E_MALFORMED},
        {"reply.status -9223372036854775808\n", SP_E_MALFORMED},
        {"reply.status -0\n", SP_E_MALFORMED},
        {"reply.status 007\n", SP_E_MALFORMED},
        {"reply.status +7\n", SP_E_MALFORMED},
        {"reply.status 10\nreply.status 9\n", SP_E_MALFORMED},
        {"reply.status 9\nreply.status 10\n", SP_OK},
        {"reply.wellformed true\n", SP_OK},
        {"reply.wellformed True\n", SP_E_MALFORMED},
        {"reply.wellformed 1\n", SP_E_MALFORMED},
        {"file.sha1 00\n", SP_OK},
        {"file.sha1 \n", SP_E_MALFORMED},
        {"file.sha1 0\n", SP_E_MALFORMED},
        {"file.sha1 aB\n", SP_E_MALFORMED},
        {"update.id 0123abcd-4567-89ab-cdef-001122334455\n", SP_OK},
        {"update.id 0123ABCD-4567-89ab-cdef-001122334455\n", SP_E_MALFORMED},
        {"update.id 0123abcd\n", SP_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_decodes(rows[i].text, rows[i].expected);
    }
}

/* What is plain is taken without being written again, so it must be right. What is not
 * may be right as well. */
static void f_only_what_is_right_is_plain(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_plain;
    } rows[] = {
        {"", true},
        {"transport \n", true},
        {"transport tls\n", true},
        {"transport tls", false},
        {"transport\n", false},
        {"transports tls\n", false},
        {"transport \x1f\n", false},
        {"transport ~\n", true},
        {"transport \x7f\n", false},
        {"transport %25\n", false},
        {"transport \xc2\x9f\n", false},
        {"transport \xc2\xa0\n", true},
        {"transport \xe3\x81\x82\n", true},
        {"transport \xe3\x81\n", false},
        {"transport a\ntransport b\n", true},
        {"transport b\ntransport a\n", false},
        {"transport a\ntransport a\n", false},
        {"transport a\ntransport ab\n", true},
        {"transport ab\ntransport a\n", false},
        {"transport a\nservice x\n", true},
        {"service x\ntransport a\n", false},
        {"reply.status 0\n", true},
        {"reply.status -0\n", false},
        {"reply.status 07\n", false},
        {"reply.status -9223372036854775807\n", true},
        {"reply.status -9223372036854775808\n", false},
        {"reply.status 9\nreply.status 10\n", false}, /* right, but not plain */
        {"reply.wellformed false\nreply.wellformed true\n", true},
        {"reply.wellformed true\nreply.wellformed false\n", false},
        {"reply.wellformed True\n", false},
        {"file.sha1 0\n", false},
        {"file.sha1 00\n", true},
        {"file.sha1 0f\n", true},
        {"file.sha1 0F\n", false},
        {"file.sha1 0g\n", false},
        {"file.sha1 \n", false},
        {"file.sha1 00\nfile.sha1 0000\n", true},
        {"update.id 0123abcd-4567-89ab-cdef-001122334455\n", true},
        {"update.id 0123abcd-4567-89ab-cdef-00112233445\n", false},
        {"update.id 0123abcd-4567-89ab-cdef-0011223344556\n", false},
        {"update.id 0123abcd-4567-89ab-cdef_001122334455\n", false},
        {"update.id 0123abcd-4567-89ab-cdef-00112233445F\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (sp_facts_are_plain(sp_view_str(rows[i].text)) != rows[i].is_plain) {
            fail_msg("%s", rows[i].text);
        }
        if (rows[i].is_plain) {
            assert_decodes(rows[i].text, SP_OK);
        }
    }
}

static void b_digests_have_their_lengths_when_plain(void **state)
{
    (void)state;
    for (int digits = 126; digits <= 130; digits++) {
        char text[160];
        snprintf(text, sizeof text, "file.sha1 %0*d\n", digits, 0);
        assert_int_equal(sp_facts_are_plain(sp_view_str(text)),
                         digits == 126 || digits == 128);
        assert_decodes(text, digits == 126 || digits == 128 ? SP_OK : SP_E_MALFORMED);
    }
}

static void f_nul_bytes_are_data(void **state)
{
    (void)state;
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    assert_err(sp_facts_decode(SP_VIEW("transport a\0b\n"), &f, NULL), SP_E_MALFORMED);
    assert_err(sp_facts_decode(SP_VIEW("transport\0 a\n"), &f, NULL), SP_E_UNSUPPORTED);
    assert_ok(sp_facts_decode(SP_VIEW("transport a%00b\n"), &f, NULL));
    struct sp_fact_value v;
    assert_true(sp_facts_get(f, SP_FACT_TRANSPORT, 0, &v));
    assert_view_equal(v.bytes, "a\0b");
}

static void b_values_have_their_lengths(void **state)
{
    (void)state;
    static const uint8_t bytes[65] = {1};
    SP_AUTO(sp_facts_free) struct sp_facts *f = facts_new();
    assert_err(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(bytes, 0)), SP_E_MALFORMED);
    assert_ok(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(bytes, 1)));
    assert_ok(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(bytes, 64)));
    assert_err(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(bytes, 65)),
               SP_E_MALFORMED);
    assert_err(sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(bytes, 15)),
               SP_E_MALFORMED);
    assert_ok(sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(bytes, 16)));
    assert_err(sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(bytes, 17)),
               SP_E_MALFORMED);
    assert_err(sp_facts_int(f, SP_FACT_FILE_SIZE, INT64_MIN), SP_E_LIMIT);
    assert_ok(sp_facts_int(f, SP_FACT_FILE_SIZE, -INT64_MAX));
    assert_err(sp_facts_text(f, SP_FACT_TRANSPORT, SP_VIEW("\xc0\x80")),
               SP_E_MALFORMED);
}

static void b_a_set_stops_at_its_ceiling(void **state)
{
    (void)state;
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    assert_ok(sp_facts_new(2 * 32 + 3 + 1, &f));
    assert_ok(sp_facts_text(f, SP_FACT_TRANSPORT, SP_VIEW("tls")));
    assert_ok(sp_facts_text(f, SP_FACT_TRANSPORT, SP_VIEW("tls")));
    assert_err(sp_facts_text(f, SP_FACT_SERVICE, SP_VIEW("ab")), SP_E_LIMIT);
    assert_ok(sp_facts_text(f, SP_FACT_SERVICE, SP_VIEW("a")));
    assert_err(sp_facts_flag(f, SP_FACT_UPDATE_ASKED, true), SP_E_LIMIT);
    assert_encodes(f, "transport tls\nservice a\n");
}

static void b_sets_compare(void **state)
{
    (void)state;
    const enum sp_fact a = SP_FACT_UPDATE_FILE_DIGEST, b = SP_FACT_DOCUMENT_FILE_DIGEST;
    SP_AUTO(sp_facts_free) struct sp_facts *f = facts_new();
    assert_true(sp_facts_same_set(f, a, b));
    assert_ok(sp_facts_bytes(f, a, SP_VIEW("one")));
    assert_false(sp_facts_same_set(f, a, b));
    assert_ok(sp_facts_bytes(f, b, SP_VIEW("two")));
    assert_false(sp_facts_same_set(f, a, b));
    assert_ok(sp_facts_bytes(f, b, SP_VIEW("one")));
    assert_false(sp_facts_same_set(f, a, b));
    assert_ok(sp_facts_bytes(f, a, SP_VIEW("two")));
    assert_true(sp_facts_same_set(f, a, b));
    assert_false(sp_facts_same_set(f, a, SP_FACT_DOCUMENT_KB));
}

static void b_a_flag_said_and_denied_is_not_there(void **state)
{
    (void)state;
    SP_AUTO(sp_facts_free) struct sp_facts *f = facts_new();
    assert_false(sp_facts_has_flag(f, SP_FACT_UPDATE_ASKED));
    assert_ok(sp_facts_flag(f, SP_FACT_UPDATE_ASKED, true));
    assert_true(sp_facts_has_flag(f, SP_FACT_UPDATE_ASKED));
    assert_ok(sp_facts_flag(f, SP_FACT_UPDATE_ASKED, false));
    assert_false(sp_facts_has_flag(f, SP_FACT_UPDATE_ASKED));
}

static void b_merging_adds_everything_once(void **state)
{
    (void)state;
    SP_AUTO(sp_facts_free) struct sp_facts *a = facts_new();
    SP_AUTO(sp_facts_free) struct sp_facts *b = facts_new();
    assert_ok(sp_facts_text(a, SP_FACT_TRANSPORT, SP_VIEW("tls")));
    assert_ok(sp_facts_text(b, SP_FACT_TRANSPORT, SP_VIEW("tls")));
    assert_ok(sp_facts_text(b, SP_FACT_SERVICE, SP_VIEW("client")));
    assert_ok(sp_facts_int(b, SP_FACT_REPLY_STATUS, 200));
    assert_ok(sp_facts_merge(a, b));
    assert_ok(sp_facts_merge(a, a));
    sp_facts_free(&b);
    assert_encodes(a, "transport tls\nservice client\nreply.status 200\n");
}

static void c_a_large_set_round_trips(void **state)
{
    (void)state;
    SP_AUTO(sp_facts_free) struct sp_facts *f = facts_new();
    SP_AUTO(sp_facts_free) struct sp_facts *again = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, CEILING);
    for (uint32_t i = 0; i < 4096; i++) {
        uint32_t x = i * 2654435761U; /* odd, so no value comes twice */
        struct sp_view v = sp_view(&x, sizeof x);
        assert_ok(sp_facts_bytes(f, SP_FACT_DOCUMENT_FILE_DIGEST, v));
    }
    assert_int_equal(sp_facts_count(f, SP_FACT_DOCUMENT_FILE_DIGEST), 4096);
    assert_ok(sp_facts_encode(f, &text));
    assert_ok(sp_facts_decode(sp_buf_view(&text), &again, NULL));
    assert_int_equal(sp_facts_count(again, SP_FACT_DOCUMENT_FILE_DIGEST), 4096);
}

static void b_the_table_is_sound(void **state)
{
    (void)state;
    for (enum sp_fact a = 0; a < SP_FACT_COUNT; a++) {
        assert_true(strlen(sp_fact_key(a)) >= 7); /* sp_facts_decode counts on it */
        assert_null(strpbrk(sp_fact_key(a), " \n%"));
        assert_true(strlen(sp_fact_meaning(a)) > 3);
        for (enum sp_fact b = 0; b < a; b++) {
            assert_string_not_equal(sp_fact_key(a), sp_fact_key(b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_canonical_order_does_not_depend_on_adding),
        cmocka_unit_test(b_every_kind_has_its_text),
        cmocka_unit_test(b_control_characters_are_escaped),
        cmocka_unit_test(b_decoding_accepts_one_spelling),
        cmocka_unit_test(b_values_have_their_lengths),
        cmocka_unit_test(b_a_set_stops_at_its_ceiling),
        cmocka_unit_test(b_sets_compare),
        cmocka_unit_test(b_a_flag_said_and_denied_is_not_there),
        cmocka_unit_test(b_merging_adds_everything_once),
        cmocka_unit_test(b_the_table_is_sound),
        cmocka_unit_test(c_a_large_set_round_trips),
        cmocka_unit_test(f_nul_bytes_are_data),
        cmocka_unit_test(f_only_what_is_right_is_plain),
        cmocka_unit_test(b_digests_have_their_lengths_when_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
