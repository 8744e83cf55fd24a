#include "app/serve/arrival.h"

#include <stdlib.h>

enum sp_err sp_arrival_new(struct sp_budget *budget, size_t ceiling,
                           struct sp_arrival **out)
{
    struct sp_arrival *a = calloc(1, sizeof *a);
    if (!a) {
        return SP_E_NOMEM;
    }
    a->budget = budget;
    a->refs = 1;
    sp_buf_init(&a->bytes, ceiling);
    *out = a;
    return SP_OK;
}

struct sp_arrival *sp_arrival_ref(struct sp_arrival *a)
{
    a->refs++;
    return a;
}

void sp_arrival_unref(struct sp_arrival **a)
{
    if (*a && --(*a)->refs == 0) {
        sp_budget_give((*a)->budget, (*a)->held);
        sp_buf_fini(&(*a)->bytes);
        if ((*a)->has_seat) {
            sp_budget_leave_seat((*a)->budget);
        }
        free(*a);
    }
    *a = NULL;
}

bool sp_arrival_may_grow(struct sp_arrival *a, size_t bytes)
{
    bool needs_seat = a->bytes.len + bytes > SP_BUDGET_SMALL && !a->has_seat;
    a->has_seat = a->has_seat || (needs_seat && sp_budget_take_seat(a->budget));
    return a->has_seat || !needs_seat;
}

enum sp_err sp_arrival_fix(struct sp_arrival *a, size_t length)
{
    struct sp_buf whole;
    uint8_t *to = NULL;
    SP_ASSERT(length >= a->bytes.len && length <= a->bytes.ceiling);
    if (!sp_budget_hold(a->budget, length)) {
        return SP_E_NOMEM;
    }
    sp_buf_init(&whole, length);
    if (sp_buf_reserve(&whole, length, &to) != SP_OK ||
        sp_buf_append(&whole, sp_buf_view(&a->bytes)) != SP_OK) {
        sp_buf_fini(&whole);
        sp_budget_give(a->budget, length);
        return SP_E_NOMEM;
    }
    sp_buf_fini(&a->bytes);
    sp_buf_take(&whole, &a->bytes);
    sp_budget_give(a->budget, a->held);
    a->held = length;
    a->is_fixed = true;
    return SP_OK;
}

/* Buffers grow by doubling, so what is in them counts twice. */
enum sp_err sp_arrival_hold(struct sp_arrival *a, size_t bytes)
{
    if (a->is_fixed) {
        return SP_OK;
    }
    if (!sp_budget_hold(a->budget, 2 * bytes)) {
        return SP_E_NOMEM;
    }
    a->held += 2 * bytes;
    return SP_OK;
}
