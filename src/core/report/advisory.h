/* Reading advisories: what of a vulnerability is kept, however it was written down. A
 * draft takes the parts as a reader finds them and refuses what they cannot be; what is
 * finished is a struct sp_advisory whose texts live until the next one begins. Pure. */
#ifndef SP_CORE_REPORT_ADVISORY_H
#define SP_CORE_REPORT_ADVISORY_H

#include "core/report/report.h"

enum { SP_ADVISORY_KBS = 1024, SP_ADVISORY_TITLE = 1024, SP_ADVISORY_CVE = 32 };

struct sp_advisory_draft {
    struct sp_arena *arena; /* owned */
    struct sp_advisory made;
    struct sp_view kbs[SP_ADVISORY_KBS];
    size_t kb_count;
};
/* Begins one anew; the draft is zero before the first. */
enum sp_err sp_draft_begin(struct sp_advisory_draft *d) SP_MUST_USE;
void sp_draft_fini(struct sp_advisory_draft *d);

/* CVE-2026-12345, or ADV990001 as Microsoft numbers advisories without one.
 * SP_E_MALFORMED for anything else, or a second one. */
enum sp_err sp_draft_cve(struct sp_advisory_draft *d, struct sp_view cve) SP_MUST_USE;
/* The first counts; too long a title is cut. */
enum sp_err sp_draft_title(struct sp_advisory_draft *d,
                           struct sp_view title) SP_MUST_USE;
/* The most severe counts; what is none of Microsoft's four is passed over. */
enum sp_err sp_draft_severity(struct sp_advisory_draft *d,
                              struct sp_view severity) SP_MUST_USE;
/* "7.8", or the same times ten: the highest counts. SP_E_MALFORMED unless 0.0 to 10.0.
 */
enum sp_err sp_draft_score_text(struct sp_advisory_draft *d,
                                struct sp_view score) SP_MUST_USE;
enum sp_err sp_draft_score(struct sp_advisory_draft *d, int tenths) SP_MUST_USE;
/* A KB, where the text names one: "5034768", "KB5034768", ".../help/5034768",
 * "...?q=KB5034768"; other texts are passed over. SP_E_LIMIT. */
enum sp_err sp_draft_kb(struct sp_advisory_draft *d, struct sp_view text) SP_MUST_USE;
/* SP_E_MALFORMED when it has no CVE. */
enum sp_err sp_draft_finish(struct sp_advisory_draft *d,
                            const struct sp_advisory **out) SP_MUST_USE;

/* The digits of a KB in such a text. */
bool sp_kb_in(struct sp_view text, struct sp_view *out);
bool sp_cve_is(struct sp_view text);

/* cvrf.c: a document of the Common Vulnerability Reporting Framework 1.1, as the
 * Security Update Guide gives them: found is called with every vulnerability; an error
 * of it ends the reading. Errors of sp_xml_read, SP_E_MALFORMED with why. */
struct sp_advisory_sink {
    void *ctx;
    enum sp_err (*found)(void *ctx, const struct sp_advisory *a);
};
enum sp_err sp_cvrf_read(struct sp_view document, const struct sp_advisory_sink *sink,
                         struct sp_why *why) SP_MUST_USE;

/* notes.c: known issues, a line each: "KB5034768 what goes wrong". Blank lines and
 * lines that begin with '#' are passed over. SP_E_MALFORMED names the line. */
struct sp_note_sink {
    void *ctx;
    enum sp_err (*found)(void *ctx, const struct sp_kb_note *n);
};
enum sp_err sp_notes_read(struct sp_view text, const struct sp_note_sink *sink,
                          struct sp_why *why) SP_MUST_USE;

#endif
