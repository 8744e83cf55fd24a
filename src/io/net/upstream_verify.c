#include "core/crypto/openssl.h"
#include "io/net/upstream_parts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

static int proof_index = -1; /* of SSL_CTX; written once by sp_proof_global_init */

/* ---- life ---------------------------------------------------------------- */

enum sp_err sp_proof_new(const struct sp_peer_want *want, struct sp_proof **out)
{
    struct sp_proof *p = calloc(1, sizeof *p);
    if (!p) {
        return SP_E_NOMEM;
    }
    p->refs = 1;
    p->want = want;
    p->alert = -1;
    *out = p;
    return SP_OK;
}

struct sp_proof *sp_proof_ref(struct sp_proof *p)
{
    p->refs++;
    return p;
}

void sp_proof_unref(struct sp_proof **p)
{
    if (*p && --(*p)->refs == 0) {
        sk_X509_pop_free((*p)->shown, X509_free);
        sp_ahead_fini(&(*p)->ahead);
        free(*p);
    }
    *p = NULL;
}

static void drop_with_context(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index,
                              long argl, void *argp)
{
    (void)parent, (void)ad, (void)index, (void)argl, (void)argp;
    struct sp_proof *p = ptr;
    sp_proof_unref(&p);
}

enum sp_err sp_proof_global_init(void)
{
    if (proof_index < 0) {
        proof_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, drop_with_context);
    }
    return proof_index < 0 ? SP_E_NOMEM : SP_OK;
}

struct sp_proof *sp_proof_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), proof_index);
}

/* ---- the decision -------------------------------------------------------- */

static bool pin_of(X509 *x, struct sp_pin *out)
{
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    if (len > 0) {
        sp_sha256(sp_view(der, (size_t)len), out->sha256);
    }
    OPENSSL_free(der);
    return len > 0;
}

static void note_chain(struct sp_link_report *link, STACK_OF(X509) * chain)
{
    int64_t ends = 0;
    link->chain_count = 0;
    link->ends = 0;
    for (int i = 0; i < sk_X509_num(chain) && i < SP_LIMIT_CHAIN_DEPTH; i++) {
        if (!pin_of(sk_X509_value(chain, i), &link->chain[link->chain_count])) {
            return;
        }
        link->chain_count++;
        if (sp_asn1_time(X509_get0_notAfter(sk_X509_value(chain, i)), &ends) == SP_OK &&
            (!link->ends || ends < link->ends)) {
            link->ends = ends;
        }
    }
}

static void note_peer(struct sp_proof *p, X509_STORE_CTX *ctx)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct sp_cert_facts leaf;
    sp_cert_facts_of(X509_STORE_CTX_get0_cert(ctx), &leaf);
    snprintf(p->link.tls, sizeof p->link.tls, "%s", SSL_get_version(ssl));
    snprintf(p->link.leaf_subject, sizeof p->link.leaf_subject, "%s", leaf.subject);
    snprintf(p->link.leaf_issuer, sizeof p->link.leaf_issuer, "%s", leaf.issuer);
    note_chain(&p->link, X509_STORE_CTX_get0_untrusted(ctx));
    if (p->show_only) {
        p->shown = X509_chain_up_ref(X509_STORE_CTX_get0_untrusted(ctx));
    }
}

/* Chain to the anchors, purpose, name, time, strength: RFC 5280 section 6 and RFC 9525.
 * Explicit curve parameters, weak keys and weak digests fall to authority level 2. */
static bool is_chained(const struct sp_peer_want *want, X509_STORE_CTX *ctx)
{
    X509_VERIFY_PARAM *v = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_auth_level(v, 2);
    /* the leaf and the anchor are not counted */
    X509_VERIFY_PARAM_set_depth(v, SP_LIMIT_CHAIN_DEPTH - 2);
    X509_VERIFY_PARAM_set_hostflags(v, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool set = X509_VERIFY_PARAM_set_purpose(v, X509_PURPOSE_SSL_SERVER) == 1 &&
               (want->is_address ? X509_VERIFY_PARAM_set1_ip_asc(v, want->host)
                                 : X509_VERIFY_PARAM_set1_host(v, want->host, 0)) == 1;
    if (!set) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
        return false;
    }
    return X509_verify_cert(ctx) == 1 && X509_STORE_CTX_get_error(ctx) == X509_V_OK;
}

/* Leaf first: the most specific pin that matches is the one reported. */
static bool has_pin(struct sp_link_report *link, const struct sp_peer_want *want)
{
    for (size_t i = 0; i < link->chain_count; i++) {
        for (size_t n = 0; n < want->pin_count; n++) {
            if (sp_pin_eq(&link->chain[i], &want->pins[n])) {
                link->matched = link->chain[i];
                return true;
            }
        }
    }
    return false;
}

static void judge(struct sp_proof *p, X509_STORE_CTX *ctx)
{
    p->chained = is_chained(p->want, ctx);
    if (!p->chained) {
        sp_why_chain(p, ctx);
        return;
    }
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    note_chain(&p->link, chain);
    p->link.proven = !p->show_only && has_pin(&p->link, p->want);
    if (!p->link.proven && !p->show_only) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
        sp_why_pins(p, chain);
    }
}

static void count(const struct sp_proof *p)
{
    enum sp_pin_check result = p->link.proven ? SP_PIN_CHECK_MATCHED
                               : p->chained   ? SP_PIN_CHECK_UNMATCHED
                                              : SP_PIN_CHECK_UNTRUSTED;
    if (p->want->tally) {
        atomic_fetch_add_explicit(&p->want->tally->checks[result], 1,
                                  memory_order_relaxed);
    }
}

/* OpenSSL calls this when the peer's certificates are there, before anything of ours
 * but the ClientHello was sent; zero ends the handshake. */
static int decide(X509_STORE_CTX *ctx, void *arg)
{
    struct sp_proof *p = arg;
    p->decided = true;
    note_peer(p, ctx);
    judge(p, ctx);
    count(p);
    ERR_clear_error();
    return p->link.proven || p->show_only;
}

/* Keeps what tells a failed handshake's cause: how the peer began, its last alert. */
static void overhear(int is_ours, int version, int type, const void *bytes, size_t len,
                     SSL *ssl, void *arg)
{
    (void)version, (void)ssl;
    struct sp_proof *p = arg;
    if (is_ours) {
        return;
    }
    if (type == SSL3_RT_HEADER && p->first_len == 0) {
        p->first_len = len < sizeof p->first ? len : sizeof p->first;
        memcpy(p->first, bytes, p->first_len);
    }
    if (type == SSL3_RT_ALERT && len == 2) {
        p->alert = ((const uint8_t *)bytes)[1];
    }
}

/* AES with 128 bits first, for servers that leave the choice to us: it takes a tenth
 * to a quarter less to decrypt. */
#define CIPHERS_12 "ECDHE+AES128+AESGCM:ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHERS_13                                                                     \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

static bool set_protocol(SSL_CTX *ctx, bool show_only)
{
    SSL_CTX_clear_options(ctx,
                          SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_max_cert_list(ctx, SP_LIMIT_CHAIN_BYTES);
    /* a weak chain is to be seen when it is only shown; it still does not verify */
    SSL_CTX_set_security_level(ctx, show_only ? 0 : 2);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) == 1 &&
           SSL_CTX_set_cipher_list(ctx, CIPHERS_12) == 1;
}

enum sp_err sp_proof_arm(struct sp_proof *p, SSL_CTX *ctx)
{
    if (!set_protocol(ctx, p->show_only) ||
        SSL_CTX_set_ex_data(ctx, proof_index, p) != 1) {
        return SP_E_CRYPTO;
    }
    sp_proof_ref(p);
    SSL_CTX_set1_cert_store(ctx, p->want->anchors);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, decide, p);
    SSL_CTX_set_msg_callback(ctx, overhear);
    SSL_CTX_set_msg_callback_arg(ctx, p);
    return SP_OK;
}
