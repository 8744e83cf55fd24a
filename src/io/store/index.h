/* The index: what the ledger says, by key. The only file that knows SQLite.
 *
 * A cache of the ledger, and of the numbers that upstreams give revisions, which are
 * learned: it names the size and root it stands for, may be behind after a crash
 * (synchronous=NORMAL: a commit is atomic but not yet durable; what is lost is replayed)
 * and is made anew when it is damaged, foreign or missing.
 * One connection, one owner, one thread. All calls block. */
#ifndef SP_IO_STORE_INDEX_H
#define SP_IO_STORE_INDEX_H

#include "core/custody/blocks.h"
#include "core/wsus/wsus.h"
#include "sallyport/ledger.h"

struct sp_index;
/* An index that cannot be used is removed and begun anew, empty. */
enum sp_err sp_index_open(const char *path, struct sp_index **out,
                          struct sp_why *why) SP_MUST_USE;
void sp_index_close(struct sp_index **ix);
/* Removes the files of an index; there may be none. */
void sp_index_remove(const char *path);

/* The ledger that the index stands for: the first size entries, whose root is root. */
struct sp_index_mark {
    uint64_t size;
    uint8_t root[SP_HASH];
};
enum sp_err sp_index_mark(struct sp_index *ix, struct sp_index_mark *out) SP_MUST_USE;

/* Changes stand between begin and commit; commit moves the mark with them.
 * SP_E_CORRUPT: the index is damaged; open it again to begin anew. */
enum sp_err sp_index_begin(struct sp_index *ix) SP_MUST_USE;
enum sp_err sp_index_commit(struct sp_index *ix,
                            const struct sp_index_mark *m) SP_MUST_USE;
void sp_index_rollback(struct sp_index *ix);

/* What is there already stays: the first record counts. */
enum sp_err sp_index_put_revision(struct sp_index *ix, const struct sp_revision_id *id,
                                  const uint8_t document_sha256[32],
                                  uint64_t entry) SP_MUST_USE;
enum sp_err sp_index_put_claim(struct sp_index *ix, const struct sp_claim *c,
                               uint64_t entry) SP_MUST_USE;
struct sp_index_file {
    uint8_t sha256[32];
    uint64_t size;
    struct sp_tree_root tree;
};
enum sp_err sp_index_put_file(struct sp_index *ix, const uint8_t sha1[20],
                              const struct sp_index_file *file,
                              uint64_t entry) SP_MUST_USE;

/* SP_E_NOTFOUND. */
struct sp_index_revision {
    uint8_t document_sha256[32];
    uint64_t entry;
};
enum sp_err sp_index_revision(struct sp_index *ix, const struct sp_revision_id *id,
                              struct sp_index_revision *out) SP_MUST_USE;
enum sp_err sp_index_file(struct sp_index *ix, const uint8_t sha1[20],
                          struct sp_index_file *out) SP_MUST_USE;
/* All claims of a SHA-1 taken together; contradicted when they differ in size or name
 * different SHA-256. */
enum sp_err sp_index_claim(struct sp_index *ix, const uint8_t sha1[20],
                           struct sp_claim *out, bool *contradicted) SP_MUST_USE;

/* The first entry that claims a file. SP_E_NOTFOUND. */
enum sp_err sp_index_claim_entry(struct sp_index *ix, const uint8_t sha1[20],
                                 uint64_t *entry) SP_MUST_USE;

/* Where a file may be had besides the upstream, as metadata said last: a hint. It is not
 * in the ledger and goes with the index; of a file that nobody claims there is none. */
enum sp_err sp_index_put_url(struct sp_index *ix, const uint8_t sha1[20],
                             struct sp_view url) SP_MUST_USE;
enum sp_err sp_index_url(struct sp_index *ix, const uint8_t sha1[20],
                         char out[SP_FILE_URL]) SP_MUST_USE; /* SP_E_NOTFOUND */

/* The highest RevisionNumber of an update. SP_E_NOTFOUND. */
enum sp_err sp_index_highest(struct sp_index *ix, const struct sp_guid *id,
                             int32_t *out) SP_MUST_USE;

/* Revisions that a policy, or a quarantine under any policy, keeps back. */
enum sp_err sp_index_put_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                  struct sp_view policy, bool quarantined,
                                  uint64_t entry) SP_MUST_USE;
enum sp_err sp_index_is_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                 struct sp_view policy, bool *out) SP_MUST_USE;
enum sp_err sp_index_drop_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                   bool quarantined_too) SP_MUST_USE;
/* bundle installs child. */
enum sp_err sp_index_put_need(struct sp_index *ix, const struct sp_revision_id *child,
                              const struct sp_revision_id *bundle) SP_MUST_USE;
/* All that is kept back under this policy, and every bundle that needs some of it, sorted
 * by id and number. The caller frees *out, which may be NULL. */
enum sp_err sp_index_withheld(struct sp_index *ix, struct sp_view policy,
                              struct sp_withheld **out, size_t *count) SP_MUST_USE;

/* Every bundle that installs this revision, through whatever bundles, sorted and to be
 * freed as above. */
enum sp_err sp_index_needing(struct sp_index *ix, const struct sp_revision_id *child,
                             struct sp_withheld **out, size_t *count) SP_MUST_USE;

/* Digests of fragments that a revision's document derives: rows of a byte, the enum
 * sp_derived_kind, and 32. Adding appends. SP_E_NOTFOUND. */
#define SP_DERIVED_ROW 33
#define SP_DERIVED_MAX SP_MIB(4)
enum sp_err sp_index_put_derived(struct sp_index *ix, const struct sp_revision_id *id,
                                 struct sp_view rows) SP_MUST_USE;
enum sp_err sp_index_derived(struct sp_index *ix, const struct sp_revision_id *id,
                             struct sp_buf *rows) SP_MUST_USE;

/* What an upstream calls a revision. Learned, not replayed: the one thing in the index
 * that the ledger does not say, and lost with it. The newest 500,000 are kept.
 * SP_E_NOTFOUND. */
enum sp_err sp_index_put_number(struct sp_index *ix, const char *upstream,
                                int32_t number,
                                const struct sp_revision_id *id) SP_MUST_USE;
enum sp_err sp_index_number(struct sp_index *ix, const char *upstream, int32_t number,
                            struct sp_revision_id *out) SP_MUST_USE;

struct sp_index_counts {
    uint64_t revisions, files;
    uint64_t newest_entry; /* of a revision; 0 where there is none, too */
    int64_t newest;        /* its time, unix seconds; for the keeper to fill in */
};
enum sp_err sp_index_count(struct sp_index *ix,
                           struct sp_index_counts *out) SP_MUST_USE;

#endif
