/* One connection and its current exchange. Private to the server side of io/net.
 *
 *     HANDSHAKE -> HEAD -> HANDLER <-> BODY
 *                   ^         |
 *                   +---- ANSWER ----> LINGER -> DEAD        (DEAD from any state)
 *
 * sp_conn_drive runs steps until one has to wait; it is never entered twice for a
 * connection and never from a handler's callback. What a handler does from elsewhere
 * only changes the exchange and puts the connection on the server's ready list. So
 * callbacks may answer at once, and neither depth nor memory grows with pipelined
 * requests.
 *
 * Exactly one place ends an exchange (sp_exchange_end), one place frees a connection
 * (bury, in conn.c). */
#ifndef SP_IO_NET_CONN_H
#define SP_IO_NET_CONN_H

#include "core/base/spares.h"
#include "io/net/deadlines.h"
#include "io/net/list.h"
#include "io/net/seats.h"
#include "io/net/transport.h"
#include "io/net/turns.h"

#include <netinet/in.h>

#define SP_TURN_BYTES   SP_KIB(256) /* what one connection may move before others */
#define SP_TURN_REQUEST SP_KIB(32)  /* what a request counts as, besides its bytes */
#define SP_TURN_SHORT   SP_KIB(64)  /* an answer that waits for nobody */

enum sp_conn_state {
    SP_CONN_HANDSHAKE,
    SP_CONN_HEAD,
    SP_CONN_HANDLER, /* the handler has the exchange and decides, or works */
    SP_CONN_BODY,
    SP_CONN_ANSWER,
    SP_CONN_LINGER, /* our side is shut; the peer may finish reading */
    SP_CONN_DEAD,
};

struct sp_slice_job;

/* An answer on its way: head, then memory or file. */
struct sp_reply {
    bool given;         /* respond or refuse was called */
    bool close;         /* the connection ends after it */
    struct sp_buf head; /* owned */
    size_t head_sent;
    struct sp_view memory;      /* borrowed until release */
    bool grows;                 /* memory does: so much of it may go out, */
    size_t ready;               /* and no more */
    struct sp_answer_file file; /* borrowed until release; length 0: none */
    uint64_t body_sent;         /* of memory or file */
    struct sp_slice_job *slice; /* owned by the pool until done, then by us; or NULL */
    void (*release)(void *owner);
    void *owner;
};

struct sp_exchange {
    struct sp_conn *conn; /* borrowed */
    void *slot;           /* the handler's */
    bool told;            /* the handler saw it and has not been told its end */
    bool cut;
    bool wants_body;
    bool has_body; /* all of it is in body, or it is empty */
    size_t ceiling;
    struct sp_buf body;
    struct sp_http_chunked chunked;
    uint64_t body_since_ms;
    uint64_t body_seen; /* bytes on the wire, framing included */
    struct sp_reply reply;
    size_t room; /* bytes of head_bytes */
    struct sp_http_request
        request;          /* borrows from head_bytes; clear for a bare refusal */
    uint8_t head_bytes[]; /* the head as it came */
};

struct sp_conn {
    uv_poll_t poll;
    struct sp_server *server; /* borrowed; outlives us */
    struct sp_transport t;
    enum sp_conn_state state;
    int events; /* what poll waits for */
    bool driving;
    bool hung_up;    /* the peer shut its side, or more */
    bool blocked;    /* the socket took nothing more */
    bool in_line;    /* waits for its turn */
    unsigned told;   /* how often it was writable meanwhile */
    bool has_slot;   /* counts as a handshake under way */
    bool is_waiting; /* for such a slot */
    bool fresh;      /* in holds bytes the parser has not seen */
    bool reset;      /* close with a RST */
    long budget;     /* bytes left in this turn */
    unsigned requests;
    struct sp_deadline deadline;
    struct sp_link all;
    struct sp_link ready;      /* in server->ready, server->waiting or its crowd */
    struct sp_crowd *crowd;    /* borrowed from server->turns */
    struct sp_seat *seat;      /* owned; NULL where nobody counts them */
    uint8_t address[16];       /* IPv4 mapped */
    char peer[INET6_ADDRSTRLEN];
    struct sp_buf in;      /* plain bytes not parsed yet, at most a head */
    struct sp_exchange *x; /* owned; NULL between exchanges */
};

struct sp_server {
    struct sp_loop *loop;              /* borrowed */
    const struct sp_server_conf *conf; /* borrowed */
    struct sp_server_handler handler;
    struct sp_tls_server *tls; /* shared */
    int fd;                    /* owned; -1 once drained */
    int reserve_fd;            /* owned; given up to refuse when descriptors run out */
    unsigned port;
    uv_poll_t listener;
    uv_idle_t ready_idle; /* runs while somebody is ready or waits for his turn */
    uv_timer_t drain_timer;
    unsigned handles; /* of ours, not closed yet */
    struct sp_deadlines deadlines;
    struct sp_wire wire;
    struct sp_link conns, ready, waiting;
    struct sp_turns turns; /* of those who move much */
    bool had_turn;         /* somebody moved much since the last one was given */
    unsigned conns_left; /* with those whose handle is still closing */
    struct sp_server_stats stats; /* written a lot: not at the end, beside somebody else */
    unsigned handshakes;
    struct sp_http_request scratch;
    struct sp_spares exchanges; /* ended, to be used again */
    char date[SP_HTTP_DATE_TEXT];
    int64_t date_s; /* what date says */
    enum sp_drain {
        SP_DRAIN_NOT,
        SP_DRAIN_TOLD, /* every answer says that it is the last one */
        SP_DRAIN_KEPT, /* nobody comes any more; who was told, or had an answer, goes */
        SP_DRAIN_IDLE  /* whoever has no request under way goes */
    } drain;
    uint64_t grace_ms, drain_ms; /* of the first two; of the last */
    void (*drained)(void *ctx);
    void *drained_ctx;
};

/* conn.c */
/* Takes fd and seat. False: memory ran out, and neither was taken. */
bool sp_conn_accept(struct sp_server *s, int fd, const uint8_t address[16],
                    struct sp_seat *seat);
void sp_conn_drive(struct sp_conn *c);
void sp_conn_take_turn(struct sp_conn *c); /* the same, when it is its turn */
void sp_conn_doom(struct sp_conn *c); /* from a step: it ends when its turn ends */
void sp_conn_kill(struct sp_conn *c); /* from outside its turn: now */
void sp_conn_expired(struct sp_deadline *d, enum sp_deadline_kind kind);
void sp_conn_move(struct sp_conn *c, enum sp_conn_state to);
void sp_conn_set_deadline(struct sp_conn *c, enum sp_deadline_kind kind);
void sp_conn_linger(struct sp_conn *c); /* shuts our side and waits for the peer's */
/* The peer has all of the answer that he said was his last: closes, or lingers. */
void sp_conn_part(struct sp_conn *c);

/* A step returns true when the next one may run at once, false when it has to wait. */
bool sp_step_head(struct sp_conn *c); /* request.c */
bool sp_step_body(struct sp_conn *c);
void sp_body_begin(struct sp_conn *c);
bool sp_step_handler(struct sp_conn *c); /* exchange.c */
bool sp_step_answer(struct sp_conn *c);  /* answer.c */

/* The peer broke a rule: the handler's exchange, if any, ends without success; status
 * and text are answered and the connection ends. */
void sp_conn_refuse(struct sp_conn *c, int status, const char *text);

/* exchange.c. A new exchange with a copy of head. NULL when memory ran out. */
struct sp_exchange *sp_exchange_new(struct sp_conn *c, struct sp_view head);
/* Releases the answer, tells the handler, if it has not been told, and frees. */
void sp_exchange_end(struct sp_conn *c, bool complete);
/* Frees those that were kept to be used again. */
void sp_exchanges_clear(struct sp_server *s);

/* answer.c. Fills x->reply. False when memory ran out. */
bool sp_reply_fill(struct sp_exchange *x, const struct sp_answer *a);
/* Copies the body in memory behind the head, so that nothing is borrowed. */
bool sp_reply_keep_memory(struct sp_reply *r) SP_MUST_USE;
void sp_reply_fini(struct sp_reply *r); /* its head stays */
void sp_answer_begin(struct sp_conn *c);
/* Its answer can go on and has a long way to go. */
bool sp_answer_is_long(const struct sp_conn *c);

/* slice.c: how many bytes of the file may have gone out by now. */
uint64_t sp_slice_end(const struct sp_answer_file *f);
/* The next bytes of the file before that end, at most SP_WIRE_SLICE and of one block,
 * borrowed until sp_slice_done. SP_E_AGAIN: the work pool reads them, checks them where
 * they have to be, and makes the connection ready. */
enum sp_err sp_slice_get(struct sp_conn *c, struct sp_view *out);
void sp_slice_done(struct sp_conn *c);
void sp_slice_free(struct sp_reply *r);
bool sp_slice_is_reading(const struct sp_conn *c);

/* server.c */
void sp_server_make_ready(struct sp_conn *c);
void sp_server_stand_in_line(struct sp_conn *c); /* until it is its turn */
/* True when c may do its handshake now; else it waits and is made ready later. */
bool sp_server_take_handshake(struct sp_conn *c);
void sp_server_give_handshake(struct sp_conn *c);
void sp_server_shut_out(struct sp_server *s, enum sp_shut_out why, const char *peer);
const char *sp_server_date(struct sp_server *s);
void sp_server_conn_closed(
    struct sp_server *s); /* its handle is closed and memory freed */

/* listen.c: "*:8531", "0.0.0.0:8531" or "[::]:8531" to a listening socket, an inherited
 * one where there is one (NULL: there are none). */
enum sp_err sp_listen(const char *bind, struct sp_sockets *inherited, int *fd,
                      unsigned *port, struct sp_why *why);

#endif
