#include "core/policy/rules.h"

enum sp_finding sp_rule_report_tags_known(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value tag;
    if (!sp_facts_get(f, SP_FACT_REQUEST_UNKNOWN_TAG, 0, &tag)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "a report carries the tag \"" SP_VIEW_FMT
                               "\", which no agent is known to use",
                               SP_VIEW_ARG(tag.bytes)));
}
