/* A proof bundle: some entries of a ledger with the proof of each, and the signed
 * checkpoint that covers them. Whoever has the ledger's public key checks it offline.
 *
 *     sallyport-bundle@v1
 *     about KB5031356
 *     entries 2
 *     <empty line>
 *     entry 17 812                   number, bytes of the text below
 *     <base64 of a hash>             inclusion proof, from the leaf up, a hash a line
 *     <empty line>
 *     <812 bytes of entry>
 *     entry ...
 *     checkpoint
 *     <C2SP signed note, to the end>
 *
 * One spelling only; what does not prove is not shown. Pure. */
#ifndef SP_CORE_CUSTODY_BUNDLE_H
#define SP_CORE_CUSTODY_BUNDLE_H

#include "sallyport/ledger.h"

#define SP_LIMIT_BUNDLE         ((size_t)64 << 20)
#define SP_LIMIT_BUNDLE_ENTRIES 8192
#define SP_BUNDLE_ABOUT_MAX     64

/* about: printable, no blanks, shorter than SP_BUNDLE_ABOUT_MAX. */
enum sp_err sp_bundle_begin(struct sp_buf *out, const char *about,
                            size_t entries) SP_MUST_USE;
enum sp_err sp_bundle_entry(struct sp_buf *out, uint64_t index, struct sp_view entry,
                            const struct sp_proof *proof) SP_MUST_USE;
enum sp_err sp_bundle_end(struct sp_buf *out, struct sp_view note) SP_MUST_USE;

bool sp_bundle_is(struct sp_view file); /* it begins like one */

struct sp_bundle {
    char about[SP_BUNDLE_ABOUT_MAX];
    size_t entries;
    struct sp_checkpoint checkpoint; /* borrows from the bundle */
    struct sp_view note;             /* the same as it was signed, and cosigned */
};
/* Proves every entry against the checkpoint, and the checkpoint against the key; then
 * calls each with every entry in order (each may be NULL). SP_E_MALFORMED, SP_E_LIMIT,
 * SP_E_UNPROVEN (signature, or an entry that the tree does not hold), each's own. */
enum sp_err sp_bundle_check(struct sp_view file, const struct sp_note_key *key,
                            struct sp_bundle *out,
                            enum sp_err (*each)(void *ctx, uint64_t index,
                                                struct sp_view entry),
                            void *ctx, struct sp_why *why) SP_MUST_USE;

#endif
