/* One row an update: what it is, and what is known about it. */
#include "core/report/report.h"

#include <stdlib.h>
#include <string.h>

enum sp_err sp_report_texts(const struct sp_book *b, const struct sp_list *l,
                            struct sp_sheet *sheet, const struct sp_view **out)
{
    void *at = NULL;
    SP_TRY(sp_arena_alloc(sheet->arena, (l->count + 1) * sizeof **out, &at));
    struct sp_view *texts = at;
    for (size_t i = 0; i < l->count; i++) {
        texts[i] = sp_book_text(b, l->at[i]);
    }
    *out = texts;
    return SP_OK;
}

enum sp_err sp_report_guid(struct sp_sheet *sheet, const uint8_t guid[16],
                           struct sp_view *out)
{
    struct sp_guid g;
    char text[SP_GUID_TEXT];
    memcpy(g.bytes, guid, 16);
    sp_guid_format(&g, text);
    return sp_sheet_copy(sheet, sp_view_str(text), out);
}

bool sp_report_has_kb(const struct sp_book *b, const struct sp_book_update *u,
                      struct sp_view kb)
{
    for (size_t i = 0; i < u->kbs.count; i++) {
        if (sp_view_eq(sp_book_text(b, u->kbs.at[i]), kb)) {
            return true;
        }
    }
    return false;
}

static enum sp_err put_texts(const struct sp_book *b, const struct sp_list *l,
                             enum sp_column c, struct sp_sheet *sheet,
                             struct sp_row *row)
{
    const struct sp_view *texts = NULL;
    SP_TRY(sp_report_texts(b, l, sheet, &texts));
    sp_row_list(row, c, texts, l->count);
    return SP_OK;
}

static enum sp_err put_categories(const struct sp_book *b,
                                  const struct sp_book_update *u, const char *type,
                                  enum sp_column c, struct sp_sheet *sheet,
                                  struct sp_row *row)
{
    struct sp_view *names = NULL;
    size_t count = 0;
    SP_TRY(sp_book_categories(b, u, type, sheet->arena, &names, &count));
    sp_row_list(row, c, names, count);
    return SP_OK;
}

static enum sp_err put_joined(const struct sp_report_ask *ask,
                              const struct sp_book_update *u, struct sp_sheet *sheet,
                              struct sp_row *row)
{
    struct sp_joined_update joined;
    SP_TRY(sp_join_update(ask->join, ask->book, u, sheet->arena, &joined));
    sp_row_list(row, SP_COLUMN_CVES, joined.cves, joined.cve_count);
    sp_row_number(row, SP_COLUMN_KNOWN_ISSUES, joined.notes);
    if (joined.cvss >= 0) {
        sp_row_number(row, SP_COLUMN_CVSS, joined.cvss);
    }
    return SP_OK;
}

static bool is_superseded(const struct sp_book *b, const struct sp_book_update *u)
{
    return b->superseded[u->id_name];
}

static enum sp_err update_row(const struct sp_report_ask *ask,
                              const struct sp_book_update *u, struct sp_reach *reach,
                              struct sp_sheet *sheet, struct sp_row **out)
{
    const struct sp_book *b = ask->book;
    struct sp_view id;
    struct sp_row *row = NULL;
    SP_TRY(sp_sheet_row(sheet, &row));
    SP_TRY(sp_report_guid(sheet, u->id.bytes, &id));
    SP_TRY(put_texts(b, &u->kbs, SP_COLUMN_KBS, sheet, row));
    SP_TRY(put_texts(b, &u->bulletins, SP_COLUMN_BULLETINS, sheet, row));
    SP_TRY(put_categories(b, u, "UpdateClassification", SP_COLUMN_CLASSIFICATIONS,
                          sheet, row));
    SP_TRY(put_categories(b, u, "Product", SP_COLUMN_PRODUCTS, sheet, row));
    SP_TRY(put_joined(ask, u, sheet, row));
    sp_row_text(row, SP_COLUMN_TITLE, sp_book_word(b, u->title));
    sp_row_text(row, SP_COLUMN_SEVERITY, sp_book_word(b, u->severity));
    sp_row_text(row, SP_COLUMN_RESTART, sp_reach_restart(reach, u));
    sp_row_text(row, SP_COLUMN_CREATED,
                sp_view_slice(sp_book_word(b, u->created), 0, 10));
    sp_row_number(row, SP_COLUMN_SUPERSEDED, is_superseded(b, u));
    sp_row_number(row, SP_COLUMN_SUPERSEDES, (int64_t)u->supersedes.count);
    sp_row_text(row, SP_COLUMN_SUPPORT_URL, sp_book_word(b, u->url));
    sp_row_text(row, SP_COLUMN_UPDATE_ID, id);
    sp_row_number(row, SP_COLUMN_REVISION, u->number);
    sp_row_number(row, SP_COLUMN_ENTRY, (int64_t)u->entry);
    *out = row;
    return SP_OK;
}

/* Newest first. */
static int64_t weight_of(struct sp_view created)
{
    int64_t day = 0;
    for (size_t i = 0; i < created.len && i < 10; i++) {
        uint8_t c = created.data[i];
        day = c >= '0' && c <= '9' ? day * 10 + (c - '0') : day;
    }
    return day;
}

static enum sp_err rows(const struct sp_report_ask *ask, struct sp_sheet *sheet,
                        struct sp_reach *reach, size_t *count)
{
    const struct sp_book *b = ask->book;
    for (size_t i = 0; i < b->revisions.count; i++) {
        const struct sp_book_update *u = &b->updates[i];
        struct sp_row *row = NULL;
        bool wanted = ask->kb.len == 0 || sp_report_has_kb(b, u, ask->kb);
        if (!sp_book_is_update(u) || !wanted) {
            continue;
        }
        SP_TRY(update_row(ask, u, reach, sheet, &row));
        SP_TRY(sp_reach_add(reach, (uint32_t)(*count)++, u));
        row->weight = weight_of(sp_book_word(b, u->created));
        row->name = sp_book_word(b, u->title);
    }
    return SP_OK;
}

/* The rows stand in the order of their groups until they are sorted. */
static enum sp_err sizes(struct sp_sheet *sheet, struct sp_reach *reach, size_t count)
{
    struct sp_sheet_part *part = &sheet->parts[sheet->part_count - 1];
    struct sp_reach_sum *sums = calloc(count + 1, sizeof *sums);
    if (!sums) {
        return SP_E_NOMEM;
    }
    sp_reach_sum(reach, sums);
    for (size_t i = 0; i < count; i++) {
        sp_row_number(&part->rows[i], SP_COLUMN_BYTES, sums[i].bytes);
    }
    free(sums);
    sp_sheet_sort(sheet);
    return SP_OK;
}

enum sp_err sp_report_updates_in(const struct sp_report_ask *ask,
                                 struct sp_sheet *sheet, enum sp_section section,
                                 size_t *count)
{
    struct sp_reach reach;
    *count = 0;
    sp_sheet_section(sheet, section);
    enum sp_err e = sp_reach_init(&reach, ask->book);
    e = e == SP_OK ? rows(ask, sheet, &reach, count) : e;
    e = e == SP_OK ? sizes(sheet, &reach, *count) : e;
    sp_reach_fini(&reach);
    return e;
}

enum sp_err sp_report_updates(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    size_t count;
    return sp_report_updates_in(ask, sheet, SP_SECTION_UPDATES, &count);
}
