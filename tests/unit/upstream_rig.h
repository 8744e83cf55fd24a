/* What the tests of the upstream side share: a PKI made by scripts/make-pki, a server
 * on loopback that counts every application byte it gets, and a fetch that runs to its
 * end. */
#ifndef TESTS_UNIT_UPSTREAM_RIG_H
#define TESTS_UNIT_UPSTREAM_RIG_H

#include "temporary.h"
#include "unit.h"

#include "core/base/text.h"
#include "io/net/upstream.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- the PKI ------------------------------------------------------------- */

static char pki_dir[TEMPORARY_PATH];

static int rig_run(char *const argv[])
{
    pid_t pid = 0;
    int status = 0;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int rig_pki(void)
{
    char tool[4096];
    const char *source = getenv("SALLYPORT_SOURCE");
    snprintf(tool, sizeof tool, "%s/scripts/make-pki", source ? source : ".");
    char hostile[] = "--hostile";
    char *argv[] = {tool, hostile, pki_dir, NULL};
    return mkdtemp(temporary_path(pki_dir)) ? rig_run(argv) : -1;
}

static inline int rig_init(void)
{
    struct sp_why why = {0};
    if (sp_upstream_global_init(&why) != SP_OK) {
        fprintf(stderr, "setup: %s\n", why.text);
        return -1;
    }
    return 0;
}

/* A test of cmocka's that needs no more than these two. */
static inline int rig_setup(void **state)
{
    (void)state;
    return rig_pki() == 0 ? rig_init() : -1;
}

static inline int rig_teardown(void **state)
{
    (void)state;
    char rm[] = "rm", flags[] = "-rf";
    char *argv[] = {rm, flags, pki_dir, NULL};
    return rig_run(argv);
}

static inline const char *pki_path(const char *name, const char *suffix)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s%s", pki_dir, name, suffix);
    return p;
}

/* The text of a file of the PKI; the caller frees data. */
static inline struct sp_view pki_read(const char *name)
{
    size_t len = 0;
    uint8_t *data = unit_read_file(pki_path(name, ""), &len);
    assert_non_null(data);
    return sp_view(data, len);
}

/* "upstream", "hostile/expired": the pin that pins.txt states. */
static inline struct sp_pin pki_pin(const char *name)
{
    struct sp_pin pin = {{0}};
    char line[256], found[256] = "";
    const char *slash = strchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    FILE *f = fopen(pki_path(slash ? "hostile/pins.txt" : "pins.txt", ""), "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char word[128], text[128];
        if (sscanf(line, "%127s %127s", word, text) == 2 && strcmp(word, last) == 0) {
            snprintf(found, sizeof found, "%s", text);
        }
    }
    fclose(f);
    assert_ok(sp_pin_parse(sp_view_str(found), &pin));
    return pin;
}

/* ---- the server ---------------------------------------------------------- */

#define PEER_CONNECTIONS 32

struct peer {
    /* set before peer_start */
    const char *identity; /* of the PKI; NULL: plain HTTP */
    const char *reply;    /* sent for every request, byte for byte */
    size_t reply_len;     /* 0: strlen */
    bool close_after_reply;
    bool abrupt;           /* without close_notify */
    bool silent;           /* the request gets no reply */
    bool deaf;             /* accepts, but says nothing at all */
    int max_tls;           /* 0: any */
    const char *suites;    /* of TLS 1.3; NULL: all */
    bool is_proxy;         /* first answers one CONNECT in clear */
    const char *client_ca; /* demands a certificate of it */
    unsigned drips;        /* bytes behind the reply, one for each that the test lets */
    unsigned port;         /* 0: any */
    /* watched by tests */
    atomic_size_t app_bytes; /* decrypted bytes that arrived */
    atomic_uint accepted, requests, resumed;
    atomic_uint dripped;          /* the test's: so many may go */
    _Atomic(const char *) cipher; /* of the last connection; OpenSSL's name */
    char request[8192];           /* the last one; read it when nothing is under way */
    /* its own */
    pthread_mutex_t mutex; /* for request */
    int fd, stop[2];
    SSL_CTX *ctx;
    pthread_t thread, threads[PEER_CONNECTIONS];
    int fds[PEER_CONNECTIONS];
    unsigned count;
};
struct peer_connection {
    struct peer *peer;
    int fd;
    SSL *ssl;
};

static inline int peer_read(struct peer_connection *c, char *to, int room)
{
    int n = c->ssl ? SSL_read(c->ssl, to, room) : (int)recv(c->fd, to, (size_t)room, 0);
    if (n > 0) {
        c->peer->app_bytes += (size_t)n;
    }
    return n;
}

static inline void peer_write(struct peer_connection *c, const char *from, size_t len)
{
    while (len > 0) {
        int piece = len > 65536 ? 65536 : (int)len;
        int n = c->ssl ? SSL_write(c->ssl, from, piece)
                       : (int)send(c->fd, from, (size_t)piece, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        from += n;
        len -= (size_t)n;
    }
}

/* Bytes a request needs, or 0 while its head is not complete. */
static inline size_t peer_request_len(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    if (!end) {
        return 0;
    }
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return (size_t)(end - text) + 4 + body;
}

static inline bool peer_take_request(struct peer_connection *c)
{
    char text[sizeof c->peer->request] = "";
    size_t len = 0;
    for (;;) {
        size_t need = peer_request_len(text);
        if (need > 0 && len >= need) {
            break;
        }
        int n = peer_read(c, text + len, (int)(sizeof text - 1 - len));
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
        text[len] = 0;
    }
    pthread_mutex_lock(&c->peer->mutex);
    memcpy(c->peer->request, text, sizeof text);
    pthread_mutex_unlock(&c->peer->mutex);
    c->peer->requests++;
    return true;
}

static inline bool peer_shake(struct peer_connection *c)
{
    if (c->peer->deaf) {
        struct pollfd gone = {.fd = c->peer->stop[0], .events = POLLIN};
        poll(&gone, 1, 20000);
        return false;
    }
    if (!c->peer->ctx) {
        return true;
    }
    static const char let_through[] = "HTTP/1.1 200 OK\r\n\r\n";
    if (c->peer->is_proxy && peer_take_request(c)) {
        peer_write(c, let_through, sizeof let_through - 1);
    }
    c->ssl = SSL_new(c->peer->ctx);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_accept(c->ssl) != 1) {
        return false;
    }
    c->peer->resumed += SSL_session_reused(c->ssl) ? 1 : 0;
    atomic_store(&c->peer->cipher, SSL_get_cipher_name(c->ssl));
    return true;
}

static inline void peer_drip(struct peer_connection *c)
{
    for (unsigned i = 0; i < c->peer->drips; i++) {
        while (atomic_load(&c->peer->dripped) <= i) {
            usleep(500);
        }
        peer_write(c, "x", 1);
    }
}

static inline void *peer_serve(void *arg)
{
    struct peer_connection c = *(struct peer_connection *)arg;
    struct peer *p = c.peer;
    free(arg);
    if (peer_shake(&c)) {
        while (peer_take_request(&c)) {
            if (p->silent) {
                continue;
            }
            peer_write(&c, p->reply, p->reply_len);
            peer_drip(&c);
            if (p->close_after_reply) {
                break;
            }
        }
        if (c.ssl && !p->abrupt) {
            SSL_shutdown(c.ssl);
        }
    }
    ERR_clear_error();
    SSL_free(c.ssl);
    shutdown(c.fd, SHUT_RDWR);
    return NULL;
}

static inline void *peer_listen(void *arg)
{
    struct peer *p = arg;
    struct pollfd fds[2] = {{.fd = p->fd, .events = POLLIN},
                            {.fd = p->stop[0], .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
        int fd = accept(p->fd, NULL, NULL);
        if (fd < 0 || p->count == PEER_CONNECTIONS) {
            close(fd);
            continue;
        }
        struct peer_connection *c = calloc(1, sizeof *c);
        c->peer = p;
        c->fd = fd;
        p->accepted++;
        p->fds[p->count] = fd;
        pthread_create(&p->threads[p->count], NULL, peer_serve, c);
        p->count++;
    }
    return NULL;
}

static inline void peer_load(struct peer *p)
{
    p->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(p->ctx, 0);
    assert_int_equal(SSL_CTX_set_cipher_list(p->ctx, "ALL:@SECLEVEL=0"), 1);
    if (p->suites) {
        assert_int_equal(SSL_CTX_set_ciphersuites(p->ctx, p->suites), 1);
    }
    SSL_CTX_set_min_proto_version(p->ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(p->ctx, p->max_tls);
    SSL_CTX_set_session_id_context(p->ctx, (const unsigned char *)"peer", 4);
    assert_int_equal(
        SSL_CTX_use_certificate_chain_file(p->ctx, pki_path(p->identity, ".pem")), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(p->ctx, pki_path(p->identity, ".key"),
                                                 SSL_FILETYPE_PEM),
                     1);
    if (p->client_ca) {
        assert_int_equal(
            SSL_CTX_load_verify_file(p->ctx, pki_path(p->client_ca, ".pem")), 1);
        SSL_CTX_set_verify(p->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    }
}

static inline void peer_start(struct peer *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)p->port)};
    socklen_t len = sizeof a;
    int one = 1;
    p->reply_len = p->reply && !p->reply_len ? strlen(p->reply) : p->reply_len;
    if (p->identity) {
        peer_load(p);
    }
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(p->fd, 32), 0);
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
    p->port = ntohs(a.sin_port);
    assert_int_equal(pipe(p->stop), 0);
    pthread_mutex_init(&p->mutex, NULL);
    assert_int_equal(pthread_create(&p->thread, NULL, peer_listen, p), 0);
}

/* Waits until every connection is over, so that what was counted is complete. */
static inline void peer_stop(struct peer *p)
{
    close(p->stop[1]);
    pthread_join(p->thread, NULL);
    for (unsigned i = 0; i < p->count; i++) {
        shutdown(p->fds[i], SHUT_RD);
        pthread_join(p->threads[i], NULL);
        close(p->fds[i]);
    }
    close(p->fd);
    close(p->stop[0]);
    SSL_CTX_free(p->ctx);
}

/* ---- the asking side ----------------------------------------------------- */

struct client {
    struct sp_loop *loop;
    struct sp_upstream_pool *pool;
};

static inline void client_start(struct client *c)
{
    assert_ok(sp_loop_new("client", &c->loop));
    assert_ok(sp_upstream_pool_new(c->loop, &c->pool));
}

static inline void client_stop(struct client *c)
{
    sp_upstream_pool_close(&c->pool);
    sp_loop_stop(c->loop);
    sp_loop_run(c->loop);
    sp_loop_free(&c->loop);
}

struct wish {
    const char *host; /* NULL: localhost */
    const char *ca;   /* NULL: ca.pem */
    const char *pin;  /* NULL: upstream */
    const char *client;
    const char *proxy;
    bool content_over_http;
};

static inline struct sp_upstream *upstream_to(unsigned port, const struct wish *w)
{
    char url[256];
    struct sp_upstream *u = NULL;
    struct sp_why why = {0};
    struct sp_pin pins[2] = {pki_pin("spare"), pki_pin(w->pin ? w->pin : "upstream")};
    struct sp_view ca = pki_read(w->ca ? w->ca : "ca.pem");
    struct sp_view client = w->client ? pki_read(w->client) : (struct sp_view){0};
    snprintf(url, sizeof url, "https://%s:%u", w->host ? w->host : "localhost", port);
    struct sp_upstream_conf conf = {.name = "test",
                                    .url = url,
                                    .ca_pem = ca,
                                    .pins = pins,
                                    .pin_count = 2,
                                    .proxy = w->proxy,
                                    .client_pem = client,
                                    .content_over_http = w->content_over_http};
    enum sp_err e = sp_upstream_new(&conf, &u, &why);
    if (e != SP_OK) {
        fail_msg("sp_upstream_new: %s", why.text);
    }
    free((void *)(uintptr_t)ca.data);
    free((void *)(uintptr_t)client.data);
    return u;
}

/* One fetch and what became of it. */
/* Both sides, and the upstream between them; stopped in the other order. */
static inline struct sp_upstream *scene_start(struct peer *p, struct client *c)
{
    peer_start(p);
    client_start(c);
    return upstream_to(p->port, &(struct wish){0});
}

static inline void scene_stop(struct peer *p, struct client *c, struct sp_upstream **u)
{
    sp_upstream_unref(u);
    client_stop(c);
    peer_stop(p);
}

struct got {
    bool finished;
    enum sp_err e;
    int status;
    size_t body_len;
    char body[4096]; /* its beginning */
    struct sp_link_report link;
    enum sp_err answer_head, answer_data; /* what the handler is to return */
    void (*in_done)(struct got *g);       /* called from done */
    void *more;
};

static inline enum sp_err got_head(void *ctx, const struct sp_http_response *head)
{
    struct got *g = ctx;
    g->status = head->status;
    return g->answer_head;
}

static inline enum sp_err got_data(void *ctx, struct sp_view bytes)
{
    struct got *g = ctx;
    for (size_t i = 0; i < bytes.len && g->body_len + i < sizeof g->body - 1; i++) {
        g->body[g->body_len + i] = (char)bytes.data[i];
    }
    g->body_len += bytes.len;
    return g->answer_data;
}

static inline void got_done(void *ctx, enum sp_err e, const struct sp_link_report *link)
{
    struct got *g = ctx;
    assert_false(g->finished);
    g->finished = true;
    g->e = e;
    g->link = *link;
    if (g->in_done) {
        g->in_done(g);
    }
}

static inline struct sp_fetch_ask ask_content(void)
{
    return (struct sp_fetch_ask){.kind = SP_FETCH_CONTENT,
                                 .path = "/Content/AB/file.cab",
                                 .reply_limit = 1 << 20,
                                 .patience_ms = 5000};
}

static inline struct sp_fetch_ask ask_soap(void)
{
    return (struct sp_fetch_ask){.kind = SP_FETCH_SOAP,
                                 .path =
                                     "/ServerSyncWebService/ServerSyncWebService.asmx",
                                 .body = SP_VIEW("<Envelope/>"),
                                 .soap_action = "urn:GetAuthConfig",
                                 .accept_xpress = true,
                                 .reply_limit = 1 << 20,
                                 .patience_ms = 5000};
}

static inline struct sp_fetch *begin(struct client *c, struct sp_upstream *u,
                                     const struct sp_fetch_ask *ask, struct got *g)
{
    struct sp_fetch_handler h = {
        .head = got_head, .data = got_data, .done = got_done, .ctx = g};
    struct sp_fetch *f = NULL;
    assert_ok(sp_fetch_start(c->pool, u, ask, &h, &f));
    assert_false(g->finished);
    return f;
}

static inline void finish(struct client *c, struct got *g)
{
    while (!g->finished) {
        uv_run(sp_loop_uv(c->loop), UV_RUN_ONCE);
    }
}

static inline void fetch(struct client *c, struct sp_upstream *u,
                         const struct sp_fetch_ask *ask, struct got *g)
{
    begin(c, u, ask, g);
    finish(c, g);
}

/* Starts the peer, asks once, stops everything. */
static inline void ask_once(struct peer *p, const struct wish *w,
                            const struct sp_fetch_ask *ask, struct got *g)
{
    struct client c = {0};
    peer_start(p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p->port, w);
    fetch(&c, u, ask, g);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(p);
}

#define assert_says(g, word)                                                           \
    do {                                                                               \
        if (!strstr((g).link.why.text, (word))) {                                      \
            fail_msg("\"%s\" is not in: %s", (word), (g).link.why.text);               \
        }                                                                              \
    } while (0)

#define REPLY(status, fields, body) "HTTP/1.1 " status "\r\n" fields "\r\n" body
#define REPLY_OK                    REPLY("200 OK", "Content-Length: 5\r\n", "hello")

#endif
