/* The configuration file: read, checked, explained.
 *
 * libconfuse reads the syntax; config.def is the table of keys. Every error names file
 * and line, what is meant and, for an unknown key, the nearest known one. A struct
 * sp_config is immutable once loaded. Nothing is taken from the environment. */
#ifndef SP_APP_CONFIG_CONFIG_H
#define SP_APP_CONFIG_CONFIG_H

#include "app/config/peers.h"
#include "core/crypto/crypto.h"
#include "core/crypto/secret.h"
#include "core/custody/ahead.h"
#include "core/custody/posture.h"
#include "core/gate/fill.h"
#include "io/net/server.h"
#include "sallyport/ledger.h"

enum sp_log_level { SP_LOG_ERROR, SP_LOG_WARNING, SP_LOG_INFO, SP_LOG_DEBUG };

struct sp_config_keys {      /* public halves, no two of them the same */
    struct sp_note_key **at; /* owned, count of them */
    size_t count;
};
struct sp_config_sources { /* of content, besides the upstream */
    bool in_use;
    char **hosts; /* owned, host_count of them */
    size_t host_count;
    char *ca_file, *proxy; /* owned */
};
struct sp_config_upstream {
    char *name, *url, *ca_file, *proxy, *client_certificate, *client_key; /* owned */
    struct sp_pin pins[SP_LIMIT_PINS];
    size_t pin_count;
    bool content_over_http;
    struct sp_config_sources sources;
    bool seals_cookies;
    int64_t cookie_age; /* seconds */
    bool custody, custody_required;
    struct sp_note_key *custody_key; /* owned; NULL without custody */
    struct sp_config_keys custody_cosigners;
    unsigned custody_cosignatures;
    struct sp_ahead_conf ahead;
    int line; /* of its section in the file */
};
enum sp_log_format { SP_LOG_JSON, SP_LOG_TEXT, SP_LOG_JOURNAL };
struct sp_config_listener {
    char *name, *bind, *upstream, *certificate, *key, *client_ca; /* owned */
    char **names; /* owned, name_count of them */
    size_t name_count;
    struct sp_cidr *allow; /* owned */
    size_t allow_count;
    enum sp_plain_http plain_http;
    bool content_http, custody, tlog_witness;
    enum sp_locations file_locations;
    char *content_address; /* owned */
    int line;
};
struct sp_config_admin {              /* from elsewhere */
    struct sp_config_listener remote; /* its bind is empty: nobody may */
    char *token_file;                 /* owned */
};
struct sp_config_catalog {            /* the offline catalogue */
    struct sp_config_upstream source; /* its url is https://host[:port] */
    char *target;                     /* owned: what stands behind that */
    char *path;                       /* owned: where it is served */
    unsigned interval, asked;         /* minutes: in force, and as written */
    uint64_t ceiling;                 /* bytes */
};
enum sp_witness_kind {
    SP_WITNESS_CATALOG,
    SP_WITNESS_EXPORT,
    SP_WITNESS_LEDGER,
    SP_WITNESS_UPSTREAM,
    SP_WITNESS_KINDS
};
struct sp_config_witness {
    char *name, *file; /* owned */
    enum sp_witness_kind kind;
    size_t upstream;         /* of a ledger or an upstream: which one */
    struct sp_note_key *key; /* owned; of an export */
    int line;
};
struct sp_config_cosigner {           /* a witness that cosigns the own ledger */
    struct sp_config_upstream source; /* its url is https://host[:port] */
    char *prefix;                     /* owned: what stands behind that */
    struct sp_note_key *key;          /* owned */
};
struct sp_config {
    char *file; /* owned, as all strings below */
    char *state_dir, *cache_dir, *policy, *ledger_name, *admin_bind;
    struct sp_config_admin admin;
    enum sp_log_format log_format;
    enum sp_log_level log_level;
    bool sandbox;
    bool kernel_tls;        /* where the kernel has it */
    bool own_records;       /* else, where it can be */
    char *user, *group;     /* "": not said */
    unsigned workers;       /* 0: one a core */
    size_t metadata_memory; /* bytes */
    struct sp_peer_limits peers;
    unsigned peer_connections; /* of one address to one listener; 0: any */
    struct sp_release_conf release;
    uint64_t cache_max;   /* bytes; 0: no such limit */
    unsigned cache_floor; /* percent */
    bool recheck_always;
    char *signing_pins, *signing_bundle; /* "": the shipped pins; no bundle */
    char **signing_crls;                 /* owned, signing_crl_count of them */
    size_t signing_crl_count;
    uint64_t scrub_rate;                      /* bytes a second */
    const struct sp_posture_profile *posture; /* NULL: off */
    unsigned posture_interval;                /* minutes as wanted; 0: the profile's */
    long freshness_days;                      /* 0: any */
    struct sp_config_keys cosigns; /* ledgers that are cosigned when they ask */
    struct sp_config_upstream *upstreams;
    size_t upstream_count;
    struct sp_config_listener *listeners;
    size_t listener_count;
    struct sp_config_catalog *catalog; /* NULL: none */
    struct sp_config_witness *witnesses;
    size_t witness_count;
    struct sp_config_cosigner *cosigners;
    size_t cosigner_count;
    unsigned cosignatures; /* that are wanted, of so many; 0 only without cosigners */
    char *dump;            /* what sp_config_dump gives */
};

/* Reads and checks the shape: keys, types, values, references between sections. why has
 * "NAME:LINE: ...". SP_E_CONFIG, SP_E_LIMIT (over 1 MiB), SP_E_NOMEM. */
enum sp_err sp_config_parse(const char *name, struct sp_view text,
                            struct sp_config **out, struct sp_why *why) SP_MUST_USE;
/* The same of a file, with the errors of sp_file_read. */
enum sp_err sp_config_load(const char *file, struct sp_config **out,
                           struct sp_why *why) SP_MUST_USE;
enum sp_err sp_config_copy(const struct sp_config *c,
                           struct sp_config **out) SP_MUST_USE;
void sp_config_free(struct sp_config **c);
/* Every key with its effective value, in the syntax of the file. */
const char *sp_config_dump(const struct sp_config *c);

/* Every file that c names with its whole path, and the file c is itself; a path is the
 * callee's only while each runs. */
void sp_config_each_path(const struct sp_config *c,
                         void (*each)(void *ctx, const char *path), void *ctx);

/* A whole small file (certificates, keys, policies), at most 1 MiB. why names it. */
enum sp_err sp_file_read(const char *path, struct sp_buf *out,
                         struct sp_why *why) SP_MUST_USE;
/* The same of one that may hold a key: in secret memory, nowhere else. */
enum sp_err sp_file_read_secret(const char *path, struct sp_secret *out,
                                struct sp_why *why) SP_MUST_USE;
enum sp_err sp_file_read_most(const char *path, size_t most, struct sp_buf *out,
                              struct sp_why *why) SP_MUST_USE;

#endif
