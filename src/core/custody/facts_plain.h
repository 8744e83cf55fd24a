/* Whether a text is what sp_facts_encode writes, seen without making a set of it.
 *
 * Knows the keys, their order and the spelling of every kind. Refuses to know texts
 * with escapes and numbers that stand under one key together: those sp_facts_decode has
 * to look at, and most entries of a ledger have neither. Pure, no memory. */
#ifndef SP_CORE_CUSTODY_FACTS_PLAIN_H
#define SP_CORE_CUSTODY_FACTS_PLAIN_H

#include "sallyport/facts.h"

/* True: sp_facts_decode takes it, and encoding gives the same bytes. False says
 * nothing.
 */
bool sp_facts_are_plain(struct sp_view text);

/* facts.c: the row with this key; SP_FACT_COUNT where there is none. Looked for from
 * near on, because the lines of an entry are in the order of the table. */
enum sp_fact sp_fact_find(struct sp_view key, enum sp_fact near);

#endif
