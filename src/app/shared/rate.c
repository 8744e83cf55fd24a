#include "app/shared/rate.h"

enum { BURST = 600, ONE_EACH_MS = 6000 };

bool sp_rate_take(struct sp_rate *r, uint64_t now_ms)
{
    uint64_t regained = (now_ms - r->since_ms) / ONE_EACH_MS;
    if (regained >= r->spent) {
        *r = (struct sp_rate){.since_ms = now_ms};
    } else {
        r->spent -= regained;
        r->since_ms += regained * ONE_EACH_MS;
    }
    if (r->spent >= BURST) {
        return false;
    }
    r->spent++;
    return true;
}
