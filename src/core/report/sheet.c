#include "core/report/sheet.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key, *heading;
    enum sp_cell_kind kind;
} columns[] = {
#define COLUMN(name, key, kind, heading) {key, heading, SP_CELL_##kind},
#include "core/report/columns.def"
#undef COLUMN
};

#define SECTION(name, key, heading, shown, ...)                                        \
    static const enum sp_column columns_of_##name[] = {__VA_ARGS__};
#include "core/report/sections.def"
#undef SECTION

static const struct {
    const char *key, *heading;
    const enum sp_column *columns;
    size_t count, shown;
} sections[] = {
#define SECTION(name, key, heading, shown, ...)                                        \
    {key, heading, columns_of_##name,                                                  \
     sizeof columns_of_##name / sizeof columns_of_##name[0], shown},
#include "core/report/sections.def"
#undef SECTION
};

static const struct {
    const char *word, *shown;
} words[] = {
#define WORD(word, shown) {word, shown},
#include "core/report/words.def"
#undef WORD
};

const char *sp_column_key(enum sp_column c)
{
    SP_ASSERT(c < SP_COLUMN_COUNT);
    return columns[c].key;
}

const char *sp_column_heading(enum sp_column c)
{
    SP_ASSERT(c < SP_COLUMN_COUNT);
    return columns[c].heading;
}

enum sp_cell_kind sp_column_kind(enum sp_column c)
{
    SP_ASSERT(c < SP_COLUMN_COUNT);
    return columns[c].kind;
}

struct sp_view sp_word_shown(struct sp_view word, const char *(*say)(const char *))
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (sp_view_eq_str(word, words[i].word)) {
            return sp_view_str(say(words[i].shown));
        }
    }
    return word;
}

const char *sp_section_key(enum sp_section s)
{
    SP_ASSERT(s < SP_SECTION_COUNT);
    return sections[s].key;
}

const char *sp_section_heading(enum sp_section s)
{
    SP_ASSERT(s < SP_SECTION_COUNT);
    return sections[s].heading;
}

const enum sp_column *sp_section_columns(enum sp_section s, size_t *count,
                                         size_t *shown)
{
    SP_ASSERT(s < SP_SECTION_COUNT);
    *count = sections[s].count;
    *shown = sections[s].shown;
    return sections[s].columns;
}

/* ---- rows ---------------------------------------------------------------------- */

enum sp_err sp_sheet_init(struct sp_sheet *s, const char *report, size_t ceiling)
{
    *s = (struct sp_sheet){.report = report};
    return sp_arena_new(ceiling, &s->arena);
}

void sp_sheet_fini(struct sp_sheet *s)
{
    for (size_t i = 0; i < s->part_count; i++) {
        free(s->parts[i].rows);
    }
    sp_arena_free(&s->arena);
    *s = (struct sp_sheet){0};
}

void sp_sheet_section(struct sp_sheet *s, enum sp_section section)
{
    SP_ASSERT(s->part_count < SP_SHEET_SECTIONS && section < SP_SECTION_COUNT);
    s->parts[s->part_count++] = (struct sp_sheet_part){.section = section};
}

static struct sp_sheet_part *last_part(struct sp_sheet *s)
{
    SP_ASSERT(s->part_count > 0);
    return &s->parts[s->part_count - 1];
}

enum sp_err sp_sheet_row(struct sp_sheet *s, struct sp_row **out)
{
    struct sp_sheet_part *p = last_part(s);
    void *cells = NULL;
    SP_TRY(sp_arena_alloc(s->arena, sections[p->section].count * sizeof(struct sp_cell),
                          &cells));
    if (p->count == p->room) {
        size_t room = p->room ? p->room * 2 : 32;
        struct sp_row *rows = reallocarray(p->rows, room, sizeof *rows);
        if (!rows) {
            return SP_E_NOMEM;
        }
        p->rows = rows;
        p->room = room;
    }
    *out = &p->rows[p->count++];
    **out = (struct sp_row){.cells = cells, .section = p->section};
    return SP_OK;
}

static int by_weight(const void *one, const void *two)
{
    const struct sp_row *a = one, *b = two;
    if (a->weight != b->weight) {
        return a->weight > b->weight ? -1 : 1;
    }
    return sp_view_cmp(a->name, b->name);
}

void sp_sheet_sort(struct sp_sheet *s)
{
    struct sp_sheet_part *p = last_part(s);
    if (p->count > 1) {
        qsort(p->rows, p->count, sizeof *p->rows, by_weight);
    }
}

enum sp_err sp_sheet_copy(struct sp_sheet *s, struct sp_view text, struct sp_view *out)
{
    return sp_arena_copy(s->arena, text, out);
}

/* ---- cells --------------------------------------------------------------------- */

static struct sp_cell *cell_of(struct sp_row *r, enum sp_column c)
{
    for (size_t i = 0; i < sections[r->section].count; i++) {
        if (sections[r->section].columns[i] == c) {
            return &r->cells[i];
        }
    }
    sp_assert_failed("the section has the column", __FILE__, __LINE__);
}

struct sp_view sp_cell_text(const struct sp_cell *c)
{
    return sp_view(c->text, c->count);
}

void sp_row_text(struct sp_row *r, enum sp_column c, struct sp_view text)
{
    SP_ASSERT(columns[c].kind == SP_CELL_TEXT || columns[c].kind == SP_CELL_WORD);
    SP_ASSERT(text.len <= UINT32_MAX);
    *cell_of(r, c) = (struct sp_cell){
        .has = text.len > 0, .text = text.data, .count = (uint32_t)text.len};
}

void sp_row_number(struct sp_row *r, enum sp_column c, int64_t number)
{
    SP_ASSERT(columns[c].kind >= SP_CELL_COUNT && columns[c].kind <= SP_CELL_TENTHS);
    *cell_of(r, c) = (struct sp_cell){.has = true, .number = number};
}

void sp_row_list(struct sp_row *r, enum sp_column c, const struct sp_view *items,
                 size_t count)
{
    SP_ASSERT(columns[c].kind == SP_CELL_LIST);
    SP_ASSERT(count <= UINT32_MAX);
    *cell_of(r, c) =
        (struct sp_cell){.has = true, .items = items, .count = (uint32_t)count};
}
