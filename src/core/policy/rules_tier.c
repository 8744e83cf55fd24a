/* Where the upstream is another sallyport, what it sends must be in its own ledger: it
 * recorded it before it sent it, so it cannot deny it later. */
#include "core/policy/rules.h"

enum sp_finding sp_rule_tier_proven(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    if (!sp_facts_has_flag(f, SP_FACT_TIER_REQUIRED)) {
        return SP_DOES_NOT_APPLY;
    }
    if (!sp_rule_one(f, SP_FACT_TIER_STATE, &v) || !sp_view_eq_str(v.bytes, "good")) {
        return sp_fails(sp_why_set(why, SP_E_UNPROVEN,
                                   "the upstream's ledger is %s: %s",
                                   sp_rule_say(f, SP_FACT_TIER_STATE).text,
                                   sp_rule_say(f, SP_FACT_TIER_WHY).text));
    }
    if (sp_facts_count(f, SP_FACT_TIER_DOCUMENT_SHA256) == 0) {
        return sp_fails(sp_why_set(
            why, SP_E_UNPROVEN,
            "the upstream's ledger %s, read up to its %s entries, does not hold this "
            "revision: it was sent and not recorded, or the ledger is frozen",
            sp_rule_say(f, SP_FACT_TIER_ORIGIN).text,
            sp_rule_say(f, SP_FACT_TIER_SIZE).text));
    }
    if (!sp_facts_same_set(f, SP_FACT_TIER_DOCUMENT_SHA256, SP_FACT_DOCUMENT_SHA256)) {
        return sp_fails(sp_why_set(
            why, SP_E_MISMATCH,
            "the document has SHA-256 %s; entry %s of the upstream's ledger names %s",
            sp_rule_say(f, SP_FACT_DOCUMENT_SHA256).text,
            sp_rule_say(f, SP_FACT_TIER_ENTRY).text,
            sp_rule_say(f, SP_FACT_TIER_DOCUMENT_SHA256).text));
    }
    return SP_HOLDS;
}

/* What nobody else saw, one tier may have been told alone. */
enum sp_finding sp_rule_tier_cosigned(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value wanted, got;
    if (!sp_facts_has_flag(f, SP_FACT_TIER_REQUIRED) ||
        !sp_rule_one(f, SP_FACT_TIER_COSIGNED_WANTED, &wanted) ||
        sp_facts_count(f, SP_FACT_TIER_ENTRY) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    if (sp_rule_one(f, SP_FACT_TIER_COSIGNED, &got) && got.number >= wanted.number) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(
        why, SP_E_UNPROVEN,
        "what the upstream's ledger %s says of it was cosigned by %s of the cosigners "
        "that are known; %s are demanded",
        sp_rule_say(f, SP_FACT_TIER_ORIGIN).text,
        sp_rule_say(f, SP_FACT_TIER_COSIGNED).text,
        sp_rule_say(f, SP_FACT_TIER_COSIGNED_WANTED).text));
}
