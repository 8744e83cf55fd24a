#include "io/net/tls_private.h"
#include "io/net/tls_records.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#define TLS_HANDSHAKE_RECORD 0x16
/* A record with its framing, so that the end of one is not left in the socket. */
#define APPETITE_MIN (SP_WIRE_RECORD + SP_KIB(1))

static SSL *ssl_of(const struct sp_transport *t)
{
    return t->ssl;
}

/* What a call of OpenSSL on this transport came to. */
static enum sp_err translate(struct sp_transport *t, int result)
{
    int reason = SSL_get_error(ssl_of(t), result);
    if (reason == SSL_ERROR_NONE) {
        return SP_OK;
    }
    if (reason == SSL_ERROR_WANT_READ && !t->broken) {
        return SP_E_AGAIN;
    }
    if (reason != SSL_ERROR_ZERO_RETURN) {
        t->broken |= reason == SSL_ERROR_SYSCALL;
        SSL_set_shutdown(ssl_of(t), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    ERR_clear_error();
    return reason == SSL_ERROR_ZERO_RETURN || t->ended ? SP_E_CLOSED : SP_E_TLS;
}

/* What others of this thread left in OpenSSL's queue would be taken for ours where a
 * call says that it did not get on. Clearing touches all of it, looking does not. */
static void expect_no_errors(void)
{
    if (ERR_peek_error()) {
        ERR_clear_error();
    }
}

static enum sp_err begin(struct sp_transport *t)
{
    t->appetite = APPETITE_MIN;
    SP_TRY(sp_tls_bio_fill(t));
    if (t->window.data[0] != TLS_HANDSHAKE_RECORD) {
        return SP_E_PROTOCOL;
    }
    SSL *ssl = sp_tls_server_session(t->tls);
    BIO *bio = ssl ? sp_tls_bio_new(t, sp_tls_server_senders(t->tls)) : NULL;
    sp_tls_server_unref(&t->tls); /* the SSL holds what it needs */
    if (!bio) {
        SSL_free(ssl);
        return SP_E_NOMEM;
    }
    SSL_set_bio(ssl, bio, bio);
    t->ssl = ssl;
    return SP_OK;
}

static const struct sp_transport_ops kernel_ops;

static enum sp_err tls_handshake(struct sp_transport *t)
{
    if (!t->ssl) {
        SP_TRY(begin(t));
    }
    expect_no_errors();
    int done = SSL_do_handshake(ssl_of(t));
    SP_TRY(translate(t, done));
    t->wire->stats->handshakes_resumed += SSL_session_reused(ssl_of(t)) == 1;
    if (t->records) {
        t->wire->stats->handshakes_own++;
    } else if (BIO_get_ktls_send(SSL_get_wbio(ssl_of(t)))) {
        t->wire->stats->handshakes_kernel++;
        t->ops = &kernel_ops;
    }
    return SP_OK;
}

static enum sp_err tls_recv(struct sp_transport *t, size_t max, struct sp_view *out)
{
    size_t ask = max < SP_WIRE_RECORD ? max : SP_WIRE_RECORD;
    size_t hunger = max + SP_KIB(1);
    t->appetite = hunger < APPETITE_MIN      ? APPETITE_MIN
                  : hunger > SP_WIRE_RECEIVE ? SP_WIRE_RECEIVE
                                             : hunger;
    expect_no_errors();
    int got = SSL_read(ssl_of(t), t->wire->plain, (int)ask);
    SP_TRY(translate(t, got));
    *out = sp_view(t->wire->plain, (size_t)got);
    return SP_OK;
}

static bool tls_has_buffered(const struct sp_transport *t)
{
    return t->window.len || t->left.len || (t->ssl && SSL_has_pending(ssl_of(t)));
}

/* The next record's payload: straight from the second view where the first is used up.
 */
static struct sp_view next_payload(struct sp_transport *t, struct sp_view first,
                                   struct sp_view second)
{
    if (first.len == 0 || second.len == 0 || first.len >= SP_WIRE_RECORD) {
        return sp_view_slice(first.len ? first : second, 0, SP_WIRE_RECORD);
    }
    struct sp_view rest = sp_view_slice(second, 0, SP_WIRE_RECORD - first.len);
    memcpy(t->wire->joined, first.data, first.len);
    memcpy(t->wire->joined + first.len, rest.data, rest.len);
    return sp_view(t->wire->joined, first.len + rest.len);
}

static void advance(struct sp_view *first, struct sp_view *second, size_t n)
{
    size_t of_first = n < first->len ? n : first->len;
    *first = sp_view_slice(*first, of_first, first->len);
    *second = sp_view_slice(*second, n - of_first, second->len);
}

/* Ours is one of data only. Where the peer asked for new keys, OpenSSL says so to him
 * before the next record, and has them. Others' errors make no difference here: writing
 * that fails is over, whatever failed. */
static enum sp_err send_record(struct sp_transport *t, struct sp_view payload)
{
    if (t->records && SSL_get_key_update_type(ssl_of(t)) == SSL_KEY_UPDATE_NONE) {
        return sp_tls_bio_seal(t, SSL3_RT_APPLICATION_DATA, payload);
    }
    return translate(t, SSL_write(ssl_of(t), payload.data, (int)payload.len));
}

static enum sp_err tls_send(struct sp_transport *t, struct sp_view first,
                            struct sp_view second, size_t *taken)
{
    size_t total = 0;
    if (t->unsent.len) {
        SP_TRY(sp_tls_bio_flush(t));
    }
    while (first.len + second.len > 0 && t->unsent.len == 0) {
        struct sp_view payload = next_payload(t, first, second);
        t->more = payload.len < first.len + second.len;
        enum sp_err e = send_record(t, payload);
        t->more = false;
        SP_TRY(e);
        total += payload.len;
        advance(&first, &second, payload.len);
    }
    t->alone = false;
    *taken = total;
    return SP_OK;
}

/* The kernel makes the records. When the peer asked for new keys (RFC 8446
 * section 4.6.3) nothing may be sent with the old ones, and the kernel would not learn
 * of them: that ends the connection. */
static enum sp_err kernel_send(struct sp_transport *t, struct sp_view first,
                               struct sp_view second, size_t *taken)
{
    t->broken |= SSL_get_key_update_type(ssl_of(t)) != SSL_KEY_UPDATE_NONE;
    return sp_socket_send(t, first, second, taken);
}

static enum sp_err tls_flush(struct sp_transport *t)
{
    return t->ssl ? sp_tls_bio_flush(t) : SP_OK;
}

static enum sp_err tls_park(struct sp_transport *t)
{
    if (!t->ssl) {
        return SP_OK;
    }
    SP_TRY(sp_tls_bio_park(t));
    enum sp_err e = sp_tls_bio_flush(t);
    return e == SP_E_AGAIN ? SP_OK : e;
}

static void tls_say_bye(struct sp_transport *t)
{
    if (t->ssl && SSL_is_init_finished(ssl_of(t)) && !t->broken &&
        !(SSL_get_shutdown(ssl_of(t)) & SSL_SENT_SHUTDOWN)) {
        ERR_clear_error();
        SSL_shutdown(ssl_of(t));
        ERR_clear_error();
    }
}

static bool tls_peer_pin(const struct sp_transport *t, struct sp_pin *out)
{
    X509 *cert = t->ssl ? SSL_get0_peer_certificate(ssl_of(t)) : NULL;
    unsigned char *spki = NULL;
    int len = cert ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : 0;
    if (len <= 0) {
        return false;
    }
    sp_sha256(sp_view(spki, (size_t)len), out->sha256);
    OPENSSL_free(spki);
    return true;
}

static enum sp_err tls_peer_certificate(const struct sp_transport *t,
                                        struct sp_buf *out)
{
    X509 *cert = t->ssl ? SSL_get0_peer_certificate(ssl_of(t)) : NULL;
    unsigned char *der = NULL;
    int len = cert ? i2d_X509(cert, &der) : 0;
    if (len < 0) {
        return SP_E_NOMEM;
    }
    enum sp_err e = sp_buf_append(out, sp_view(der, (size_t)len));
    OPENSSL_free(der);
    return e;
}

static struct sp_handshake tls_handshake_told(const struct sp_transport *t)
{
    const char *sni = SSL_get_servername(ssl_of(t), TLSEXT_NAMETYPE_host_name);
    return (struct sp_handshake){.version = SSL_get_version(ssl_of(t)),
                                 .sni = sni ? sni : ""};
}

static void tls_fini(struct sp_transport *t)
{
    t->wire->gathered = 0;
    if (t->ssl) {
        /* A session outlives the connection however that ended; one that ended with a
         * fatal alert is forgotten already. */
        SSL_set_shutdown(ssl_of(t), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(ssl_of(t));
        sp_buf_fini(&t->left);
        sp_buf_fini(&t->unsent);
        sp_tls_records_free(t->wire->sealer, &t->records);
        t->ssl = NULL;
    }
    sp_tls_server_unref(&t->tls);
}

#define OPS_THAT_SEND_BY(way)                                                          \
    {                                                                                  \
        .handshake = tls_handshake, .recv = tls_recv,                                  \
        .has_buffered = tls_has_buffered, .send = (way), .flush = tls_flush,           \
        .park = tls_park, .say_bye = tls_say_bye, .peer_pin = tls_peer_pin,            \
        .peer_certificate = tls_peer_certificate,                                      \
        .handshake_told = tls_handshake_told, .fini = tls_fini,                        \
    }
static const struct sp_transport_ops tls_ops = OPS_THAT_SEND_BY(tls_send);
static const struct sp_transport_ops kernel_ops = OPS_THAT_SEND_BY(kernel_send);

void sp_transport_tls(struct sp_transport *t, struct sp_wire *w, int fd,
                      struct sp_tls_server *tls)
{
    *t = (struct sp_transport){
        .ops = &tls_ops, .wire = w, .fd = fd, .tls = sp_tls_server_ref(tls)};
}
