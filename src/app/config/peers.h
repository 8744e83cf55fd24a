/* Peers: what each of those who ask has under way, and what it had lately.
 *
 * A peer is the key of the certificate it showed, else its address; of IPv6 the /64. Per
 * peer there are ceilings for what is under way at once, for requests of metadata a second
 * and for bytes a second. The last two are averages: buckets that hold SP_PEER_BURST_S
 * and SP_PEER_BYTES_BURST_S seconds' worth. Bytes are counted when they are known, that
 * is afterwards: who took too many waits until the average is kept again.
 *
 * The table never grows. It is cut into sets, found by a hash with a secret seed; in a
 * full set the peer that has nothing under way and was seen the longest ago makes room.
 * Who comes while everybody in the set is busy shares one row with others like it. So a
 * stranger with many addresses takes rows of idle peers, which lose what they owed and
 * nothing else.
 *
 * One table for all lanes: the kernel deals the connections of a peer to lanes by chance,
 * so a table each would multiply every ceiling by the number of lanes. A set has its own
 * lock, held for some ten instructions; two lanes meet there only for the same peers.
 *
 * A row also remembers how its peer asked for metadata: status shows the servers behind
 * this one from it. So who was not seen for long is forgotten there as well.
 *
 * Knows no clock: milliseconds come in. Any thread. */
#ifndef SP_APP_CONFIG_PEERS_H
#define SP_APP_CONFIG_PEERS_H

#include "core/crypto/crypto.h"

enum { SP_PEER_SETS = 2048, SP_PEER_WAYS = 8 }; /* rows: their product */
enum { SP_PEER_BURST_S = 10, SP_PEER_BYTES_BURST_S = 60, SP_PEER_TELL_MS = 60000 };

enum sp_peer_kind { SP_PEER_METADATA, SP_PEER_CONTENT, SP_PEER_KINDS };

struct sp_peer_limits { /* 0: no such limit */
    unsigned at_once[SP_PEER_KINDS];
    unsigned rate;                 /* requests of metadata a second */
    uint64_t bytes[SP_PEER_KINDS]; /* a second */
};

struct sp_peer_name {
    uint8_t bytes[32]; /* the pin; or 16 bytes, IPv4 as ::ffff:a.b.c.d */
    bool is_pin;
};
/* address: 16 bytes, as sp_exchange_address gives it; pin NULL: no certificate was shown. */
struct sp_peer_name sp_peer_name_of(const uint8_t *address, const struct sp_pin *pin);
#define SP_PEER_TEXT 64
void sp_peer_name_format(const struct sp_peer_name *n, char out[SP_PEER_TEXT]);

struct sp_peers;
/* sets: a power of two. */
enum sp_err sp_peers_new(size_t sets, uint64_t seed, struct sp_peers **out) SP_MUST_USE;
void sp_peers_free(struct sp_peers **p);

struct sp_peer_set;
struct sp_peer_row;
struct sp_peer_lease { /* private; all zero: none */
    struct sp_peer_set *set;
    struct sp_peer_row *row;
    enum sp_peer_kind kind;
};

enum sp_peer_limit {
    SP_PEER_CONCURRENCY,
    SP_PEER_RATE,
    SP_PEER_BYTES,
    SP_PEER_LIMITS
};
struct sp_peer_refusal {
    enum sp_peer_limit limit;
    unsigned retry_s; /* 1..3600: when it is worth coming again */
    bool tell;        /* the first for this peer within SP_PEER_TELL_MS */
    uint64_t refused; /* how often in all, since its row is its own */
};
/* One request of this kind begins. False: it is refused, and counts for nothing else. */
bool sp_peers_enter(struct sp_peers *p, const struct sp_peer_limits *limits,
                    const struct sp_peer_name *name, enum sp_peer_kind kind,
                    uint64_t now_ms, struct sp_peer_lease *lease,
                    struct sp_peer_refusal *refusal);
/* It is over and moved so many bytes. An empty lease is none; it is empty afterwards. */
void sp_peers_leave(const struct sp_peer_limits *limits, uint64_t bytes,
                    uint64_t now_ms, struct sp_peer_lease *lease);

/* How a request of metadata came. */
struct sp_peer_way {
    const uint8_t *address; /* 16 bytes */
    const char *tls;        /* "TLSv1.3"; "": plain HTTP */
    bool is_server;         /* it asked for what only servers ask for */
};
#define SP_PEER_TLS 8 /* bytes, with the NUL */
/* Once a request. An empty lease, and one of the shared row, remember nothing. */
void sp_peers_note(const struct sp_peer_lease *lease, const struct sp_peer_way *way);

struct sp_peer_report {
    struct sp_peer_name name;
    bool shared; /* the row of those that found none */
    unsigned at_once[SP_PEER_KINDS];
    uint64_t refused[SP_PEER_LIMITS];
    uint64_t last_ms;      /* of its last refusal; of a server: it was seen */
    uint32_t asked, plain; /* requests of metadata; of these, over plain HTTP */
    uint8_t address[16];   /* the last one it came from; zero before it asked */
    char tls[SP_PEER_TLS]; /* the last way it came */
};
/* Those that were refused, the latest first; how many of room were filled. */
size_t sp_peers_report(struct sp_peers *p, struct sp_peer_report *out, size_t room);

struct sp_peer_downstreams {
    size_t servers, clients;             /* that are remembered */
    uint64_t client_asked, client_plain; /* sums of what reports tell */
};
/* Peers that asked as servers, the latest first; how many of room were filled. Those
 * that never did are clients, which are counted only. */
size_t sp_peers_servers(struct sp_peers *p, struct sp_peer_report *out, size_t room,
                        struct sp_peer_downstreams *all);

#endif
