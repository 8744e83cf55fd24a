/* What signatures of files must show. None of these applies where nobody looked for
 * signatures, which is when there is no sign.* fact at all. */
#include "core/policy/rules.h"

static bool is_signed_class(const struct sp_facts *f)
{
    struct sp_fact_value v;
    return sp_rule_one(f, SP_FACT_SIGN_CLASS, &v) &&
           sp_view_eq(v.bytes, SP_VIEW("signed"));
}

/* It is there and false: what nobody looked at is not false. */
static bool is_false(const struct sp_facts *f, enum sp_fact k)
{
    struct sp_fact_value v;
    return sp_rule_one(f, k, &v) && v.number == 0;
}

static enum sp_finding fails(const struct sp_facts *f, const char *what,
                             struct sp_why *why)
{
    return sp_fails(sp_why_set(why, SP_E_MISMATCH, "%s of %s (%s): %s", what,
                               sp_rule_say(f, SP_FACT_FILE_PATH).text,
                               sp_rule_say(f, SP_FACT_SIGN_FORMAT).text,
                               sp_rule_say(f, SP_FACT_SIGN_ERROR).text));
}

enum sp_finding sp_rule_file_not_revoked(const struct sp_facts *f, struct sp_why *why)
{
    if (!is_signed_class(f) || sp_facts_count(f, SP_FACT_SIGN_REVOKED) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    return is_false(f, SP_FACT_SIGN_REVOKED) ? SP_HOLDS
                                             : fails(f, "a signer's certificate", why);
}

/* Where catalogues were asked, they vouch for what carries no signature itself. */
static enum sp_finding not_listed(const struct sp_facts *f, struct sp_why *why)
{
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "no good catalogue by a trusted root lists %s: %s",
                               sp_rule_say(f, SP_FACT_FILE_PATH).text,
                               sp_rule_say(f, SP_FACT_SIGN_CATALOG).text));
}

bool sp_rule_is_well_signed(const struct sp_facts *f)
{
    struct sp_fact_value count;
    return is_signed_class(f) && sp_rule_one(f, SP_FACT_SIGN_COUNT, &count) &&
           count.number > 0 && sp_facts_has_flag(f, SP_FACT_SIGN_DIGEST_GOOD) &&
           sp_facts_has_flag(f, SP_FACT_SIGN_SIGNATURE_GOOD) &&
           is_false(f, SP_FACT_SIGN_EXPLICIT_CURVE);
}

enum sp_finding sp_rule_file_signed(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_has_flag(f, SP_FACT_SIGN_LISTED)) {
        return SP_HOLDS;
    }
    if (!is_signed_class(f)) {
        return is_false(f, SP_FACT_SIGN_LISTED) ? not_listed(f, why)
                                                : SP_DOES_NOT_APPLY;
    }
    bool holds =
        sp_rule_is_well_signed(f) && sp_facts_has_flag(f, SP_FACT_SIGN_ROOT_TRUSTED);
    return holds ? SP_HOLDS : fails(f, "signature", why);
}

enum sp_finding sp_rule_file_signature_strict(const struct sp_facts *f,
                                              struct sp_why *why)
{
    if (!is_signed_class(f)) {
        return SP_DOES_NOT_APPLY;
    }
    bool holds = is_false(f, SP_FACT_SIGN_TRAILING_DATA) &&
                 is_false(f, SP_FACT_SIGN_OUTSIDE_BYTES) &&
                 is_false(f, SP_FACT_SIGN_OVERLAP) &&
                 sp_facts_count(f, SP_FACT_SIGN_POLYGLOT) == 0;
    return holds ? SP_HOLDS : fails(f, "bytes that no signature covers", why);
}

enum sp_finding sp_rule_file_type_agrees(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_count(f, SP_FACT_SIGN_CLASS) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    if (sp_facts_has_flag(f, SP_FACT_SIGN_EXTENSION_AGREES)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "%s is by its content %s, which its extension does not "
                               "promise",
                               sp_rule_say(f, SP_FACT_FILE_PATH).text,
                               sp_rule_say(f, SP_FACT_SIGN_FORMAT).text));
}

enum sp_finding sp_rule_file_digest_strong(const struct sp_facts *f, struct sp_why *why)
{
    bool is_listed = sp_facts_has_flag(f, SP_FACT_SIGN_LISTED);
    if (!is_signed_class(f) && !is_listed) {
        return SP_DOES_NOT_APPLY;
    }
    if (is_false(f, SP_FACT_SIGN_WEAK_ONLY) ||
        sp_facts_has_flag(f, SP_FACT_SIGN_LISTED_STRONGLY)) {
        return SP_HOLDS;
    }
    if (is_listed) {
        return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                   "%s is listed by SHA-1 or under SHA-1 only: %s",
                                   sp_rule_say(f, SP_FACT_FILE_PATH).text,
                                   sp_rule_say(f, SP_FACT_SIGN_CATALOG).text));
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "%s is signed with %s only; a trusted signature with "
                               "SHA-256 or better is wanted",
                               sp_rule_say(f, SP_FACT_FILE_PATH).text,
                               sp_rule_say(f, SP_FACT_SIGN_DIGEST_ALGORITHM).text));
}
