/* Exported ledgers that are witnesses: proven and read once, when a world is made. */
#ifndef SP_APP_WORLD_WITNESS_BOOKS_H
#define SP_APP_WORLD_WITNESS_BOOKS_H

#include "app/config/config.h"
#include "app/world/tier_book.h"

struct sp_witness_book { /* of one witness section */
    struct sp_tier_book book; /* empty for what is no exported ledger */
};
/* Proves and reads every exported ledger of the configuration. *out: one book a witness
 * section, owned by the caller. Blocking. */
enum sp_err sp_witness_books_load(const struct sp_config *c, struct sp_witness_book **out,
                                  struct sp_why *why) SP_MUST_USE;
void sp_witness_books_free(struct sp_witness_book **books, size_t count);

#endif
