/* A publisher that a policy lets sign the files of one update or of one category,
 * beside those whose chains reach a pinned key: what third parties and the own house
 * publish. A line of a policy, docs/decisions/0021:
 *
 *     publisher sha256//BASE64= update GUID
 *     publisher sha256//BASE64= category GUID
 *
 * The key is that of the signer's certificate itself. Pure. */
#ifndef SP_CORE_POLICY_PUBLISHER_H
#define SP_CORE_POLICY_PUBLISHER_H

#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "sallyport/facts.h"

struct sp_publisher {
    struct sp_pin key;
    enum sp_fact scope; /* UPDATE_ID or DOCUMENT_CATEGORY */
    struct sp_guid id;
};
/* The three words behind "publisher". SP_E_CONFIG with what is wrong. */
enum sp_err sp_publisher_read(struct sp_view key, struct sp_view scope,
                              struct sp_view id, struct sp_publisher *out,
                              struct sp_why *why) SP_MUST_USE;
enum sp_err sp_publisher_print(const struct sp_publisher *p,
                               struct sp_buf *out) SP_MUST_USE;
/* It signed the file well, and the file belongs to what it may sign. */
bool sp_publisher_signed(const struct sp_publisher *p, const struct sp_facts *f);

#endif
