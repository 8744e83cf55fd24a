#include "app/metrics.h"

#include <inttypes.h>
#include <string.h>

void sp_totals_add(struct sp_totals *t, const struct sp_counters *c)
{
#define METRIC(field, series, labels, help)                                            \
    t->field += atomic_load_explicit(&c->field, memory_order_relaxed);
#include "app/metrics.def"
#undef METRIC
}

static enum sp_err write_row(struct sp_buf *out, const char **last, const char *series,
                             const char *labels, const char *help, uint64_t value)
{
    if (!*last || strcmp(*last, series) != 0) {
        SP_TRY(sp_buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n", series, help,
                             series));
        *last = series;
    }
    return sp_buf_printf(out, "%s%s%s%s %" PRIu64 "\n", series, labels[0] ? "{" : "",
                         labels, labels[0] ? "}" : "", value);
}

enum sp_err sp_totals_write(const struct sp_totals *t, struct sp_buf *out)
{
    const char *last = NULL;
#define METRIC(field, series, labels, help)                                            \
    SP_TRY(write_row(out, &last, series, labels, help, t->field));
#include "app/metrics.def"
#undef METRIC
    return SP_OK;
}
