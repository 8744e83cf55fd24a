/* Counters. One block per thread that counts, written by that thread alone with relaxed
 * stores and read by anybody; sums are made when somebody asks. */
#ifndef SP_APP_METRICS_H
#define SP_APP_METRICS_H

#include "sallyport/bytes.h"

#include <stdatomic.h>

struct sp_counters {
#define METRIC(field, series, labels, help) atomic_uint_fast64_t field;
#include "app/metrics.def"
#undef METRIC
};

/* Adds to one counter of one's own block. */
#define SP_COUNT(counters, field, n)                                                   \
    atomic_store_explicit(                                                             \
        &(counters)->field,                                                            \
        atomic_load_explicit(&(counters)->field, memory_order_relaxed) +               \
            (uint64_t)(n),                                                             \
        memory_order_relaxed)

struct sp_totals {
#define METRIC(field, series, labels, help) uint64_t field;
#include "app/metrics.def"
#undef METRIC
};
void sp_totals_add(struct sp_totals *t, const struct sp_counters *c);
/* Prometheus text, one series a row. */
enum sp_err sp_totals_write(const struct sp_totals *t, struct sp_buf *out) SP_MUST_USE;

#endif
