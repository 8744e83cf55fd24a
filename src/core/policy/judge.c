#include "core/policy/rules.h"

#include "core/base/text.h"

#include <string.h>

_Static_assert(SP_RULE_COUNT <= 64, "sp_verdict.observed has one bit a rule");

/* A switch without default: a new row of rules.def does not build until it has its
 * case. */
static enum sp_finding find(enum sp_rule r, const struct sp_facts *f,
                            struct sp_why *why)
{
    switch (r) {
    case SP_RULE_REPORT_TAGS_KNOWN:
        return sp_rule_report_tags_known(f, why);
    case SP_RULE_UPSTREAM_PINNED:
        return sp_rule_upstream_pinned(f, why);
    case SP_RULE_REPLY_WELLFORMED:
        return sp_rule_reply_wellformed(f, why);
    case SP_RULE_SERVICE_URL_RELATIVE:
        return sp_rule_service_url_relative(f, why);
    case SP_RULE_ANCHOR_NOT_OLDER:
        return sp_rule_anchor_not_older(f, why);
    case SP_RULE_METADATA_FRESH:
        return sp_rule_metadata_fresh(f, why);
    case SP_RULE_FRAGMENT_DERIVED:
        return sp_rule_fragment_derived(f, why);
    case SP_RULE_DOCUMENT_READABLE:
        return sp_rule_document_readable(f, why);
    case SP_RULE_REVISION_ASKED:
        return sp_rule_revision_asked(f, why);
    case SP_RULE_IDENTITY_EQUAL:
        return sp_rule_identity_equal(f, why);
    case SP_RULE_REVISION_IMMUTABLE:
        return sp_rule_revision_immutable(f, why);
    case SP_RULE_DIGESTS_SOUND:
        return sp_rule_digests_sound(f, why);
    case SP_RULE_FILE_DIGESTS_EQUAL:
        return sp_rule_file_digests_equal(f, why);
    case SP_RULE_URL_NAMES_DIGEST:
        return sp_rule_url_names_digest(f, why);
    case SP_RULE_URL_HOST_KNOWN:
        return sp_rule_url_host_known(f, why);
    case SP_RULE_HANDLER_AGREES:
        return sp_rule_handler_agrees(f, why);
    case SP_RULE_SHA256_PRESENT:
        return sp_rule_sha256_present(f, why);
    case SP_RULE_CATEGORY_REACHED:
        return sp_rule_category_reached(f, why);
    case SP_RULE_TIMES_ZONED:
        return sp_rule_times_zoned(f, why);
    case SP_RULE_PROGRAM_IS_UPDATE:
        return sp_rule_program_is_update(f, why);
    case SP_RULE_SHAPE_WSUSPECT:
        return sp_rule_shape_wsuspect(f, why);
    case SP_RULE_SHAPE_WSUSPICIOUS:
        return sp_rule_shape_wsuspicious(f, why);
    case SP_RULE_SHAPE_PYWSUS:
        return sp_rule_shape_pywsus(f, why);
    case SP_RULE_SHAPE_WSUSPENDU:
        return sp_rule_shape_wsuspendu(f, why);
    case SP_RULE_SHAPE_SHARPWSUS:
        return sp_rule_shape_sharpwsus(f, why);
    case SP_RULE_REVISION_NO_JUMP:
        return sp_rule_revision_no_jump(f, why);
    case SP_RULE_REVISION_NO_ROLLBACK:
        return sp_rule_revision_no_rollback(f, why);
    case SP_RULE_BUNDLE_WHOLE:
        return sp_rule_bundle_whole(f, why);
    case SP_RULE_BUNDLE_KNOWN:
        return sp_rule_bundle_known(f, why);
    case SP_RULE_PREREQUISITES_KNOWN:
        return sp_rule_prerequisites_known(f, why);
    case SP_RULE_WITNESS_NO_CONTRADICTION:
        return sp_rule_witness_no_contradiction(f, why);
    case SP_RULE_WITNESS_KNOWS:
        return sp_rule_witness_knows(f, why);
    case SP_RULE_COMMAND_WITNESSED:
        return sp_rule_command_witnessed(f, why);
    case SP_RULE_TIER_PROVEN:
        return sp_rule_tier_proven(f, why);
    case SP_RULE_FILE_SIZE:
        return sp_rule_file_size(f, why);
    case SP_RULE_FILE_SHA1:
        return sp_rule_file_sha1(f, why);
    case SP_RULE_FILE_SHA256:
        return sp_rule_file_sha256(f, why);
    case SP_RULE_FILE_NOT_REVOKED:
        return sp_rule_file_not_revoked(f, why);
    case SP_RULE_FILE_SIGNED:
        return sp_rule_file_signed(f, why);
    case SP_RULE_FILE_SIGNATURE_STRICT:
        return sp_rule_file_signature_strict(f, why);
    case SP_RULE_FILE_TYPE_AGREES:
        return sp_rule_file_type_agrees(f, why);
    case SP_RULE_FILE_DIGEST_STRONG:
        return sp_rule_file_digest_strong(f, why);
    case SP_RULE_FILE_NOT_TOOL:
        return sp_rule_file_not_tool(f, why);
    case SP_RULE_COUNT:
        break;
    }
    SP_ASSERT(r < SP_RULE_COUNT);
    return SP_FAILS;
}

/* Does r refuse, and more strongly than what refused before it? */
static bool is_stronger(const struct sp_verdict *v, enum sp_action action)
{
    return v->ruling != SP_REFUSED || action < v->action;
}

static void apply(enum sp_rule r, const struct sp_policy *p,
                  const struct sp_facts *facts, struct sp_verdict *v)
{
    struct sp_why why = {0};
    bool enforced = sp_policy_mode(p, r) == SP_MODE_ENFORCE;
    enum sp_action action = sp_policy_action(p, r);
    enum sp_finding found = find(r, facts, &why);
    if (found == SP_FAILS && r == SP_RULE_FILE_SIGNED &&
        sp_rule_is_well_signed(facts) && sp_policy_has_publisher(p, facts)) {
        found = SP_HOLDS;
    }
    if (found == SP_FAILS) {
        v->failed |= (uint64_t)1 << r;
    }
    if (found == SP_FAILS && !enforced) {
        v->observed |= (uint64_t)1 << r;
    }
    if (found == SP_FAILS && enforced && is_stronger(v, action)) {
        v->ruling = SP_REFUSED;
        v->rule = r;
        v->action = action;
        v->why = why;
    }
    bool let_pass = found == SP_HOLDS || (found == SP_FAILS && !enforced);
    if (let_pass && v->ruling == SP_UNPROVEN) {
        v->ruling = SP_PASSED;
    }
}

void sp_policy_judge(const struct sp_policy *p, enum sp_subject subject,
                     const struct sp_facts *facts, struct sp_verdict *out)
{
    struct sp_verdict v = {.ruling = SP_UNPROVEN};
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (sp_rule_subject(r) == subject && sp_policy_mode(p, r) != SP_MODE_OFF) {
            apply(r, p, facts, &v);
        }
    }
    if (v.ruling == SP_UNPROVEN) {
        enum sp_err e =
            sp_why_set(&v.why, SP_E_UNPROVEN, "no rule of policy %s applies to it",
                       sp_policy_name(p));
        SP_ASSERT(e == SP_E_UNPROVEN);
    }
    *out = v;
}

/* A sentence may be cut inside a character of somebody's text. */
static struct sp_view as_utf8(struct sp_why *why)
{
    struct sp_view v = sp_view_str(why->text);
    if (!sp_utf8_is_valid(v)) {
        for (char *p = why->text; *p; p++) {
            *p = (unsigned char)*p < 0x80 ? *p : '?';
        }
    }
    return v;
}

enum sp_err sp_verdict_to_facts(const struct sp_verdict *v, const struct sp_policy *p,
                                struct sp_facts *facts)
{
    SP_TRY(sp_facts_text(facts, SP_FACT_VERDICT_RULING,
                         sp_view_str(sp_ruling_text(v->ruling))));
    if (v->ruling == SP_REFUSED) {
        SP_TRY(sp_facts_text(facts, SP_FACT_VERDICT_RULE,
                             sp_view_str(sp_rule_text(v->rule))));
    }
    if (v->ruling == SP_REFUSED &&
        v->action != sp_action_usual(sp_rule_subject(v->rule))) {
        SP_TRY(sp_facts_text(facts, SP_FACT_VERDICT_ACTION,
                             sp_view_str(sp_action_text(v->action))));
    }
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (v->observed >> r & 1) {
            SP_TRY(sp_facts_text(facts, SP_FACT_VERDICT_OBSERVED,
                                 sp_view_str(sp_rule_text(r))));
        }
    }
    if (v->why.text[0]) {
        struct sp_why why = v->why;
        SP_TRY(sp_facts_text(facts, SP_FACT_VERDICT_WHY, as_utf8(&why)));
    }
    return sp_facts_text(facts, SP_FACT_VERDICT_POLICY, sp_view_str(sp_policy_name(p)));
}
