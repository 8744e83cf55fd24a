#include "core/policy/rules.h"

enum sp_finding sp_rule_upstream_pinned(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    if (!sp_rule_one(f, SP_FACT_UPSTREAM_TRANSPORT, &v) ||
        !sp_view_eq_str(v.bytes, "tls")) {
        return sp_fails(sp_why_set(
            why, SP_E_UNPROVEN,
            "the upstream was to be reached over \"tls\" and was over %s; give it an "
            "https address",
            sp_rule_say(f, SP_FACT_UPSTREAM_TRANSPORT).text));
    }
    size_t pins = sp_facts_count(f, SP_FACT_UPSTREAM_PIN);
    for (size_t i = 0; sp_facts_get(f, SP_FACT_UPSTREAM_PIN, i, &v); i++) {
        if (!sp_rule_has(f, SP_FACT_UPSTREAM_SPKI, &v)) {
            return sp_fails(sp_why_set(why, SP_E_UNPROVEN,
                                       "the pin %s is not in the upstream's chain, "
                                       "whose keys are %s",
                                       sp_rule_say(f, SP_FACT_UPSTREAM_PIN).text,
                                       sp_rule_say(f, SP_FACT_UPSTREAM_SPKI).text));
        }
    }
    if (pins == 0) {
        return sp_fails(sp_why_set(why, SP_E_UNPROVEN,
                                   "no key of the upstream's chain is pinned; its keys "
                                   "are %s: pin one of them if it is yours",
                                   sp_rule_say(f, SP_FACT_UPSTREAM_SPKI).text));
    }
    return SP_HOLDS;
}
