#include "app/shared/budget.h"

void sp_budget_set(struct sp_budget *b, size_t limit)
{
    atomic_store_explicit(&b->limit, limit, memory_order_relaxed);
}

bool sp_budget_hold(struct sp_budget *b, size_t bytes)
{
    size_t limit = atomic_load_explicit(&b->limit, memory_order_relaxed);
    size_t held = atomic_fetch_add_explicit(&b->held, bytes, memory_order_relaxed);
    if (bytes <= limit && held <= limit - bytes) {
        return true;
    }
    sp_budget_give(b, bytes);
    return false;
}

void sp_budget_give(struct sp_budget *b, size_t bytes)
{
    atomic_fetch_sub_explicit(&b->held, bytes, memory_order_relaxed);
}

bool sp_budget_take_seat(struct sp_budget *b)
{
    return !atomic_exchange_explicit(&b->is_seated, true, memory_order_relaxed);
}

void sp_budget_leave_seat(struct sp_budget *b)
{
    atomic_store_explicit(&b->is_seated, false, memory_order_relaxed);
}
