/* What an entry of the ledger changes in the index. The keeper reads it from the
 * entry's own text, before it is appended as well as on replay, so that an index that
 * grew and one that was rebuilt are the same. */
#ifndef SP_IO_STORE_CHANGE_H
#define SP_IO_STORE_CHANGE_H

#include "io/store/index.h"

enum sp_change_kind {
    SP_CHANGE_NONE,     /* refusals and kinds that are not indexed */
    SP_CHANGE_REVISION, /* a revision's document, and files it names */
    SP_CHANGE_CLAIMS, /* more files of the revision entry before it; an entry has 64 KiB
                       */
    SP_CHANGE_FILE,    /* a verified file */
    SP_CHANGE_WITHHELD, /* a revision is kept back */
    SP_CHANGE_RELEASED  /* it is no longer */
};
struct sp_change {
    enum sp_change_kind kind;
    struct sp_facts *facts; /* owned */
    struct sp_revision_id id;
    uint8_t document_sha256[32];
    uint8_t sha1[20], sha256[32];
    uint64_t size;
    struct sp_tree_root tree; /* entries of before have none */
    struct sp_view policy; /* that keeps a revision back; borrowed from facts */
    bool quarantined;
    bool for_part; /* kept back only as long as something it bundles is */
};
/* SP_E_MALFORMED, SP_E_UNSUPPORTED, SP_E_NOMEM, with why. */
enum sp_err sp_change_read(struct sp_view entry, struct sp_change *out,
                           struct sp_why *why) SP_MUST_USE;
void sp_change_fini(struct sp_change *c);
/* When it was recorded, unix seconds; 0 where the entry does not say. */
int64_t sp_change_time(const struct sp_change *c);
/* Puts it into the index as what entry number says, and counts what is new. */
enum sp_err sp_change_apply(const struct sp_change *c, struct sp_index *ix,
                            uint64_t number,
                            struct sp_index_counts *counts) SP_MUST_USE;

#endif
