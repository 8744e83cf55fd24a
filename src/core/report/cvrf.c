/* CVRF 1.1: of every vulnerability its number, title, severity, scores and the KBs that
 * mend it. What is not in the table of steps is passed over. */
#include "core/report/advisory.h"
#include "core/wsus/path.h"
#include "core/xml/xml.h"

#define NS_CVRF "http://www.icasi.org/CVRF/schema/cvrf/1.1"
#define NS_VULN "http://www.icasi.org/CVRF/schema/vuln/1.1"
#define BLANKS  " \t\r\n"

enum { TEXT_MAX = 16384 /* of what is collected */ };

enum state {
    UNKNOWN = SP_PATH_UNKNOWN,
    START = SP_PATH_START,
    DOCUMENT,
    VULNERABILITY,
    TITLE,
    CVE,
    THREATS,
    THREAT,
    THREAT_TEXT,
    SCORE_SETS,
    SCORE_SET,
    BASE_SCORE,
    REMEDIATIONS,
    REMEDIATION,
    REMEDIATION_TEXT,
    REMEDIATION_URL
};

static const struct sp_path_step steps[] = {
    {START, NS_CVRF, "cvrfdoc", DOCUMENT},
    {DOCUMENT, NS_VULN, "Vulnerability", VULNERABILITY},
    {VULNERABILITY, NS_VULN, "Title", TITLE},
    {VULNERABILITY, NS_VULN, "CVE", CVE},
    {VULNERABILITY, NS_VULN, "Threats", THREATS},
    {THREATS, NS_VULN, "Threat", THREAT},
    {THREAT, NS_VULN, "Description", THREAT_TEXT},
    {VULNERABILITY, NS_VULN, "CVSSScoreSets", SCORE_SETS},
    {SCORE_SETS, NS_VULN, "ScoreSet", SCORE_SET},
    {SCORE_SET, NS_VULN, "BaseScore", BASE_SCORE},
    {VULNERABILITY, NS_VULN, "Remediations", REMEDIATIONS},
    {REMEDIATIONS, NS_VULN, "Remediation", REMEDIATION},
    {REMEDIATION, NS_VULN, "Description", REMEDIATION_TEXT},
    {REMEDIATION, NS_VULN, "URL", REMEDIATION_URL},
};

struct reader {
    struct sp_path path;
    const struct sp_advisory_sink *sink; /* borrowed */
    struct sp_advisory_draft draft;
    struct sp_buf text;
    bool is_severity, is_fix; /* the Threat, the Remediation at hand */
};

static bool is_of_type(const struct sp_xml_element *e, const char *type)
{
    struct sp_view v;
    return sp_xml_attr(e, "", "Type", &v) && sp_view_eq_str(v, type);
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct reader *r = ctx;
    enum state state = sp_path_enter(&r->path, e->name);
    sp_buf_clear(&r->text);
    if (e->depth == 1 && state != DOCUMENT) {
        return sp_why_set(sp_xml_why(x), SP_E_UNSUPPORTED,
                          "this is no CVRF 1.1 document");
    }
    switch ((int)state) {
    case VULNERABILITY:
        return sp_draft_begin(&r->draft);
    case THREAT:
        r->is_severity = is_of_type(e, "Severity");
        return SP_OK;
    case REMEDIATION:
        r->is_fix = is_of_type(e, "Vendor Fix");
        return SP_OK;
    }
    return SP_OK;
}

static bool collects(enum state s)
{
    return s == TITLE || s == CVE || s == THREAT_TEXT || s == BASE_SCORE ||
           s == REMEDIATION_TEXT || s == REMEDIATION_URL;
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct reader *r = ctx;
    (void)x;
    return collects(sp_path_at(&r->path)) ? sp_buf_append(&r->text, text) : SP_OK;
}

static enum sp_err take(struct reader *r, enum state state, struct sp_view text)
{
    const struct sp_advisory *made = NULL;
    switch ((int)state) {
    case TITLE:
        return sp_draft_title(&r->draft, text);
    case CVE:
        return sp_draft_cve(&r->draft, text);
    case THREAT_TEXT:
        return r->is_severity ? sp_draft_severity(&r->draft, text) : SP_OK;
    case BASE_SCORE:
        return sp_draft_score_text(&r->draft, text);
    case REMEDIATION_TEXT:
    case REMEDIATION_URL:
        return r->is_fix ? sp_draft_kb(&r->draft, text) : SP_OK;
    case VULNERABILITY:
        SP_TRY(sp_draft_finish(&r->draft, &made));
        return r->sink->found(r->sink->ctx, made);
    }
    return SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct reader *r = ctx;
    struct sp_view text = sp_view_trim(sp_buf_view(&r->text), BLANKS);
    enum sp_err e = take(r, sp_path_leave(&r->path), text);
    if (e == SP_E_MALFORMED) {
        return sp_why_set(sp_xml_why(x), e, "what " SP_VIEW_FMT " says is none",
                          SP_VIEW_ARG(name.local));
    }
    return e;
}

enum sp_err sp_cvrf_read(struct sp_view document, const struct sp_advisory_sink *sink,
                         struct sp_why *why)
{
    static const struct sp_xml_handler handler = {on_start, on_text, on_end};
    struct reader r = {
        .path = {.steps = steps, .step_count = sizeof steps / sizeof steps[0]},
        .sink = sink};
    sp_buf_init(&r.text, TEXT_MAX);
    enum sp_err e = sp_xml_read(document, &sp_xml_rules_document, &handler, &r, why);
    sp_buf_fini(&r.text);
    sp_draft_fini(&r.draft);
    return e;
}
