#include "core/report/advisory.h"

#include "core/base/limits.h"

#include <string.h>

enum { KB_LEAST = 5, KB_MOST = 10 };

static const char *const severities[] = {"Low", "Moderate", "Important", "Critical"};

enum sp_err sp_draft_begin(struct sp_advisory_draft *d)
{
    sp_draft_fini(d);
    SP_TRY(sp_arena_new(SP_KIB(256), &d->arena));
    d->made.cvss = -1;
    return SP_OK;
}

void sp_draft_fini(struct sp_advisory_draft *d)
{
    sp_arena_free(&d->arena);
    *d = (struct sp_advisory_draft){0};
}

static bool is_digits(struct sp_view v, size_t least, size_t most)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] < '0' || v.data[i] > '9') {
            return false;
        }
    }
    return v.len >= least && v.len <= most;
}

bool sp_cve_is(struct sp_view v)
{
    if (sp_view_starts(v, SP_VIEW("ADV"))) {
        return is_digits(sp_view_slice(v, 3, v.len), 6, 6);
    }
    return sp_view_starts(v, SP_VIEW("CVE-")) && v.len > 9 && v.data[8] == '-' &&
           is_digits(sp_view_slice(v, 4, 8), 4, 4) &&
           is_digits(sp_view_slice(v, 9, v.len), 4, 19);
}

enum sp_err sp_draft_cve(struct sp_advisory_draft *d, struct sp_view cve)
{
    if (d->made.cve.len || !sp_cve_is(cve)) {
        return SP_E_MALFORMED;
    }
    return sp_arena_copy(d->arena, cve, &d->made.cve);
}

enum sp_err sp_draft_title(struct sp_advisory_draft *d, struct sp_view title)
{
    size_t n = title.len < SP_ADVISORY_TITLE ? title.len : SP_ADVISORY_TITLE;
    while (n < title.len && n > 0 && (title.data[n] & 0xC0) == 0x80) {
        n--; /* not inside of a character */
    }
    return d->made.title.len
               ? SP_OK
               : sp_arena_copy(d->arena, sp_view_slice(title, 0, n), &d->made.title);
}

static size_t rank_of(struct sp_view severity)
{
    for (size_t i = 0; i < sizeof severities / sizeof severities[0]; i++) {
        if (sp_view_eq_str(severity, severities[i])) {
            return i + 1;
        }
    }
    return 0;
}

enum sp_err sp_draft_severity(struct sp_advisory_draft *d, struct sp_view severity)
{
    size_t rank = rank_of(severity);
    if (rank > rank_of(d->made.severity)) {
        d->made.severity = sp_view_str(severities[rank - 1]);
    }
    return SP_OK;
}

enum sp_err sp_draft_score(struct sp_advisory_draft *d, int tenths)
{
    if (tenths < 0 || tenths > 100) {
        return SP_E_MALFORMED;
    }
    d->made.cvss = tenths > d->made.cvss ? tenths : d->made.cvss;
    return SP_OK;
}

/* One decimal at most: that is how scores are written. */
enum sp_err sp_draft_score_text(struct sp_advisory_draft *d, struct sp_view score)
{
    size_t dot = sp_view_find(score, '.');
    uint64_t whole = 0, tenth = 0;
    if (sp_u64_parse(sp_view_slice(score, 0, dot), 10, &whole) != SP_OK ||
        (dot < score.len &&
         sp_u64_parse(sp_view_slice(score, dot + 1, score.len), 9, &tenth) != SP_OK)) {
        return SP_E_MALFORMED;
    }
    return sp_draft_score(d, (int)(whole * 10 + tenth));
}

/* ---- KBs ----------------------------------------------------------------------- */

/* Digits from the front of v, up to anything that cannot go on a number. */
static struct sp_view leading_digits(struct sp_view v)
{
    size_t n = 0;
    while (n < v.len && v.data[n] >= '0' && v.data[n] <= '9') {
        n++;
    }
    return sp_view_slice(v, 0, n);
}

static bool behind(struct sp_view text, const char *mark, struct sp_view *out)
{
    size_t n = strlen(mark);
    for (size_t i = 0; i + n < text.len; i++) {
        if (sp_view_eq_fold(sp_view_slice(text, i, i + n), sp_view_str(mark))) {
            *out = leading_digits(sp_view_slice(text, i + n, text.len));
            if (is_digits(*out, KB_LEAST, KB_MOST)) {
                return true;
            }
        }
    }
    return false;
}

bool sp_kb_in(struct sp_view text, struct sp_view *out)
{
    if (is_digits(text, KB_LEAST, KB_MOST)) {
        *out = text;
        return true;
    }
    return behind(text, "KB", out) || behind(text, "/help/", out) ||
           behind(text, "/kb/", out);
}

enum sp_err sp_draft_kb(struct sp_advisory_draft *d, struct sp_view text)
{
    struct sp_view kb;
    if (!sp_kb_in(text, &kb)) {
        return SP_OK;
    }
    for (size_t i = 0; i < d->kb_count; i++) {
        if (sp_view_eq(d->kbs[i], kb)) {
            return SP_OK;
        }
    }
    if (d->kb_count == SP_ADVISORY_KBS) {
        return SP_E_LIMIT;
    }
    return sp_arena_copy(d->arena, kb, &d->kbs[d->kb_count++]);
}

enum sp_err sp_draft_finish(struct sp_advisory_draft *d, const struct sp_advisory **out)
{
    if (!d->made.cve.len) {
        return SP_E_MALFORMED;
    }
    d->made.kbs = d->kbs;
    d->made.kb_count = d->kb_count;
    *out = &d->made;
    return SP_OK;
}
