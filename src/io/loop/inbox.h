/* An inbox: many threads put messages in, one owner takes all of them, oldest first. A
 * lock-free stack that the owner turns around, so the order of each sender is kept. All
 * zero is an empty one. Who finds it empty wakes the owner, in the owner's way. */
#ifndef SP_IO_LOOP_INBOX_H
#define SP_IO_LOOP_INBOX_H

#include "io/loop/loop.h"

struct sp_inbox {
    _Atomic(struct sp_msg *) latest; /* private */
};

/* From any thread. True when it was empty: the owner has to be woken. */
static inline bool sp_inbox_put(struct sp_inbox *inbox, struct sp_msg *msg)
{
    struct sp_msg *top = atomic_load_explicit(&inbox->latest, memory_order_relaxed);
    do {
        msg->next = top;
    } while (!atomic_compare_exchange_weak_explicit(
        &inbox->latest, &top, msg, memory_order_release, memory_order_relaxed));
    return !top;
}

/* The owner alone: a list by next, the oldest first; NULL when there is nothing. */
static inline struct sp_msg *sp_inbox_take(struct sp_inbox *inbox)
{
    struct sp_msg *latest =
        atomic_exchange_explicit(&inbox->latest, NULL, memory_order_acquire);
    struct sp_msg *oldest = NULL;
    while (latest) {
        struct sp_msg *next = latest->next;
        latest->next = oldest;
        oldest = latest;
        latest = next;
    }
    return oldest;
}

#endif
