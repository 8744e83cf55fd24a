/* What the ledger adds: a revision among those that were recorded before it. */
#include "core/policy/rules.h"

#include "core/base/limits.h"

/* Facts of a revision that is new here; false where it was recorded before. */
static bool is_new(const struct sp_facts *f, struct sp_fact_value *number)
{
    return sp_facts_count(f, SP_FACT_DOCUMENT_FIRST_SHA256) == 0 &&
           sp_rule_one(f, SP_FACT_UPDATE_REVISION, number);
}

enum sp_finding sp_rule_revision_no_jump(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value number, highest = {.number = 0};
    if (!is_new(f, &number)) {
        return SP_DOES_NOT_APPLY;
    }
    bool known = sp_rule_one(f, SP_FACT_KNOWN_HIGHEST, &highest);
    int64_t most = known ? highest.number + SP_LIMIT_REVISION_JUMP
                         : (int64_t)SP_LIMIT_REVISION_FIRST;
    if (number.number <= most) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_LIMIT,
                               "revision %s of update %s, of which %s was the highest: "
                               "at most %lld was expected. A number at the end of the "
                               "range leaves no room for a true successor",
                               sp_rule_say(f, SP_FACT_UPDATE_REVISION).text,
                               sp_rule_say(f, SP_FACT_UPDATE_ID).text,
                               sp_rule_say(f, SP_FACT_KNOWN_HIGHEST).text,
                               (long long)most));
}

enum sp_finding sp_rule_revision_no_rollback(const struct sp_facts *f,
                                             struct sp_why *why)
{
    struct sp_fact_value number, highest;
    if (!is_new(f, &number) || !sp_rule_one(f, SP_FACT_KNOWN_HIGHEST, &highest)) {
        return SP_DOES_NOT_APPLY;
    }
    if (number.number > highest.number) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "revision %s of update %s came after its revision %s",
                               sp_rule_say(f, SP_FACT_UPDATE_REVISION).text,
                               sp_rule_say(f, SP_FACT_UPDATE_ID).text,
                               sp_rule_say(f, SP_FACT_KNOWN_HIGHEST).text));
}

enum sp_finding sp_rule_bundle_whole(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_count(f, SP_FACT_BUNDLE_WITHHELD) == 0) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "the bundle installs %s, which is withheld",
                               sp_rule_say(f, SP_FACT_BUNDLE_WITHHELD).text));
}

static enum sp_finding all_known(const struct sp_facts *f, const char *what,
                                 enum sp_fact missing, struct sp_why *why)
{
    if (sp_facts_count(f, missing) == 0) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "%s %s, which was not recorded here and does not come "
                               "in this reply either",
                               what, sp_rule_say(f, missing).text));
}

enum sp_finding sp_rule_bundle_known(const struct sp_facts *f, struct sp_why *why)
{
    return sp_facts_count(f, SP_FACT_DOCUMENT_BUNDLES) == 0
               ? SP_DOES_NOT_APPLY
               : all_known(f, "the bundle installs", SP_FACT_BUNDLE_MISSING, why);
}

enum sp_finding sp_rule_prerequisites_known(const struct sp_facts *f,
                                            struct sp_why *why)
{
    bool has = sp_facts_count(f, SP_FACT_DOCUMENT_PREREQUISITE) ||
               sp_facts_count(f, SP_FACT_DOCUMENT_CATEGORY);
    return has ? all_known(f, "the update presupposes", SP_FACT_PREREQUISITE_MISSING,
                           why)
               : SP_DOES_NOT_APPLY;
}
