#include "io/net/upstream_parts.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <unistd.h>

/* Blocking, with one deadline for everything but the resolver. */
struct call {
    struct sp_origin origin;
    uint64_t deadline_ms;
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
    X509_STORE *anchors;
    struct sp_proof *proof;
};

static void call_fini(struct call *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    X509_STORE_free(c->anchors);
    sp_proof_unref(&c->proof);
    if (c->fd >= 0) {
        close(c->fd);
    }
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* True when fd became ready for events before the deadline. */
static bool wait_for(const struct call *c, int fd, short events)
{
    uint64_t now = now_ms();
    struct pollfd p = {.fd = fd, .events = events};
    return now < c->deadline_ms && poll(&p, 1, (int)(c->deadline_ms - now)) == 1;
}

static int connect_to(const struct call *c, const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int error = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        socklen_t len = sizeof error;
        bool ready = wait_for(c, fd, POLLOUT) &&
                     getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0;
        error = ready ? error : ETIMEDOUT;
    }
    if (error != 0) {
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static enum sp_err dial(struct call *c, struct sp_why *why)
{
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all = NULL;
    snprintf(port, sizeof port, "%u", c->origin.port);
    int e = getaddrinfo(c->origin.host, port, &hints, &all);
    if (e != 0) {
        return sp_why_set(why, SP_E_UNAVAILABLE, "%s: its name is not known (%s)",
                          c->origin.authority, gai_strerror(e));
    }
    c->deadline_ms = now_ms() + SP_TIME_UPSTREAM_CONNECT;
    for (const struct addrinfo *a = all; a && c->fd < 0; a = a->ai_next) {
        c->fd = connect_to(c, a);
    }
    int error = errno;
    freeaddrinfo(all);
    if (c->fd < 0) {
        return sp_why_set(why, error == ETIMEDOUT ? SP_E_TIMEOUT : SP_E_UNAVAILABLE,
                          "%s: no connection (%s)", c->origin.authority,
                          strerror(error));
    }
    return SP_OK;
}

static enum sp_err prepare(struct call *c, const struct sp_peer_want *want)
{
    c->ctx = SSL_CTX_new(TLS_client_method());
    if (!c->ctx) {
        return SP_E_CRYPTO;
    }
    SP_TRY(sp_proof_new(want, &c->proof));
    c->proof->show_only = true;
    SP_TRY(sp_proof_arm(c->proof, c->ctx));
    c->ssl = SSL_new(c->ctx);
    bool named = c->ssl && (c->origin.is_address ||
                            SSL_set_tlsext_host_name(c->ssl, c->origin.host) == 1);
    return named && SSL_set_fd(c->ssl, c->fd) == 1 ? SP_OK : SP_E_CRYPTO;
}

/* Up to the end of the handshake or its failure; what counts is whether a chain was
 * seen. */
static void shake(struct call *c)
{
    bool waiting = true;
    ERR_clear_error();
    while (waiting) {
        int error = SSL_get_error(c->ssl, SSL_connect(c->ssl));
        waiting = (error == SSL_ERROR_WANT_READ && wait_for(c, c->fd, POLLIN)) ||
                  (error == SSL_ERROR_WANT_WRITE && wait_for(c, c->fd, POLLOUT));
    }
}

static enum sp_err no_chain(struct call *c, struct sp_why *why)
{
    if (now_ms() >= c->deadline_ms) {
        return sp_why_set(why, SP_E_TIMEOUT,
                          "%s accepts connections but does not answer in TLS",
                          c->origin.authority);
    }
    char detail[256] = "the connection was closed";
    unsigned long error = ERR_get_error();
    if (error) {
        ERR_error_string_n(error, detail, sizeof detail);
    }
    sp_why_handshake(c->proof, detail);
    return sp_why_set(why, SP_E_TLS, "%s", c->proof->link.why.text);
}

static enum sp_err copy_chain(STACK_OF(X509) * chain, struct sp_arena *arena,
                              struct sp_shown_chain *out)
{
    for (int i = 0; i < sk_X509_num(chain) && out->count < SP_LIMIT_CHAIN_DEPTH; i++) {
        uint8_t *der = NULL;
        int len = i2d_X509(sk_X509_value(chain, i), &der);
        enum sp_err e = len > 0 ? sp_arena_copy(arena, sp_view(der, (size_t)len),
                                                &out->der[out->count])
                                : SP_E_MALFORMED;
        OPENSSL_free(der);
        SP_TRY(e);
        out->count++;
    }
    return SP_OK;
}

static enum sp_err converse(struct call *c, struct sp_view ca_pem,
                            struct sp_arena *arena, struct sp_shown_chain *out,
                            struct sp_why *why)
{
    struct sp_shown_chain shown = {.count = 0};
    struct sp_peer_want want = {.host = c->origin.host,
                                .authority = c->origin.authority,
                                .is_address = c->origin.is_address,
                                .anchors = c->anchors};
    if (ca_pem.len > 0) {
        SP_TRY(sp_anchors_add(c->anchors, ca_pem, why));
    }
    SP_TRY(dial(c, why));
    SP_TRY(prepare(c, &want));
    shake(c);
    if (!c->proof->decided) {
        return no_chain(c, why);
    }
    SP_TRY(copy_chain(c->proof->shown, arena, &shown));
    shown.verified = c->proof->chained;
    shown.looks_intercepted = c->proof->link.looks_intercepted;
    shown.why = c->proof->link.why;
    snprintf(shown.tls, sizeof shown.tls, "%s", c->proof->link.tls);
    *out = shown;
    return SP_OK;
}

enum sp_err sp_upstream_show_chain(const char *host, unsigned port,
                                   struct sp_view ca_pem, struct sp_arena *arena,
                                   struct sp_shown_chain *out, struct sp_why *why)
{
    SP_AUTO(call_fini) struct call c = {.fd = -1};
    SP_TRY(sp_origin_make(sp_view_str(host), port, &c.origin, why));
    SP_TRY(sp_proof_global_init());
    c.anchors = X509_STORE_new();
    return c.anchors ? converse(&c, ca_pem, arena, out, why) : SP_E_NOMEM;
}

/* ---- what is too old ------------------------------------------------------------- */

/* Offers nothing but what is to be refused; the security level would refuse it here. */
static enum sp_err prepare_old(struct call *c)
{
    c->ctx = SSL_CTX_new(TLS_client_method());
    if (!c->ctx) {
        return SP_E_CRYPTO;
    }
    SSL_CTX_set_security_level(c->ctx, 0);
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_NONE, NULL);
    c->ssl = SSL_CTX_set_min_proto_version(c->ctx, TLS1_VERSION) == 1 &&
                     SSL_CTX_set_max_proto_version(c->ctx, TLS1_1_VERSION) == 1 &&
                     SSL_CTX_set_cipher_list(c->ctx, "ALL:@SECLEVEL=0") == 1
                 ? SSL_new(c->ctx)
                 : NULL;
    bool named = c->ssl && (c->origin.is_address ||
                            SSL_set_tlsext_host_name(c->ssl, c->origin.host) == 1);
    return named && SSL_set_fd(c->ssl, c->fd) == 1 ? SP_OK : SP_E_CRYPTO;
}

enum sp_err sp_upstream_speaks_old_tls(const char *host, unsigned port, bool *out)
{
    SP_AUTO(call_fini) struct call c = {.fd = -1};
    SP_TRY(sp_origin_make(sp_view_str(host), port, &c.origin, NULL));
    SP_TRY(sp_proof_global_init());
    SP_TRY(dial(&c, NULL));
    SP_TRY(prepare_old(&c));
    shake(&c);
    *out = SSL_is_init_finished(c.ssl) == 1;
    ERR_clear_error();
    return SP_OK;
}
