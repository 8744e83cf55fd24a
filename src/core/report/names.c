#include "core/report/names.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, MOST = 1 << 28 };

void sp_names_init(struct sp_names *n, struct sp_arena *arena)
{
    *n = (struct sp_names){.arena = arena};
}

void sp_names_fini(struct sp_names *n)
{
    free(n->names);
    free(n->slots);
    *n = (struct sp_names){0};
}

/* FNV-1a. Names come from a ledger that was judged; who plants colliding ones makes a
 * report slow. */
static uint32_t hash_of(struct sp_view name)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < name.len; i++) {
        h = (h ^ name.data[i]) * 16777619u;
    }
    return h ^ h >> 15;
}

/* The slot of the name, or the free one where it belongs. */
static size_t slot_of(const struct sp_names *n, struct sp_view name)
{
    size_t mask = n->slot_count - 1, at = hash_of(name) & mask;
    while (n->slots[at] && !sp_view_eq(n->names[n->slots[at] - 1], name)) {
        at = (at + 1) & mask;
    }
    return at;
}

static enum sp_err grow(struct sp_names *n)
{
    size_t room = n->room ? n->room * 2 : FIRST_ROOM;
    if (room > MOST) {
        return SP_E_LIMIT;
    }
    struct sp_view *names = reallocarray(n->names, room, sizeof *names);
    if (!names) {
        return SP_E_NOMEM;
    }
    n->names = names;
    uint32_t *slots = calloc(room * 2, sizeof *slots);
    if (!slots) {
        return SP_E_NOMEM;
    }
    free(n->slots);
    n->slots = slots;
    n->slot_count = room * 2;
    n->room = room;
    for (size_t i = 0; i < n->count; i++) {
        n->slots[slot_of(n, n->names[i])] = (uint32_t)i + 1;
    }
    return SP_OK;
}

bool sp_names_find(const struct sp_names *n, struct sp_view name, uint32_t *out)
{
    size_t at = n->slot_count ? slot_of(n, name) : 0;
    if (!n->slot_count || !n->slots[at]) {
        return false;
    }
    *out = n->slots[at] - 1;
    return true;
}

enum sp_err sp_names_put(struct sp_names *n, struct sp_view name, uint32_t *out)
{
    if (sp_names_find(n, name, out)) {
        return SP_OK;
    }
    SP_TRY(n->count == n->room ? grow(n) : SP_OK);
    SP_TRY(sp_arena_copy(n->arena, name, &n->names[n->count]));
    n->slots[slot_of(n, name)] = (uint32_t)n->count + 1;
    *out = (uint32_t)n->count++;
    return SP_OK;
}

enum sp_err sp_list_add(struct sp_arena *arena, struct sp_list *l, uint64_t number)
{
    if (l->count == l->room) {
        uint32_t room = l->room ? l->room * 2 : 2;
        void *more = NULL;
        SP_TRY(sp_arena_alloc(arena, room * sizeof *l->at, &more));
        if (l->count) {
            memcpy(more, l->at, l->count * sizeof *l->at);
        }
        l->at = more;
        l->room = room;
    }
    l->at[l->count++] = number;
    return SP_OK;
}
