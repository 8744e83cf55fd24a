/* Bytes that all exchanges of metadata may hold together. One reply may have
 * 64 MiB and one loop thousands of askers; without a common ceiling each would keep to
 * its own and all of them use up the machine. Any thread. */
#ifndef SP_APP_SHARED_BUDGET_H
#define SP_APP_SHARED_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct sp_budget {
    atomic_size_t limit, held;
};
void sp_budget_set(struct sp_budget *b, size_t limit); /* also while bytes are held */
/* False, and nothing is held, where it would be more than the limit. */
bool sp_budget_hold(struct sp_budget *b, size_t bytes);
void sp_budget_give(struct sp_budget *b, size_t bytes);

#endif
