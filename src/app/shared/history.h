/* The last hour in numbers, for the charts of the status page: what the counters grew
 * by, every ten seconds, in memory only. On the main loop. */
#ifndef SP_APP_SHARED_HISTORY_H
#define SP_APP_SHARED_HISTORY_H

#include "app/shared/metrics.h"

#include <jansson.h>

enum { SP_HISTORY_STEP_S = 10, SP_HISTORY_STEPS = 360 };

struct sp_history {
    struct sp_history_step {
        uint64_t requests, refusals, served, fetched;
    } steps[SP_HISTORY_STEPS]; /* a ring */
    size_t count;              /* of all steps ever */
    struct sp_history_step at; /* the counters at the last step */
};

/* One step: t is what the counters stand at now. The first only sets the beginning. */
void sp_history_step(struct sp_history *h, const struct sp_totals *t);
/* {"step_seconds", "requests": [oldest .. newest], ...}; the caller owns it. */
json_t *sp_history_json(const struct sp_history *h);

#endif
