#include "io/store/rack.h"

#include <stdlib.h>
#include <string.h>

enum { DRAWERS = 65536, FIRST_ROOM = 4 };

enum sp_err sp_rack_init(struct sp_rack *r)
{
    *r = (struct sp_rack){.drawers = calloc(DRAWERS, sizeof(struct sp_rack_drawer))};
    return r->drawers ? SP_OK : SP_E_NOMEM;
}

void sp_rack_fini(struct sp_rack *r)
{
    for (size_t i = 0; r->drawers && i < DRAWERS; i++) {
        free(r->drawers[i].at);
    }
    free(r->drawers);
    *r = (struct sp_rack){0};
}

static size_t number_of(const uint8_t sha256[32])
{
    return (size_t)sha256[0] << 8 | sha256[1];
}

/* The place of sha256, or where it would stand. */
static uint32_t place(const struct sp_rack_drawer *d, const uint8_t sha256[32])
{
    uint32_t low = 0, high = d->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(d->at[middle]->sha256, sha256, 32) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool stands_at(const struct sp_rack_drawer *d, uint32_t i,
                      const uint8_t sha256[32])
{
    return i < d->count && memcmp(d->at[i]->sha256, sha256, 32) == 0;
}

struct sp_shelf_item *sp_rack_find(const struct sp_rack *r, const uint8_t sha256[32])
{
    const struct sp_rack_drawer *d = &r->drawers[number_of(sha256)];
    uint32_t i = place(d, sha256);
    return stands_at(d, i, sha256) ? d->at[i] : NULL;
}

static enum sp_err make_room(struct sp_rack_drawer *d)
{
    if (d->count < d->room) {
        return SP_OK;
    }
    uint32_t room = d->room ? d->room * 2 : FIRST_ROOM;
    struct sp_shelf_item **at =
        reallocarray(d->at, room, sizeof(struct sp_shelf_item *));
    if (!at) {
        return SP_E_NOMEM;
    }
    d->at = at;
    d->room = room;
    return SP_OK;
}

enum sp_err sp_rack_add(struct sp_rack *r, struct sp_shelf_item *item)
{
    struct sp_rack_drawer *d = &r->drawers[number_of(item->sha256)];
    uint32_t i = place(d, item->sha256);
    SP_ASSERT(!stands_at(d, i, item->sha256));
    SP_TRY(make_room(d));
    memmove(d->at + i + 1, d->at + i, (d->count - i) * sizeof(struct sp_shelf_item *));
    d->at[i] = item;
    d->count++;
    r->count++;
    return SP_OK;
}

void sp_rack_remove(struct sp_rack *r, const struct sp_shelf_item *item)
{
    struct sp_rack_drawer *d = &r->drawers[number_of(item->sha256)];
    uint32_t i = place(d, item->sha256);
    SP_ASSERT(stands_at(d, i, item->sha256));
    d->count--;
    r->count--;
    memmove(d->at + i, d->at + i + 1, (d->count - i) * sizeof(struct sp_shelf_item *));
}

struct sp_shelf_item *sp_rack_next(const struct sp_rack *r, const uint8_t after[32])
{
    size_t drawer = after ? number_of(after) : 0;
    uint32_t i = after ? place(&r->drawers[drawer], after) : 0;
    i += after && stands_at(&r->drawers[drawer], i, after);
    for (; drawer < DRAWERS; drawer++, i = 0) {
        if (i < r->drawers[drawer].count) {
            return r->drawers[drawer].at[i];
        }
    }
    return NULL;
}
