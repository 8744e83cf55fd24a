/* Keys, CA, server certificate and request that `sallyport init` makes. */
#include "unit.h"

#include "core/crypto/issue.h"

enum { NOW = 1795000000 };

static const char *const names[] = {"gate.example", "10.1.2.3", "2001:db8::1"};

static struct sp_issue wanted(void)
{
    return (struct sp_issue){.subject = "gate.example",
                             .names = names,
                             .name_count = 3,
                             .now = NOW,
                             .days = 397};
}

static enum sp_err keep(void *ctx, struct sp_view der)
{
    return sp_cert_read(der, ctx);
}

static void read_pem(const struct sp_buf *pem, struct sp_cert_facts *out)
{
    size_t count = 0;
    assert_ok(sp_pem_certs(sp_buf_view(pem), keep, out, &count));
    assert_int_equal(count, 1);
}

struct made {
    struct sp_buf ca_key, ca, key, cert;
};

static void make(struct made *m, const struct sp_issue *server)
{
    struct sp_issue ca = {.subject = "gate CA", .now = NOW, .days = 3650};
    struct sp_buf *all[] = {&m->ca_key, &m->ca, &m->key, &m->cert};
    for (size_t i = 0; i < 4; i++) {
        sp_buf_init(all[i], SP_KIB(16));
    }
    assert_ok(sp_issue_key(&m->ca_key));
    assert_ok(sp_issue_key(&m->key));
    assert_ok(sp_issue_ca(&ca, sp_buf_view(&m->ca_key), &m->ca));
    assert_ok(sp_issue_server(server, sp_buf_view(&m->key), sp_buf_view(&m->ca),
                              sp_buf_view(&m->ca_key), &m->cert));
}

static void made_fini(struct made *m)
{
    sp_buf_fini(&m->ca_key);
    sp_buf_fini(&m->ca);
    sp_buf_fini(&m->key);
    sp_buf_fini(&m->cert);
}

static void b_what_they_say(void **state)
{
    (void)state;
    struct made m;
    struct sp_cert_facts ca, cert;
    struct sp_pin pin;
    struct sp_issue want = wanted();
    make(&m, &want);
    read_pem(&m.ca, &ca);
    read_pem(&m.cert, &cert);
    assert_true(ca.is_ca && ca.self_signed);
    assert_false(cert.is_ca || cert.self_signed);
    assert_string_equal(ca.subject, "CN=gate CA");
    assert_string_equal(cert.issuer, "CN=gate CA");
    assert_string_equal(cert.names, "gate.example, 10.1.2.3, 2001:db8:0:0:0:0:0:1");
    assert_int_equal(cert.not_before, NOW - 3600);
    assert_int_equal(cert.not_after, NOW + 397 * 86400);
    assert_ok(sp_issue_pin(sp_buf_view(&m.key), &pin));
    assert_true(sp_pin_eq(&pin, &cert.spki));
    assert_ok(sp_issue_pin(sp_buf_view(&m.ca_key), &pin));
    assert_true(sp_pin_eq(&pin, &ca.spki));
    made_fini(&m);
}

static void c_no_two_are_alike(void **state)
{
    (void)state;
    struct made a, b;
    struct sp_issue want = wanted();
    make(&a, &want);
    make(&b, &want);
    assert_false(sp_view_eq(sp_buf_view(&a.key), sp_buf_view(&b.key)));
    assert_false(sp_view_eq(sp_buf_view(&a.cert), sp_buf_view(&b.cert)));
    made_fini(&a);
    made_fini(&b);
}

static void f_names_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum sp_err e;
    } rows[] = {{"gate.example", SP_OK},
                {"*.gate.example", SP_OK},
                {"", SP_E_MALFORMED},
                {"gate.example,DNS:bank.example", SP_E_MALFORMED},
                {"gate example", SP_E_MALFORMED},
                {"gate.example:8531", SP_E_MALFORMED},
                {"@section", SP_E_MALFORMED},
                {"a\nb", SP_E_MALFORMED}};
    struct sp_buf key, out;
    sp_buf_init(&key, SP_KIB(16));
    assert_ok(sp_issue_key(&key));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sp_issue want = wanted();
        want.names = &rows[i].name;
        want.name_count = 1;
        sp_buf_init(&out, SP_KIB(16));
        assert_err(sp_issue_request(&want, sp_buf_view(&key), &out), rows[i].e);
        sp_buf_fini(&out);
    }
    sp_buf_fini(&key);
}

static void f_wrong_keys(void **state)
{
    (void)state;
    struct made m;
    struct sp_issue want = wanted();
    struct sp_pin pin;
    struct sp_buf out;
    sp_buf_init(&out, SP_KIB(16));
    make(&m, &want);
    assert_err(sp_issue_server(&want, sp_buf_view(&m.key), sp_buf_view(&m.ca),
                               sp_buf_view(&m.key), &out),
               SP_E_MALFORMED);
    assert_err(sp_issue_pin(SP_VIEW("no key"), &pin), SP_E_MALFORMED);
    assert_err(sp_issue_pin(sp_buf_view(&m.ca), &pin), SP_E_MALFORMED);
    assert_int_equal(out.len, 0);
    want.subject =
        "a name with sixty-five bytes, one more than a common name can have.";
    assert_true(strlen(want.subject) > 64);
    assert_err(sp_issue_request(&want, sp_buf_view(&m.key), &out), SP_E_MALFORMED);
    made_fini(&m);
    sp_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_what_they_say),
        cmocka_unit_test(c_no_two_are_alike),
        cmocka_unit_test(f_names_that_cannot_be),
        cmocka_unit_test(f_wrong_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
