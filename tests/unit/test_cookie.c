/* Cookies in requests and replies: where they stand, and what comes of those that are
 * not good. */
#include "unit.h"

#include "core/wsus/cookie.h"

#define S    "http://www.microsoft.com/SoftwareDistribution"
#define C    S "/Server/ClientWebService"
#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define ENVELOPE(inner)                                                                \
    "<s:Envelope xmlns:s=\"" SOAP "\"><s:Body>" inner "</s:Body></s:Envelope>"

/* A reader that knows "good" (a client's), "old" (a client's) and "host" (a server's);
 * what comes out is the word and an exclamation mark. */
static unsigned asked;

static enum sp_err open_word(void *ctx, unsigned kinds, struct sp_view sealed,
                             struct sp_buf *plain, enum sp_cookie_kind *kind)
{
    (void)ctx;
    asked++;
    bool server = sp_view_eq_str(sealed, "host");
    *kind = server ? SP_COOKIE_SERVER : SP_COOKIE_CLIENT;
    unsigned also =
        server ? SP_COOKIE_SERVER_AUTHORIZATION : SP_COOKIE_CLIENT_AUTHORIZATION;
    if (!(kinds >> *kind & 1) && !(kinds >> also & 1)) {
        return SP_E_UNPROVEN;
    }
    if (sp_view_eq_str(sealed, "old")) {
        return SP_E_TIMEOUT;
    }
    if (!server && !sp_view_eq_str(sealed, "good")) {
        return SP_E_UNPROVEN;
    }
    SP_TRY(sp_buf_append(plain, sealed));
    return sp_buf_append_byte(plain, '!');
}

static const struct sp_cookie_reader reader = {.open = open_word};
static struct sp_soap_refusal refusal;

/* The rebuilt request, or NULL where it is refused. */
static const char *read_request(enum sp_op op, const char *text)
{
    static char body[4096];
    struct sp_soap_request r;
    enum sp_err e = sp_soap_request_read(op, sp_view_str(text), &reader, &r, &refusal);
    if (e != SP_OK) {
        assert_err(e, SP_E_PROTOCOL);
        return NULL;
    }
    assert_in_range(r.body.len, 1, sizeof body - 1);
    memcpy(body, r.body.data, r.body.len);
    body[r.body.len] = 0;
    sp_soap_request_fini(&r);
    return body;
}

#define WITH(cookie)                                                                   \
    ENVELOPE("<RegisterComputer xmlns=\"" C "\">" cookie "</RegisterComputer>")
#define SERVER_WITH(cookie)                                                            \
    ENVELOPE("<GetConfigData xmlns=\"" S "\">" cookie "</GetConfigData>")
#define REPORT(cookie)                                                                 \
    ENVELOPE("<GetRollupConfiguration xmlns=\"" S "\">" cookie                         \
             "</GetRollupConfiguration>")
#define COOKIE(data) "<cookie><EncryptedData>" data "</EncryptedData></cookie>"
#define GET_COOKIE(ns, data, more)                                                     \
    ENVELOPE("<GetCookie xmlns=\"" ns "\"><authCookies><AuthorizationCookie>"          \
             "<PlugInId>x</PlugInId><CookieData>" data "</CookieData>"                 \
             "</AuthorizationCookie></authCookies>" more "</GetCookie>")
#define GOOD "Z29vZA=="
#define OLD  "b2xk"
#define HOST "aG9zdA=="
#define BAD  "YmFk"

static void b_good_ones_are_the_upstreams_again(void **state)
{
    (void)state;
    assert_non_null(strstr(read_request(SP_OP_REGISTER_COMPUTER, WITH(COOKIE(GOOD))),
                           COOKIE("Z29vZCE=")));
    assert_non_null(strstr(
        read_request(SP_OP_GET_CONFIG_DATA, SERVER_WITH(COOKIE(" aG9z \n dA== "))),
        COOKIE("aG9zdCE=")));
    assert_non_null(strstr(
        read_request(SP_OP_CLIENT_GET_COOKIE, GET_COOKIE(C, GOOD, "")), "Z29vZCE="));
    assert_non_null(
        strstr(read_request(SP_OP_GET_COOKIE, GET_COOKIE(S, HOST, "")), "aG9zdCE="));
}

static void f_the_fault_is_the_one_to_start_over_on(void **state)
{
    (void)state;
    static const struct {
        enum sp_op op;
        const char *text;
        enum sp_fault_code code;
    } cases[] = {
        {SP_OP_REGISTER_COMPUTER, WITH(COOKIE(BAD)), SP_FAULT_INVALID_COOKIE},
        {SP_OP_REGISTER_COMPUTER, WITH(COOKIE(OLD)), SP_FAULT_COOKIE_EXPIRED},
        {SP_OP_REGISTER_COMPUTER, WITH(COOKIE(HOST)), SP_FAULT_INVALID_COOKIE},
        {SP_OP_REGISTER_COMPUTER, WITH(COOKIE("")), SP_FAULT_INVALID_COOKIE},
        {SP_OP_CLIENT_GET_COOKIE, GET_COOKIE(C, BAD, ""), SP_FAULT_INVALID_COOKIE},
        {SP_OP_CLIENT_GET_COOKIE, GET_COOKIE(C, OLD, ""), SP_FAULT_COOKIE_EXPIRED},
        {SP_OP_GET_CONFIG_DATA, SERVER_WITH(COOKIE(GOOD)), SP_FAULT_INVALID_COOKIE},
        {SP_OP_GET_CONFIG_DATA, SERVER_WITH(COOKIE("")), SP_FAULT_INVALID_COOKIE},
        {SP_OP_GET_COOKIE, GET_COOKIE(S, BAD, ""),
         SP_FAULT_INVALID_AUTHORIZATION_COOKIE},
        {SP_OP_GET_ROLLUP_CONFIGURATION, REPORT(COOKIE(BAD)), SP_FAULT_INVALID_COOKIE},
        {SP_OP_GET_ROLLUP_CONFIGURATION, REPORT(COOKIE(OLD)), SP_FAULT_COOKIE_EXPIRED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(read_request(cases[i].op, cases[i].text));
        assert_string_equal(sp_fault_text(refusal.code), sp_fault_text(cases[i].code));
        assert_true(refusal.why.text[0] != 0);
    }
}

/* [MS-WSUSSS] 3.1.4.13: servers report with an empty one; [MS-WUSP]: a category scan
 * carries none. */
static void b_none_is_not_asked_about(void **state)
{
    (void)state;
    asked = 0;
    assert_non_null(read_request(SP_OP_GET_ROLLUP_CONFIGURATION, REPORT(COOKIE(""))));
    assert_non_null(read_request(SP_OP_GET_ROLLUP_CONFIGURATION, REPORT("")));
    assert_int_equal(asked, 0);
    assert_non_null(read_request(SP_OP_GET_ROLLUP_CONFIGURATION, REPORT(COOKIE(HOST))));
    assert_int_equal(asked, 1);
}

#define OLD_COOKIE(data)                                                               \
    "<oldCookie><Expiration>2026-01-02T07:04:05Z</Expiration><EncryptedData>" data     \
    "</EncryptedData></oldCookie>"

static void f_an_old_cookie_travels_only_when_it_is_good(void **state)
{
    (void)state;
    const char *body =
        read_request(SP_OP_CLIENT_GET_COOKIE, GET_COOKIE(C, GOOD, OLD_COOKIE(BAD)));
    assert_non_null(strstr(body, "<oldCookie><Expiration>2026-01-02T07:04:05Z"
                                 "</Expiration></oldCookie>"));
    body = read_request(SP_OP_CLIENT_GET_COOKIE, GET_COOKIE(C, GOOD, OLD_COOKIE(GOOD)));
    assert_non_null(
        strstr(body, "<EncryptedData>Z29vZCE=</EncryptedData></oldCookie>"));
}

/* ---- replies -------------------------------------------------------------------- */

static struct sp_reply *read_reply(enum sp_op op, const char *text)
{
    struct sp_reply *r = NULL;
    struct sp_why why = {0};
    assert_ok(sp_reply_inspect(op, 200, sp_view_str(text), NULL, 0, &r, &why));
    return r;
}

static void assert_given(enum sp_op op, const char *text, const char *place)
{
    SP_AUTO(sp_reply_free) struct sp_reply *r = read_reply(op, text);
    assert_true(r->has_cookie);
    assert_view_equal(r->cookie, "cookie");
    size_t n = r->cookie_place.to - r->cookie_place.from;
    assert_int_equal(n, strlen(place));
    assert_memory_equal(text + r->cookie_place.from, place, n);
}

#define REPLY(op, ns, inner)                                                           \
    ENVELOPE("<" op "Response xmlns=\"" ns "\"><" op "Result>" inner "</" op           \
             "Result></" op "Response>")

static void b_replies_show_where_it_stands(void **state)
{
    (void)state;
    assert_given(SP_OP_DSS_GET_AUTHORIZATION_COOKIE,
                 REPLY("GetAuthorizationCookie", S "/Server/DssAuthWebService",
                       "<PlugInId>p</PlugInId><CookieData>Y29va2ll</CookieData>"),
                 "Y29va2ll");
    assert_given(SP_OP_CLIENT_GET_COOKIE,
                 REPLY("GetCookie", C,
                       "<Expiration>x</Expiration><EncryptedData>\nY29v\r\na2ll "
                       "</EncryptedData>"),
                 "\nY29v\r\na2ll ");
    assert_given(SP_OP_SYNC_UPDATES,
                 REPLY("SyncUpdates", C,
                       "<NewCookie><EncryptedData a='>' b=\"'>\"><![CDATA[Y29va2ll]]>"
                       "</EncryptedData></NewCookie>"),
                 "<![CDATA[Y29va2ll]]>");
    assert_given(SP_OP_GET_FILE_LOCATIONS,
                 REPLY("GetFileLocations", C,
                       "<FileLocations/><NewCookie><EncryptedData>Y29&#118;a2ll"
                       "</EncryptedData></NewCookie>"),
                 "Y29&#118;a2ll");
}

static void b_replies_without_one(void **state)
{
    (void)state;
    static const char *const none[] = {
        REPLY("GetCookie", C, ""),
        REPLY("GetCookie", C, "<EncryptedData/>"),
        REPLY("GetCookie", C, "<EncryptedData a=\">\"/>"),
        REPLY("GetCookie", C, "<EncryptedData></EncryptedData>"),
        REPLY("GetCookie", C, "<Other><EncryptedData>Y29va2ll</EncryptedData></Other>"),
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        SP_AUTO(sp_reply_free)
        struct sp_reply *r = read_reply(SP_OP_CLIENT_GET_COOKIE, none[i]);
        assert_false(r->has_cookie);
        assert_true(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED));
    }
}

static void f_replies_with_two_or_no_base64_have_no_shape(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        REPLY("GetCookie", C,
              "<EncryptedData>Y29va2ll</EncryptedData>"
              "<EncryptedData>Y29va2ll</EncryptedData>"),
        REPLY("GetCookie", C, "<EncryptedData>Y29va2l</EncryptedData>"),
        REPLY("GetCookie", C, "<EncryptedData>&lt;</EncryptedData>"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SP_AUTO(sp_reply_free)
        struct sp_reply *r = read_reply(SP_OP_CLIENT_GET_COOKIE, wrong[i]);
        assert_false(r->has_cookie);
        assert_false(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_good_ones_are_the_upstreams_again),
        cmocka_unit_test(f_the_fault_is_the_one_to_start_over_on),
        cmocka_unit_test(b_none_is_not_asked_about),
        cmocka_unit_test(f_an_old_cookie_travels_only_when_it_is_good),
        cmocka_unit_test(b_replies_show_where_it_stands),
        cmocka_unit_test(b_replies_without_one),
        cmocka_unit_test(f_replies_with_two_or_no_base64_have_no_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
