#include "core/policy/rules.h"

static enum sp_finding compare(const struct sp_facts *f, const char *what,
                               enum sp_fact claim, enum sp_fact measured,
                               struct sp_why *why)
{
    if (sp_facts_count(f, claim) == 1 && sp_facts_same_set(f, claim, measured)) {
        return SP_HOLDS;
    }
    return sp_fails(
        sp_why_set(why, SP_E_MISMATCH, "%s of %s: metadata names %s, received was %s",
                   what, sp_rule_say(f, SP_FACT_FILE_PATH).text,
                   sp_rule_say(f, claim).text, sp_rule_say(f, measured).text));
}

enum sp_finding sp_rule_file_size(const struct sp_facts *f, struct sp_why *why)
{
    return compare(f, "size", SP_FACT_FILE_CLAIM_SIZE, SP_FACT_FILE_SIZE, why);
}

enum sp_finding sp_rule_file_sha1(const struct sp_facts *f, struct sp_why *why)
{
    return compare(f, "SHA-1", SP_FACT_FILE_CLAIM_SHA1, SP_FACT_FILE_SHA1, why);
}

enum sp_finding sp_rule_file_sha256(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_count(f, SP_FACT_FILE_CLAIM_SHA256) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    return compare(f, "SHA-256", SP_FACT_FILE_CLAIM_SHA256, SP_FACT_FILE_SHA256, why);
}

/* threats A8: where only SHA-1 names a file, somebody may have made two of one name.
 * What nobody looked for is not known to be absent; entries from before say nothing of
 * it. */
enum sp_finding sp_rule_file_no_collision(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    if (sp_facts_count(f, SP_FACT_FILE_SHA1_COLLISION) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    for (size_t i = 0; sp_facts_get(f, SP_FACT_FILE_SHA1_COLLISION, i, &v); i++) {
        if (!sp_view_eq_str(v.bytes, "none")) {
            return sp_fails(
                sp_why_set(why, SP_E_MISMATCH,
                           "%s was made to share its SHA-1 with another file: %s",
                           sp_rule_say(f, SP_FACT_FILE_PATH).text,
                           sp_rule_say(f, SP_FACT_FILE_SHA1_COLLISION).text));
        }
    }
    return SP_HOLDS;
}
