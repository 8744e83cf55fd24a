/* Bytes that all exchanges of metadata may hold together. One reply may have
 * 64 MiB and one loop thousands of askers; without a common ceiling each would keep to
 * its own and all of them use up the machine. Any thread.
 *
 * Of replies that are larger than most one at a time has the seat and comes as fast as it
 * can; the others wait a while. (docs/decisions/0094) */
#ifndef SP_APP_SHARED_BUDGET_H
#define SP_APP_SHARED_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { SP_BUDGET_SMALL = 1 << 20 }; /* bytes; what is no larger needs no seat */
struct sp_budget {
    atomic_size_t limit, held;
    atomic_bool is_seated;
};
void sp_budget_set(struct sp_budget *b, size_t limit); /* also while bytes are held */
/* False, and nothing is held, where it would be more than the limit. */
bool sp_budget_hold(struct sp_budget *b, size_t bytes);
void sp_budget_give(struct sp_budget *b, size_t bytes);
/* False: somebody has it. */
bool sp_budget_take_seat(struct sp_budget *b);
void sp_budget_leave_seat(struct sp_budget *b);

#endif
