/* What a file must be to be taken for the offline catalogue: a cabinet, whole, whose
 * signatures are strict and of trusted signers, with SHA-256 or better, and with a
 * trusted time stamp that is neither in the future nor older than the last good one's
 * (S10).
 *
 * Pure: facts and times in, a ruling out. These demands do not depend on the policy
 * file: a catalogue that is not proven is of no use to anybody. */
#ifndef SP_CORE_CATALOG_PROOF_H
#define SP_CORE_CATALOG_PROOF_H

#include "sallyport/facts.h"

/* Clocks of signers and ours may differ by so many seconds. */
#define SP_CATALOG_CLOCK_SKEW 600

struct sp_catalog_ruling {
    bool good;
    int64_t signed_at; /* unix seconds: the earliest of its trusted time stamps */
    struct sp_why why; /* the sentence for a person; empty when good */
};
/* facts: file.* and sign.* of the file. last_signed_at: of the last good one; 0: none.
 */
enum sp_err sp_catalog_judge(const struct sp_facts *facts, int64_t now,
                             int64_t last_signed_at,
                             struct sp_catalog_ruling *out) SP_MUST_USE;

#endif
