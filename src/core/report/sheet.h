/* What a report found, as sections of rows, and the one writer that makes a table, JSON
 * or CSV of it. Which columns a section has, and what they are called, are tables:
 * sections.def, columns.def, words.def.
 *
 * Texts of cells are borrowed until the sheet is written; sp_sheet_copy keeps one. Rows
 * are bounded by the ceiling of the sheet. One thread. Pure. */
#ifndef SP_CORE_REPORT_SHEET_H
#define SP_CORE_REPORT_SHEET_H

#include "sallyport/bytes.h"

enum sp_column {
#define COLUMN(name, key, kind, heading) SP_COLUMN_##name,
#include "core/report/columns.def"
#undef COLUMN
    SP_COLUMN_COUNT
};
enum sp_cell_kind {
    SP_CELL_TEXT,
    SP_CELL_WORD,
    SP_CELL_COUNT,
    SP_CELL_BYTES,
    SP_CELL_FLAG,
    SP_CELL_TENTHS,
    SP_CELL_LIST
};
const char *sp_column_key(enum sp_column c);
const char *sp_column_heading(enum sp_column c);
enum sp_cell_kind sp_column_kind(enum sp_column c);
/* How tables show a word; itself where words.def does not have it. */
struct sp_view sp_word_shown(struct sp_view word, const char *(*say)(const char *));

enum sp_section {
#define SECTION(name, key, heading, shown, ...) SP_SECTION_##name,
#include "core/report/sections.def"
#undef SECTION
    SP_SECTION_COUNT
};
const char *sp_section_key(enum sp_section s);
const char *sp_section_heading(enum sp_section s);
/* The columns of a section; the first *shown of them are for tables. */
const enum sp_column *sp_section_columns(enum sp_section s, size_t *count,
                                         size_t *shown);

/* There are as many as rows and columns of a catalogue: what it holds goes by the kind of
 * its column. */
struct sp_cell {
    union {
        int64_t number;              /* COUNT, BYTES, FLAG, TENTHS */
        const uint8_t *text;         /* TEXT, WORD: count bytes */
        const struct sp_view *items; /* LIST: count of them */
    };
    uint32_t count;
    bool has;
};
struct sp_view sp_cell_text(const struct sp_cell *c); /* of a TEXT or WORD */
struct sp_row {
    struct sp_cell *cells; /* the sheet's, in the order of the section's columns */
    int64_t weight;        /* heavier rows come first */
    struct sp_view name;   /* then by name */
    enum sp_section section;
};

enum { SP_SHEET_SECTIONS = 8 };
struct sp_sheet {
    struct sp_arena *arena; /* owned */
    const char *report;     /* borrowed: its word */
    uint64_t entries;       /* of the ledger that was read */
    struct sp_sheet_part {
        enum sp_section section;
        struct sp_row *rows; /* owned */
        size_t count, room;
    } parts[SP_SHEET_SECTIONS];
    size_t part_count;
};
enum sp_err sp_sheet_init(struct sp_sheet *s, const char *report,
                          size_t ceiling) SP_MUST_USE;
void sp_sheet_fini(struct sp_sheet *s);

/* Begins a section; rows go into the one begun last. */
void sp_sheet_section(struct sp_sheet *s, enum sp_section section);
/* A new row of empty cells, good until the next one. */
enum sp_err sp_sheet_row(struct sp_sheet *s, struct sp_row **out) SP_MUST_USE;
/* Puts the rows of the section begun last in order. */
void sp_sheet_sort(struct sp_sheet *s);
enum sp_err sp_sheet_copy(struct sp_sheet *s, struct sp_view text,
                          struct sp_view *out) SP_MUST_USE;

/* The section has the column, and it is of that kind. An empty text leaves it empty. */
void sp_row_text(struct sp_row *r, enum sp_column c, struct sp_view text);
void sp_row_number(struct sp_row *r, enum sp_column c, int64_t number);
void sp_row_list(struct sp_row *r, enum sp_column c, const struct sp_view *items,
                 size_t count); /* items are borrowed as well */

/* ---- writing --------------------------------------------------------------------- */

enum sp_format { SP_FORMAT_TABLE, SP_FORMAT_JSON, SP_FORMAT_CSV };

struct sp_sheet_style {
    enum sp_format format;
    size_t width; /* columns of the terminal; 0: as wide as it gets */
    bool bold;    /* headings */
    const char *(*say)(const char *); /* translates headings and words of tables */
    void *ctx;
    enum sp_err (*put)(void *ctx, struct sp_view bytes);
};
/* JSON: {"report":..., "version":1, "entries":N, "sections":{KEY:[{COLUMN:value}]}},
 * with every column of the section in every row. CSV (RFC 4180): a line of keys and the
 * rows, an empty line between sections; a text that a spreadsheet would take for a
 * formula gets a ' in front. Tables: what does not fit the width is cut, or, where
 * nothing fits, shown as lines of "heading: value". */
enum sp_err sp_sheet_write(const struct sp_sheet *s,
                           const struct sp_sheet_style *style) SP_MUST_USE;

/* sheet_table.c; the rest of the file is told by sp_sheet_write. */
enum sp_err sp_sheet_write_table(const struct sp_sheet_part *part,
                                 const struct sp_sheet_style *style) SP_MUST_USE;
enum sp_err sp_sheet_put(const struct sp_sheet_style *style, const char *fmt, ...)
    SP_PRINTF(2, 3) SP_MUST_USE;
/* "1.5 GiB"; bytes below 1024 as they are. */
enum { SP_SIZE_TEXT = 24 };
void sp_size_format(uint64_t bytes, char out[SP_SIZE_TEXT]);

#endif
