/* Tables: columns as wide as what stands in them, the widest texts cut first when the
 * terminal is narrower; where even that does not help, a row becomes lines. */
#include "core/report/sheet.h"

#include "core/base/limits.h"
#include "core/report/width.h"

#include <inttypes.h>
#include <stdio.h>

#define N_(text) text /* for the catalogue of translations */

enum { GAP = 2, LEAST = 8 /* columns that a text keeps */, COLUMNS_MAX = 24 };

struct table {
    const struct sp_sheet_part *part;   /* borrowed */
    const struct sp_sheet_style *style; /* borrowed */
    const enum sp_column *columns;      /* borrowed */
    size_t count, width[COLUMNS_MAX];
    struct sp_buf text, line; /* of the cell and the row at hand */
};

void sp_size_format(uint64_t bytes, char out[SP_SIZE_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    if (bytes < 1024) {
        snprintf(out, SP_SIZE_TEXT, "%" PRIu64 " B", bytes);
        return;
    }
    while (bytes >= 1024 * 1024) {
        bytes = bytes / 1024 + (bytes % 1024 >= 512);
        unit++;
    }
    uint64_t tenths = (bytes * 10 + 512) / 1024;
    snprintf(out, SP_SIZE_TEXT, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
             units[unit]);
}

/* ---- cells --------------------------------------------------------------------- */

static enum sp_err show_list(struct sp_buf *out, const struct sp_cell *cell)
{
    for (size_t i = 0; i < cell->count; i++) {
        SP_TRY(i ? sp_buf_append_str(out, ", ") : SP_OK);
        SP_TRY(sp_buf_append(out, cell->items[i]));
    }
    return cell->count ? SP_OK : sp_buf_append_str(out, "-");
}

static enum sp_err show(const struct table *t, const struct sp_cell *cell,
                        enum sp_column c, struct sp_buf *out)
{
    char size[SP_SIZE_TEXT];
    sp_buf_clear(out);
    if (!cell->has) {
        return sp_buf_append_str(out, "-");
    }
    switch (sp_column_kind(c)) {
    case SP_CELL_TEXT:
        return sp_buf_append(out, sp_cell_text(cell));
    case SP_CELL_WORD:
        return sp_buf_append(out, sp_word_shown(sp_cell_text(cell), t->style->say));
    case SP_CELL_COUNT:
        return sp_buf_printf(out, "%" PRId64, cell->number);
    case SP_CELL_BYTES:
        sp_size_format((uint64_t)cell->number, size);
        return sp_buf_append_str(out, size);
    case SP_CELL_FLAG:
        return sp_buf_append_str(out,
                                 t->style->say(cell->number ? N_("yes") : N_("no")));
    case SP_CELL_TENTHS:
        return sp_buf_printf(out, "%" PRId64 ".%" PRId64, cell->number / 10,
                             cell->number % 10);
    case SP_CELL_LIST:
        return show_list(out, cell);
    }
    return SP_E_INTERNAL;
}

static bool is_number(enum sp_column c)
{
    enum sp_cell_kind k = sp_column_kind(c);
    return k == SP_CELL_COUNT || k == SP_CELL_BYTES || k == SP_CELL_TENTHS;
}

static bool may_be_cut(enum sp_column c)
{
    enum sp_cell_kind k = sp_column_kind(c);
    return k == SP_CELL_TEXT || k == SP_CELL_LIST;
}

/* ---- widths -------------------------------------------------------------------- */

static enum sp_err measure(struct table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        t->width[i] =
            sp_width(sp_view_str(t->style->say(sp_column_heading(t->columns[i]))));
    }
    for (size_t k = 0; k < t->part->count; k++) {
        for (size_t i = 0; i < t->count; i++) {
            SP_TRY(show(t, &t->part->rows[k].cells[i], t->columns[i], &t->text));
            size_t w = sp_width(sp_buf_view(&t->text));
            t->width[i] = w > t->width[i] ? w : t->width[i];
        }
    }
    return SP_OK;
}

static size_t total(const struct table *t)
{
    size_t sum = t->count ? (t->count - 1) * GAP : 0;
    for (size_t i = 0; i < t->count; i++) {
        sum += t->width[i];
    }
    return sum;
}

/* False when it cannot be made to fit. */
static bool fit(struct table *t)
{
    while (t->style->width && total(t) > t->style->width) {
        size_t widest = t->count;
        for (size_t i = 0; i < t->count; i++) {
            bool wider = widest == t->count || t->width[i] > t->width[widest];
            widest = may_be_cut(t->columns[i]) && wider ? i : widest;
        }
        if (widest == t->count || t->width[widest] <= LEAST) {
            return false;
        }
        t->width[widest]--;
    }
    return true;
}

/* ---- lines --------------------------------------------------------------------- */

static enum sp_err blanks(struct sp_buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        SP_TRY(sp_buf_append_byte(b, ' '));
    }
    return SP_OK;
}

/* No blanks behind the last column. */
static enum sp_err put_cell(struct table *t, size_t i, struct sp_view text)
{
    size_t used = sp_width(text);
    size_t left = used < t->width[i] ? t->width[i] - used : 0;
    bool right = is_number(t->columns[i]), last = i + 1 == t->count;
    SP_TRY(right ? blanks(&t->line, left) : SP_OK);
    SP_TRY(sp_width_put(&t->line, text, t->width[i]));
    return last ? SP_OK : blanks(&t->line, (right ? 0 : left) + GAP);
}

static enum sp_err end_line(struct table *t)
{
    SP_TRY(sp_buf_append_byte(&t->line, '\n'));
    SP_TRY(t->style->put(t->style->ctx, sp_buf_view(&t->line)));
    sp_buf_clear(&t->line);
    return SP_OK;
}

static enum sp_err bold(struct table *t, const char *sequence)
{
    return t->style->bold ? sp_buf_append_str(&t->line, sequence) : SP_OK;
}

static enum sp_err headings(struct table *t)
{
    SP_TRY(bold(t, "\033[1m"));
    for (size_t i = 0; i < t->count; i++) {
        SP_TRY(put_cell(t, i,
                        sp_view_str(t->style->say(sp_column_heading(t->columns[i])))));
    }
    SP_TRY(bold(t, "\033[0m"));
    return end_line(t);
}

static enum sp_err as_table(struct table *t)
{
    SP_TRY(headings(t));
    for (size_t k = 0; k < t->part->count; k++) {
        for (size_t i = 0; i < t->count; i++) {
            SP_TRY(show(t, &t->part->rows[k].cells[i], t->columns[i], &t->text));
            SP_TRY(put_cell(t, i, sp_buf_view(&t->text)));
        }
        SP_TRY(end_line(t));
    }
    return SP_OK;
}

static enum sp_err as_lines(struct table *t)
{
    for (size_t k = 0; k < t->part->count; k++) {
        SP_TRY(k ? end_line(t) : SP_OK);
        for (size_t i = 0; i < t->count; i++) {
            SP_TRY(show(t, &t->part->rows[k].cells[i], t->columns[i], &t->text));
            SP_TRY(sp_buf_append_str(&t->line,
                                     t->style->say(sp_column_heading(t->columns[i]))));
            SP_TRY(sp_buf_append_str(&t->line, ": "));
            SP_TRY(sp_width_put(&t->line, sp_buf_view(&t->text), SIZE_MAX));
            SP_TRY(end_line(t));
        }
    }
    return SP_OK;
}

static enum sp_err write(struct table *t)
{
    SP_TRY(bold(t, "\033[1m"));
    SP_TRY(sp_buf_append_str(&t->line,
                             t->style->say(sp_section_heading(t->part->section))));
    SP_TRY(bold(t, "\033[0m"));
    SP_TRY(end_line(t));
    if (t->part->count == 0) {
        SP_TRY(sp_buf_append_str(&t->line, t->style->say(N_("nothing"))));
        return end_line(t);
    }
    SP_TRY(measure(t));
    return fit(t) ? as_table(t) : as_lines(t);
}

enum sp_err sp_sheet_write_table(const struct sp_sheet_part *part,
                                 const struct sp_sheet_style *style)
{
    struct table t = {.part = part, .style = style};
    size_t all;
    t.columns = sp_section_columns(part->section, &all, &t.count);
    SP_ASSERT(t.count <= COLUMNS_MAX);
    sp_buf_init(&t.text, SP_MIB(16));
    sp_buf_init(&t.line, SP_MIB(16));
    enum sp_err e = write(&t);
    sp_buf_fini(&t.text);
    sp_buf_fini(&t.line);
    return e;
}
