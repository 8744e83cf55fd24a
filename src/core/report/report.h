/* The reports: each reads a book of the ledger, joined by KB with advisories and notes
 * that an administrator imported, and fills a sheet. reports.def has a row a report.
 *
 * Pure: the time and everything else comes in. One thread. */
#ifndef SP_CORE_REPORT_REPORT_H
#define SP_CORE_REPORT_REPORT_H

#include "core/report/book.h"
#include "core/report/sheet.h"

/* A vulnerability and the KBs that mend it, as the Security Update Guide has them. */
struct sp_advisory {
    struct sp_view cve, title, severity; /* severity: Critical ... Low, or empty */
    int cvss;                            /* base score times ten; -1: none */
    const struct sp_view *kbs;           /* digits */
    size_t kb_count;
};
struct sp_kb_note {
    struct sp_view kb, text;
};
struct sp_imported {
    const struct sp_advisory *advisories;
    size_t advisory_count;
    const struct sp_kb_note *notes;
    size_t note_count;
};

/* join.c: what was imported, by KB. */
struct sp_join {
    const struct sp_imported *imported; /* borrowed */
    struct sp_names kbs;
    struct sp_list *advisories; /* owned: by the number in kbs */
};
enum sp_err sp_join_init(struct sp_join *j, const struct sp_imported *imported,
                         struct sp_arena *arena) SP_MUST_USE;
void sp_join_fini(struct sp_join *j);
/* Advisories of a KB, as numbers in imported->advisories; NULL where there are none. */
const struct sp_list *sp_join_kb(const struct sp_join *j, struct sp_view kb);
/* Of all KBs of an update: their CVEs, each once, the highest score (-1: none), and how
 * many notes there are. */
struct sp_joined_update {
    struct sp_view *cves; /* in the arena */
    size_t cve_count;
    int cvss;
    int64_t notes;
};
enum sp_err sp_join_update(const struct sp_join *j, const struct sp_book *b,
                           const struct sp_book_update *u, struct sp_arena *arena,
                           struct sp_joined_update *out) SP_MUST_USE;

/* Who asks for metadata over plain HTTP, as the running daemon counts: what is refused
 * at the door is in no ledger. */
struct sp_plain_now {
    struct sp_view peer, operation, last;
    int64_t passed, refused;
};

struct sp_report_ask {
    const struct sp_book *book; /* borrowed, as all below */
    const struct sp_join *join;
    struct sp_view kb; /* digits, of the report kb */
    int64_t now;       /* unix seconds */
    const struct sp_plain_now *plain;
    size_t plain_count;
};

enum sp_report {
#define REPORT(name, function, word, argument) SP_REPORT_##name,
#include "core/report/reports.def"
#undef REPORT
    SP_REPORT_COUNT
};
#define REPORT(name, function, word, argument)                                         \
    enum sp_err sp_report_##function(const struct sp_report_ask *ask,                  \
                                     struct sp_sheet *sheet) SP_MUST_USE;
#include "core/report/reports.def"
#undef REPORT
const char *sp_report_word(enum sp_report r);
bool sp_report_wants_argument(enum sp_report r);
/* Fills the sheet; SP_E_NOTFOUND: nothing in custody is about that KB. */
enum sp_err sp_report_make(enum sp_report r, const struct sp_report_ask *ask,
                           struct sp_sheet *sheet) SP_MUST_USE;

/* report_updates.c: a section of updates, of the KB of the ask where there is one; how
 * many there are. */
enum sp_err sp_report_updates_in(const struct sp_report_ask *ask,
                                 struct sp_sheet *sheet, enum sp_section section,
                                 size_t *count) SP_MUST_USE;
/* report_advisories.c: a section of advisories, those of the KB of the ask or all. */
enum sp_err sp_report_advisories_in(const struct sp_report_ask *ask,
                                    struct sp_sheet *sheet) SP_MUST_USE;
bool sp_report_has_kb(const struct sp_book *b, const struct sp_book_update *u,
                      struct sp_view kb);
/* Texts of a list of numbers, in the sheet's arena. */
enum sp_err sp_report_texts(const struct sp_book *b, const struct sp_list *l,
                            struct sp_sheet *sheet,
                            const struct sp_view **out) SP_MUST_USE;
/* An UpdateID as text. */
enum sp_err sp_report_guid(struct sp_sheet *sheet, const uint8_t guid[16],
                           struct sp_view *out) SP_MUST_USE;

#endif
