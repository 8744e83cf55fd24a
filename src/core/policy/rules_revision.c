#include "core/policy/rules.h"

enum sp_finding sp_rule_document_readable(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    if (sp_facts_count(f, SP_FACT_DOCUMENT_ERROR) > 0) {
        return sp_fails(sp_why_set(why, SP_E_MALFORMED,
                                   "the document cannot be read: %s",
                                   sp_rule_say(f, SP_FACT_DOCUMENT_ERROR).text));
    }
    if (sp_facts_count(f, SP_FACT_TOLD_NUMBER) == 1) {
        return SP_HOLDS; /* what clients are told is no document */
    }
    if (!sp_rule_one(f, SP_FACT_DOCUMENT_SHA256, &v)) {
        return sp_fails(sp_why_set(
            why, SP_E_MALFORMED, "one document was expected for the revision; came %s",
            sp_rule_say(f, SP_FACT_DOCUMENT_SHA256).text));
    }
    return SP_HOLDS;
}

enum sp_finding sp_rule_revision_asked(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_has_flag(f, SP_FACT_UPDATE_ASKED)) {
        return SP_HOLDS;
    }
    return sp_fails(
        sp_why_set(why, SP_E_MISMATCH,
                   "the upstream sent revision %s of update %s, which nobody "
                   "asked for",
                   sp_rule_say(f, SP_FACT_UPDATE_REVISION).text,
                   sp_rule_say(f, SP_FACT_UPDATE_ID).text));
}

static bool is_one_and_same(const struct sp_facts *f, enum sp_fact a, enum sp_fact b)
{
    return sp_facts_count(f, a) == 1 && sp_facts_same_set(f, a, b);
}

enum sp_finding sp_rule_identity_equal(const struct sp_facts *f, struct sp_why *why)
{
    if (!is_one_and_same(f, SP_FACT_UPDATE_ID, SP_FACT_DOCUMENT_ID)) {
        return sp_fails(sp_why_set(
            why, SP_E_MISMATCH, "the reply announces update %s; its document says %s",
            sp_rule_say(f, SP_FACT_UPDATE_ID).text,
            sp_rule_say(f, SP_FACT_DOCUMENT_ID).text));
    }
    if (!is_one_and_same(f, SP_FACT_UPDATE_REVISION, SP_FACT_DOCUMENT_REVISION)) {
        return sp_fails(sp_why_set(
            why, SP_E_MISMATCH,
            "the reply announces revision %s of update %s; its document says "
            "revision %s",
            sp_rule_say(f, SP_FACT_UPDATE_REVISION).text,
            sp_rule_say(f, SP_FACT_UPDATE_ID).text,
            sp_rule_say(f, SP_FACT_DOCUMENT_REVISION).text));
    }
    return SP_HOLDS;
}

enum sp_finding sp_rule_revision_immutable(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    bool has_document = sp_rule_one(f, SP_FACT_DOCUMENT_SHA256, &v);
    bool is_first = sp_facts_count(f, SP_FACT_DOCUMENT_FIRST_SHA256) == 0;
    bool is_same =
        sp_facts_same_set(f, SP_FACT_DOCUMENT_FIRST_SHA256, SP_FACT_DOCUMENT_SHA256);
    if (has_document && (is_first || is_same)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(
        why, SP_E_MISMATCH,
        "the document has SHA-256 %s; first recorded for this revision was %s. "
        "A revision never changes: look at the upstream before anything else",
        sp_rule_say(f, SP_FACT_DOCUMENT_SHA256).text,
        sp_rule_say(f, SP_FACT_DOCUMENT_FIRST_SHA256).text));
}

/* The first digest of a that b lacks; false where there is none. */
static bool find_missing(const struct sp_facts *f, enum sp_fact a, enum sp_fact b,
                         struct sp_fact_value *out)
{
    struct sp_fact_value x, y;
    /* both are in the same order, so the first difference shows it */
    for (size_t i = 0; sp_facts_get(f, a, i, &x); i++) {
        if (!sp_facts_get(f, b, i, &y) || sp_view_cmp(x.bytes, y.bytes) < 0) {
            *out = x;
            return true;
        }
        if (sp_view_cmp(x.bytes, y.bytes) > 0) {
            return false;
        }
    }
    return false;
}

enum sp_finding sp_rule_file_digests_equal(const struct sp_facts *f, struct sp_why *why)
{
    const enum sp_fact list = SP_FACT_UPDATE_FILE_DIGEST;
    const enum sp_fact document = SP_FACT_DOCUMENT_FILE_DIGEST;
    struct sp_fact_value v;
    if (sp_facts_same_set(f, list, document)) {
        return SP_HOLDS;
    }
    if (find_missing(f, list, document, &v)) {
        return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                   "FileDigestList names a file that the document does "
                                   "not: SHA-1 %s",
                                   sp_rule_say_value(list, &v).text));
    }
    SP_ASSERT(find_missing(f, document, list, &v));
    return sp_fails(
        sp_why_set(why, SP_E_MISMATCH,
                   "the document names a file that FileDigestList does not: "
                   "SHA-1 %s",
                   sp_rule_say_value(document, &v).text));
}

enum sp_finding sp_rule_digests_sound(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_has_flag(f, SP_FACT_DOCUMENT_DIGESTS_SOUND)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MALFORMED,
                               "a digest in the document does not have its algorithm's "
                               "length"));
}
