/* Requests in an envelope: what is taken, what is refused, how it is written anew. */
#ifndef TESTS_UNIT_SOAP_REQUEST_RIG_H
#define TESTS_UNIT_SOAP_REQUEST_RIG_H

#include "unit.h"

#include "core/wsus/schema.h"

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define XSI  "http://www.w3.org/2001/XMLSchema-instance"
#define S    "http://www.microsoft.com/SoftwareDistribution"
#define C    S "/Server/ClientWebService"

#define HEAD                                                                           \
    "<s:Envelope xmlns:s=\"" SOAP "\" xmlns:i=\"" XSI                                  \
    "\" xmlns:p=\"urn:other\"><s:Body>"
#define TAIL "</s:Body></s:Envelope>"

static struct sp_soap_refusal refusal;

static inline enum sp_err read_text(enum sp_op op, const char *text, struct sp_buf *body)
{
    struct sp_soap_request r;
    enum sp_err e = sp_soap_request_read(op, sp_view_str(text), NULL, &r, &refusal);
    if (e == SP_OK) {
        if (body) {
            sp_buf_take(&r.body, body);
        }
        sp_soap_request_fini(&r);
    }
    return e;
}

static inline void accepts(enum sp_op op, const char *inner)
{
    SP_AUTO(sp_buf_fini) struct sp_buf b, once = {0}, twice = {0};
    sp_buf_init(&b, SP_MIB(4));
    assert_ok(sp_buf_printf(&b, "%s%s%s", HEAD, inner, TAIL));
    assert_ok(sp_buf_append_byte(&b, 0));
    enum sp_err e = read_text(op, (const char *)b.data, &once);
    if (e != SP_OK) {
        print_error("%s: %s\n", inner, refusal.why.text);
    }
    assert_ok(e);
    assert_ok(sp_buf_append_byte(&once, 0));
    assert_ok(read_text(op, (const char *)once.data, &twice));
    assert_true(sp_view_eq_str(sp_buf_view(&twice), (const char *)once.data));
}

static inline void refuses(enum sp_op op, const char *inner, const char *member)
{
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, SP_MIB(16));
    assert_ok(sp_buf_append_str(&b, HEAD));
    assert_ok(sp_buf_append_str(&b, inner));
    assert_ok(sp_buf_append_str(&b, TAIL));
    assert_ok(sp_buf_append_byte(&b, 0));
    enum sp_err e = read_text(op, (const char *)b.data, NULL);
    if (e != SP_E_PROTOCOL) {
        print_error("not refused: %s\n", inner);
    }
    assert_err(e, SP_E_PROTOCOL);
    assert_true(refusal.why.text[0] != 0);
    if (member) {
        assert_string_equal(refusal.member, member);
    }
}

static inline void put(struct sp_buf *b, const char *s)
{
    assert_ok(sp_buf_append_str(b, s));
}

static inline void put_times(struct sp_buf *b, const char *s, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        put(b, s);
    }
}

/* head, then count times item, then tail: most is accepted, one more refused. */
/* The rebuilt envelope's inside. */
static inline void rebuilds(enum sp_op op, const char *inner, const char *expected)
{
    static const char head[] =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope "
        "xmlns:soap=\"" SOAP "\" xmlns:xsi=\"" XSI
        "\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">"
        "<soap:Body>";
    static const char tail[] = "</soap:Body></soap:Envelope>";
    SP_AUTO(sp_buf_fini) struct sp_buf b, body = {0};
    sp_buf_init(&b, SP_MIB(1));
    assert_ok(sp_buf_printf(&b, "%s%s%s", HEAD, inner, TAIL));
    assert_ok(sp_buf_append_byte(&b, 0));
    assert_ok(read_text(op, (const char *)b.data, &body));
    struct sp_view v = sp_buf_view(&body);
    assert_true(sp_view_starts(v, SP_VIEW(head)));
    assert_true(sp_view_ends(v, SP_VIEW(tail)));
    v = sp_view_slice(v, sizeof head - 1, v.len - (sizeof tail - 1));
    if (!sp_view_eq_str(v, expected)) {
        print_error("%.*s\n%s\n", (int)v.len, (const char *)v.data, expected);
    }
    assert_true(sp_view_eq_str(v, expected));
}

#endif
