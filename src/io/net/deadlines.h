/* Deadlines of many connections on one timer.
 *
 * All deadlines of one kind run for the same time, so a list a kind that is appended to
 * is always in order: setting, moving and clearing cost a few pointer writes. The one
 * timer wakes for the earliest and is never moved to a later time before it fires. */
#ifndef SP_IO_NET_DEADLINES_H
#define SP_IO_NET_DEADLINES_H

#include "io/net/list.h"

#include <stdint.h>
#include <uv.h>

enum sp_deadline_kind {
    SP_DEADLINE_HANDSHAKE,
    SP_DEADLINE_HEAD,
    SP_DEADLINE_IDLE,
    SP_DEADLINE_BODY, /* a look at the rate; set again while it is good */
    SP_DEADLINE_STALL,
    SP_DEADLINE_LINGER,
    SP_DEADLINE_NONE,
};

struct sp_deadline {
    struct sp_link link;
    uint64_t at; /* ms of the loop's clock */
    enum sp_deadline_kind kind;
};

struct sp_deadlines {
    struct sp_link lists[SP_DEADLINE_NONE];
    uint64_t after[SP_DEADLINE_NONE]; /* ms, at least 1; fill before the first set */
    uv_timer_t timer;
    uint64_t armed_for; /* UINT64_MAX: the timer is at rest */
    /* The deadline was cleared before; it may be set again from here. */
    void (*expired)(struct sp_deadline *d, enum sp_deadline_kind kind);
};

void sp_deadlines_init(struct sp_deadlines *ds, uv_loop_t *loop);
void sp_deadline_init(struct sp_deadline *d);
void sp_deadline_set(struct sp_deadlines *ds, struct sp_deadline *d,
                     enum sp_deadline_kind kind);
void sp_deadline_clear(struct sp_deadline *d);

#endif
