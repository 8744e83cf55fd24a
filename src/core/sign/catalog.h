/* Signed catalogues that vouch for files beside them: which of the files' digests they
 * list, and who signed them. Not the catalogue of updates, which is core/catalog.
 *
 * Look-ups take the digests from facts: of whole files (file.sha1, file.sha256) and of
 * what signatures cover (sign.digest), so the inspector has to be told to compute the
 * latter for files without signatures too (sp_sign_also). Filled by one thread, then
 * read by many. Refuses to know where catalogues come from. */
#ifndef SP_CORE_SIGN_CATALOG_H
#define SP_CORE_SIGN_CATALOG_H

#include "core/crypto/trust.h"
#include "sallyport/facts.h"

enum { SP_CATALOGS_MAX = 16 };

struct sp_catalogs;
enum sp_err sp_catalogs_new(struct sp_catalogs **out) SP_MUST_USE;
void sp_catalogs_free(struct sp_catalogs **c);
/* Takes the bytes of a catalogue; trust and now say whether its signatures count. name
 * is what facts call it. SP_E_LIMIT for more than 16; what is no catalogue of files is
 * SP_E_UNSUPPORTED or another error of reading, with its reason. */
enum sp_err sp_catalogs_add(struct sp_catalogs *c, const char *name,
                            struct sp_buf *bytes, const struct sp_trust *trust,
                            int64_t now, struct sp_why *why) SP_MUST_USE;
/* Adds sign.catalog, sign.listed and sign.listed-strongly. */
enum sp_err sp_catalogs_look_up(const struct sp_catalogs *c,
                                struct sp_facts *facts) SP_MUST_USE;
/* What to compute of files without signatures: bits of enum sp_digest. */
unsigned sp_catalogs_digests(void);

#endif
