#include "app/serve/arrival.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE SP_MIB(2)

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

static void free_bytes(struct sp_arrival *a)
{
    if (a->pages) {
        (void)munmap(a->pages, a->room);
    } else {
        sp_buf_fini(&a->bytes);
    }
}

void sp_arrival_unref(struct sp_arrival **a)
{
    if (*a && --(*a)->refs == 0) {
        sp_budget_give((*a)->budget, (*a)->held);
        free_bytes(*a);
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

/* Pages of 2 MiB where the system has them: to get them costs a fifth. */
static enum sp_err take_pages(struct sp_arrival *a, struct sp_buf *out)
{
    size_t room = out->ceiling + LARGE_PAGE;
    uint8_t *pages = mmap(NULL, room, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
        return SP_E_NOMEM;
    }
    a->pages = pages;
    a->room = room;
    out->data = pages + (-(uintptr_t)pages & (LARGE_PAGE - 1));
    out->cap = out->ceiling;
    (void)madvise(out->data, out->cap, MADV_HUGEPAGE); /* a wish */
    return SP_OK;
}

/* Moves what came to where all of it has room. */
static enum sp_err settle(struct sp_arrival *a, size_t most)
{
    struct sp_buf whole;
    uint8_t *to = NULL;
    sp_buf_init(&whole, most);
    SP_TRY(most < LARGE_PAGE ? sp_buf_reserve(&whole, most, &to)
                             : take_pages(a, &whole));
    enum sp_err e = sp_buf_append(&whole, sp_buf_view(&a->bytes));
    SP_ASSERT(e == SP_OK);
    sp_buf_fini(&a->bytes);
    sp_buf_take(&whole, &a->bytes);
    a->is_fixed = true;
    return SP_OK;
}

enum sp_err sp_arrival_fix(struct sp_arrival *a, size_t length)
{
    size_t held = length ? length : a->bytes.len;
    SP_ASSERT(held >= a->bytes.len && held <= a->bytes.ceiling && !a->is_fixed);
    if (!sp_budget_hold(a->budget, held)) {
        return SP_E_NOMEM;
    }
    if (settle(a, length ? length : a->bytes.ceiling) != SP_OK) {
        sp_budget_give(a->budget, held);
        return SP_E_NOMEM;
    }
    sp_budget_give(a->budget, a->held);
    a->held = held;
    a->is_whole = length > 0;
    return SP_OK;
}

/* A buffer that has to move grows by doubling, so what is in it counts twice. */
enum sp_err sp_arrival_hold(struct sp_arrival *a, size_t bytes)
{
    bytes = a->is_whole ? 0 : a->is_fixed ? bytes : 2 * bytes;
    if (bytes && !sp_budget_hold(a->budget, bytes)) {
        return SP_E_NOMEM;
    }
    a->held += bytes;
    return SP_OK;
}
