/* What the calendar says of an upstream that has nothing new to tell. */
#include "core/policy/rules.h"

enum sp_finding sp_rule_metadata_fresh(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value days, most;
    if (!sp_rule_one(f, SP_FACT_FRESHNESS_DAYS, &days) ||
        !sp_rule_one(f, SP_FACT_FRESHNESS_MOST, &most)) {
        return SP_DOES_NOT_APPLY; /* something new came, or nothing ever did */
    }
    if (most.number > 0 && days.number > most.number) {
        return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                   "nothing new came since %s, for %s days; at most %s "
                                   "were expected: the upstream does not synchronize, "
                                   "or somebody keeps it as it was",
                                   sp_rule_say(f, SP_FACT_FRESHNESS_NEWEST).text,
                                   sp_rule_say(f, SP_FACT_FRESHNESS_DAYS).text,
                                   sp_rule_say(f, SP_FACT_FRESHNESS_MOST).text));
    }
    if (sp_facts_count(f, SP_FACT_FRESHNESS_MISSED) > 0) {
        return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                   "Microsoft published on %s and nothing new came "
                                   "since %s: the upstream does not synchronize, or "
                                   "somebody keeps it as it was",
                                   sp_rule_say(f, SP_FACT_FRESHNESS_MISSED).text,
                                   sp_rule_say(f, SP_FACT_FRESHNESS_NEWEST).text));
    }
    return SP_HOLDS;
}
