/* How large updates are, by what they can be grouped by. A file counts once in each
 * group that needs it, so groups do not add up to the total. */
#include "core/report/report.h"

#include <stdlib.h>

struct groups {
    const struct sp_report_ask *ask; /* borrowed */
    struct sp_sheet *sheet;          /* borrowed */
    struct sp_arena *arena;          /* borrowed */
    struct sp_names names;
    struct sp_list updates; /* how many, by group */
    struct sp_reach reach;
};

/* A way of grouping: the section, the column that names a group, and the names of the
 * groups that an update is in. */
struct grouping {
    enum sp_section section;
    enum sp_column named; /* SP_COLUMN_COUNT: none */
    bool by_name;         /* rather than by size */
    enum sp_err (*groups_of)(struct groups *g, const struct sp_book_update *u,
                             const struct sp_view **names, size_t *count);
};

static enum sp_err one(struct groups *g, struct sp_view name,
                       const struct sp_view **names, size_t *count)
{
    void *at = NULL;
    SP_TRY(sp_arena_alloc(g->arena, sizeof name, &at));
    *(struct sp_view *)at = name;
    *names = at;
    *count = 1;
    return SP_OK;
}

static enum sp_err all_of_them(struct groups *g, const struct sp_book_update *u,
                               const struct sp_view **names, size_t *count)
{
    (void)u;
    return one(g, SP_VIEW(""), names, count);
}

static enum sp_err by_kb(struct groups *g, const struct sp_book_update *u,
                         const struct sp_view **names, size_t *count)
{
    *count = u->kbs.count;
    return sp_report_texts(g->ask->book, &u->kbs, g->sheet, names);
}

static enum sp_err by_type(struct groups *g, const struct sp_book_update *u,
                           const char *type, const struct sp_view **names,
                           size_t *count)
{
    struct sp_view *found = NULL;
    SP_TRY(sp_book_categories(g->ask->book, u, type, g->arena, &found, count));
    *names = found;
    return SP_OK;
}

static enum sp_err by_product(struct groups *g, const struct sp_book_update *u,
                              const struct sp_view **names, size_t *count)
{
    return by_type(g, u, "Product", names, count);
}

static enum sp_err by_classification(struct groups *g, const struct sp_book_update *u,
                                     const struct sp_view **names, size_t *count)
{
    return by_type(g, u, "UpdateClassification", names, count);
}

static enum sp_err by_month(struct groups *g, const struct sp_book_update *u,
                            const struct sp_view **names, size_t *count)
{
    return one(g, sp_view_slice(sp_book_word(g->reach.book, u->created), 0, 7), names,
               count);
}

/* ---- grouping ------------------------------------------------------------------ */

static enum sp_err add_to(struct groups *g, struct sp_view name,
                          const struct sp_book_update *u)
{
    uint32_t group;
    SP_TRY(sp_names_put(&g->names, name, &group));
    if (group == g->updates.count) {
        SP_TRY(sp_list_add(g->arena, &g->updates, 0));
    }
    g->updates.at[group]++;
    return sp_reach_add(&g->reach, group, u);
}

/* What is in no group stands in one without a name. */
static enum sp_err gather(struct groups *g, const struct grouping *by)
{
    const struct sp_book *b = g->ask->book;
    for (size_t i = 0; i < b->revisions.count; i++) {
        const struct sp_view *names = NULL;
        size_t count = 0;
        if (!sp_book_is_update(&b->updates[i])) {
            continue;
        }
        SP_TRY(by->groups_of(g, &b->updates[i], &names, &count));
        SP_TRY(count ? SP_OK : add_to(g, SP_VIEW(""), &b->updates[i]));
        for (size_t k = 0; k < count; k++) {
            SP_TRY(add_to(g, names[k], &b->updates[i]));
        }
    }
    return SP_OK;
}

static enum sp_err rows(struct groups *g, const struct grouping *by)
{
    struct sp_reach_sum *sums = calloc(g->names.count + 1, sizeof *sums);
    enum sp_err e = sums ? SP_OK : SP_E_NOMEM;
    if (sums) {
        sp_reach_sum(&g->reach, sums);
    }
    for (size_t i = 0; e == SP_OK && i < g->names.count; i++) {
        struct sp_row *row = NULL;
        e = sp_sheet_row(g->sheet, &row);
        if (e != SP_OK) {
            break;
        }
        row->weight = by->by_name ? 0 : sums[i].bytes;
        row->name = g->names.names[i];
        if (by->named != SP_COLUMN_COUNT) {
            sp_row_text(row, by->named, g->names.names[i]);
        }
        sp_row_number(row, SP_COLUMN_UPDATES, (int64_t)g->updates.at[i]);
        sp_row_number(row, SP_COLUMN_FILES, sums[i].files);
        sp_row_number(row, SP_COLUMN_BYTES, sums[i].bytes);
        sp_row_number(row, SP_COLUMN_VERIFIED_BYTES, sums[i].verified);
    }
    free(sums);
    sp_sheet_sort(g->sheet);
    return e;
}

static enum sp_err section(const struct sp_report_ask *ask, struct sp_sheet *sheet,
                           const struct grouping *by)
{
    struct groups g = {.ask = ask, .sheet = sheet, .arena = sheet->arena};
    sp_sheet_section(sheet, by->section);
    sp_names_init(&g.names, sheet->arena);
    enum sp_err e = sp_reach_init(&g.reach, ask->book);
    e = e == SP_OK ? gather(&g, by) : e;
    e = e == SP_OK ? rows(&g, by) : e;
    sp_reach_fini(&g.reach);
    sp_names_fini(&g.names);
    return e;
}

enum sp_err sp_report_sizes(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    static const struct grouping all[] = {
        {SP_SECTION_SIZES_ALL, SP_COLUMN_COUNT, true, all_of_them},
        {SP_SECTION_SIZES_KB, SP_COLUMN_KB, false, by_kb},
        {SP_SECTION_SIZES_PRODUCT, SP_COLUMN_PRODUCT, false, by_product},
        {SP_SECTION_SIZES_CLASS, SP_COLUMN_CLASSIFICATION, false, by_classification},
        {SP_SECTION_SIZES_MONTH, SP_COLUMN_MONTH, true, by_month},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        SP_TRY(section(ask, sheet, &all[i]));
    }
    return SP_OK;
}
