/* Everything about one KB: its updates, what they take the place of and what takes
 * theirs, their files, advisories and known issues. */
#include "core/report/report.h"

#include <stdio.h>

/* ---- supersedence -------------------------------------------------------------- */

static enum sp_err related_row(const struct sp_report_ask *ask, struct sp_sheet *sheet,
                               uint32_t id, struct sp_view relation)
{
    const struct sp_book *b = ask->book;
    const struct sp_book_update *other = sp_book_newest(b, id);
    const struct sp_view *kbs = NULL;
    struct sp_view guid;
    struct sp_row *row = NULL;
    SP_TRY(sp_sheet_row(sheet, &row));
    SP_TRY(sp_report_guid(sheet, b->ids.names[id].data, &guid));
    sp_row_text(row, SP_COLUMN_RELATION, relation);
    sp_row_text(row, SP_COLUMN_UPDATE_ID, guid);
    row->name = guid;
    if (other) {
        SP_TRY(sp_report_texts(b, &other->kbs, sheet, &kbs));
        sp_row_list(row, SP_COLUMN_KBS, kbs, other->kbs.count);
        sp_row_text(row, SP_COLUMN_TITLE, sp_book_word(b, other->title));
    }
    return SP_OK;
}

/* other is superseded by u, or the other way round. */
static bool supersedes(const struct sp_book_update *u, uint32_t id)
{
    for (size_t i = 0; i < u->supersedes.count; i++) {
        if (u->supersedes.at[i] == id) {
            return true;
        }
    }
    return false;
}

static enum sp_err relations(const struct sp_report_ask *ask, struct sp_sheet *sheet,
                             const struct sp_book_update *u)
{
    const struct sp_book *b = ask->book;
    for (size_t i = 0; i < u->supersedes.count; i++) {
        SP_TRY(related_row(ask, sheet, (uint32_t)u->supersedes.at[i],
                           SP_VIEW("supersedes")));
    }
    for (size_t i = 0; i < b->revisions.count; i++) {
        const struct sp_book_update *other = &b->updates[i];
        if (sp_book_is_update(other) && supersedes(other, u->id_name)) {
            SP_TRY(related_row(ask, sheet, other->id_name, SP_VIEW("superseded-by")));
        }
    }
    return SP_OK;
}

/* ---- files --------------------------------------------------------------------- */

static enum sp_err hex(struct sp_sheet *sheet, const uint8_t *bytes, size_t len,
                       struct sp_view *out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, 128);
    SP_TRY(sp_hex_append(&text, sp_view(bytes, len)));
    return sp_sheet_copy(sheet, sp_buf_view(&text), out);
}

/* Documents name files, the ledger keeps their digests: until one came, that is its
 * name.
 */
static enum sp_err file_name(struct sp_sheet *sheet, const struct sp_book_file *f,
                             struct sp_view *out)
{
    char text[64];
    if (f->name.len) {
        *out = f->name;
        return SP_OK;
    }
    int n = 0;
    for (size_t i = 0; i < sizeof f->sha1; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "%02x", f->sha1[i]);
    }
    snprintf(text + n, sizeof text - (size_t)n, "%s%s", f->ext[0] ? "." : "", f->ext);
    return sp_sheet_copy(sheet, sp_view_str(text), out);
}

static enum sp_err file_row(struct sp_sheet *sheet, const struct sp_book_file *f)
{
    struct sp_row *row = NULL;
    struct sp_view name, sha1, sha256 = {NULL, 0};
    SP_TRY(sp_sheet_row(sheet, &row));
    SP_TRY(file_name(sheet, f, &name));
    SP_TRY(hex(sheet, f->sha1, sizeof f->sha1, &sha1));
    SP_TRY(f->has_sha256 ? hex(sheet, f->sha256, sizeof f->sha256, &sha256) : SP_OK);
    sp_row_text(row, SP_COLUMN_FILE, name);
    sp_row_text(row, SP_COLUMN_SHA1, sha1);
    sp_row_text(row, SP_COLUMN_SHA256, sha256);
    sp_row_number(row, SP_COLUMN_BYTES, (int64_t)f->size);
    sp_row_number(row, SP_COLUMN_VERIFIED, f->verified);
    sp_row_text(row, SP_COLUMN_SIGNER, f->signer);
    if (f->verified) {
        sp_row_number(row, SP_COLUMN_ENTRY, (int64_t)f->entry);
    }
    row->weight = (int64_t)f->size;
    row->name = name;
    return SP_OK;
}

static enum sp_err files(const struct sp_report_ask *ask, struct sp_sheet *sheet,
                         struct sp_reach *reach)
{
    struct sp_reach_sum sum = {0};
    sp_reach_sum(reach, &sum); /* and with that in order */
    for (size_t i = 0; i < reach->count; i++) {
        if (i == 0 || reach->pairs[i] != reach->pairs[i - 1]) {
            SP_TRY(file_row(sheet, &ask->book->files[(uint32_t)reach->pairs[i]]));
        }
    }
    sp_sheet_sort(sheet);
    return SP_OK;
}

/* ---- known issues -------------------------------------------------------------- */

static enum sp_err notes(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    const struct sp_imported *imported = ask->join->imported;
    for (size_t i = 0; i < imported->note_count; i++) {
        struct sp_row *row = NULL;
        if (!sp_view_eq(imported->notes[i].kb, ask->kb)) {
            continue;
        }
        SP_TRY(sp_sheet_row(sheet, &row));
        sp_row_text(row, SP_COLUMN_KB, ask->kb);
        sp_row_text(row, SP_COLUMN_NOTE, imported->notes[i].text);
    }
    return SP_OK;
}

static enum sp_err all_parts(const struct sp_report_ask *ask, struct sp_sheet *sheet,
                             struct sp_reach *reach)
{
    const struct sp_book *b = ask->book;
    sp_sheet_section(sheet, SP_SECTION_KB_RELATED);
    for (size_t i = 0; i < b->revisions.count; i++) {
        const struct sp_book_update *u = &b->updates[i];
        if (sp_book_is_update(u) && sp_report_has_kb(b, u, ask->kb)) {
            SP_TRY(relations(ask, sheet, u));
            SP_TRY(sp_reach_add(reach, 0, u));
        }
    }
    sp_sheet_section(sheet, SP_SECTION_KB_FILES);
    SP_TRY(files(ask, sheet, reach));
    SP_TRY(sp_report_advisories_in(ask, sheet));
    sp_sheet_section(sheet, SP_SECTION_KB_NOTES);
    return notes(ask, sheet);
}

enum sp_err sp_report_kb(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    struct sp_reach reach;
    size_t count = 0;
    SP_TRY(sp_report_updates_in(ask, sheet, SP_SECTION_KB_UPDATES, &count));
    if (count == 0) {
        return SP_E_NOTFOUND;
    }
    enum sp_err e = sp_reach_init(&reach, ask->book);
    e = e == SP_OK ? all_parts(ask, sheet, &reach) : e;
    sp_reach_fini(&reach);
    return e;
}
