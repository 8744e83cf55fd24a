/* Witnesses that can be asked without a round trip: the offline catalogue's index and
 * exported ledgers. They are asked where replies are inspected: blocking, on any thread
 * of the pool. */
#ifndef SP_APP_WATCH_WITNESSES_H
#define SP_APP_WATCH_WITNESSES_H

#include "app/world/witness_books.h"
#include "app/world/world.h"
#include "core/custody/testimony.h"

struct sp_renewer;

/* States what they say of every revision of a reply. renewer NULL: no catalogue. A
 * witness that cannot be asked says nothing, and the log has the reason. */
enum sp_err sp_witnesses_testify(const struct sp_world *w, struct sp_renewer *renewer,
                                 struct sp_reply *reply) SP_MUST_USE;

/* SP_E_NOTFOUND, SP_E_UNAVAILABLE: there is none. */
struct sp_catalog;
enum sp_err sp_witnesses_open_catalog(struct sp_renewer *renewer,
                                      struct sp_catalog **out) SP_MUST_USE;
/* A revision as the ledger has it; borrowed. */
struct sp_witness_past {
    const struct sp_revision_id *id;
    const uint8_t *document_sha256;
    const struct sp_facts *facts; /* file.claim */
};
/* What each of them says of it by now; said has room for every witness section.
 * SP_TESTIMONY_COUNT where one cannot be asked, or not here. catalog may be NULL. */
enum sp_err sp_witnesses_review(const struct sp_world *w, struct sp_catalog *catalog,
                                const struct sp_witness_past *past,
                                enum sp_testimony *said) SP_MUST_USE;

#endif
