/* The rules, from the inside. A predicate is a pure function of facts: it finds that
 * the rule holds, fails or does not apply, and where it fails says in one sentence what
 * was expected, what came and, where there is something to do, what.
 *
 * A fact that a rule needs and that is absent makes it fail: what is not known is not
 * proven. Only where a row of rules.def says so does absence mean "does not apply". */
#ifndef SP_CORE_POLICY_RULES_H
#define SP_CORE_POLICY_RULES_H

#include "sallyport/policy.h"

enum sp_finding { SP_HOLDS, SP_FAILS, SP_DOES_NOT_APPLY };

/* Takes the result of sp_why_set, so that a finding is one statement:
 *     return sp_fails(sp_why_set(why, SP_E_MISMATCH, "...")); */
static inline enum sp_finding sp_fails(enum sp_err e)
{
    SP_ASSERT(e != SP_OK);
    return SP_FAILS;
}

/* rules_request.c; peer.h has those that read lines of the policy */
enum sp_finding sp_rule_transport_tls(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_transport_tls13(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_name_agrees(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_report_tags_known(const struct sp_facts *f, struct sp_why *why);
/* rules_link.c */
enum sp_finding sp_rule_upstream_pinned(const struct sp_facts *f, struct sp_why *why);
/* rules_reply.c */
enum sp_finding sp_rule_reply_wellformed(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_service_url_relative(const struct sp_facts *f,
                                             struct sp_why *why);
enum sp_finding sp_rule_anchor_not_older(const struct sp_facts *f, struct sp_why *why);
/* rules_freshness.c */
enum sp_finding sp_rule_metadata_fresh(const struct sp_facts *f, struct sp_why *why);
/* rules_fragment.c */
enum sp_finding sp_rule_told_known(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_fragment_derived(const struct sp_facts *f, struct sp_why *why);
/* rules_revision.c */
enum sp_finding sp_rule_document_readable(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_revision_asked(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_identity_equal(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_revision_immutable(const struct sp_facts *f,
                                           struct sp_why *why);
enum sp_finding sp_rule_file_digests_equal(const struct sp_facts *f,
                                           struct sp_why *why);
enum sp_finding sp_rule_digests_sound(const struct sp_facts *f, struct sp_why *why);
/* rules_url.c */
enum sp_finding sp_rule_url_names_digest(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_url_host_known(const struct sp_facts *f, struct sp_why *why);
/* rules_demands.c */
enum sp_finding sp_rule_handler_agrees(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_sha256_present(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_category_reached(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_times_zoned(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_program_is_update(const struct sp_facts *f, struct sp_why *why);
/* rules_shapes.c */
enum sp_finding sp_rule_shape_wsuspect(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_shape_wsuspicious(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_shape_pywsus(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_shape_wsuspendu(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_shape_sharpwsus(const struct sp_facts *f, struct sp_why *why);
/* rules_history.c */
enum sp_finding sp_rule_revision_no_jump(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_revision_no_rollback(const struct sp_facts *f,
                                             struct sp_why *why);
enum sp_finding sp_rule_bundle_whole(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_bundle_known(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_prerequisites_known(const struct sp_facts *f,
                                            struct sp_why *why);
/* rules_tier.c */
enum sp_finding sp_rule_tier_proven(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_tier_cosigned(const struct sp_facts *f, struct sp_why *why);
/* rules_witness.c */
enum sp_finding sp_rule_witness_no_contradiction(const struct sp_facts *f,
                                                 struct sp_why *why);
enum sp_finding sp_rule_witness_knows(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_command_witnessed(const struct sp_facts *f, struct sp_why *why);
/* rules_file.c */
enum sp_finding sp_rule_file_size(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_file_sha1(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_file_sha256(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_file_no_collision(const struct sp_facts *f, struct sp_why *why);
/* rules_tool.c */
enum sp_finding sp_rule_file_not_tool(const struct sp_facts *f, struct sp_why *why);
/* rules_sign.c */
enum sp_finding sp_rule_file_not_revoked(const struct sp_facts *f, struct sp_why *why);
/* All signatures are good, whoever made them. */
bool sp_rule_is_well_signed(const struct sp_facts *f);
enum sp_finding sp_rule_file_signed(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_file_signature_strict(const struct sp_facts *f,
                                              struct sp_why *why);
enum sp_finding sp_rule_file_type_agrees(const struct sp_facts *f, struct sp_why *why);
enum sp_finding sp_rule_file_digest_strong(const struct sp_facts *f,
                                           struct sp_why *why);

/* A fact's values for a sentence: "12ab..., 34cd..." as the ledger writes them,
 * "nothing" where there is none; cut to fit. */
struct sp_said {
    char text[160];
};
struct sp_said sp_rule_say_value(enum sp_fact k, const struct sp_fact_value *v);
struct sp_said sp_rule_say(const struct sp_facts *f, enum sp_fact k);
/* The one value of k; false where there is none or more than one. */
bool sp_rule_one(const struct sp_facts *f, enum sp_fact k, struct sp_fact_value *out);
/* The document runs a program: rules_demands.c. */
bool sp_rule_is_command(const struct sp_facts *f);
/* A path or name of tools.def, whatever its folder, ending and case: rules_demands.c.
 */
bool sp_rule_is_tool(struct sp_view path);
/* k has the value v. */
bool sp_rule_has(const struct sp_facts *f, enum sp_fact k,
                 const struct sp_fact_value *v);

#endif
