/* What revocation lists say of the signers, as facts. */
#include "core/sign/inside.h"

#include "core/base/text.h"

#include <stdio.h>

/* "CN=... not-listed, list of 2026-01-02T03:04:05Z until 2026-02-02T03:04:05Z" */
static enum sp_err state_cert(const char *subject, const struct sp_revocation *r,
                              struct sp_facts *out)
{
    char made[SP_TIME_TEXT], until[SP_TIME_TEXT], since[SP_TIME_TEXT], text[448];
    sp_time_format(r->made, made);
    sp_time_format(r->until, until);
    sp_time_format(r->since, since);
    bool is_revoked = r->state == SP_REVOKED_BY_THEN;
    snprintf(text, sizeof text, "\"%.255s\" %s%s%s, %s%s%s%s%s", subject,
             sp_revocation_text(r->state), is_revoked ? " since " : "",
             is_revoked ? since : "",
             r->has_list ? "list of " : "no list of its issuer",
             r->has_list ? made : "", r->has_list && r->until ? " until " : "",
             r->has_list && r->until ? until : "",
             r->has_list && !r->is_fresh ? ", not in force" : "");
    return sp_facts_text(out, SP_FACT_SIGN_REVOCATION, sp_view_str(text));
}

static enum sp_err state_chain(const struct sp_chain *chain, bool *is_revoked,
                               bool *is_fresh, struct sp_facts *out)
{
    *is_revoked = *is_revoked || chain->is_revoked;
    for (size_t i = 0; i < chain->below_count; i++) {
        const struct sp_revocation *r = &chain->below[i].revocation;
        *is_fresh = *is_fresh && r->is_fresh;
        SP_TRY(state_cert(chain->below[i].subject, r, out));
    }
    return SP_OK;
}

enum sp_err sp_sign_revocations(const struct sp_sign *s, struct sp_facts *out)
{
    bool is_revoked = false, is_fresh = true;
    size_t count = 0;
    for (size_t i = 0; i < s->cms_count; i++) {
        for (size_t j = 0; j < sp_cms_count(s->cms[i]) && count < SP_LIMIT_SIGNATURES;
             j++, count++) {
            const struct sp_signature *one = sp_cms_at(s->cms[i], j);
            SP_TRY(state_chain(&one->chain, &is_revoked, &is_fresh, out));
        }
    }
    if (count == 0) {
        return SP_OK;
    }
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_REVOKED, is_revoked));
    return sp_facts_flag(out, SP_FACT_SIGN_REVOCATION_FRESH, is_fresh);
}
