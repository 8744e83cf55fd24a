/* What is asked, and how the asker came. */
#include "core/policy/rules.h"

static bool is_over(const struct sp_facts *f, const char *transport)
{
    struct sp_fact_value v;
    return sp_rule_one(f, SP_FACT_TRANSPORT, &v) && sp_view_eq_str(v.bytes, transport);
}

enum sp_finding sp_rule_transport_tls(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_count(f, SP_FACT_TRANSPORT) == 0) {
        return SP_DOES_NOT_APPLY; /* the question is not about metadata */
    }
    if (is_over(f, "tls")) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "update metadata was asked for over plain HTTP, where "
                               "anybody on the path can change it"));
}

enum sp_finding sp_rule_transport_tls13(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    if (!is_over(f, "tls")) {
        return SP_DOES_NOT_APPLY;
    }
    if (sp_rule_one(f, SP_FACT_PEER_TLS, &v) && sp_view_eq_str(v.bytes, "TLSv1.3")) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH, "the asker came over %s",
                               sp_rule_say(f, SP_FACT_PEER_TLS).text));
}

/* ---- names --------------------------------------------------------------------- */

/* Without a port, and without the dot that ends an absolute name. */
static struct sp_view name_of(struct sp_view host)
{
    size_t end = sp_view_find(host, ':');
    struct sp_view name = sp_view_slice(host, 0, end);
    return sp_view_slice(name, 0, name.len - sp_view_ends(name, SP_VIEW(".")));
}

/* RFC 6066 section 3 has no server name for addresses, so a handshake without one says
 * nothing. threats T5: one connection, one name. */
enum sp_finding sp_rule_name_agrees(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value sni, host, listed;
    if (!sp_rule_one(f, SP_FACT_REQUEST_SNI, &sni)) {
        return SP_DOES_NOT_APPLY;
    }
    if (!sp_rule_one(f, SP_FACT_REQUEST_HOST, &host) ||
        !sp_view_eq_fold(name_of(host.bytes), name_of(sni.bytes))) {
        return sp_fails(
            sp_why_set(why, SP_E_MISMATCH,
                       "the TLS handshake was for %s and the request is for "
                       "%s",
                       sp_rule_say(f, SP_FACT_REQUEST_SNI).text,
                       sp_rule_say(f, SP_FACT_REQUEST_HOST).text));
    }
    if (sp_rule_one(f, SP_FACT_REQUEST_SNI_LISTED, &listed) && !listed.number) {
        return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                   "the TLS handshake was for %s, which is none of the "
                                   "listener's names",
                                   sp_rule_say(f, SP_FACT_REQUEST_SNI).text));
    }
    return SP_HOLDS;
}

/* ---- reports ------------------------------------------------------------------- */

enum sp_finding sp_rule_report_tags_known(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value tag;
    if (!sp_facts_get(f, SP_FACT_REQUEST_UNKNOWN_TAG, 0, &tag)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "a report carries the tag \"" SP_VIEW_FMT
                               "\", which no agent is known to use",
                               SP_VIEW_ARG(tag.bytes)));
}
