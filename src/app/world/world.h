/* A world: one configuration with everything made from it - policy, upstreams, TLS
 * identities, doors. Immutable and counted; a reload makes a new one and the old one
 * lives as long as somebody works under it. A world that cannot be made leaves the old
 * in force. */
#ifndef SP_APP_WORLD_WORLD_H
#define SP_APP_WORLD_WORLD_H

#include "app/config/config.h"
#include "app/world/content_source.h"
#include "core/crypto/trust.h"
#include "core/gate/fill.h"
#include "io/net/upstream.h"
#include "io/store/ledger_files.h"

struct sp_world_door { /* one listener */
    struct sp_door door;
    struct sp_tls_server *tls; /* shared; NULL: plain HTTP */
    int64_t not_after;         /* of its certificate, unix seconds */
    size_t upstream;           /* index into upstreams */
    char tls_address[300];     /* of the TLS listener beside a plain one */
    enum sp_mode plain_http;   /* what transport-tls does here, places apart */
};
/* In state_dir: the newest checkpoint of the own ledger with enough cosignatures. */
#define SP_COSIGNED_FILE "ledger/" SP_LEDGER_COSIGNED

struct sp_witness_book; /* witness_books.h */
struct sp_world {
    atomic_uint refs;
    struct sp_config *config;       /* owned */
    struct sp_policy *policy;       /* owned */
    struct sp_trust *trust;         /* owned; whom signatures of files are believed */
    struct sp_upstream **upstreams; /* shared, config->upstream_count of them */
    struct sp_upstream *catalog;    /* shared; NULL: no offline catalogue */
    struct sp_upstream **cosigners; /* shared, config->cosigner_count of them */
    struct sp_fill_conf *fills;     /* owned, one an upstream */
    struct sp_content_sources **sources; /* owned, one an upstream; NULL: it has none */
    struct sp_world_door admin;     /* for who looks from elsewhere; its tls may be NULL */
    uint8_t admin_token[32];        /* SHA-256 of what he has to show */
    bool has_admin_token;
    struct sp_world_door *doors;    /* owned, config->listener_count of them */
    struct sp_witness_book *books;  /* owned, config->witness_count of them */
    int64_t loaded;                 /* unix seconds */
};

/* Reads every file the configuration names and proves that all of it fits together:
 * keys belong to certificates, certificates cover the names, the policy parses. Takes
 * config. */
enum sp_err sp_world_new(struct sp_config **config_take, struct sp_world **out,
                         struct sp_why *why) SP_MUST_USE;
/* Its upstreams go on counting where those of old with the same names are; before it is in
 * force. */
void sp_world_count_on(struct sp_world *w, const struct sp_world *old);
struct sp_world *sp_world_ref(struct sp_world *w);
void sp_world_unref(struct sp_world **w);

/* What the io layer reports of a connection, as the gate takes it; borrows from r. */
struct sp_link sp_link_of(const struct sp_link_report *r);

#endif
