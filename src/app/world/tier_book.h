/* What a followed ledger says, by revision: the first entry about it. In memory; some
 * 130 bytes a revision at worst. One owner. */
#ifndef SP_APP_WORLD_TIER_BOOK_H
#define SP_APP_WORLD_TIER_BOOK_H

#include "core/wsus/wsus.h"

enum { SP_TIER_BOOK_MAX = 1 << 22 }; /* rows; ten times of what Microsoft publishes */

struct sp_tier_row {
    struct sp_revision_id id;
    uint8_t document_sha256[32];
    uint64_t entry;
    bool used;
};
struct sp_tier_book {         /* all zero is an empty one */
    struct sp_tier_row *rows; /* owned: open addressing, a power of two */
    size_t room, count;
};
void sp_tier_book_fini(struct sp_tier_book *b); /* empty again */
/* The first one of a revision stays. SP_E_NOMEM, SP_E_LIMIT. */
enum sp_err sp_tier_book_put(struct sp_tier_book *b, const struct sp_revision_id *id,
                             const uint8_t document_sha256[32],
                             uint64_t entry) SP_MUST_USE;
/* The last one counts. SP_E_NOMEM, SP_E_LIMIT. */
enum sp_err sp_tier_book_set(struct sp_tier_book *b, const struct sp_revision_id *id,
                             const uint8_t document_sha256[32],
                             uint64_t entry) SP_MUST_USE;
/* NULL: it is not there. Borrowed until the next put. */
const struct sp_tier_row *sp_tier_book_find(const struct sp_tier_book *b,
                                            const struct sp_revision_id *id);

#endif
