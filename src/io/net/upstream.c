#include "io/net/upstream_parts.h"

#include "io/net/tls_secret.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "core/base/text.h"

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_';
}

static bool is_name(struct sp_view v)
{
    bool good = v.len > 0 && v.len <= 253 && v.data[0] != '.' && v.data[0] != '-';
    for (size_t i = 0; good && i < v.len; i++) {
        good = is_name_byte(v.data[i]) &&
               !(v.data[i] == '.' && (i + 1 == v.len || v.data[i + 1] == '.'));
    }
    return good;
}

enum sp_err sp_origin_make(struct sp_view host, unsigned port, struct sp_origin *out,
                           struct sp_why *why)
{
    struct sp_origin o = {.port = port};
    unsigned char address[16];
    if (host.len >= sizeof o.host || port == 0 || port > 65535) {
        return sp_why_set(why, SP_E_CONFIG,
                          "the host is too long or the port is not 1..65535");
    }
    memcpy(o.host, host.data, host.len);
    bool is_v6 =
        strlen(o.host) == host.len && inet_pton(AF_INET6, o.host, address) == 1;
    if (!is_v6 && !is_name(host)) {
        return sp_why_set(why, SP_E_CONFIG,
                          "\"" SP_VIEW_FMT "\" is no host name and no address",
                          SP_VIEW_ARG(host));
    }
    o.is_address = is_v6 || inet_pton(AF_INET, o.host, address) == 1;
    snprintf(o.authority, sizeof o.authority, is_v6 ? "[%s]:%u" : "%s:%u", o.host,
             port);
    *out = o;
    return SP_OK;
}

/* Cuts ":port" from the end of rest, which is a host in brackets or without a colon. */
static enum sp_err cut_port(struct sp_view *rest, unsigned *port)
{
    size_t behind =
        rest->len > 0 && rest->data[0] == '[' ? sp_view_find(*rest, ']') : 0;
    size_t colon = behind + sp_view_find(sp_view_slice(*rest, behind, rest->len), ':');
    if (colon < rest->len) {
        uint64_t number = 0;
        SP_TRY(
            sp_u64_parse(sp_view_slice(*rest, colon + 1, rest->len), 65535, &number));
        *port = (unsigned)number;
    }
    *rest = sp_view_slice(*rest, 0, colon);
    if (behind > 0) {
        struct sp_view inside = sp_view_slice(*rest, 1, behind);
        if (behind + 1 != rest->len || sp_view_find(inside, ':') == inside.len) {
            return SP_E_MALFORMED;
        }
        *rest = inside;
    }
    return SP_OK;
}

enum sp_err sp_origin_parse(const char *url, const char *scheme, unsigned default_port,
                            struct sp_origin *out, struct sp_why *why)
{
    struct sp_view rest = sp_view_str(url);
    struct sp_view prefix = sp_view_str(scheme);
    unsigned port = default_port;
    if (sp_view_find(rest, '@') <
        rest.len) { /* and it is not repeated: logs are read */
        return sp_why_set(why, SP_E_CONFIG,
                          "an address may hold no name and password before its host");
    }
    if (!sp_view_starts(rest, prefix)) {
        return sp_why_set(why, SP_E_CONFIG, "\"%s\" does not begin with %s", url,
                          scheme);
    }
    rest = sp_view_slice(rest, prefix.len, rest.len);
    if (cut_port(&rest, &port) != SP_OK) {
        return sp_why_set(why, SP_E_CONFIG,
                          "\"%s\" is not %shost[:port] with nothing behind", url,
                          scheme);
    }
    return sp_origin_make(rest, port, out, why);
}

/* ---- certificates and keys ------------------------------------------------- */

/* Nobody is asked for a passphrase: an encrypted key is one that cannot be read. */
static int no_passphrase(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer, (void)size, (void)writing, (void)ctx;
    return -1;
}

/* True at the ordinary end of a PEM text; clears OpenSSL's errors. */
static bool ended_well(void)
{
    unsigned long e = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static enum sp_err read_certificates(struct sp_view pem, STACK_OF(X509) * into)
{
    BIO *bio = BIO_new_mem_buf(pem.data ? pem.data : (const uint8_t *)"", (int)pem.len);
    X509 *x = NULL;
    bool kept = bio != NULL;
    while (kept && (x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        /* reads its extensions now: a certificate that loops share is not written later
         */
        (void)X509_check_purpose(x, -1, 0);
        kept = sk_X509_push(into, x) > 0;
    }
    BIO_free(bio);
    if (!kept) {
        X509_free(x);
        return SP_E_NOMEM;
    }
    return ended_well() && sk_X509_num(into) > 0 ? SP_OK : SP_E_MALFORMED;
}

static void free_certificates(STACK_OF(X509) * *s)
{
    sk_X509_pop_free(*s, X509_free);
    *s = NULL;
}

enum sp_err sp_anchors_add(X509_STORE *store, struct sp_view pem, struct sp_why *why)
{
    SP_AUTO(free_certificates) STACK_OF(X509) *all = sk_X509_new_null();
    if (!all || pem.len > INT_MAX) {
        return SP_E_NOMEM;
    }
    if (read_certificates(pem, all) != SP_OK) {
        return sp_why_set(why, SP_E_CONFIG,
                          "the CA file has no certificate, or a broken one");
    }
    for (int i = 0; i < sk_X509_num(all); i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(all, i)) != 1) {
            return SP_E_NOMEM;
        }
    }
    return SP_OK;
}

static enum sp_err take_client(struct sp_upstream *u, struct sp_view pem,
                               struct sp_view key, struct sp_why *why)
{
    if (pem.len == 0) {
        return SP_OK;
    }
    u->client_issuers = sk_X509_new_null();
    key = key.len ? key : pem;
    BIO *bio = key.len > INT_MAX ? NULL : BIO_new_mem_buf(key.data, (int)key.len);
    if (!u->client_issuers || !bio) {
        BIO_free(bio);
        return SP_E_NOMEM;
    }
    u->client_key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (!u->client_key || read_certificates(pem, u->client_issuers) != SP_OK) {
        return sp_why_set(
            why, SP_E_CONFIG,
            "the client certificate needs a certificate and its private key, "
            "not encrypted, in one PEM file");
    }
    u->client = sk_X509_shift(u->client_issuers);
    int matches = X509_check_private_key(u->client, u->client_key);
    ERR_clear_error();
    return matches == 1 ? SP_OK
                        : sp_why_set(why, SP_E_CONFIG,
                                     "the client's private key does not belong to its "
                                     "certificate");
}

/* ---- the object ---------------------------------------------------------- */

static struct sp_tally *tally_new(void)
{
    struct sp_tally *t = calloc(1, sizeof *t);
    if (t) {
        atomic_init(&t->refs, 1);
    }
    return t;
}

static void tally_unref(struct sp_tally *t)
{
    if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1) {
        free(t);
    }
}

static void upstream_free(struct sp_upstream *u)
{
    tally_unref(u->want.tally);
    X509_STORE_free(u->want.anchors);
    X509_free(u->client);
    EVP_PKEY_free(u->client_key);
    free_certificates(&u->client_issuers);
    free(u->name);
    free(u->proxy);
    free(u);
}

/* [MS-WUSP] and practice: plain content is beside TLS at 80 for 443, at N-1 for any
 * other N. */
static unsigned plain_port(unsigned port)
{
    return port == 443 ? 80 : port - 1;
}

static enum sp_err take_origin(struct sp_upstream *u, const struct sp_upstream_conf *c,
                               struct sp_why *why)
{
    struct sp_origin plain;
    SP_TRY(sp_origin_parse(c->url, "https://", 443, &u->origin, why));
    snprintf(u->https, sizeof u->https, "https://%s", u->origin.authority);
    if (c->content_over_http) {
        SP_TRY(sp_origin_make(sp_view_str(u->origin.host), plain_port(u->origin.port),
                              &plain, why));
        snprintf(u->http, sizeof u->http, "http://%s", plain.authority);
    }
    u->content_over_http = c->content_over_http;
    return SP_OK;
}

static enum sp_err take_proxy(struct sp_upstream *u, const char *proxy,
                              struct sp_why *why)
{
    struct sp_origin o;
    if (proxy && *proxy) {
        SP_TRY(sp_origin_parse(proxy, "http://", 8080, &o, why));
    }
    char url[288] = "";
    if (proxy && *proxy) {
        snprintf(url, sizeof url, "http://%s", o.authority);
    }
    u->proxy = strdup(url);
    return u->proxy ? SP_OK : SP_E_NOMEM;
}

static enum sp_err take_pins(struct sp_upstream *u, const struct sp_upstream_conf *c,
                             struct sp_why *why)
{
    if (c->pin_count == 0 || c->pin_count > SP_LIMIT_PINS) {
        return sp_why_set(why, SP_E_CONFIG,
                          "upstream %s has %zu pins; it needs 1 to %d, better two: "
                          "\"sallyport pin %s\" shows what the server offers",
                          c->name, c->pin_count, SP_LIMIT_PINS, u->origin.authority);
    }
    memcpy(u->pins, c->pins, c->pin_count * sizeof *c->pins);
    return SP_OK;
}

static enum sp_err take_conf(struct sp_upstream *u, const struct sp_upstream_conf *c,
                             struct sp_why *why)
{
    u->name = strdup(c->name);
    X509_STORE *anchors = X509_STORE_new();
    u->want = (struct sp_peer_want){.host = u->origin.host,
                                    .authority = u->origin.authority,
                                    .anchors = anchors,
                                    .pins = u->pins,
                                    .pin_count = c->pin_count,
                                    .tally = tally_new()};
    if (!u->name || !anchors || !u->want.tally) {
        return SP_E_NOMEM;
    }
    SP_TRY(take_origin(u, c, why));
    u->want.is_address = u->origin.is_address;
    SP_TRY(take_proxy(u, c->proxy, why));
    SP_TRY(take_pins(u, c, why));
    SP_TRY(sp_anchors_add(anchors, c->ca_pem, why));
    return take_client(u, c->client_pem, c->client_key_pem, why);
}

enum sp_err sp_upstream_new(const struct sp_upstream_conf *conf,
                            struct sp_upstream **out, struct sp_why *why)
{
    struct sp_upstream *u = calloc(1, sizeof *u);
    if (!u) {
        return SP_E_NOMEM;
    }
    atomic_init(&u->refs, 1);
    sp_tls_secret_begin();
    enum sp_err e = take_conf(u, conf, why);
    sp_tls_secret_end();
    if (e != SP_OK) {
        upstream_free(u);
        return e;
    }
    *out = u;
    return SP_OK;
}

struct sp_upstream *sp_upstream_ref(struct sp_upstream *u)
{
    atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
    return u;
}

void sp_upstream_unref(struct sp_upstream **u)
{
    if (*u && atomic_fetch_sub_explicit(&(*u)->refs, 1, memory_order_acq_rel) == 1) {
        upstream_free(*u);
    }
    *u = NULL;
}

bool sp_upstream_is_retired(const struct sp_upstream *u)
{
    unsigned lanes = atomic_load(&u->lanes);
    return atomic_load(&u->refs) <= lanes;
}

const char *sp_upstream_name(const struct sp_upstream *u)
{
    return u->name;
}

const char *sp_upstream_host(const struct sp_upstream *u)
{
    return u->origin.authority;
}

uint64_t sp_upstream_pin_checks(const struct sp_upstream *u, enum sp_pin_check result)
{
    return atomic_load_explicit(&u->want.tally->checks[result], memory_order_relaxed);
}

void sp_upstream_count(const struct sp_upstream *u, enum sp_err e)
{
    enum sp_upstream_result r = e == SP_OK           ? SP_UPSTREAM_OK
                                : e == SP_E_UNPROVEN ? SP_UPSTREAM_UNPROVEN
                                                     : SP_UPSTREAM_FAILED;
    if (e != SP_E_CANCELLED) {
        atomic_fetch_add_explicit(&u->want.tally->requests[r], 1, memory_order_relaxed);
    }
}

uint64_t sp_upstream_requests(const struct sp_upstream *u, enum sp_upstream_result r)
{
    return atomic_load_explicit(&u->want.tally->requests[r], memory_order_relaxed);
}

void sp_upstream_count_on(struct sp_upstream *u, const struct sp_upstream *old)
{
    struct sp_tally *mine = u->want.tally;
    u->want.tally = old->want.tally;
    atomic_fetch_add_explicit(&u->want.tally->refs, 1, memory_order_relaxed);
    tally_unref(mine);
}

bool sp_upstream_is_asked(const struct sp_upstream *u)
{
    return atomic_load(&u->asked) > 0;
}

enum sp_err sp_upstream_identify(const struct sp_upstream *u, SSL_CTX *ctx)
{
    if (!u->client) {
        return SP_OK;
    }
    bool done = SSL_CTX_use_certificate(ctx, u->client) == 1 &&
                SSL_CTX_use_PrivateKey(ctx, u->client_key) == 1 &&
                SSL_CTX_set1_chain(ctx, u->client_issuers) == 1;
    return done ? SP_OK : SP_E_CRYPTO;
}

/* ---- the process --------------------------------------------------------- */

/* What libcurl and OpenSSL would read by themselves. Most of it is also overruled
 * handle by handle; SSLKEYLOGFILE is not: libcurl opens that file in curl_global_init
 * and writes the secrets of every connection to it, so it has to go before. */
static void forget_environment(void)
{
    static const char *const names[] = {
        "SSLKEYLOGFILE", "SSL_CERT_FILE",   "SSL_CERT_DIR",    "CURL_CA_BUNDLE",
        "OPENSSL_CONF",  "OPENSSL_MODULES", "OPENSSL_ENGINES", "http_proxy",
        "https_proxy",   "HTTPS_PROXY",     "all_proxy",       "ALL_PROXY",
        "no_proxy",      "NO_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsetenv(names[i]);
    }
}

static enum sp_err check_backend(struct sp_why *why)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    const char *ssl = v->ssl_version ? v->ssl_version : "none";
    struct sp_view text = sp_view_str(ssl);
    struct sp_view name = SP_VIEW("OpenSSL/");
    bool is_openssl = sp_view_starts(text, name) && text.len > name.len;
    if (!is_openssl || text.data[name.len] < '3' || text.data[name.len] > '9') {
        return sp_why_set(
            why, SP_E_UNAVAILABLE,
            "libcurl %s uses %s for TLS; sallyport decides about peers inside "
            "OpenSSL 3 and needs a libcurl that was built with it",
            v->version, ssl);
    }
    return SP_OK;
}

enum sp_err sp_upstream_global_init(struct sp_why *why)
{
    forget_environment();
    signal(SIGPIPE,
           SIG_IGN); /* libcurl leaves signals alone, OpenSSL writes with write */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
        return sp_why_set(why, SP_E_UNAVAILABLE, "OpenSSL does not start");
    }
    SP_TRY(check_backend(why));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return sp_why_set(why, SP_E_UNAVAILABLE, "libcurl does not start");
    }
    SP_TRY(sp_ahead_global_init());
    return sp_proof_global_init();
}
