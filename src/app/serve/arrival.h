/* What an upstream answered: one copy for all who asked it the same, read by their
 * gates and counted against the memory of metadata once. It grows until the reply is
 * whole and then stays as it is. On one lane; the pool's jobs of those who hold it read
 * it. */
#ifndef SP_APP_SERVE_ARRIVAL_H
#define SP_APP_SERVE_ARRIVAL_H

#include "app/shared/budget.h"
#include "sallyport/bytes.h"

struct sp_arrival {
    struct sp_budget *budget; /* borrowed */
    struct sp_buf bytes;      /* owned */
    void *pages;              /* owned: where bytes are, NULL while malloc has them */
    size_t room;              /* of pages */
    size_t held;              /* of the budget */
    bool has_seat;
    bool is_fixed; /* bytes stay where they are */
    bool is_whole; /* all that will come is held */
    unsigned refs;
};
/* ceiling: bytes it may ever have. */
enum sp_err sp_arrival_new(struct sp_budget *budget, size_t ceiling,
                           struct sp_arrival **out) SP_MUST_USE;
struct sp_arrival *sp_arrival_ref(struct sp_arrival *a);
/* *a is NULL afterwards; it may be NULL. */
void sp_arrival_unref(struct sp_arrival **a);
/* Whether so many bytes more may come now, or it is to wait until others have gone. */
bool sp_arrival_may_grow(struct sp_arrival *a, size_t bytes);
/* From now on its bytes stay where they are. length: it will have so many in the end,
 * and all of them are held; 0: nobody knows, and they are held as they come.
 * SP_E_NOMEM: there is no room for that, and nothing changed. */
enum sp_err sp_arrival_fix(struct sp_arrival *a, size_t length) SP_MUST_USE;
/* Room for so many bytes more, before they are appended. SP_E_NOMEM: there is none. */
enum sp_err sp_arrival_hold(struct sp_arrival *a, size_t bytes) SP_MUST_USE;

#endif
