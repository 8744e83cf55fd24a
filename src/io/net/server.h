/* The downstream side: listeners, connections, TLS on the socket, HTTP/1.1 exchanges.
 *
 * Knows: bytes and heads. Refuses to know: WSUS. A listener runs on every serving loop with
 * its own SO_REUSEPORT socket; a connection lives and dies on the loop that accepted it.
 *
 * Story of one request: accept -> (limits, allow list) -> TLS handshake -> head, parsed
 * strictly -> handler.head decides -> body, within the ceiling the handler named ->
 * handler.body -> sp_exchange_respond -> the answer is written -> handler.end -> next
 * request or close. After any refused message the connection lingers and closes.
 *
 * TLS is OpenSSL over own BIOs: records are read from one receive buffer a loop and written
 * straight to the socket. Nothing is held by an idle connection but its SSL object. */
#ifndef SP_IO_NET_SERVER_H
#define SP_IO_NET_SERVER_H

#include "core/base/cidr.h"
#include "core/crypto/crypto.h"
#include "core/http/http.h"
#include "io/loop/loop.h"

#include <sys/socket.h>

/* ---- TLS identity of a listener: immutable, shared, counted, replaced on reload ------ */

struct sp_tls_server;
struct sp_tls_server_conf {
    struct sp_view certificate_pem; /* leaf first, then intermediates */
    struct sp_view key_pem;
    struct sp_view client_ca_pem; /* empty: no client certificate is asked for */
    bool kernel; /* what is sent is encrypted by the kernel, where OpenSSL and it can */
    bool own;    /* else by us, where the processor has what that takes */
};
/* The running kernel has TLS (tls(7) of Linux, its module loaded). Each connection is asked for
 * its own, and is OpenSSL's where the kernel does not take it. */
bool sp_tls_kernel_can(void);
/* This processor has VAES, VPCLMULQDQ and AVX-512: AES-GCM is ours, other ciphers are
 * OpenSSL's. */
bool sp_tls_own_can(void);
/* TLS 1.2 (ECDHE and AEAD) and 1.3, ALPN http/1.1 only, no renegotiation, no 0-RTT, no
 * compression, TLS_AES_128_GCM_SHA256 and X25519 first. why names the file's fault. */
enum sp_err sp_tls_server_new(const struct sp_tls_server_conf *conf,
                              struct sp_tls_server **out, struct sp_why *why) SP_MUST_USE;
/* At most so many sessions are kept to be resumed; SP_LIMIT_TLS_SESSIONS before. */
void sp_tls_server_keep(struct sp_tls_server *t, unsigned sessions);
struct sp_tls_server *sp_tls_server_ref(struct sp_tls_server *t);
void sp_tls_server_unref(struct sp_tls_server **t);

/* ---- listener ------------------------------------------------------------------ */

bool sp_cidr_has(const struct sp_cidr *c, const struct sockaddr *a);

struct sp_server_conf { /* everything is borrowed and outlives the server */
    const char *name;
    const char *bind;            /* "*:8531", "0.0.0.0:8531", "[::]:8531" */
    const struct sp_cidr *allow; /* empty: everybody */
    size_t allow_count;
    struct sp_tls_server *tls; /* NULL: plain HTTP; a reference is taken */
    struct sp_sockets *inherited; /* sockets.h; NULL: every socket is opened here */
    struct sp_seats *seats; /* seats.h; NULL: an address may have any number */
    uint64_t idle_ms, head_ms, handshake_ms, stall_ms; /* 0: the defaults of limits.h */
};

struct sp_exchange;
enum sp_shut_out {
    /* in the TLS handshake: */
    SP_SHUT_OUT_PLAIN,  /* it spoke no TLS */
    SP_SHUT_OUT_FAILED,
    SP_SHUT_OUT_TIMEOUT,
    /* before its first byte; over plain HTTP all but the first are told 503: */
    SP_SHUT_OUT_ADDRESS,     /* not on the allow list */
    SP_SHUT_OUT_CROWD,       /* its address has all the seats it may have */
    SP_SHUT_OUT_FULL,        /* the listener has SP_LIMIT_CONNECTIONS on this loop */
    SP_SHUT_OUT_DESCRIPTORS, /* the process has no descriptor left, or no memory */
    SP_SHUT_OUT_REASONS
};
struct sp_server_handler {
    /* The head is there. Either respond at once, or sp_exchange_want_body. A GET or HEAD
     * (whose body, if any, was zero bytes) need not ask for a body. */
    void (*head)(void *ctx, struct sp_exchange *x);
    /* The whole body that was asked for is there. */
    void (*body)(void *ctx, struct sp_exchange *x);
    /* Exactly once for every exchange that head saw, whatever happened. complete: the whole
     * answer was handed to the kernel. Afterwards x is gone. */
    void (*end)(void *ctx, struct sp_exchange *x, bool complete);
    /* A connection came to nothing. peer: "10.1.2.3". NULL: nobody wants to know. */
    void (*shut_out)(void *ctx, enum sp_shut_out why, const char *peer);
    void *ctx;
};

/* Counters of one server on one loop; read only on its loop. */
struct sp_server_stats {
#define STAT(name, help) uint64_t name;
#include "io/net/server_stats.def"
#undef STAT
};

struct sp_server; /* one listener on one loop */
/* Binds and listens (SO_REUSEPORT). why says which address and what the kernel said. */
enum sp_err sp_server_new(struct sp_loop *l, const struct sp_server_conf *conf,
                          const struct sp_server_handler *handler, struct sp_server **out,
                          struct sp_why *why) SP_MUST_USE;
/* New connections take the new identity; those that are open keep theirs. */
void sp_server_set_tls(struct sp_server *s, struct sp_tls_server *t);
/* Every connection closes after its next answer. After grace_ms no new ones are accepted
 * and those close that had an answer; after as long again those that never asked; busy ones
 * then have deadline_ms. So who keeps a connection for his next request is told by the
 * answer to it, not by a reset. With a grace of 0 all of it is at once. done is called on the
 * loop when the last one is gone; the server is then freed. */
void sp_server_drain(struct sp_server *s, uint64_t grace_ms, uint64_t deadline_ms,
                     void (*done)(void *ctx), void *ctx);
/* The listening socket, borrowed, until the server is drained. Any thread before that. */
int sp_server_socket(const struct sp_server *s);
const struct sp_server_stats *sp_server_stats(const struct sp_server *s);
/* Port that was bound, for bind addresses with port 0. */
unsigned sp_server_port(const struct sp_server *s);

/* ---- exchange: valid from head to end, on its loop only ------------------------------ */

const struct sp_http_request *sp_exchange_request(const struct sp_exchange *x);
struct sp_view sp_exchange_body(const struct sp_exchange *x);   /* from body() on */
const char *sp_exchange_peer(const struct sp_exchange *x);      /* "10.1.2.3" */
/* The same as 16 bytes, IPv4 as ::ffff:a.b.c.d. */
const uint8_t *sp_exchange_address(const struct sp_exchange *x);
bool sp_exchange_is_tls(const struct sp_exchange *x);
/* The pin of the client's certificate; false when it showed none. */
bool sp_exchange_peer_pin(const struct sp_exchange *x, struct sp_pin *out);
/* That certificate as DER, appended; nothing when it showed none. */
enum sp_err sp_exchange_peer_certificate(const struct sp_exchange *x,
                                         struct sp_buf *out) SP_MUST_USE;
/* What the client's TLS handshake told, "" where it told nothing; the texts live as
 * long as the exchange. */
struct sp_handshake {
    const char *version; /* "TLSv1.3" */
    const char *sni;     /* server name, RFC 6066 section 3; any bytes but NUL */
};
struct sp_handshake sp_exchange_handshake(const struct sp_exchange *x);
struct sp_loop *sp_exchange_loop(const struct sp_exchange *x);
const char *sp_exchange_listener(const struct sp_exchange *x);
void **sp_exchange_slot(struct sp_exchange *x); /* the handler's own pointer */

/* Reads a body of at most ceiling bytes (413 above it); answers Expect: 100-continue. */
void sp_exchange_want_body(struct sp_exchange *x, size_t ceiling);
/* Gives the request body's memory away; the exchange then holds none. */
void sp_exchange_take_body(struct sp_exchange *x, struct sp_buf *out);

/* Keeps what must not go out from going out. The file is taken as blocks from its start. */
struct sp_file_guard {
    size_t block; /* bytes */
    /* May bytes of the block that holds offset go out as they are read? SP_E_AGAIN: they
     * have to be checked first; any other error cuts the connection. On loops and pool
     * threads; no system call. */
    enum sp_err (*look)(void *ctx, uint64_t offset);
    /* bytes: the whole block at offset, as reading gave it: fewer where the file ended, none
     * where reading failed. Any error cuts the connection before a byte of them is sent. On
     * pool threads; on the loop only when they are none. */
    enum sp_err (*check)(void *ctx, uint64_t offset, struct sp_view bytes);
};
struct sp_answer_file {
    int fd;                  /* borrowed until release */
    uint64_t offset, length; /* the part of the file to send */
    bool grows;     /* the file is still being written: no byte goes out before */
    uint64_t ready; /* sp_exchange_grow released it; so many may go at once */
    const struct sp_file_guard *guard; /* borrowed; NULL: nothing is checked */
    void *guard_ctx;                   /* borrowed until release */
    uint64_t size;                     /* of the whole file, for the guard's last block */
};
struct sp_answer {
    int status;
    struct sp_view fields; /* further header lines, each ending in CRLF; copied */
    struct sp_view memory; /* a body in memory, or */
    bool grows;            /* of memory no more than ready may go out before */
    size_t ready;          /* sp_exchange_grow released it */
    struct sp_answer_file file; /* a body in a file (length > 0) */
    uint64_t content_length;    /* for HEAD and 304: the length to announce */
    bool announce_length;       /* content_length is set although no body follows */
    bool close;                 /* end the connection after the answer */
    /* Called once, when neither memory nor file is needed any more; may be NULL. */
    void (*release)(void *owner);
    void *owner;
};
/* Exactly once per exchange. Date and Content-Length are added; no Server header. A file
 * that turns out shorter than promised cuts the connection. */
void sp_exchange_respond(struct sp_exchange *x, const struct sp_answer *a);
/* The first ready bytes of a growing part may go out from now on; never fewer than before.
 * The announced length is sent in the end, or the connection is cut. */
void sp_exchange_grow(struct sp_exchange *x, uint64_t ready);
/* Cuts the connection without an answer, or in the middle of a growing one, so that the
 * asker cannot take what it has for complete. */
void sp_exchange_cut(struct sp_exchange *x);

#endif
