#include "app/shared/observed.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

static struct sp_observed_row *row_of(struct sp_observed *o, enum sp_rule rule,
                                      const char *peer)
{
    struct sp_observed_row *oldest = o->rows;
    for (size_t i = 0; i < o->count; i++) {
        struct sp_observed_row *row = &o->rows[i];
        if (row->rule == rule && strcmp(row->peer, peer) == 0) {
            return row;
        }
        oldest = row->last < oldest->last ? row : oldest;
    }
    struct sp_observed_row *row =
        o->count < SP_OBSERVED_ROWS ? &o->rows[o->count++] : oldest;
    *row = (struct sp_observed_row){.rule = rule};
    snprintf(row->peer, sizeof row->peer, "%s", peer);
    return row;
}

void sp_observed_add(struct sp_observed *o, const struct sp_observation *what,
                     int64_t now)
{
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (what->observed >> r & 1) {
            struct sp_observed_row *row = row_of(o, r, what->peer);
            row->audited = what->audited >> r & 1;
            row->count++;
            row->last = now;
            snprintf(row->operation, sizeof row->operation, "%s", what->operation);
        }
    }
}

json_t *sp_observed_json(const struct sp_observed *o)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < o->count; i++) {
        const struct sp_observed_row *row = &o->rows[i];
        char last[SP_TIME_TEXT];
        sp_time_format(row->last, last);
        json_array_append_new(
            rows,
            json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "rule", sp_rule_text(row->rule),
                      "mode",
                      sp_mode_text(row->audited ? SP_MODE_AUDIT : SP_MODE_OBSERVE),
                      "peer", row->peer, "operation", row->operation, "count",
                      (json_int_t)row->count, "last", last));
    }
    return rows;
}
