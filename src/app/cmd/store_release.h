/* Evidence that an administrator believes in: judged again, by the policy of today,
 * over what the ledger says these bytes must be and what they are. For `store
 * quarantine release`. */
#ifndef SP_APP_CMD_STORE_RELEASE_H
#define SP_APP_CMD_STORE_RELEASE_H

#include "core/crypto/trust.h"
#include "io/store/objects.h"
#include "sallyport/policy.h"

struct sp_release { /* all borrowed */
    struct sp_objects *objects;
    const char *state_dir;
    const struct sp_policy *policy;
    const struct sp_trust *trust; /* whom signatures of files are believed */
    const char *evidence; /* name in quarantine */
    const char *reason;   /* of the administrator, for the ledger */
    bool dry;             /* only judges; nothing is written */
};
struct sp_released {
    uint8_t sha256[32];
    uint64_t about; /* the entry that says what the bytes must be */
    uint64_t entry; /* the one that was written, when passed and not dry */
    struct sp_verdict verdict;
};
/* SP_OK: *out is what was found; when passed (and not dry) it is recorded, in this
 * order with the file back among the objects and gone from the evidence. SP_E_NOTFOUND:
 * there is no such evidence, or the ledger has nothing about these bytes. */
enum sp_err sp_release(const struct sp_release *r, struct sp_released *out,
                       struct sp_why *why) SP_MUST_USE;

#endif
