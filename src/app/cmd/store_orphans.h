/* Which files the ledger says were verified: the set of their digests, read from its
 * entries and from nothing else. For `store gc`. */
#ifndef SP_APP_CMD_STORE_ORPHANS_H
#define SP_APP_CMD_STORE_ORPHANS_H

#include "sallyport/bytes.h"

struct sp_verified;
/* alone: no daemon runs; what it recorded last is then brought into view first. Else
 * the last entries of a daemon that runs may be missing. */
enum sp_err sp_verified_read(const char *state_dir, bool alone,
                             struct sp_verified **out, struct sp_why *why) SP_MUST_USE;
void sp_verified_free(struct sp_verified **v);
bool sp_verified_has(const struct sp_verified *v, const uint8_t sha256[32]);

#endif
