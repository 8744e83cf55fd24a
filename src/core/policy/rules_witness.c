/* What others say about a revision. Missing, agreeing and contradicting are three
 * facts; where nobody was asked there is none, and none of these rules applies. */
#include "core/policy/rules.h"

static bool is_asked(const struct sp_facts *f)
{
    return sp_facts_count(f, SP_FACT_WITNESS_AGREE) > 0 ||
           sp_facts_count(f, SP_FACT_WITNESS_CONTRADICT) > 0 ||
           sp_facts_count(f, SP_FACT_WITNESS_MISSING) > 0;
}

/* The largest, where two parts of the program count. */
static int64_t count_of(const struct sp_facts *f, enum sp_fact k)
{
    struct sp_fact_value v;
    size_t n = sp_facts_count(f, k);
    return n && sp_facts_get(f, k, n - 1, &v) ? v.number : 0;
}

enum sp_finding sp_rule_witness_no_contradiction(const struct sp_facts *f,
                                                 struct sp_why *why)
{
    if (!is_asked(f)) {
        return SP_DOES_NOT_APPLY;
    }
    if (count_of(f, SP_FACT_WITNESS_CONTRADICT) == 0) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "%s witnesses know another document for this revision "
                               "(%s know this one)",
                               sp_rule_say(f, SP_FACT_WITNESS_CONTRADICT).text,
                               sp_rule_say(f, SP_FACT_WITNESS_AGREE).text));
}

enum sp_finding sp_rule_witness_knows(const struct sp_facts *f, struct sp_why *why)
{
    if (!is_asked(f)) {
        return SP_DOES_NOT_APPLY;
    }
    if (count_of(f, SP_FACT_WITNESS_AGREE) > 0) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_UNPROVEN,
                               "no witness knows this document; %s were asked and do "
                               "not know the revision",
                               sp_rule_say(f, SP_FACT_WITNESS_MISSING).text));
}

enum sp_finding sp_rule_command_witnessed(const struct sp_facts *f, struct sp_why *why)
{
    if (!is_asked(f) || !sp_rule_is_command(f)) {
        return SP_DOES_NOT_APPLY;
    }
    if (count_of(f, SP_FACT_WITNESS_AGREE) > 0) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_UNPROVEN,
                               "the document runs %s with the arguments %s, and no "
                               "witness knows it",
                               sp_rule_say(f, SP_FACT_DOCUMENT_PROGRAM).text,
                               sp_rule_say(f, SP_FACT_DOCUMENT_ARGUMENTS).text));
}
