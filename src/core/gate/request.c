/* ADMIT, as far as it is the policy's: how the asker came and what it asks for, as
 * facts, and the verdict about them. Judged at the head, before a byte of the body is
 * read, and again where the body brought something that a rule has a say in. What is
 * refused here is told to the asker and counted; the ledger does not grow by it.
 * (decision 0060) */
#include "core/base/text.h"
#include "core/gate/private.h"
#include "core/gate/windows.h"

#include <stdio.h>

enum { ASKED_FACTS = 8 * 1024, NAME = 255 };

/* A name that somebody sent, which may be any bytes. */
static enum sp_err put_name(struct sp_facts *f, enum sp_fact k, struct sp_view v)
{
    char text[NAME];
    size_t n = v.len < sizeof text ? v.len : sizeof text;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = v.data[i];
        text[i] = c > ' ' && c < 0x7f ? (char)c : '?';
    }
    return n ? sp_facts_text(f, k, sp_view(text, n)) : SP_OK;
}

static enum sp_err put_text(struct sp_facts *f, enum sp_fact k, const char *text)
{
    return text && text[0] ? sp_facts_text(f, k, sp_view_str(text)) : SP_OK;
}

/* "a.example, b.example", as certificates are read. */
static enum sp_err put_names(struct sp_facts *f, const char *names)
{
    struct sp_view rest = names ? sp_view_str(names) : (struct sp_view){0};
    while (rest.len) {
        size_t end = sp_view_find(rest, ',');
        struct sp_view name = sp_view_trim(sp_view_slice(rest, 0, end), " ");
        rest = sp_view_slice(rest, end + 1, rest.len);
        SP_TRY(put_name(f, SP_FACT_PEER_NAME, name));
    }
    return SP_OK;
}

static enum sp_err put_sni(const struct sp_gate *g, struct sp_facts *f)
{
    struct sp_view sni = g->asker.sni ? sp_view_str(g->asker.sni) : (struct sp_view){0};
    bool listed = false;
    if (sni.len == 0) {
        return SP_OK;
    }
    SP_TRY(put_name(f, SP_FACT_REQUEST_SNI, sni));
    for (size_t i = 0; i < g->door->name_count && !listed; i++) {
        listed = sp_http_host_is(sni, g->door->names[i]);
    }
    return g->door->name_count ? sp_facts_flag(f, SP_FACT_REQUEST_SNI_LISTED, listed)
                               : SP_OK;
}

/* What no line of the policy speaks of is not let through for that. */
static enum sp_err put_plain_http(const struct sp_gate *g, struct sp_facts *f)
{
    enum sp_plain_http said = g->door->plain_http;
    static const char *const modes[] = {[SP_PLAIN_ENFORCE] = "enforce",
                                        [SP_PLAIN_AUDIT] = "audit",
                                        [SP_PLAIN_OBSERVE] = "observe"};
    if (said == SP_PLAIN_POLICY) {
        bool silent =
            sp_policy_mode_for(g->policy, SP_RULE_TRANSPORT_TLS, f) == SP_MODE_OFF;
        said = silent ? SP_PLAIN_ENFORCE : SP_PLAIN_POLICY;
    }
    return said == SP_PLAIN_POLICY || g->door->tls
               ? SP_OK
               : put_text(f, SP_FACT_LISTENER_PLAIN_HTTP, modes[said]);
}

static const char *service_of(const struct sp_gate *g)
{
    return g->route.kind == SP_ROUTE_SERVICE   ? sp_service_name(g->route.service)
           : g->route.kind == SP_ROUTE_CONTENT ? "content"
                                               : "catalog";
}

/* Only metadata has a transport: content is what its digest says, however it comes. */
static enum sp_err state_transport(const struct sp_gate *g, struct sp_facts *f)
{
    if (g->route.kind != SP_ROUTE_SERVICE) {
        return SP_OK;
    }
    SP_TRY(put_text(f, SP_FACT_TRANSPORT, g->door->tls ? "tls" : "http"));
    SP_TRY(put_text(f, SP_FACT_PEER_TLS, g->asker.tls));
    SP_TRY(put_plain_http(g, f));
    SP_TRY(put_name(f, SP_FACT_REQUEST_HOST, sp_view_str(g->asker.host)));
    return put_sni(g, f);
}

enum sp_err sp_asker_facts(const struct sp_asker *a, const char *listener,
                           const char *service, struct sp_facts *f)
{
    SP_TRY(put_text(f, SP_FACT_PEER_ADDRESS, a->address));
    SP_TRY(put_text(f, SP_FACT_PEER_LISTENER, listener));
    SP_TRY(put_text(f, SP_FACT_SERVICE, service));
    SP_TRY(put_names(f, a->names));
    return a->has_pin ? sp_facts_bytes(f, SP_FACT_PEER_SPKI, sp_view(a->pin, 32))
                      : SP_OK;
}

static enum sp_err state_asker(struct sp_gate *g)
{
    sp_facts_free(&g->asked);
    SP_TRY(sp_facts_new(ASKED_FACTS, &g->asked));
    SP_TRY(sp_asker_facts(&g->asker, g->door->name, service_of(g), g->asked));
    return state_transport(g, g->asked);
}

static bool judge(struct sp_gate *g)
{
    struct sp_verdict v;
    sp_policy_judge(g->policy, SP_SUBJECT_REQUEST, g->asked, &v);
    g->observed |= v.observed;
    g->audited |= v.audited;
    g->is_unasked = v.ruling == SP_REFUSED;
    if (g->is_unasked) {
        g->unasked_by = v.rule;
        g->why = v.why;
    }
    return !g->is_unasked;
}

static bool out_of_memory(struct sp_gate *g)
{
    sp_why_say(&g->why, "%s", sp_err_text(SP_E_NOMEM));
    return false;
}

bool sp_gate_judge_head(struct sp_gate *g)
{
    bool asks = g->route.kind == SP_ROUTE_SERVICE ||
                sp_policy_names_peers(g->policy, sp_view_str(service_of(g)));
    if (!asks) {
        return true;
    }
    return state_asker(g) == SP_OK ? judge(g) : out_of_memory(g);
}

bool sp_gate_judge_body(struct sp_gate *g)
{
    if (g->request.left_out == 0) {
        return true; /* nothing new to judge */
    }
    return sp_facts_text(g->asked, SP_FACT_REQUEST_UNKNOWN_TAG,
                         sp_view_str(g->request.tag)) == SP_OK
               ? judge(g)
               : out_of_memory(g);
}

/* ---- saying no ----------------------------------------------------------------- */

/* decision D7: WSUS metadata travels over TLS, or is refused with the reason. */
static void say_plain(const struct sp_gate *g, char *out, size_t size)
{
    bool named = g->door->tls_address && g->door->tls_address[0];
    snprintf(
        out, size,
        "Update metadata over plain HTTP is refused here (rule %s): anybody on the "
        "path could change it. Use %s instead. Windows Update clients show this as "
        "0x%08X.",
        sp_rule_text(SP_RULE_TRANSPORT_TLS),
        named ? g->door->tls_address : "the TLS port of this server",
        sp_windows_code(403, false, false));
}

void sp_gate_refuse_request(struct sp_gate *g, struct sp_step *step)
{
    char message[SP_WHY_MAX + 160];
    if (!g->is_unasked) {
        sp_gate_refuse_text(g, 503, sp_err_text(SP_E_NOMEM), step);
        return;
    }
    if (g->unasked_by == SP_RULE_REPORT_TAGS_KNOWN) {
        sp_gate_refuse_fault(g, 500, SP_FAULT_INVALID_PARAMETERS, "MiscData", step);
        return;
    }
    int status = g->unasked_by == SP_RULE_NAME_AGREES ? 421 : 403;
    snprintf(message, sizeof message,
             "Refused by rule %s: %s. Windows Update clients show this as 0x%08X.",
             sp_rule_text(g->unasked_by), g->why.text,
             sp_windows_code(status, false, false));
    if (g->unasked_by == SP_RULE_TRANSPORT_TLS) {
        say_plain(g, message, sizeof message);
    }
    if (g->route.kind == SP_ROUTE_SERVICE) {
        sp_gate_refuse_fault(g, status, SP_FAULT_INTERNAL_SERVER_ERROR, message, step);
    } else {
        sp_gate_refuse_text(g, status, message, step);
    }
}
