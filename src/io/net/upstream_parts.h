/* What the upstream*.c files share; nobody else includes this.
 *
 *   upstream.c         the configuration object, the process-wide start
 *   upstream_verify.c  the decision about a peer, inside the handshake
 *   upstream_why.c     its sentences
 *   upstream_pool.c    curl on the loop: one multi for each upstream and loop
 *   upstream_request.c what a request looks like, as libcurl's options
 *   upstream_ahead.c   reads more of a connection than libcurl asks for
 *   upstream_fetch.c   one request from start to end
 *   upstream_show.c    the chain a server shows, for a person
 *
 * A proof belongs to one connection: the SSL_CTX that libcurl makes for it holds it,
 * every fetch that uses the connection holds it too, and a reused connection reports
 * the proof it was opened with. Nothing is resumed, so every connection has been proven
 * completely. */
#ifndef SP_IO_NET_UPSTREAM_PARTS_H
#define SP_IO_NET_UPSTREAM_PARTS_H

#include "io/net/upstream.h"

#include <curl/curl.h>
#include <openssl/ssl.h>

/* ---- the peer that is wanted --------------------------------------------- */

struct sp_tally { /* counted: the upstreams of one name share it over reloads */
    atomic_uint refs;
    atomic_uint_fast64_t checks[SP_PIN_CHECKS];
    atomic_uint_fast64_t requests[SP_UPSTREAM_RESULTS];
};

struct sp_peer_want {
    const char *host; /* borrowed from its upstream; an IPv6 address has no brackets */
    const char *authority; /* borrowed from its upstream; "host:port" */
    bool is_address;
    X509_STORE *anchors; /* shared, counted by OpenSSL */
    const struct sp_pin *pins;
    size_t pin_count;
    struct sp_tally *tally; /* counted; NULL: nobody counts */
};

struct sp_origin {
    char host[256];      /* without brackets */
    char authority[272]; /* "host:port", "[::1]:8531" */
    unsigned port;
    bool is_address;
};
/* Reads scheme "://" host [":" port] and nothing behind. SP_E_CONFIG. */
enum sp_err sp_origin_parse(const char *url, const char *scheme, unsigned default_port,
                            struct sp_origin *out, struct sp_why *why) SP_MUST_USE;
/* From a host, bracketless, and a port. SP_E_CONFIG when it is neither name nor
 * address. */
enum sp_err sp_origin_make(struct sp_view host, unsigned port, struct sp_origin *out,
                           struct sp_why *why) SP_MUST_USE;
/* Adds every certificate of a PEM text to the store; none is SP_E_CONFIG. */
enum sp_err sp_anchors_add(X509_STORE *store, struct sp_view pem,
                           struct sp_why *why) SP_MUST_USE;

struct sp_upstream {
    atomic_uint refs;  /* all holders */
    atomic_uint lanes; /* those of them that are pools' lanes */
    atomic_uint asked; /* SOAP requests under way */
    char *name;        /* owned */
    char *proxy;       /* owned; "" for none */
    struct sp_origin origin;
    char https[288], http[288]; /* the two origins as URLs */
    bool content_over_http;
    struct sp_pin pins[SP_LIMIT_PINS];
    struct sp_peer_want want;
    X509 *client;                    /* owned, may be NULL */
    EVP_PKEY *client_key;            /* owned, with client */
    STACK_OF(X509) * client_issuers; /* owned, with client */
};
/* Nobody but lanes holds it any more. */
bool sp_upstream_is_retired(const struct sp_upstream *u);
/* Gives ctx our client certificate, if there is one. */
enum sp_err sp_upstream_identify(const struct sp_upstream *u, SSL_CTX *ctx) SP_MUST_USE;

/* ---- proofs -------------------------------------------------------------- */

/* Bytes of a connection that were read and not asked for yet. */
struct sp_ahead {
    uint8_t *bytes; /* owned; NULL when there are none */
    size_t at, len; /* at .. len - 1 are held */
    uint64_t taken; /* bytes that were asked for */
    bool begun;
};

struct sp_proof { /* one thread: that of the connection */
    unsigned refs;
    const struct sp_peer_want *want; /* borrowed; outlives every connection to it */
    struct sp_link_report link;
    bool show_only;   /* judge, but let the handshake go on */
    bool decided;     /* the certificates were seen */
    bool chained;     /* chain, name and time were accepted */
    int alert;        /* the last alert the peer sent, -1 for none */
    uint8_t first[4]; /* the first bytes the peer sent */
    size_t first_len;
    struct sp_ahead ahead;
    STACK_OF(X509) * shown; /* owned; kept only for show_only */
};
enum sp_err sp_proof_new(const struct sp_peer_want *want,
                         struct sp_proof **out) SP_MUST_USE;
struct sp_proof *sp_proof_ref(struct sp_proof *p);
void sp_proof_unref(struct sp_proof **p);
/* Makes ctx decide about its peer through p and hold it: TLS 1.2 and up, ECDHE with
 * AEAD, nothing resumed. */
enum sp_err sp_proof_arm(struct sp_proof *p, SSL_CTX *ctx) SP_MUST_USE;
struct sp_proof *sp_proof_of(const SSL *ssl); /* borrowed; NULL when there is none */
/* Process-wide registration; once, before threads. */
enum sp_err sp_proof_global_init(void) SP_MUST_USE;
enum sp_err sp_ahead_global_init(void) SP_MUST_USE;
struct sp_fetch;
/* Puts it between the connection of f's proof and its socket, once. */
void sp_ahead_begin(struct sp_fetch *f, SSL *ssl);
void sp_ahead_watch(struct sp_fetch *f, curl_socket_t s, bool is_watched);
void sp_ahead_rest(struct sp_ahead *a); /* a fetch ended: no memory for nothing */
void sp_ahead_fini(struct sp_ahead *a);
/* Has all fetches read what is held for them. */
struct sp_upstream_pool;
void sp_ahead_read(struct sp_upstream_pool *p);

/* ---- sentences, into p->link.why and p->link.looks_intercepted ----------- */

/* The chain, the name or the time was not accepted: OpenSSL's error at that depth. */
void sp_why_chain(struct sp_proof *p, X509_STORE_CTX *ctx);
/* All of it was, but no key is pinned. */
void sp_why_pins(struct sp_proof *p, STACK_OF(X509) * chain);
/* The handshake ended before or after the decision; detail is the TLS library's text.
 */
void sp_why_handshake(struct sp_proof *p, const char *detail);
void sp_cert_facts_of(X509 *x, struct sp_cert_facts *out); /* zeroed when unreadable */

/* ---- the loop ------------------------------------------------------------ */

struct sp_upstream_pool {
    struct sp_loop *loop;     /* borrowed */
    uv_idle_t kick;           /* runs what was started or called off; no timer: one
                                 that starts itself again keeps libuv from its polls */
    struct sp_lane *lanes;    /* owned */
    struct sp_fetch *fetches; /* all that are not done; owned */
    unsigned depth;           /* how many of our entries are on the stack */
    size_t turn;              /* bytes of bodies that came since the first of them */
    bool closing;
};
/* One upstream on one loop. Its connections are seen by no other upstream, not even by
 * one with the same host: what was proven to one says nothing to the other. */
struct sp_lane {
    struct sp_lane *next;
    struct sp_upstream_pool *pool; /* borrowed */
    struct sp_upstream *upstream;  /* counted */
    CURLM *multi;                  /* owned */
    uv_timer_t timer;              /* libcurl's own */
    unsigned fetches;              /* that are attached */
    unsigned handles;              /* timer and polls that are not closed yet */
    bool broken;                   /* libcurl gave up on it */
};
/* The lane of u, made when it is new. */
enum sp_err sp_lane_of(struct sp_upstream_pool *p, struct sp_upstream *u,
                       struct sp_lane **out) SP_MUST_USE;
/* Has the pool look at its fetches in the next turn of the loop. */
void sp_pool_kick(struct sp_upstream_pool *p);
/* Every entry from the loop into the pool is between these two; leaving the last one
 * does what had to wait until no code of libcurl is on the stack. */
void sp_pool_enter(struct sp_upstream_pool *p);
void sp_pool_leave(struct sp_upstream_pool *p);

/* ---- one request --------------------------------------------------------- */

enum { SP_FETCH_SOCKETS = 4 }; /* several while it connects, then one */

struct sp_fetch {
    struct sp_fetch *next, **link_to_me; /* in pool->fetches */
    struct sp_upstream_pool *pool;       /* borrowed */
    struct sp_lane *lane;                /* borrowed; counts us */
    struct sp_upstream *upstream;        /* counted */
    struct sp_fetch_handler handler;
    CURL *easy;                /* owned */
    curl_socket_t sockets[SP_FETCH_SOCKETS]; /* that libcurl has watched for it */
    size_t socket_count;
    struct curl_slist *fields; /* owned */
    struct sp_proof *proof;    /* counted; of the connection in use */
    uv_timer_t patience;
    enum sp_fetch_kind kind;
    uint64_t patience_ms, last_ms;
    uint64_t reply_limit, received, expected;
    struct sp_buf head; /* raw lines, until the head is complete */
    unsigned interim;   /* 1xx heads that were skipped */
    bool over_http, started, cancelled, has_head, has_expected;
    bool rests, resumes; /* data said SP_E_AGAIN; it is to be asked again */
    enum sp_err error; /* found by us; libcurl's result does not matter then */
    struct sp_why why;
    char detail[CURL_ERROR_SIZE]; /* libcurl's own words */
};
/* Whether the ask may be sent to u at all: SP_E_DENIED, SP_E_MALFORMED. */
enum sp_err sp_request_check(const struct sp_upstream *u,
                             const struct sp_fetch_ask *ask) SP_MUST_USE;
/* Fills f->easy and f->fields. */
enum sp_err sp_request_set(struct sp_fetch *f,
                           const struct sp_fetch_ask *ask) SP_MUST_USE;
/* Called by the pool, with nothing of libcurl on the stack. */
void sp_fetch_advance(struct sp_fetch *f); /* starts it, calls it off, or goes on */
void sp_fetch_settle(struct sp_fetch *f, CURLcode result); /* done follows, f is gone */

#endif
