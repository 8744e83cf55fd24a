/* What would have been refused: how often a rule in observe or audit mode failed, by
 * rule and peer. It is what a policy is made stricter by: observe, audit, enforce. A
 * table of the recent past, on the main loop; rows that rest the longest make room. */
#ifndef SP_APP_SHARED_OBSERVED_H
#define SP_APP_SHARED_OBSERVED_H

#include "sallyport/policy.h"

#include <jansson.h>

enum { SP_OBSERVED_ROWS = 256 };

struct sp_observed_row {
    enum sp_rule rule;
    bool audited; /* else observed */
    char peer[64], operation[40];
    uint64_t count;
    int64_t last; /* unix seconds */
};
struct sp_observed {
    struct sp_observed_row rows[SP_OBSERVED_ROWS];
    size_t count;
};
struct sp_observation {
    char peer[64], operation[40];
    uint64_t observed, audited; /* as in a verdict */
};
void sp_observed_add(struct sp_observed *o, const struct sp_observation *what,
                     int64_t now);
json_t *sp_observed_json(const struct sp_observed *o);

#endif
