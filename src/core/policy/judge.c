#include "core/policy/private.h"

#include "core/base/text.h"

#include <string.h>

_Static_assert(SP_RULE_COUNT <= 64, "sp_verdict.observed has one bit a rule");

/* Every rule that reads facts alone. That none is missing the golden cases show, which
 * see each rule hold and fail. */
static enum sp_finding (*const predicates[SP_RULE_COUNT])(const struct sp_facts *f,
                                                          struct sp_why *why) = {
    [SP_RULE_TRANSPORT_TLS] = sp_rule_transport_tls,
    [SP_RULE_TRANSPORT_TLS13] = sp_rule_transport_tls13,
    [SP_RULE_NAME_AGREES] = sp_rule_name_agrees,
    [SP_RULE_REPORT_TAGS_KNOWN] = sp_rule_report_tags_known,
    [SP_RULE_UPSTREAM_PINNED] = sp_rule_upstream_pinned,
    [SP_RULE_REPLY_WELLFORMED] = sp_rule_reply_wellformed,
    [SP_RULE_SERVICE_URL_RELATIVE] = sp_rule_service_url_relative,
    [SP_RULE_ANCHOR_NOT_OLDER] = sp_rule_anchor_not_older,
    [SP_RULE_METADATA_FRESH] = sp_rule_metadata_fresh,
    [SP_RULE_FRAGMENT_DERIVED] = sp_rule_fragment_derived,
    [SP_RULE_DOCUMENT_READABLE] = sp_rule_document_readable,
    [SP_RULE_REVISION_ASKED] = sp_rule_revision_asked,
    [SP_RULE_IDENTITY_EQUAL] = sp_rule_identity_equal,
    [SP_RULE_REVISION_IMMUTABLE] = sp_rule_revision_immutable,
    [SP_RULE_DIGESTS_SOUND] = sp_rule_digests_sound,
    [SP_RULE_FILE_DIGESTS_EQUAL] = sp_rule_file_digests_equal,
    [SP_RULE_URL_NAMES_DIGEST] = sp_rule_url_names_digest,
    [SP_RULE_URL_HOST_KNOWN] = sp_rule_url_host_known,
    [SP_RULE_HANDLER_AGREES] = sp_rule_handler_agrees,
    [SP_RULE_SHA256_PRESENT] = sp_rule_sha256_present,
    [SP_RULE_CATEGORY_REACHED] = sp_rule_category_reached,
    [SP_RULE_TIMES_ZONED] = sp_rule_times_zoned,
    [SP_RULE_PROGRAM_IS_UPDATE] = sp_rule_program_is_update,
    [SP_RULE_SHAPE_WSUSPECT] = sp_rule_shape_wsuspect,
    [SP_RULE_SHAPE_WSUSPICIOUS] = sp_rule_shape_wsuspicious,
    [SP_RULE_SHAPE_PYWSUS] = sp_rule_shape_pywsus,
    [SP_RULE_SHAPE_WSUSPENDU] = sp_rule_shape_wsuspendu,
    [SP_RULE_SHAPE_SHARPWSUS] = sp_rule_shape_sharpwsus,
    [SP_RULE_REVISION_NO_JUMP] = sp_rule_revision_no_jump,
    [SP_RULE_REVISION_NO_ROLLBACK] = sp_rule_revision_no_rollback,
    [SP_RULE_BUNDLE_WHOLE] = sp_rule_bundle_whole,
    [SP_RULE_BUNDLE_KNOWN] = sp_rule_bundle_known,
    [SP_RULE_PREREQUISITES_KNOWN] = sp_rule_prerequisites_known,
    [SP_RULE_WITNESS_NO_CONTRADICTION] = sp_rule_witness_no_contradiction,
    [SP_RULE_WITNESS_KNOWS] = sp_rule_witness_knows,
    [SP_RULE_COMMAND_WITNESSED] = sp_rule_command_witnessed,
    [SP_RULE_TIER_PROVEN] = sp_rule_tier_proven,
    [SP_RULE_TIER_COSIGNED] = sp_rule_tier_cosigned,
    [SP_RULE_TOLD_KNOWN] = sp_rule_told_known,
    [SP_RULE_FILE_SIZE] = sp_rule_file_size,
    [SP_RULE_FILE_SHA1] = sp_rule_file_sha1,
    [SP_RULE_FILE_SHA256] = sp_rule_file_sha256,
    [SP_RULE_FILE_NO_COLLISION] = sp_rule_file_no_collision,
    [SP_RULE_FILE_NOT_REVOKED] = sp_rule_file_not_revoked,
    [SP_RULE_FILE_SIGNED] = sp_rule_file_signed,
    [SP_RULE_FILE_SIGNATURE_STRICT] = sp_rule_file_signature_strict,
    [SP_RULE_FILE_TYPE_AGREES] = sp_rule_file_type_agrees,
    [SP_RULE_FILE_DIGEST_STRONG] = sp_rule_file_digest_strong,
    [SP_RULE_FILE_NOT_TOOL] = sp_rule_file_not_tool,
};

static enum sp_finding find(enum sp_rule r, const struct sp_policy *p,
                            const struct sp_facts *f, struct sp_why *why)
{
    if (r == SP_RULE_PEER_NETWORK) {
        return sp_rule_peer_network(f, sp_policy_peers(p), why);
    }
    if (r == SP_RULE_PEER_IDENTITY) {
        return sp_rule_peer_identity(f, sp_policy_peers(p), why);
    }
    SP_ASSERT(predicates[r]);
    return predicates[r](f, why);
}

/* Does r refuse, and more strongly than what refused before it? */
static bool is_stronger(const struct sp_verdict *v, enum sp_action action)
{
    return v->ruling != SP_REFUSED || action < v->action;
}

static void apply(enum sp_rule r, enum sp_mode mode, const struct sp_policy *p,
                  const struct sp_facts *facts, struct sp_verdict *v)
{
    struct sp_why why = {0};
    bool enforced = mode == SP_MODE_ENFORCE;
    enum sp_action action = sp_policy_action(p, r);
    enum sp_finding found = find(r, p, facts, &why);
    if (found == SP_FAILS && r == SP_RULE_FILE_SIGNED &&
        sp_rule_is_well_signed(facts) && sp_policy_has_publisher(p, facts)) {
        found = SP_HOLDS;
    }
    if (found == SP_FAILS) {
        v->failed |= (uint64_t)1 << r;
    }
    if (found == SP_FAILS && !enforced) {
        v->observed |= (uint64_t)1 << r;
        v->audited |= (uint64_t)(mode == SP_MODE_AUDIT) << r;
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
        enum sp_mode mode =
            sp_rule_judges(r, subject) ? sp_policy_mode_for(p, r, facts) : SP_MODE_OFF;
        if (mode != SP_MODE_OFF) {
            apply(r, mode, p, facts, &v);
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
