#include "core/report/sheet.h"
#include "core/base/limits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum sp_err sp_sheet_put(const struct sp_sheet_style *style, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    SP_ASSERT(n >= 0 && (size_t)n < sizeof text);
    return style->put(style->ctx, sp_view(text, (size_t)n));
}

static enum sp_err put_view(const struct sp_sheet_style *style, struct sp_view v)
{
    return style->put(style->ctx, v);
}

/* ---- JSON ---------------------------------------------------------------------- */

/* Texts are UTF-8, facts see to that; DEL and what is beyond ASCII stand as they are.
 */
static enum sp_err json_text(const struct sp_sheet_style *style, struct sp_view v)
{
    size_t from = 0;
    SP_TRY(put_view(style, SP_VIEW("\"")));
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        SP_TRY(put_view(style, sp_view_slice(v, from, i)));
        SP_TRY(c < 0x20 ? sp_sheet_put(style, "\\u%04x", c)
                        : sp_sheet_put(style, "\\%c", c));
        from = i + 1;
    }
    SP_TRY(put_view(style, sp_view_slice(v, from, v.len)));
    return put_view(style, SP_VIEW("\""));
}

static enum sp_err json_list(const struct sp_sheet_style *style,
                             const struct sp_cell *cell)
{
    SP_TRY(put_view(style, SP_VIEW("[")));
    for (size_t i = 0; i < cell->count; i++) {
        SP_TRY(i ? put_view(style, SP_VIEW(", ")) : SP_OK);
        SP_TRY(json_text(style, cell->items[i]));
    }
    return put_view(style, SP_VIEW("]"));
}

static enum sp_err put_tenths(const struct sp_sheet_style *style, int64_t tenths)
{
    return sp_sheet_put(style, "%" PRId64 ".%" PRId64, tenths / 10, tenths % 10);
}

static enum sp_err json_cell(const struct sp_sheet_style *style,
                             const struct sp_cell *cell, enum sp_column c)
{
    if (!cell->has) {
        return put_view(style, SP_VIEW("null"));
    }
    switch (sp_column_kind(c)) {
    case SP_CELL_TEXT:
    case SP_CELL_WORD:
        return json_text(style, sp_cell_text(cell));
    case SP_CELL_COUNT:
    case SP_CELL_BYTES:
        return sp_sheet_put(style, "%" PRId64, cell->number);
    case SP_CELL_FLAG:
        return sp_sheet_put(style, "%s", cell->number ? "true" : "false");
    case SP_CELL_TENTHS:
        return put_tenths(style, cell->number);
    case SP_CELL_LIST:
        return json_list(style, cell);
    }
    return SP_E_INTERNAL;
}

static enum sp_err json_row(const struct sp_sheet_style *style,
                            const struct sp_row *row)
{
    size_t count, shown;
    const enum sp_column *columns = sp_section_columns(row->section, &count, &shown);
    for (size_t i = 0; i < count; i++) {
        SP_TRY(sp_sheet_put(style, "%s\"%s\": ", i ? ", " : "{",
                            sp_column_key(columns[i])));
        SP_TRY(json_cell(style, &row->cells[i], columns[i]));
    }
    return put_view(style, SP_VIEW("}"));
}

static enum sp_err json(const struct sp_sheet *s, const struct sp_sheet_style *style)
{
    SP_TRY(sp_sheet_put(style,
                        "{\"report\": \"%s\", \"version\": 1, \"entries\": %" PRIu64
                        ", \"sections\": {",
                        s->report, s->entries));
    for (size_t i = 0; i < s->part_count; i++) {
        const struct sp_sheet_part *p = &s->parts[i];
        SP_TRY(sp_sheet_put(style, "%s\n\"%s\": [", i ? "," : "",
                            sp_section_key(p->section)));
        for (size_t k = 0; k < p->count; k++) {
            SP_TRY(put_view(style, k ? SP_VIEW(",\n  ") : SP_VIEW("\n  ")));
            SP_TRY(json_row(style, &p->rows[k]));
        }
        SP_TRY(put_view(style, SP_VIEW("]")));
    }
    return put_view(style, SP_VIEW("}}\n"));
}

/* ---- CSV ----------------------------------------------------------------------- */

static bool is_formula(struct sp_view v)
{
    static const char begins[] = "=+-@\t\r";
    return v.len && sp_view_find(SP_VIEW(begins), v.data[0]) < sizeof begins - 1;
}

static enum sp_err csv_part(const struct sp_sheet_style *style, struct sp_view v)
{
    size_t from = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] == '"') {
            SP_TRY(put_view(style, sp_view_slice(v, from, i + 1)));
            from = i; /* once more */
        }
    }
    return put_view(style, sp_view_slice(v, from, v.len));
}

static enum sp_err csv_text(const struct sp_sheet_style *style,
                            const struct sp_view *items, size_t count)
{
    SP_TRY(put_view(style, SP_VIEW("\"")));
    SP_TRY(count && is_formula(items[0]) ? put_view(style, SP_VIEW("'")) : SP_OK);
    for (size_t i = 0; i < count; i++) {
        SP_TRY(i ? put_view(style, SP_VIEW("; ")) : SP_OK);
        SP_TRY(csv_part(style, items[i]));
    }
    return put_view(style, SP_VIEW("\""));
}

static enum sp_err csv_cell(const struct sp_sheet_style *style,
                            const struct sp_cell *cell, enum sp_column c)
{
    struct sp_view text;
    if (!cell->has) {
        return SP_OK;
    }
    switch (sp_column_kind(c)) {
    case SP_CELL_TEXT:
    case SP_CELL_WORD:
        text = sp_cell_text(cell);
        return csv_text(style, &text, 1);
    case SP_CELL_LIST:
        return csv_text(style, cell->items, cell->count);
    case SP_CELL_COUNT:
    case SP_CELL_BYTES:
    case SP_CELL_FLAG:
    case SP_CELL_TENTHS:
        return json_cell(style, cell, c);
    }
    return SP_E_INTERNAL;
}

static enum sp_err csv_row(const struct sp_sheet_style *style, const struct sp_row *row)
{
    size_t count, shown;
    const enum sp_column *columns = sp_section_columns(row->section, &count, &shown);
    for (size_t i = 0; i < count; i++) {
        SP_TRY(i ? put_view(style, SP_VIEW(",")) : SP_OK);
        SP_TRY(csv_cell(style, &row->cells[i], columns[i]));
    }
    return put_view(style, SP_VIEW("\r\n"));
}

static enum sp_err csv(const struct sp_sheet *s, const struct sp_sheet_style *style)
{
    for (size_t i = 0; i < s->part_count; i++) {
        const struct sp_sheet_part *p = &s->parts[i];
        size_t count, shown;
        const enum sp_column *columns = sp_section_columns(p->section, &count, &shown);
        SP_TRY(i ? put_view(style, SP_VIEW("\r\n")) : SP_OK);
        for (size_t k = 0; k < count; k++) {
            SP_TRY(
                sp_sheet_put(style, "%s%s", k ? "," : "", sp_column_key(columns[k])));
        }
        SP_TRY(put_view(style, SP_VIEW("\r\n")));
        for (size_t k = 0; k < p->count; k++) {
            SP_TRY(csv_row(style, &p->rows[k]));
        }
    }
    return SP_OK;
}

enum sp_err sp_sheet_write(const struct sp_sheet *s, const struct sp_sheet_style *style)
{
    switch (style->format) {
    case SP_FORMAT_JSON:
        return json(s, style);
    case SP_FORMAT_CSV:
        return csv(s, style);
    case SP_FORMAT_TABLE:
        break;
    }
    for (size_t i = 0; i < s->part_count; i++) {
        SP_TRY(i ? put_view(style, SP_VIEW("\n")) : SP_OK);
        SP_TRY(sp_sheet_write_table(&s->parts[i], style));
    }
    return SP_OK;
}
