/* Freshness: a list of revisions that brings nothing, beside the calendar. A list that
 * brings something is never called old: refusing it would keep the freeze up. */
#include "core/gate/private.h"

#include "core/base/text.h"
#include "core/custody/freshness.h"

static enum sp_err state_time(struct sp_facts *f, enum sp_fact k, int64_t at)
{
    char text[SP_TIME_TEXT];
    sp_time_format(at, text);
    return sp_facts_text(f, k, sp_view_str(text));
}

enum sp_err sp_gate_state_freshness(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    const struct sp_asker *a = &g->asker;
    struct sp_freshness found;
    if (g->op != SP_OP_GET_REVISION_ID_LIST || r->listed_count > 0 || a->newest == 0 ||
        sp_facts_count(r->facts, SP_FACT_FRESHNESS_NEWEST) > 0) {
        return SP_OK;
    }
    sp_freshness_at(a->newest, g->door->freshness_days, a->now, &found);
    SP_TRY(state_time(r->facts, SP_FACT_FRESHNESS_NEWEST, a->newest));
    SP_TRY(sp_facts_int(r->facts, SP_FACT_FRESHNESS_DAYS, found.days));
    SP_TRY(sp_facts_int(r->facts, SP_FACT_FRESHNESS_MOST, g->door->freshness_days));
    return found.has_missed
               ? state_time(r->facts, SP_FACT_FRESHNESS_MISSED, found.missed)
               : SP_OK;
}
