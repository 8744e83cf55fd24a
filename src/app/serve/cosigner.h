/* The cosigner that this sallyport is for the ledgers of its peers: a key of its own,
 * and what was cosigned last for each ledger.
 *
 *     state_dir/witness/key        0600, made when it is first needed
 *     state_dir/witness/key.pub    its public half
 *     state_dir/witness/HASH       the checkpoint cosigned last, of one ledger
 *
 * Looking, writing and signing are one step under one lock, and what is written is on
 * disk before the signature exists. Blocking; any thread. */
#ifndef SP_APP_SERVE_COSIGNER_H
#define SP_APP_SERVE_COSIGNER_H

#include "app/config/config.h"
#include "core/custody/cosign.h"

/* A proof of 63 hashes and a checkpoint with as many signatures as it may have. */
#define SP_LIMIT_COSIGN_ASK (SP_LIMIT_CHECKPOINT + SP_KIB(4))

struct sp_cosigner;
/* name: of the key, when it is made. Touches nothing yet. */
enum sp_err sp_cosigner_new(const char *state_dir, const char *name,
                            struct sp_cosigner **out) SP_MUST_USE;
void sp_cosigner_free(struct sp_cosigner **c);
/* Reads the key, makes it where there is none. */
enum sp_err sp_cosigner_ready(struct sp_cosigner *c, struct sp_why *why) SP_MUST_USE;
/* name+hash+base64, once it was ready. */
const char *sp_cosigner_public_key(const struct sp_cosigner *c);

struct sp_cosigner_answer {
    int status; /* of [C2SP tlog-witness], or 503: it could not be found out */
    enum sp_cosign_ruling ruling; /* where is_ruled */
    bool is_ruled;
    char origin[SP_LIMIT_NOTE_NAME + 1]; /* the ledger, once it is one that is known */
    uint64_t last, asked; /* entries that were cosigned before, and are asked for */
    struct sp_buf lines;  /* 200: signature lines; owned */
    bool is_first;        /* of this kind from this ledger: kept as evidence just now */
    struct sp_why why;    /* where it is not 200 */
};
void sp_cosigner_rule(struct sp_cosigner *c, const struct sp_config_keys *logs,
                      struct sp_view body, int64_t now, struct sp_cosigner_answer *out);
void sp_cosigner_answer_fini(struct sp_cosigner_answer *a);

#endif
