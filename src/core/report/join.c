#include "core/report/report.h"

#include <stdlib.h>
#include <string.h>

enum sp_err sp_join_init(struct sp_join *j, const struct sp_imported *imported,
                         struct sp_arena *arena)
{
    size_t room = 1;
    *j = (struct sp_join){.imported = imported};
    sp_names_init(&j->kbs, arena);
    for (size_t i = 0; i < imported->advisory_count; i++) {
        room += imported->advisories[i].kb_count;
    }
    j->advisories = calloc(room, sizeof *j->advisories);
    if (!j->advisories) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < imported->advisory_count; i++) {
        const struct sp_advisory *a = &imported->advisories[i];
        for (size_t k = 0; k < a->kb_count; k++) {
            uint32_t kb;
            SP_TRY(sp_names_put(&j->kbs, a->kbs[k], &kb));
            SP_TRY(sp_list_add(arena, &j->advisories[kb], i));
        }
    }
    return SP_OK;
}

void sp_join_fini(struct sp_join *j)
{
    sp_names_fini(&j->kbs);
    free(j->advisories);
    *j = (struct sp_join){0};
}

const struct sp_list *sp_join_kb(const struct sp_join *j, struct sp_view kb)
{
    uint32_t n;
    return sp_names_find(&j->kbs, kb, &n) ? &j->advisories[n] : NULL;
}

static bool is_in(const struct sp_view *items, size_t count, struct sp_view item)
{
    for (size_t i = 0; i < count; i++) {
        if (sp_view_eq(items[i], item)) {
            return true;
        }
    }
    return false;
}

static void add_kb(const struct sp_join *j, struct sp_view kb,
                   struct sp_joined_update *out)
{
    const struct sp_list *of_kb = sp_join_kb(j, kb);
    for (size_t i = 0; of_kb && i < of_kb->count; i++) {
        const struct sp_advisory *a = &j->imported->advisories[of_kb->at[i]];
        out->cvss = a->cvss > out->cvss ? a->cvss : out->cvss;
        if (!is_in(out->cves, out->cve_count, a->cve)) {
            out->cves[out->cve_count++] = a->cve;
        }
    }
    for (size_t i = 0; i < j->imported->note_count; i++) {
        out->notes += sp_view_eq(j->imported->notes[i].kb, kb);
    }
}

enum sp_err sp_join_update(const struct sp_join *j, const struct sp_book *b,
                           const struct sp_book_update *u, struct sp_arena *arena,
                           struct sp_joined_update *out)
{
    size_t room = 1;
    void *cves = NULL;
    for (size_t i = 0; i < u->kbs.count; i++) {
        const struct sp_list *l = sp_join_kb(j, sp_book_text(b, u->kbs.at[i]));
        room += l ? l->count : 0;
    }
    SP_TRY(sp_arena_alloc(arena, room * sizeof *out->cves, &cves));
    *out = (struct sp_joined_update){.cves = cves, .cvss = -1};
    for (size_t i = 0; i < u->kbs.count; i++) {
        add_kb(j, sp_book_text(b, u->kbs.at[i]), out);
    }
    return SP_OK;
}
