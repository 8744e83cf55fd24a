/* What clients are told of an update comes from the same server as its document, so it
 * can be held against the document that was recorded. (reference 5.7, 6.3) */
#include "core/policy/rules.h"

/* Custody is a witness of all that servers were given: what is told to clients and was
 * never given to a server has none. */
enum sp_finding sp_rule_told_known(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_count(f, SP_FACT_TOLD_NUMBER) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    if (sp_facts_count(f, SP_FACT_DOCUMENT_SHA256) == 1) {
        return SP_HOLDS;
    }
    return sp_fails(
        sp_why_set(why, SP_E_UNPROVEN,
                   "clients are told of update %s, which goes by the number "
                   "%s, and no document of it is in custody",
                   sp_rule_say(f, SP_FACT_UPDATE_ID).text,
                   sp_rule_say(f, SP_FACT_TOLD_NUMBER).text));
}

enum sp_finding sp_rule_fragment_derived(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    if (sp_facts_get(f, SP_FACT_FRAGMENT_DIFFERS, 0, &v)) {
        return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                   "what clients are told differs from the document in "
                                   "custody: " SP_VIEW_FMT,
                                   SP_VIEW_ARG(v.bytes)));
    }
    /* an unknown document is neither for nor against it */
    return sp_facts_count(f, SP_FACT_FRAGMENT_AGREE) ? SP_HOLDS : SP_DOES_NOT_APPLY;
}
