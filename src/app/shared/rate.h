/* Refusals that go into the ledger, 600 at once and then ten a minute. Who asks
 * again and again for what is refused must not be able to fill the disk; the log and
 * the counters still have every one. On one loop. */
#ifndef SP_APP_SHARED_RATE_H
#define SP_APP_SHARED_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct sp_rate {
    uint64_t spent, since_ms;
};
bool sp_rate_take(struct sp_rate *r, uint64_t now_ms);

#endif
