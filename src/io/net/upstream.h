/* The upstream side: HTTPS requests to peers that proved themselves, through libcurl.
 *
 * Knows: names, chains, pins, one request at a time. Refuses to know: WSUS. A peer is
 * proven when its chain leads to the configured CA file, its name matches, it is in time,
 * and a key of the verified chain is pinned: all four, before the first byte of a request
 * leaves (decided in the verify callback). Connections are pooled by identity and loop.
 * https only (http for digest-proven content where the configuration allows it), TLS 1.2
 * and up, no redirects, no netrc, no cookies, no environment, no system trust store. */
#ifndef SP_IO_NET_UPSTREAM_H
#define SP_IO_NET_UPSTREAM_H

#include "core/crypto/crypto.h"
#include "core/http/http.h"
#include "io/loop/loop.h"

struct sp_upstream_conf {
    const char *name;
    const char *url;       /* https://host[:port], nothing behind */
    struct sp_view ca_pem; /* the only trust anchors */
    const struct sp_pin *pins;
    size_t pin_count;            /* 1..SP_LIMIT_PINS */
    const char *proxy;           /* "" or NULL: none; else http://host:port */
    struct sp_view client_pem;   /* client certificate, or empty */
    struct sp_view client_key_pem; /* its key; empty: it is in client_pem */
    bool content_over_http;      /* content_transport = https-or-http */
};
/* Immutable, shared by all loops, counted. */
struct sp_upstream;
enum sp_err sp_upstream_new(const struct sp_upstream_conf *conf, struct sp_upstream **out,
                            struct sp_why *why) SP_MUST_USE;
struct sp_upstream *sp_upstream_ref(struct sp_upstream *u);
void sp_upstream_unref(struct sp_upstream **u);
const char *sp_upstream_name(const struct sp_upstream *u);
const char *sp_upstream_host(const struct sp_upstream *u); /* "wsus.corp.example:8531" */
/* Any thread: a SOAP request to it is under way, on whatever loop. */
bool sp_upstream_is_asked(const struct sp_upstream *u);

/* Chains that it showed, by what judging them inside the handshake came to. */
enum sp_pin_check {
    SP_PIN_CHECK_MATCHED,
    SP_PIN_CHECK_UNMATCHED, /* the chain is good, and none of its keys is pinned */
    SP_PIN_CHECK_UNTRUSTED, /* the chain, the name or the time is not good */
    SP_PIN_CHECKS
};
uint64_t sp_upstream_pin_checks(const struct sp_upstream *u,
                                enum sp_pin_check result); /* any thread */
/* What became of requests to it: of those that the caller says are over. Those that were
 * cancelled count for nothing. Any thread. */
enum sp_upstream_result {
    SP_UPSTREAM_OK,
    SP_UPSTREAM_FAILED,
    SP_UPSTREAM_UNPROVEN,
    SP_UPSTREAM_RESULTS
};
void sp_upstream_count(const struct sp_upstream *u, enum sp_err e);
uint64_t sp_upstream_requests(const struct sp_upstream *u, enum sp_upstream_result r);
/* Goes on counting where old is, and with it; before anybody connects to u. */
void sp_upstream_count_on(struct sp_upstream *u, const struct sp_upstream *old);

/* Once per process, before threads: checks that libcurl has the OpenSSL backend, keeps
 * OpenSSL from reading its configuration file, forgets the environment variables that
 * either of them would obey, and ignores SIGPIPE. */
enum sp_err sp_upstream_global_init(struct sp_why *why) SP_MUST_USE;

/* One a loop: a curl multi with its connections. */
struct sp_upstream_pool;
enum sp_err sp_upstream_pool_new(struct sp_loop *l, struct sp_upstream_pool **out) SP_MUST_USE;
/* Cancels what is under way (done is called with SP_E_CANCELLED) and closes; on the loop. */
void sp_upstream_pool_close(struct sp_upstream_pool **p);

/* How the peer proved itself, or why it did not. Lives until done returns. */
struct sp_link_report {
    bool proven;                 /* PKIX, name, time and pin */
    bool plain;                  /* content over http: nothing is proven about the peer */
    bool looks_intercepted;      /* the chain is a known or likely TLS inspector's */
    char tls[16];                /* "TLSv1.3" */
    struct sp_pin chain[SP_LIMIT_CHAIN_DEPTH]; /* SPKI pins, leaf first */
    size_t chain_count;
    struct sp_pin matched;       /* when proven */
    int64_t ends; /* unix seconds: when its first certificate does; 0: not told */
    char leaf_subject[256], leaf_issuer[256];
    struct sp_why why;           /* what was expected, what came, what to do */
};

/* A POST of SOAP, a GET, a POST of plain text. */
enum sp_fetch_kind { SP_FETCH_SOAP, SP_FETCH_CONTENT, SP_FETCH_TEXT };

struct sp_fetch_ask {
    enum sp_fetch_kind kind;
    const char *path;        /* "/ServerSyncWebService/..." ; copied */
    struct sp_view body;     /* of a POST; borrowed until done */
    const char *soap_action; /* SOAP: without quotes */
    struct sp_view traceparent; /* of who asked; empty: none. SP_E_MALFORMED: it is none */
    bool accept_xpress;      /* Accept-Encoding: xpress, gzip; else identity only */
    bool over_http;          /* content only: port N-1 (80 for 443), no TLS */
    bool has_range;
    uint64_t range_first;    /* "bytes=first-" or "bytes=first-last" */
    uint64_t range_last;     /* UINT64_MAX: open end */
    const char *if_none_match;     /* content: an ETag; NULL or "": unconditional */
    const char *if_modified_since; /* content: the same, with a Last-Modified */
    const char *if_range;          /* content: an ETag; the range only of that file */
    bool fresh;              /* on a connection of its own, not on a pooled one */
    uint64_t reply_limit;    /* body bytes as sent; SP_E_LIMIT above */
    int64_t patience_ms;     /* until the reply is complete (a POST), or until it stalls */
};
struct sp_fetch_handler {
    /* The head, strictly parsed. An error ends the fetch with it. */
    enum sp_err (*head)(void *ctx, const struct sp_http_response *head);
    /* Body bytes as they come. SP_E_AGAIN: not now; nothing more is read from the peer,
     * patience rests, and the same bytes come again after sp_fetch_resume. Any other
     * error ends the fetch with it. */
    enum sp_err (*data)(void *ctx, struct sp_view bytes);
    /* Exactly once, never from inside sp_fetch_start. SP_OK: head and whole body came
     * (Content-Length or chunks complete, close_notify where it matters). Errors:
     * SP_E_UNPROVEN (chain, name, pin), SP_E_TLS, SP_E_UNAVAILABLE, SP_E_TIMEOUT,
     * SP_E_CLOSED, SP_E_LIMIT, SP_E_PROTOCOL, SP_E_CANCELLED. link->why has the sentence. */
    void (*done)(void *ctx, enum sp_err e, const struct sp_link_report *link);
    void *ctx;
};
struct sp_fetch;
/* On the pool's loop. SP_E_DENIED: over_http where it is not allowed. SP_E_MALFORMED: a
 * path or action that cannot be sent as it is, an empty range. The head sent is built from
 * nothing: Host, Content-Type, Content-Length, SOAPAction, User-Agent, Accept-Encoding,
 * traceparent, Range, If-Range, If-None-Match, If-Modified-Since. */
enum sp_err sp_fetch_start(struct sp_upstream_pool *p, struct sp_upstream *u,
                           const struct sp_fetch_ask *ask,
                           const struct sp_fetch_handler *handler,
                           struct sp_fetch **out) SP_MUST_USE;
void sp_fetch_cancel(struct sp_fetch *f); /* done follows with SP_E_CANCELLED */
/* From its head on: how the peer proved itself; NULL where it did not have to. */
const struct sp_link_report *sp_fetch_link(const struct sp_fetch *f);
/* Goes on where data said SP_E_AGAIN; nothing where it did not. */
void sp_fetch_resume(struct sp_fetch *f);

/* Connects, proves nothing, sends nothing: the chain a server shows (for `sallyport pin`).
 * Blocking. der views live in the arena. */
struct sp_shown_chain {
    struct sp_view der[SP_LIMIT_CHAIN_DEPTH];
    size_t count;
    char tls[16];
    bool verified; /* against ca_pem, with the name, now */
    bool looks_intercepted; /* as in a link report */
    struct sp_why why;
};
enum sp_err sp_upstream_show_chain(const char *host, unsigned port, struct sp_view ca_pem,
                                   struct sp_arena *arena, struct sp_shown_chain *out,
                                   struct sp_why *why) SP_MUST_USE;
/* *out: a handshake with TLS 1.1 or older succeeds. Blocking; proves nothing, sends nothing.
 * SP_E_UNAVAILABLE, SP_E_TIMEOUT when nobody is there. */
enum sp_err sp_upstream_speaks_old_tls(const char *host, unsigned port,
                                       bool *out) SP_MUST_USE;

#endif
