/* CSAF 2.0: of every vulnerability the same parts as of CVRF. */
#include "app/base/say.h"
#include "app/cmd/imported.h"

static struct sp_view text_of(const json_t *o, const char *key)
{
    const json_t *s = json_object_get(o, key);
    return sp_view(json_string_value(s), json_string_length(s));
}

static const json_t *member(const json_t *o, const char *key)
{
    return json_object_get(o, key);
}

static bool is_array(const json_t *v)
{
    return !v || json_is_array(v);
}

static enum sp_err read_scores(const json_t *vulnerability, struct sp_advisory_draft *d)
{
    size_t i;
    const json_t *score;
    json_array_foreach(member(vulnerability, "scores"), i, score)
    {
        const json_t *base = member(member(score, "cvss_v3"), "baseScore");
        double tenths = json_number_value(base) * 10;
        if (base && (!json_is_number(base) || !(tenths >= 0 && tenths <= 100))) {
            return SP_E_MALFORMED;
        }
        SP_TRY(base ? sp_draft_score(d, (int)(tenths + 0.5)) : SP_OK);
    }
    return SP_OK;
}

/* The address has the number; details say it where there is none. */
static enum sp_err read_fixes(const json_t *vulnerability, struct sp_advisory_draft *d)
{
    size_t i;
    const json_t *fix;
    json_array_foreach(member(vulnerability, "remediations"), i, fix)
    {
        if (sp_view_eq_str(text_of(fix, "category"), "vendor_fix")) {
            SP_TRY(sp_draft_kb(d, text_of(fix, "url")));
            SP_TRY(sp_draft_kb(d, text_of(fix, "details")));
        }
    }
    return SP_OK;
}

static enum sp_err read_one(const json_t *document, const json_t *vulnerability,
                            const struct sp_advisory_sink *sink,
                            struct sp_advisory_draft *d)
{
    const struct sp_advisory *made = NULL;
    if (!is_array(member(vulnerability, "scores")) ||
        !is_array(member(vulnerability, "remediations"))) {
        return SP_E_MALFORMED;
    }
    SP_TRY(sp_draft_begin(d));
    SP_TRY(sp_draft_cve(d, text_of(vulnerability, "cve")));
    SP_TRY(sp_draft_title(d, text_of(vulnerability, "title")));
    SP_TRY(
        sp_draft_severity(d, text_of(member(document, "aggregate_severity"), "text")));
    SP_TRY(read_scores(vulnerability, d));
    SP_TRY(read_fixes(vulnerability, d));
    SP_TRY(sp_draft_finish(d, &made));
    return sink->found(sink->ctx, made);
}

static enum sp_err read_all(const json_t *root, const struct sp_advisory_sink *sink,
                            struct sp_why *why)
{
    size_t i;
    const json_t *one, *document = member(root, "document");
    const json_t *all = member(root, "vulnerabilities");
    struct sp_advisory_draft draft = {0};
    enum sp_err e = SP_OK;
    if (!sp_view_eq_str(text_of(document, "csaf_version"), "2.0") || !is_array(all)) {
        return sp_why_set(why, SP_E_UNSUPPORTED, _("this is no CSAF 2.0 document"));
    }
    json_array_foreach(all, i, one)
    {
        e = read_one(document, one, sink, &draft);
        if (e != SP_OK) {
            e = e == SP_E_MALFORMED
                    ? sp_why_set(why, e, _("vulnerability %zu is not of its form"),
                                 i + 1)
                    : e;
            break;
        }
    }
    sp_draft_fini(&draft);
    return e;
}

enum sp_err sp_csaf_read(struct sp_view document, const struct sp_advisory_sink *sink,
                         struct sp_why *why)
{
    json_error_t error;
    if (document.len > SP_LIMIT_CSAF) {
        return sp_why_set(why, SP_E_LIMIT, _("a CSAF document has at most %zu MiB"),
                          SP_LIMIT_CSAF / SP_MIB(1));
    }
    json_t *root = json_loadb((const char *)document.data, document.len,
                              JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        return sp_why_set(why, SP_E_MALFORMED, _("line %d: %s"), error.line,
                          error.text);
    }
    enum sp_err e = read_all(root, sink, why);
    json_decref(root);
    return e;
}
