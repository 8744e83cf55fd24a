/* Witnesses that can be asked without a round trip: the offline catalogue's index and
 * exported ledgers. They are read once, when a world is made, and asked where replies
 * are inspected: blocking, on any thread of the pool. */
#ifndef SP_APP_WITNESSES_H
#define SP_APP_WITNESSES_H

#include "app/tier_book.h"
#include "app/world.h"

struct sp_renewer;

struct sp_witness_book { /* of one witness section */
    struct sp_tier_book book; /* empty for what is no exported ledger */
};
/* Proves and reads every exported ledger of the configuration. *out: one book a witness
 * section, owned by the caller. */
enum sp_err sp_witnesses_load(const struct sp_config *c, struct sp_witness_book **out,
                              struct sp_why *why) SP_MUST_USE;
void sp_witnesses_free(struct sp_witness_book **books, size_t count);

/* States what they say of every revision of a reply. renewer NULL: no catalogue. A
 * witness that cannot be asked says nothing, and the log has the reason. */
enum sp_err sp_witnesses_testify(const struct sp_world *w, struct sp_renewer *renewer,
                                 struct sp_reply *reply) SP_MUST_USE;

#endif
