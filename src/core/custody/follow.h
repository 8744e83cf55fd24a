/* Following somebody else's ledger: every entry it holds is hashed into an own tree,
 * and nothing of it counts before that tree has the root which its key signed. So
 * inclusion of every entry is proven, and so is that the history only grew: the tree of
 * what was seen is the beginning of the new one, or no root will fit.
 *
 *     checkpoint -> (more entries are wanted) -> bundles ... -> checkpoint proven ->
 * ...
 *
 * What contradicts a signature that was seen is final: the state stays, both
 * checkpoints are evidence. Pure; one owner. Nothing here fetches. */
#ifndef SP_CORE_CUSTODY_FOLLOW_H
#define SP_CORE_CUSTODY_FOLLOW_H

#include "core/base/limits.h"
#include "sallyport/ledger.h"

enum sp_follow_state {
#define FOLLOW(name, text, good, help) SP_FOLLOW_##name,
#include "core/custody/follow.def"
#undef FOLLOW
    SP_FOLLOW_STATE_COUNT
};
const char *sp_follow_text(enum sp_follow_state s);
/* It contradicts what its own key signed: nothing it says is believed any more. */
bool sp_follow_is_final(enum sp_follow_state s);

struct sp_head { /* size and root of a signed checkpoint */
    uint64_t size;
    uint8_t root[SP_HASH];
};
enum { SP_FOLLOW_HEADS = 64 };

struct sp_follow {
    const struct sp_note_key *key; /* borrowed */
    enum sp_follow_state state;
    struct sp_merkle tree; /* of all entries taken so far */
    struct sp_head seen;   /* the largest signed checkpoint ever seen; durable */
    struct sp_head target; /* the one that is being proven */
    uint64_t proven;       /* entries below this count */
    struct sp_head heads[SP_FOLLOW_HEADS]; /* proven ones, newest overwrite oldest */
    unsigned head_count;
    bool is_whole; /* the tree was begun for this target: a mismatch is no other's */
    bool diverged; /* the tree passed seen.size with another root */
    struct sp_why why; /* where state is not GOOD */
};
/* seen is what was remembered, size 0 for nothing. */
void sp_follow_init(struct sp_follow *f, const struct sp_note_key *key,
                    const struct sp_head *seen);
/* A checkpoint was fetched. True when it is to be proven or is: see sp_follow_wants. */
bool sp_follow_checkpoint(struct sp_follow *f, struct sp_view note);
/* The checkpoint that was taken last is proven: nothing of it may be remembered, and no
 * cosignature of it counts, before that. A state that is GOOD may still be that of the
 * one before. */
bool sp_follow_is_proven(const struct sp_follow *f);
/* Entries that are missing for the target: the bundle that holds the next one. False
 * when there is none. After a mismatch it may begin at the start again. */
bool sp_follow_wants(const struct sp_follow *f, uint64_t *bundle, unsigned *width);
/* The bundle that was wanted. each gets every entry that is new, before it counts. An
 * error of each ends it; the entries before stay taken. */
enum sp_err sp_follow_bundle(struct sp_follow *f, struct sp_view bytes,
                             enum sp_err (*each)(void *ctx, uint64_t index,
                                                 struct sp_view entry),
                             void *ctx) SP_MUST_USE;

#endif
