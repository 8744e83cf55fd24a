#include "app/shared/metrics.h"

#include <inttypes.h>
#include <string.h>

static const uint32_t bounds_ms[SP_DURATIONS] = SP_DURATION_BOUNDS_MS;

void sp_count_plain(struct sp_counters *c, enum sp_mode mode, bool refused)
{
    bool enforce = mode == SP_MODE_ENFORCE, audit = mode == SP_MODE_AUDIT;
    bool observe = mode == SP_MODE_OBSERVE;
    SP_COUNT(c, plain_enforce_passed, enforce && !refused);
    SP_COUNT(c, plain_enforce_refused, enforce && refused);
    SP_COUNT(c, plain_audit_passed, audit && !refused);
    SP_COUNT(c, plain_audit_refused, audit && refused);
    SP_COUNT(c, plain_observe_passed, observe && !refused);
    SP_COUNT(c, plain_observe_refused, observe && refused);
}

void sp_count_rules(struct sp_counters *c, uint64_t bits, const char *rule)
{
    if (!bits && !rule[0]) {
        return;
    }
#define RULE(name, text, subject, help)                                                \
    SP_COUNT(c, rule_##name, (bits >> SP_RULE_##name & 1) || strcmp(rule, text) == 0);
#include "core/policy/rules.def"
#undef RULE
}

void sp_count_refused_file(struct sp_counters *c, enum sp_rule rule)
{
    bool is_size = rule == SP_RULE_FILE_SIZE, is_sha256 = rule == SP_RULE_FILE_SHA256;
    bool is_sha1 = rule == SP_RULE_FILE_SHA1 || rule == SP_RULE_FILE_NO_COLLISION;
    bool is_kind = rule == SP_RULE_FILE_TYPE_AGREES || rule == SP_RULE_FILE_NOT_TOOL;
    SP_COUNT(c, refused_content, 1);
    SP_COUNT(c, refused_size, is_size);
    SP_COUNT(c, refused_sha1, is_sha1);
    SP_COUNT(c, refused_sha256, is_sha256);
    SP_COUNT(c, refused_kind, is_kind);
    SP_COUNT(c, refused_signature, !is_size && !is_sha1 && !is_sha256 && !is_kind);
}

void sp_count_fault(struct sp_counters *c, const char *code)
{
    if (!code[0]) {
        return;
    }
#define FAULT(name, text, whose) SP_COUNT(c, fault_##name, strcmp(code, text) == 0);
#include "core/wsus/faults.def"
#undef FAULT
}

void sp_durations_count(struct sp_durations *d, uint64_t ms)
{
    size_t i = 0;
    while (i < SP_DURATIONS && ms > bounds_ms[i]) {
        i++;
    }
    if (i < SP_DURATIONS) {
        SP_COUNT(d, within[i], 1);
    } else {
        SP_COUNT(d, longer, 1);
    }
    SP_COUNT(d, sum_ms, ms);
}

static void add_durations(struct sp_duration_totals *t, const struct sp_durations *d)
{
    for (size_t i = 0; i < SP_DURATIONS; i++) {
        t->within[i] += atomic_load_explicit(&d->within[i], memory_order_relaxed);
    }
    t->longer += atomic_load_explicit(&d->longer, memory_order_relaxed);
    t->sum_ms += atomic_load_explicit(&d->sum_ms, memory_order_relaxed);
}

void sp_totals_add(struct sp_totals *t, const struct sp_counters *c)
{
    add_durations(&t->metadata, &c->metadata);
    add_durations(&t->content, &c->content);
#define METRIC(field, series, labels, help)                                            \
    t->field += atomic_load_explicit(&c->field, memory_order_relaxed);
#include "app/shared/metrics.def"
#undef METRIC
}

void sp_totals_add_asked(struct sp_totals *t, const struct sp_asked_counts *c)
{
    for (unsigned what = 0; what < SP_ASKED_KINDS; what++) {
        for (unsigned k = 0; k < SP_CLASSES; k++) {
            t->classes[k] += sp_asked_read(c, (enum sp_asked)what, k);
        }
    }
}

uint64_t sp_totals_requests(const struct sp_totals *t)
{
    uint64_t all = 0;
    for (unsigned k = 0; k < SP_CLASSES; k++) {
        all += t->classes[k];
    }
    return all;
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

static enum sp_err write_durations(const struct sp_duration_totals *t, const char *what,
                                   struct sp_buf *out)
{
    uint64_t all = 0;
    for (size_t i = 0; i < SP_DURATIONS; i++) {
        all += t->within[i];
        SP_TRY(sp_buf_printf(out,
                             "sallyport_request_duration_seconds_bucket{what=\"%s\","
                             "le=\"%g\"} %" PRIu64 "\n",
                             what, bounds_ms[i] / 1000.0, all));
    }
    all += t->longer;
    return sp_buf_printf(
        out,
        "sallyport_request_duration_seconds_bucket{what=\"%s\",le=\"+Inf\"} %" PRIu64
        "\nsallyport_request_duration_seconds_sum{what=\"%s\"} %.3f\n"
        "sallyport_request_duration_seconds_count{what=\"%s\"} %" PRIu64 "\n",
        what, all, what, (double)t->sum_ms / 1000, what, all);
}

enum sp_err sp_totals_write(const struct sp_totals *t, struct sp_buf *out)
{
    const char *last = NULL;
    SP_TRY(sp_buf_append_str(
        out,
        "# HELP sallyport_request_duration_seconds From the head of the request to "
        "the end of the answer.\n"
        "# TYPE sallyport_request_duration_seconds histogram\n"));
    SP_TRY(write_durations(&t->metadata, "metadata", out));
    SP_TRY(write_durations(&t->content, "content", out));
#define METRIC(field, series, labels, help)                                            \
    SP_TRY(write_row(out, &last, series, labels, help, t->field));
#include "app/shared/metrics.def"
#undef METRIC
    return SP_OK;
}
