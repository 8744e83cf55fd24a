/* Freshness: is it time that something new came? An upstream that is kept as it was
 * (a freeze) tells nothing wrong; only the calendar shows it. Two signs: nothing new for
 * more days than usual, and a second Tuesday of a month, when Microsoft publishes, that
 * brought nothing. Pure: times are unix seconds, days are days of UTC. */
#ifndef SP_CORE_CUSTODY_FRESHNESS_H
#define SP_CORE_CUSTODY_FRESHNESS_H

#include "sallyport/bytes.h"

/* After a second Tuesday began in UTC: time for publishing and synchronizing. */
#define SP_FRESHNESS_GRACE_S (4 * 86400)

/* When the latest second Tuesday of a month up to now began. */
int64_t sp_patch_tuesday(int64_t now);

struct sp_freshness {
    int64_t days;     /* whole ones since something new came; not below 0 */
    bool is_old;      /* more than most; never where most is 0 */
    bool has_missed;
    int64_t missed;   /* the second Tuesday that brought nothing */
};
/* newest: when the newest revision was first recorded. */
void sp_freshness_at(int64_t newest, int64_t most, int64_t now,
                     struct sp_freshness *out);

#endif
