/* Catalogues: lists of digests of files, as they stand in a certificate trust list.
 *
 * Knows catalogues of files, by digest of the whole file or of what Authenticode covers
 * of it. Refuses to know who signed the list (cms.h) and other uses of trust lists.
 * Views borrow the list; looking up reads all of it. */
#ifndef SP_CORE_CRYPTO_LIST_H
#define SP_CORE_CRYPTO_LIST_H

#include "core/crypto/hasher.h"

struct sp_list {
    struct sp_view members; /* one behind the other; borrowed */
    bool is_by_digest;      /* members go by their digests, not by names */
};

/* content is a CertificateTrustList. Errors as der.h; SP_E_UNSUPPORTED for other uses.
 */
enum sp_err sp_list_read(struct sp_view content, struct sp_list *out) SP_MUST_USE;
/* Whether a member has this digest. Errors as der.h. */
enum sp_err sp_list_find(const struct sp_list *l, enum sp_digest d,
                         struct sp_view digest, bool *out) SP_MUST_USE;

#endif
