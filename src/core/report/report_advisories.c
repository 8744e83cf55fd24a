/* Vulnerabilities, and what in custody mends them. */
#include "core/report/report.h"

#include <stdlib.h>

/* ---- advisories ---------------------------------------------------------------- */

/* KBs that some update in custody has: the newest revision, whatever bundles it. */
static enum sp_err kbs_in_custody(const struct sp_book *b, struct sp_names *out)
{
    for (size_t i = 0; i < b->revisions.count; i++) {
        const struct sp_list *kbs = &b->updates[i].kbs;
        for (size_t k = 0; k < kbs->count; k++) {
            uint32_t n;
            SP_TRY(sp_names_put(out, sp_book_text(b, kbs->at[k]), &n));
        }
    }
    return SP_OK;
}

static enum sp_err put_kbs(const struct sp_advisory *a, const struct sp_names *custody,
                           struct sp_sheet *sheet, struct sp_row *row)
{
    void *here = NULL, *missing = NULL;
    size_t here_count = 0, missing_count = 0;
    SP_TRY(sp_arena_alloc(sheet->arena, (a->kb_count + 1) * sizeof *a->kbs, &here));
    SP_TRY(sp_arena_alloc(sheet->arena, (a->kb_count + 1) * sizeof *a->kbs, &missing));
    for (size_t i = 0; i < a->kb_count; i++) {
        uint32_t n;
        if (sp_names_find(custody, a->kbs[i], &n)) {
            ((struct sp_view *)here)[here_count++] = a->kbs[i];
        } else {
            ((struct sp_view *)missing)[missing_count++] = a->kbs[i];
        }
    }
    sp_row_list(row, SP_COLUMN_KBS, a->kbs, a->kb_count);
    sp_row_list(row, SP_COLUMN_IN_CUSTODY, here, here_count);
    sp_row_list(row, SP_COLUMN_MISSING, missing, missing_count);
    return SP_OK;
}

static enum sp_err advisory_row(const struct sp_advisory *a,
                                const struct sp_names *custody, struct sp_sheet *sheet)
{
    struct sp_row *row = NULL;
    SP_TRY(sp_sheet_row(sheet, &row));
    sp_row_text(row, SP_COLUMN_CVE, a->cve);
    sp_row_text(row, SP_COLUMN_TITLE, a->title);
    sp_row_text(row, SP_COLUMN_SEVERITY, a->severity);
    if (a->cvss >= 0) {
        sp_row_number(row, SP_COLUMN_CVSS, a->cvss);
    }
    row->weight = a->cvss;
    row->name = a->cve;
    return put_kbs(a, custody, sheet, row);
}

static bool mends(const struct sp_advisory *a, struct sp_view kb)
{
    for (size_t i = 0; i < a->kb_count; i++) {
        if (sp_view_eq(a->kbs[i], kb)) {
            return true;
        }
    }
    return kb.len == 0;
}

enum sp_err sp_report_advisories_in(const struct sp_report_ask *ask,
                                    struct sp_sheet *sheet)
{
    const struct sp_imported *imported = ask->join->imported;
    SP_AUTO(sp_names_fini) struct sp_names custody;
    sp_names_init(&custody, sheet->arena);
    sp_sheet_section(sheet, SP_SECTION_ADVISORIES);
    SP_TRY(kbs_in_custody(ask->book, &custody));
    for (size_t i = 0; i < imported->advisory_count; i++) {
        if (mends(&imported->advisories[i], ask->kb)) {
            SP_TRY(advisory_row(&imported->advisories[i], &custody, sheet));
        }
    }
    sp_sheet_sort(sheet);
    return SP_OK;
}

enum sp_err sp_report_advisories(const struct sp_report_ask *ask,
                                 struct sp_sheet *sheet)
{
    return sp_report_advisories_in(ask, sheet);
}

/* ---- severity ------------------------------------------------------------------ */

struct grades {
    const struct sp_report_ask *ask; /* borrowed */
    struct sp_sheet *sheet;          /* borrowed */
    struct sp_names names;           /* severities; "" is one, too */
    struct sp_names cves;            /* number of the severity and CVE, as bytes */
    struct sp_list updates, cve_counts;
    int *cvss; /* owned: highest, by severity; names has at most as many as updates */
    struct sp_reach reach;
};

static enum sp_err add_cves(struct grades *g, uint32_t grade,
                            const struct sp_joined_update *joined)
{
    for (size_t i = 0; i < joined->cve_count; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf key;
        size_t before = g->cves.count;
        uint32_t n;
        sp_buf_init(&key, 4096);
        SP_TRY(sp_buf_append(&key, sp_view(&grade, sizeof grade)));
        SP_TRY(sp_buf_append(&key, joined->cves[i]));
        SP_TRY(sp_names_put(&g->cves, sp_buf_view(&key), &n));
        g->cve_counts.at[grade] += g->cves.count > before;
    }
    return SP_OK;
}

static enum sp_err grade_update(struct grades *g, const struct sp_book_update *u)
{
    struct sp_joined_update joined;
    uint32_t grade;
    struct sp_view severity = sp_book_word(g->ask->book, u->severity);
    SP_TRY(sp_names_put(&g->names, severity, &grade));
    if (grade == g->updates.count) {
        SP_TRY(sp_list_add(g->sheet->arena, &g->updates, 0));
        SP_TRY(sp_list_add(g->sheet->arena, &g->cve_counts, 0));
        g->cvss[grade] = -1;
    }
    g->updates.at[grade]++;
    SP_TRY(sp_join_update(g->ask->join, g->ask->book, u, g->sheet->arena, &joined));
    g->cvss[grade] = joined.cvss > g->cvss[grade] ? joined.cvss : g->cvss[grade];
    SP_TRY(add_cves(g, grade, &joined));
    return sp_reach_add(&g->reach, grade, u);
}

static int64_t rank(struct sp_view severity)
{
    static const char *const ranks[] = {"None", "Low", "Moderate", "Important",
                                        "Critical"};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        if (sp_view_eq_str(severity, ranks[i])) {
            return (int64_t)i + 1;
        }
    }
    return severity.len ? 0 : -1;
}

static enum sp_err grade_rows(struct grades *g, struct sp_reach_sum *sums)
{
    sp_reach_sum(&g->reach, sums);
    for (size_t i = 0; i < g->names.count; i++) {
        struct sp_row *row = NULL;
        SP_TRY(sp_sheet_row(g->sheet, &row));
        row->weight = rank(g->names.names[i]);
        row->name = g->names.names[i];
        sp_row_text(row, SP_COLUMN_SEVERITY, g->names.names[i]);
        sp_row_number(row, SP_COLUMN_UPDATES, (int64_t)g->updates.at[i]);
        sp_row_number(row, SP_COLUMN_FILES, sums[i].files);
        sp_row_number(row, SP_COLUMN_BYTES, sums[i].bytes);
        sp_row_number(row, SP_COLUMN_CVE_COUNT, (int64_t)g->cve_counts.at[i]);
        if (g->cvss[i] >= 0) {
            sp_row_number(row, SP_COLUMN_CVSS, g->cvss[i]);
        }
    }
    sp_sheet_sort(g->sheet);
    return SP_OK;
}

static enum sp_err grade_all(struct grades *g)
{
    const struct sp_book *b = g->ask->book;
    for (size_t i = 0; i < b->revisions.count; i++) {
        if (sp_book_is_update(&b->updates[i])) {
            SP_TRY(grade_update(g, &b->updates[i]));
        }
    }
    struct sp_reach_sum *sums = calloc(g->names.count + 1, sizeof *sums);
    enum sp_err e = sums ? grade_rows(g, sums) : SP_E_NOMEM;
    free(sums);
    return e;
}

enum sp_err sp_report_severity(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    struct grades g = {.ask = ask, .sheet = sheet};
    sp_sheet_section(sheet, SP_SECTION_SEVERITY);
    sp_names_init(&g.names, sheet->arena);
    sp_names_init(&g.cves, sheet->arena);
    g.cvss = calloc(ask->book->revisions.count + 1, sizeof *g.cvss);
    enum sp_err e = g.cvss ? sp_reach_init(&g.reach, ask->book) : SP_E_NOMEM;
    e = e == SP_OK ? grade_all(&g) : e;
    sp_reach_fini(&g.reach);
    sp_names_fini(&g.names);
    sp_names_fini(&g.cves);
    free(g.cvss);
    return e;
}
