#include "io/net/upstream_parts.h"

#include "core/base/text.h"
#include "io/loop/loop.h"

#include <openssl/x509v3.h>

/* ---- certificates in words ----------------------------------------------- */

void sp_cert_facts_of(X509 *x, struct sp_cert_facts *out)
{
    uint8_t *der = NULL;
    int len = x ? i2d_X509(x, &der) : 0;
    if (len <= 0 || sp_cert_read(sp_view(der, (size_t)len), out) != SP_OK) {
        *out = (struct sp_cert_facts){.subject = "an unreadable certificate"};
    }
    OPENSSL_free(der);
}

/* A sentence under construction; what does not fit is cut. */
struct sentence {
    char text[SP_WHY_MAX];
    size_t len;
};

static void say(struct sentence *s, const char *fmt, ...) SP_PRINTF(2, 3);
static void say(struct sentence *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(s->text + s->len, sizeof s->text - s->len, fmt, args);
    va_end(args);
    size_t left = sizeof s->text - s->len - 1;
    s->len += n < 0 ? 0 : (size_t)n > left ? left : (size_t)n;
}

static void say_pin(struct sentence *s, const struct sp_pin *pin)
{
    char text[SP_PIN_TEXT];
    sp_pin_format(pin, text);
    say(s, "%s", text);
}

static void finish(struct sp_proof *p, const struct sentence *s)
{
    enum sp_err e = sp_why_set(&p->link.why, SP_E_UNPROVEN, "%s", s->text);
    (void)e; /* whose error it is, the caller knows */
}

/* ---- TLS inspectors ------------------------------------------------------ */

/* Words in the subject or issuer of chains that such products make by default, and who.
 */
static const struct {
    const char *word, *who;
} inspectors[] = {
    {"Zscaler", "Zscaler"},
    {"Fortinet", "Fortinet"},
    {"FortiGate", "Fortinet"},
    {"Palo Alto", "Palo Alto Networks"},
    {"Blue Coat", "Symantec Blue Coat"},
    {"BlueCoat", "Symantec Blue Coat"},
    {"Cisco Umbrella", "Cisco Umbrella"},
    {"OpenDNS", "Cisco Umbrella"},
    {"Netskope", "Netskope"},
    {"goskope", "Netskope"},
    {"Sophos", "Sophos"},
    {"Check Point", "Check Point"},
    {"Forcepoint", "Forcepoint"},
    {"Websense", "Forcepoint"},
    {"Squid", "Squid with SSL bump"},
    {"mitmproxy", "mitmproxy"},
    {"Kaspersky", "Kaspersky"},
    {"ESET SSL Filter", "ESET"},
    {"McAfee Web Gateway", "Skyhigh"},
    {"Skyhigh", "Skyhigh"},
    {"Barracuda", "Barracuda"},
    {"WatchGuard", "WatchGuard"},
    {"SonicWall", "SonicWall"},
    {"Bitdefender", "Bitdefender"},
    {"Avast", "Avast"},
    {"Smoothwall", "Smoothwall"},
    {"Cloudflare Gateway", "Cloudflare Gateway"},
    {"iboss", "iboss"},
    {"Fiddler", "Fiddler"},
};

static const char *inspector_in(const char *name)
{
    for (size_t i = 0; i < sizeof inspectors / sizeof inspectors[0]; i++) {
        if (strcasestr(name, inspectors[i].word)) {
            return inspectors[i].who;
        }
    }
    return NULL;
}

static const char *inspector_of(STACK_OF(X509) * chain)
{
    const char *who = NULL;
    for (int i = 0; !who && i < sk_X509_num(chain); i++) {
        struct sp_cert_facts c;
        sp_cert_facts_of(sk_X509_value(chain, i), &c);
        who = inspector_in(c.issuer);
        who = who ? who : inspector_in(c.subject);
    }
    return who;
}

static void say_inspector(struct sentence *s, struct sp_proof *p,
                          STACK_OF(X509) * chain)
{
    const char *who = inspector_of(chain);
    p->link.looks_intercepted = who != NULL;
    if (who) {
        say(s, "%s seems to inspect TLS on the way to %s: exempt it there. ", who,
            p->want->authority);
    }
}

/* ---- the chain ----------------------------------------------------------- */

static void say_unknown_issuer(struct sentence *s, const struct sp_proof *p,
                               STACK_OF(X509) * shown)
{
    struct sp_cert_facts top;
    sp_cert_facts_of(sk_X509_value(shown, sk_X509_num(shown) - 1), &top);
    if (top.self_signed) {
        say(s,
            "The chain of %s ends in \"%.100s\", a root that the CA file does not "
            "have; ",
            p->want->authority, top.subject);
    } else {
        say(s,
            "The chain of %s ends in \"%.100s\", issued by \"%.100s\", a missing root "
            "or "
            "intermediate: neither the server shows it nor the CA file has it; ",
            p->want->authority, top.subject, top.issuer);
    }
    say(s, "if it is yours, compare and add it (last key shown ");
    say_pin(s, &top.spki);
    say(s, ")");
}

static void say_wrong_name(struct sentence *s, const struct sp_proof *p,
                           const struct sp_cert_facts *leaf)
{
    say(s, "The certificate of %s does not name \"%s\"; its names are: %.200s. ",
        p->want->authority, p->want->host,
        leaf->names[0] ? leaf->names : "none (a common name does not count)");
    say(s, "Use one of its names in the url, or have it issued for this one");
}

static void say_time(struct sentence *s, const struct sp_proof *p,
                     const struct sp_cert_facts *c, bool is_over)
{
    char from[SP_TIME_TEXT], to[SP_TIME_TEXT], now[SP_TIME_TEXT];
    sp_time_format(c->not_before, from);
    sp_time_format(c->not_after, to);
    sp_time_format(sp_clock_wall_s(), now);
    say(s,
        "The certificate \"%.120s\" in the chain of %s %s: it is good from %s to %s, "
        "and here "
        "it is %s; %s",
        c->subject, p->want->authority, is_over ? "has expired" : "is not valid yet",
        from, to, now, is_over ? "have it renewed" : "compare the clocks");
}

static void say_weak(struct sentence *s, const struct sp_proof *p,
                     const struct sp_cert_facts *c, int error)
{
    say(s,
        "The certificate \"%.120s\" in the chain of %s is too weak: %s, signed with %s "
        "(%s); "
        "RSA from 2048 bits, named curves from 256 bits and SHA-2 are accepted",
        c->subject, p->want->authority, c->key, c->signature,
        X509_verify_cert_error_string(error));
}

static void say_other(struct sentence *s, const struct sp_proof *p,
                      const struct sp_cert_facts *c, int error)
{
    say(s,
        "The certificate \"%.120s\" of issuer \"%.120s\" in the chain of %s is "
        "refused: %s",
        c->subject, c->issuer, p->want->authority,
        X509_verify_cert_error_string(error));
}

static bool is_unknown_issuer(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

static bool is_weak(int error)
{
    return error == X509_V_ERR_EE_KEY_TOO_SMALL ||
           error == X509_V_ERR_CA_KEY_TOO_SMALL || error == X509_V_ERR_CA_MD_TOO_WEAK ||
           error == X509_V_ERR_EC_KEY_EXPLICIT_PARAMS;
}

void sp_why_chain(struct sp_proof *p, X509_STORE_CTX *ctx)
{
    int error = X509_STORE_CTX_get_error(ctx);
    STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(ctx);
    X509 *current = X509_STORE_CTX_get_current_cert(ctx);
    struct sp_cert_facts c;
    sp_cert_facts_of(current ? current : X509_STORE_CTX_get0_cert(ctx), &c);
    struct sentence s = {.len = 0};
    say_inspector(&s, p, shown);
    if (is_unknown_issuer(error)) {
        say_unknown_issuer(&s, p, shown);
    } else if (error == X509_V_ERR_HOSTNAME_MISMATCH ||
               error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        say_wrong_name(&s, p, &c);
    } else if (error == X509_V_ERR_CERT_HAS_EXPIRED ||
               error == X509_V_ERR_CERT_NOT_YET_VALID) {
        say_time(&s, p, &c, error == X509_V_ERR_CERT_HAS_EXPIRED);
    } else if (is_weak(error)) {
        say_weak(&s, p, &c, error);
    } else {
        say_other(&s, p, &c, error);
    }
    finish(p, &s);
}

/* ---- pins ---------------------------------------------------------------- */

void sp_why_pins(struct sp_proof *p, STACK_OF(X509) * chain)
{
    struct sentence s = {.len = 0};
    say_inspector(&s, p, chain);
    say(&s,
        "%s has the right name and CA but no pinned key: pin a shown key if the change "
        "was "
        "announced, else somebody is in between. Expected:",
        p->want->authority);
    for (size_t i = 0; i < p->want->pin_count && i < 2; i++) {
        say(&s, " ");
        say_pin(&s, &p->want->pins[i]);
    }
    if (p->want->pin_count > 2) {
        say(&s, " (and %zu more)", p->want->pin_count - 2);
    }
    say(&s, "; shown:");
    for (size_t i = 0; i < p->link.chain_count; i++) {
        say(&s, " ");
        say_pin(&s, &p->link.chain[i]);
    }
    finish(p, &s);
}

/* ---- the handshake ------------------------------------------------------- */

/* A server that has shown its certificates and fails then is not content with ours. */
static bool is_about_our_certificate(const struct sp_proof *p)
{
    int a = p->alert;
    return (a >= SSL_AD_BAD_CERTIFICATE && a <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           a == SSL_AD_UNKNOWN_CA || a == SSL_AD_ACCESS_DENIED ||
           a == TLS13_AD_CERTIFICATE_REQUIRED ||
           (a == SSL_AD_HANDSHAKE_FAILURE && p->decided);
}

void sp_why_handshake(struct sp_proof *p, const char *detail)
{
    const char *peer = p->want->authority;
    struct sentence s = {.len = 0};
    bool is_tls = p->first_len == 0 || p->first[0] == SSL3_RT_HANDSHAKE ||
                  p->first[0] == SSL3_RT_ALERT;
    if (p->first_len == 4 && memcmp(p->first, "HTTP", 4) == 0) {
        say(&s,
            "%s answers in plain HTTP where TLS was expected; check the port (for WSUS "
            "8531 "
            "is TLS and 8530 is not)",
            peer);
    } else if (!is_tls) {
        say(&s, "%s does not speak TLS on this port", peer);
    } else if (p->alert == SSL_AD_PROTOCOL_VERSION ||
               strstr(detail, "unsupported protocol")) {
        say(&s,
            "The server offers only old TLS: %s knows neither TLS 1.2 nor 1.3; enable "
            "TLS "
            "1.2 there",
            peer);
    } else if (is_about_our_certificate(p)) {
        say(&s,
            "%s does not accept our client certificate, or wants one and got none: %s",
            peer, SSL_alert_desc_string_long(p->alert));
    } else if (p->alert == SSL_AD_HANDSHAKE_FAILURE ||
               p->alert == SSL_AD_INSUFFICIENT_SECURITY) {
        say(&s,
            "%s has no cipher suite in common with us; with TLS 1.2 we offer ECDHE "
            "with "
            "AES-GCM or ChaCha20",
            peer);
    } else {
        say(&s, "The TLS handshake with %s failed: %s", peer, detail);
    }
    finish(p, &s);
}
