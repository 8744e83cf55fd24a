#include "core/gate/extents.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

void sp_extents_fini(struct sp_extents *e)
{
    free(e->at);
    *e = (struct sp_extents){0};
}

enum sp_err sp_extents_reserve(struct sp_extents *e, size_t more)
{
    size_t need = e->count + more;
    if (need <= e->room) {
        return SP_OK;
    }
    if (need > SP_LIMIT_EXTENTS) {
        return SP_E_LIMIT;
    }
    size_t room = need < SP_LIMIT_EXTENTS / 2 ? need * 2 : SP_LIMIT_EXTENTS;
    struct sp_span *at = realloc(e->at, room * sizeof *at);
    if (!at) {
        return SP_E_NOMEM;
    }
    e->at = at;
    e->room = room;
    return SP_OK;
}

/* The first part that ends behind byte; count when there is none. */
static size_t find(const struct sp_extents *e, uint64_t byte)
{
    size_t low = 0, high = e->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->at[middle].end > byte) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static void insert(struct sp_extents *e, size_t i, struct sp_span s)
{
    SP_ASSERT(e->count < e->room);
    memmove(e->at + i + 1, e->at + i, (e->count - i) * sizeof *e->at);
    e->at[i] = s;
    e->count++;
}

static void join_with_next(struct sp_extents *e, size_t i)
{
    e->at[i].end = e->at[i + 1].end;
    memmove(e->at + i + 1, e->at + i + 2, (e->count - i - 2) * sizeof *e->at);
    e->count--;
}

void sp_extents_add(struct sp_extents *e, struct sp_span s)
{
    if (s.first >= s.end) {
        return;
    }
    size_t i = find(e, s.first);
    SP_ASSERT(i == e->count || e->at[i].first >= s.end);
    bool touches_last = i > 0 && e->at[i - 1].end == s.first;
    bool touches_next = i < e->count && e->at[i].first == s.end;
    if (touches_last) {
        e->at[i - 1].end = s.end;
        if (touches_next) {
            join_with_next(e, i - 1);
        }
    } else if (touches_next) {
        e->at[i].first = s.first;
    } else {
        insert(e, i, s);
    }
}

uint64_t sp_extents_reach(const struct sp_extents *e, uint64_t first)
{
    size_t i = find(e, first);
    return i < e->count && e->at[i].first <= first ? e->at[i].end : first;
}

uint64_t sp_extents_next(const struct sp_extents *e, uint64_t from, uint64_t none)
{
    size_t i = find(e, from);
    if (i == e->count) {
        return none;
    }
    return e->at[i].first > from ? e->at[i].first : from;
}
