/* sallyport's own run as a downstream: what it asks passes its own gate, what it is
 * told is read with limits. */
#include "unit.h"

#include "core/wsus/dss.h"

#define ENVELOPE(inner)                                                                \
    "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">"         \
    "<soap:Body>" inner "</soap:Body></soap:Envelope>"
#define NS "xmlns=\"http://www.microsoft.com/SoftwareDistribution\""
#define LIST(inner)                                                                    \
    ENVELOPE("<GetRevisionIdListResponse " NS "><GetRevisionIdListResult>" inner       \
             "</GetRevisionIdListResult></GetRevisionIdListResponse>")
#define IDENTITY(id, n)                                                                \
    "<UpdateIdentity><UpdateID>" id "</UpdateID><RevisionNumber>" n                    \
    "</RevisionNumber></UpdateIdentity>"

static const struct sp_guid account = {{1, 2, 3}};
static struct sp_dss dss;
static struct sp_dss_list list;

static enum sp_err take(enum sp_dss_step s, int status, const char *body)
{
    struct sp_why why = {0};
    return sp_dss_take(&dss, s, status, sp_view_str(body), &list, &why);
}

static int setup(void **state)
{
    (void)state;
    sp_dss_init(&dss, &account);
    list = (struct sp_dss_list){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_dss_fini(&dss);
    return 0;
}

static void log_in(void)
{
    assert_ok(take(SP_DSS_AUTHORIZE, 200,
                   ENVELOPE("<GetAuthorizationCookieResponse xmlns=\"x\">"
                            "<GetAuthorizationCookieResult><PlugInId>DssTargeting"
                            "</PlugInId><CookieData>AAEC</CookieData>"
                            "</GetAuthorizationCookieResult>"
                            "</GetAuthorizationCookieResponse>")));
    assert_ok(take(SP_DSS_COOKIE, 200,
                   ENVELOPE("<GetCookieResponse " NS "><GetCookieResult><Expiration>"
                            "2036-01-01T00:00:00Z</Expiration><EncryptedData>QUJD"
                            "</EncryptedData></GetCookieResult></GetCookieResponse>")));
}

static void asks(enum sp_dss_step s, const struct sp_revision_id *ids, size_t count)
{
    struct sp_soap_request r = {0};
    struct sp_soap_refusal refusal = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, SP_MIB(1));
    assert_ok(sp_dss_ask(&dss, s, ids, count, &b));
    if (sp_soap_request_read(sp_dss_op(s), sp_buf_view(&b), NULL, &r, &refusal) !=
        SP_OK) {
        fail_msg("%s: %s", sp_op_text(sp_dss_op(s)), refusal.why.text);
    }
    assert_int_equal(r.asked_count, count);
    sp_soap_request_fini(&r);
}

static void b_every_request_would_pass_a_gate(void **state)
{
    (void)state;
    struct sp_revision_id ids[] = {{account, 7}, {account, 8}};
    asks(SP_DSS_AUTHORIZE, NULL, 0);
    log_in();
    asks(SP_DSS_COOKIE, NULL, 0);
    asks(SP_DSS_LIST, NULL, 0);
    assert_ok(sp_buf_append_str(&dss.anchor, "57,2026-01-02 <&>"));
    asks(SP_DSS_LIST, NULL, 0);
    asks(SP_DSS_DATA, ids, 2);
}

static void b_replies_are_kept(void **state)
{
    (void)state;
    log_in();
    assert_view_equal(sp_buf_view(&dss.ticket), "AAEC");
    assert_view_equal(sp_buf_view(&dss.cookie), "QUJD");
    assert_view_equal(sp_buf_view(&dss.expiration), "2036-01-01T00:00:00Z");
    assert_ok(take(SP_DSS_LIST, 200,
                   LIST("<Anchor>1,a</Anchor><NewRevisions>" IDENTITY("a", "1")
                            IDENTITY("b", "2") "</NewRevisions>")));
    assert_int_equal(list.count, 2);
    assert_view_equal(sp_buf_view(&dss.anchor), "1,a");
    sp_dss_forget(&dss);
    assert_int_equal(dss.ticket.len + dss.cookie.len + dss.anchor.len, 0);
}

static void c_lists_differ_when_anything_in_them_does(void **state)
{
    (void)state;
    struct sp_dss_list first;
    assert_ok(take(SP_DSS_LIST, 200, LIST("<Anchor>1</Anchor>" IDENTITY("a", "1"))));
    first = list;
    assert_ok(take(SP_DSS_LIST, 200, LIST("<Anchor>2</Anchor>" IDENTITY("a", "1"))));
    assert_memory_equal(&first, &list, sizeof list); /* the anchor may always move */
    assert_ok(take(SP_DSS_LIST, 200, LIST("<Anchor>1</Anchor>" IDENTITY("a", "2"))));
    assert_memory_not_equal(first.digest, list.digest, 32);
    assert_ok(take(SP_DSS_LIST, 200, LIST("<Anchor>1</Anchor>")));
    assert_int_equal(list.count, 0);
}

static void f_what_is_no_reply(void **state)
{
    (void)state;
    static const char good[] = LIST("<Anchor>1</Anchor>");
    char *big = malloc(2000);
    assert_non_null(big);
    assert_ok(take(SP_DSS_LIST, 200, good));
    assert_err(take(SP_DSS_LIST, 500, good), SP_E_PROTOCOL);
    assert_err(take(SP_DSS_COOKIE, 200, good), SP_E_PROTOCOL);
    assert_err(take(SP_DSS_LIST, 200, LIST("<Anchor></Anchor>")), SP_E_PROTOCOL);
    assert_err(take(SP_DSS_LIST, 200, "no XML"), SP_E_MALFORMED);
    assert_err(take(SP_DSS_LIST, 200, ""), SP_E_MALFORMED);
    for (size_t n = 1024; n <= 1025; n++) {
        char anchor[1100] = "";
        memset(anchor, 'x', n);
        snprintf(big, 2000,
                 "<e xmlns=\"u\"><b><GetRevisionIdListResponse><Anchor>%s</Anchor>"
                 "</GetRevisionIdListResponse></b></e>",
                 anchor);
        assert_err(take(SP_DSS_LIST, 200, big), n == 1024 ? SP_OK : SP_E_LIMIT);
    }
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(b_every_request_would_pass_a_gate, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(b_replies_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(c_lists_differ_when_anything_in_them_does,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(f_what_is_no_reply, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
