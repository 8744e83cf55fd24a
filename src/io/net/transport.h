/* What a connection sends and receives through: plain TCP or TLS on it. Private to
 * io/net.
 *
 * One struct sp_wire a server holds the buffers all its connections share. Only one
 * connection is driven at a time; while it is, what stands in the receive and gather
 * buffers is its own. sp_transport_park ends that: what was gathered is sent, what was
 * received and not read moves to memory of the connection. So a connection holds memory
 * only for bytes that are really there.
 *
 * No call blocks. SP_E_AGAIN: wait until the socket is readable (handshake, recv) or
 * writable (send, flush). SP_E_CLOSED: the peer ended its side. Others: it is broken.
 */
#ifndef SP_IO_NET_TRANSPORT_H
#define SP_IO_NET_TRANSPORT_H

#include "io/net/server.h"

#define SP_WIRE_RECEIVE SP_KIB(256) /* one recv(2) for bulk */
#define SP_WIRE_RECORD  SP_KIB(16)  /* payload of the largest TLS record */
#define SP_WIRE_GATHER  SP_KIB(72)  /* four full records, framed */
#define SP_WIRE_SLICE   SP_KIB(128)

struct sp_wire {
    uint8_t *receive;             /* owned; bytes as the socket gave them */
    uint8_t *plain;               /* owned; one decrypted record */
    uint8_t *joined;              /* owned; small pieces on their way into one record */
    uint8_t *gather;              /* owned; records not sent yet */
    uint8_t *slice;               /* owned; a piece of a file */
    size_t gathered;              /* bytes in gather */
    struct sp_tls_sealer *sealer; /* owned; see tls_records.h */
    struct sp_server_stats *stats; /* borrowed from the server */
};
enum sp_err sp_wire_init(struct sp_wire *w, struct sp_server_stats *stats) SP_MUST_USE;
void sp_wire_fini(struct sp_wire *w);

/* A page-aligned buffer plus 512: the kernel's copy from the page cache is many times
 * slower to an address 16 bytes behind a page, which is what malloc gives. */
uint8_t *sp_wire_buffer_new(size_t n);
void sp_wire_buffer_free(uint8_t *b);

struct sp_transport;
struct sp_transport_ops {
    /* SP_E_PROTOCOL: the peer speaks no TLS. SP_E_TLS: it failed; an alert may wait. */
    enum sp_err (*handshake)(struct sp_transport *t);
    /* At most max bytes (at least 1); *out borrows from the wire until the next call.
     */
    enum sp_err (*recv)(struct sp_transport *t, size_t max, struct sp_view *out);
    /* Bytes that recv would give although the socket has none. */
    bool (*has_buffered)(const struct sp_transport *t);
    /* Takes bytes of first, then of second. SP_OK: *taken > 0 of them. */
    enum sp_err (*send)(struct sp_transport *t, struct sp_view first,
                        struct sp_view second, size_t *taken);
    enum sp_err (*flush)(struct sp_transport *t); /* SP_OK: the kernel has everything */
    enum sp_err (*park)(struct sp_transport *t);  /* see above */
    void (*say_bye)(struct sp_transport *t);      /* close_notify; flush follows */
    bool (*peer_pin)(const struct sp_transport *t, struct sp_pin *out);
    enum sp_err (*peer_certificate)(const struct sp_transport *t, struct sp_buf *out);
    struct sp_handshake (*handshake_told)(const struct sp_transport *t);
    void (*fini)(struct sp_transport *t); /* all but the descriptor */
};

struct sp_transport {
    const struct sp_transport_ops *ops;
    struct sp_wire *wire; /* borrowed from the server */
    int fd;               /* owned by the connection */
    bool readable;        /* the socket may have bytes, or its end */
    bool ended;           /* the peer ended its side */
    bool broken;          /* nothing can be sent or received any more */

    /* TLS only */
    struct sp_tls_server *tls; /* shared; one reference, until the handshake began */
    void *ssl;                 /* owned SSL, NULL until the first byte came */
    size_t appetite;           /* bytes to ask recv(2) for */
    struct sp_view window;     /* received and not read, in wire->receive */
    struct sp_buf left;        /* received and not read, parked */
    struct sp_buf unsent;      /* records the socket had no room for */
    bool more;                 /* another record follows at once */
    bool offers_keys;          /* to the kernel, which may have taken them */
    bool takes_keys;           /* that the kernel did not take */
    struct sp_tls_records *records; /* owned; NULL: we have no keys */
    uint8_t record_type;            /* of the next that OpenSSL writes, 0: data */
    bool alone; /* the next send is a whole answer: nothing to gather */
};

void sp_transport_plain(struct sp_transport *t, struct sp_wire *w, int fd);
void sp_transport_tls(struct sp_transport *t, struct sp_wire *w, int fd,
                      struct sp_tls_server *tls);

/* recv(2) and send(2) that count, remember and translate errors. *got, *sent > 0. */
enum sp_err sp_socket_recv(struct sp_transport *t, uint8_t *to, size_t max,
                           size_t *got);
enum sp_err sp_socket_send(struct sp_transport *t, struct sp_view first,
                           struct sp_view second, size_t *sent);

#endif
