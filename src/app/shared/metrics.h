/* Counters. One block per thread that counts, written by that thread alone with relaxed
 * stores and read by anybody; sums are made when somebody asks. */
#ifndef SP_APP_SHARED_METRICS_H
#define SP_APP_SHARED_METRICS_H

#include "app/shared/asked.h"
#include "sallyport/bytes.h"
#include "sallyport/policy.h"

#include <stdatomic.h>

/* How long exchanges took, from the head of the request to the end of the answer. */
enum { SP_DURATIONS = 10 };
#define SP_DURATION_BOUNDS_MS {5, 10, 50, 100, 500, 1000, 5000, 10000, 60000, 600000}
struct sp_durations {
    atomic_uint_fast64_t within[SP_DURATIONS]; /* not longer than the bound, not cumulative */
    atomic_uint_fast64_t longer, sum_ms;
};
void sp_durations_count(struct sp_durations *d, uint64_t ms);

struct sp_counters {
    struct sp_durations metadata, content;
#define METRIC(field, series, labels, help) atomic_uint_fast64_t field;
#include "app/shared/metrics.def"
#undef METRIC
};

/* Adds to one counter of one's own block. */
#define SP_COUNT(counters, field, n)                                                   \
    atomic_store_explicit(                                                             \
        &(counters)->field,                                                            \
        atomic_load_explicit(&(counters)->field, memory_order_relaxed) +               \
            (uint64_t)(n),                                                             \
        memory_order_relaxed)

/* Metadata over plain HTTP at a listener of that mode. */
void sp_count_plain(struct sp_counters *c, enum sp_mode mode, bool refused);
/* Rules that failed: those of the bits, and the one that is named; "" for none. */
void sp_count_rules(struct sp_counters *c, uint64_t bits, const char *rule);
/* A file that this rule refused, by what the rule checks. */
void sp_count_refused_file(struct sp_counters *c, enum sp_rule rule);
/* A fault by its ErrorCode; "" for none. */
void sp_count_fault(struct sp_counters *c, const char *code);

struct sp_duration_totals {
    uint64_t within[SP_DURATIONS], longer, sum_ms;
};

struct sp_totals {
    uint64_t classes[SP_CLASSES]; /* of requests */
    struct sp_duration_totals metadata, content;
#define METRIC(field, series, labels, help) uint64_t field;
#include "app/shared/metrics.def"
#undef METRIC
};
void sp_totals_add(struct sp_totals *t, const struct sp_counters *c);
void sp_totals_add_asked(struct sp_totals *t, const struct sp_asked_counts *c);
uint64_t sp_totals_requests(const struct sp_totals *t);
/* Prometheus text, one series a row. */
enum sp_err sp_totals_write(const struct sp_totals *t, struct sp_buf *out) SP_MUST_USE;

#endif
