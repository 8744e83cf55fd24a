/* The keeper: one thread that owns the ledger's tail and the index. Loops ask by message
 * and are answered by message on their own loop; nobody else touches either.
 *
 * The index (SQLite) answers what the ledger knows in O(log n): first document of a
 * revision, which file digests are claimed by proven revisions, which files were verified.
 * It is a cache of the ledger: it names the ledger size and root it stands for, is replayed
 * forward after a crash and rebuilt when it is lost or disagrees.
 *
 * Batches: all records that wait are appended with one fsync. */
#ifndef SP_IO_STORE_KEEPER_H
#define SP_IO_STORE_KEEPER_H

#include "core/custody/ahead.h"
#include "core/custody/blocks.h"
#include "core/wsus/wsus.h"
#include "io/loop/loop.h"

struct sp_keeper;
struct sp_keeper_conf {
    const char *state_dir;
    const char *origin; /* the ledger's name when it is made */
};
/* Opens ledger and index, checks and repairs the index, starts the thread. Blocking. */
enum sp_err sp_keeper_new(const struct sp_keeper_conf *conf, struct sp_keeper **out,
                          struct sp_why *why) SP_MUST_USE;
/* Everything posted is done first; then the thread ends. From any thread but its own. */
void sp_keeper_stop(struct sp_keeper *k);
void sp_keeper_free(struct sp_keeper **k);

struct sp_keeper_status {
    uint64_t entries, revisions, files;
    int64_t newest; /* when the newest revision was recorded, unix seconds; 0: none */
    int64_t signed_at; /* the newest checkpoint, unix seconds; 0: not since it was opened */
    uint8_t root[32];
    bool writable; /* false after a failed write: metadata is refused until it works again */
    struct sp_why why;
};
void sp_keeper_status(struct sp_keeper *k, struct sp_keeper_status *out); /* any thread */

/* ---- look-ups ------------------------------------------------------------------ */

/* For each of count revisions, which may be none: the document digest first recorded, if
 * any; and what is withheld under a policy. */
struct sp_ask_revisions {
    struct sp_msg msg; /* private */
    const struct sp_revision_id *ids; /* borrowed until answer */
    size_t count;
    size_t parts; /* the last of them: what categories are among these? */
    struct sp_known_revision {
        bool known;
        uint8_t document_sha256[32];
        uint64_t entry;
        bool has_highest;
        int32_t highest; /* RevisionNumber of this update */
        char category[24]; /* its CategoryType; "" where it is none, or nobody asked */
    } *known; /* caller's array of count, filled in */
    const char *policy; /* borrowed until answer; NULL: nobody wants to know what follows */
    struct sp_withheld *withheld; /* sorted; the asker frees it */
    size_t withheld_count;
    struct sp_loop *loop; /* where the answer goes */
    void (*answer)(struct sp_ask_revisions *q, enum sp_err e);
    enum sp_err err; /* private */
    void *keeper;    /* private */
};
void sp_keeper_ask_revisions(struct sp_keeper *k, struct sp_ask_revisions *q);

/* Is this digest claimed by a proven revision, and was the file verified before? */
struct sp_ask_claim {
    struct sp_msg msg; /* private */
    uint8_t sha1[20];
    bool wants_origin; /* and url */
    /* answer: */
    struct sp_facts *origin; /* the asker's, to be freed: the entry that claims it first */
    char url[SP_FILE_URL];   /* where else it may be had, or "" */
    bool claimed;
    struct sp_claim claim; /* name is empty */
    bool contradicted; /* two revisions claim different SHA-256 or size for this SHA-1 */
    bool verified;     /* recorded as verified: verified_sha256 and claim.size hold */
    uint8_t verified_sha256[32];
    struct sp_tree_root tree; /* of the block tree it must have */
    struct sp_loop *loop;
    void (*answer)(struct sp_ask_claim *q, enum sp_err e);
    enum sp_err err; /* private */
    void *keeper;    /* private */
};
void sp_keeper_ask_claim(struct sp_keeper *k, struct sp_ask_claim *q);

/* keeper_ahead.c: the next entry from `from` on whose files may be fetched ahead. Looks at
 * a few entries at a time: when count is 0 and not at_end, ask again from next. */
struct sp_ask_ahead {
    struct sp_msg msg; /* private */
    uint64_t from;
    const struct sp_ahead_conf *conf; /* borrowed until answer, as upstream */
    const char *upstream;
    /* answer: */
    uint64_t at, next; /* the entry the files are of; where to go on */
    bool at_end;       /* next is the end of the ledger */
    bool incomplete;   /* it bundles a revision that is not in the ledger yet */
    struct sp_ahead_file {
        struct sp_claim claim;
        bool verified; /* recorded as verified, with this digest */
        uint8_t sha256[32];
    } *files; /* the asker's, to be freed, also after an error */
    size_t count;
    struct sp_loop *loop;
    void (*answer)(struct sp_ask_ahead *q, enum sp_err e);
    enum sp_err err; /* private */
    void *keeper;    /* private */
};
void sp_keeper_ask_ahead(struct sp_keeper *k, struct sp_ask_ahead *q);

/* For each of count digests: does a proven revision claim it, or was it verified before?
 * For each of shown_count fragments: is it what the document in custody derives? The
 * numbers that an upstream gives its revisions are learned from these very fragments. */
struct sp_ask_files {
    struct sp_msg msg; /* private */
    struct sp_asked_file {
        uint8_t sha1[20];
        bool in_custody; /* filled in */
    } *files;            /* caller's array of count */
    size_t count;
    const char *upstream;   /* borrowed until answer */
    const char *policy;     /* the same: whose withheld revisions count */
    struct sp_shown *shown; /* borrowed until answer; says and what follows is filled in */
    size_t shown_count;
    struct sp_loop *loop; /* where the answer goes */
    void (*answer)(struct sp_ask_files *q, enum sp_err e);
    enum sp_err err; /* private */
    void *keeper;    /* private */
};
void sp_keeper_ask_files(struct sp_keeper *k, struct sp_ask_files *q);

/* ---- recording ----------------------------------------------------------------- */

/* What a revision entry puts into the index. */
struct sp_record_revision {
    struct sp_revision_id id;
    uint8_t document_sha256[32];
    const struct sp_claim *claims;
    size_t claim_count;
};
struct sp_record_entry {
    struct sp_view text; /* canonical facts, borrowed until answer */
    /* A revision entry carries what must hold when it is appended: nobody recorded this
     * revision with another document in the meantime. NULL for other kinds. */
    const struct sp_record_revision *revision;
    /* A file entry: this digest is verified from now on. */
    bool is_file;
    uint8_t sha1[20], sha256[32];
    uint64_t size;
};
struct sp_record {
    struct sp_msg msg; /* private */
    const struct sp_record_entry *entries;
    size_t count;
    /* answer: SP_OK: durable, numbered from first. SP_E_CONFLICT: a revision is known with
     * another document; look up and judge again. Revisions that are known with the same
     * document are not appended again. SP_E_NOSPACE, SP_E_IO: nothing was recorded. */
    uint64_t first;
    size_t appended;
    struct sp_why why;
    struct sp_loop *loop;
    void (*answer)(struct sp_record *r, enum sp_err e);
    enum sp_err err; /* private */
    void *keeper;    /* private */
};
void sp_keeper_record(struct sp_keeper *k, struct sp_record *r);

/* ---- hints ---------------------------------------------------------------------- */

/* Where files may be had, as metadata says. Nothing rests on it: what cannot be kept is
 * lost, and nobody is told. */
struct sp_hints;
enum sp_err sp_hints_new(struct sp_hints **out) SP_MUST_USE;
void sp_hints_free(struct sp_hints **h);
/* url has no NUL and fewer than SP_FILE_URL bytes. */
enum sp_err sp_hints_add(struct sp_hints *h, const uint8_t sha1[20],
                         struct sp_view url) SP_MUST_USE;
void sp_keeper_hint(struct sp_keeper *k, struct sp_hints **take);

#endif
