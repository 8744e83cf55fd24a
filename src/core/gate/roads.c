#include "core/gate/roads.h"

/* A road makes one part at most, and the trunk one more behind every side road. */
enum { PARTS = 2 * SP_ROADS };

enum sp_err sp_roads_init(struct sp_roads *r, uint64_t size)
{
    *r = (struct sp_roads){.size = size};
    return sp_extents_reserve(&r->staged, PARTS);
}

void sp_roads_resume(struct sp_roads *r, uint64_t prefix)
{
    sp_extents_add(&r->staged, (struct sp_span){0, prefix});
}

enum sp_err sp_roads_regain(struct sp_roads *r, struct sp_span s)
{
    SP_TRY(sp_extents_reserve(&r->staged, PARTS + 1));
    sp_extents_add(&r->staged, s);
    r->scattered = true;
    return SP_OK;
}

void sp_roads_fini(struct sp_roads *r)
{
    sp_extents_fini(&r->staged);
}

uint64_t sp_roads_reach(const struct sp_roads *r, uint64_t first)
{
    return sp_extents_reach(&r->staged, first);
}

/* The road that is still to bring byte; SP_ROADS when none is. */
static size_t bringer(const struct sp_roads *r, uint64_t byte)
{
    size_t i = 0;
    while (i < SP_ROADS &&
           !(r->road[i].busy && byte >= r->road[i].at && byte < r->road[i].end)) {
        i++;
    }
    return i;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* first is missing and on no road: the gap goes on up to here. */
static uint64_t gap_end(const struct sp_roads *r, uint64_t first)
{
    uint64_t end = sp_extents_next(&r->staged, first, r->size);
    for (size_t i = 0; i < SP_ROADS; i++) {
        const struct sp_road *road = &r->road[i];
        if (road->busy && road->at > first && road->at < road->end) {
            end = least(end, road->at);
        }
    }
    return end;
}

static uint64_t first_gap(const struct sp_roads *r)
{
    uint64_t at = sp_roads_reach(r, 0);
    size_t by = bringer(r, at);
    while (at < r->size && by < SP_ROADS) {
        at = sp_roads_reach(r, r->road[by].end);
        by = bringer(r, at);
    }
    return at;
}

static void begin(struct sp_roads *r, size_t which, struct sp_span s)
{
    r->road[which] =
        (struct sp_road){.busy = true, .at = s.first, .end = s.end, .asked = s.end};
}

bool sp_roads_begin_trunk(struct sp_roads *r, struct sp_span *out)
{
    SP_ASSERT(!r->road[SP_TRUNK].busy);
    uint64_t first = first_gap(r);
    if (first >= r->size) {
        return false;
    }
    uint64_t end = gap_end(r, first);
    if (r->scattered && !r->barred) {
        end = least(end, first + SP_LIMIT_FILL_STRIDE);
    }
    *out = (struct sp_span){first, end};
    begin(r, SP_TRUNK, *out);
    return true;
}

/* Will a road that runs be there before a new one could be of use? */
static bool comes_soon(const struct sp_roads *r, uint64_t byte)
{
    const struct sp_road *trunk = &r->road[SP_TRUNK];
    size_t by = bringer(r, byte);
    bool is_near =
        trunk->busy && byte >= trunk->at && byte - trunk->at < SP_LIMIT_FILL_STRIDE;
    return is_near || (by != SP_TRUNK && by < SP_ROADS);
}

static size_t free_side(const struct sp_roads *r)
{
    size_t i = SP_TRUNK + 1;
    while (i < SP_ROADS && r->road[i].busy) {
        i++;
    }
    return i;
}

bool sp_roads_begin_side(struct sp_roads *r, struct sp_span wanted, size_t *which,
                         struct sp_span *out)
{
    uint64_t first = sp_roads_reach(r, wanted.first);
    size_t side = free_side(r);
    if (first >= least(wanted.end, r->size) || r->barred || comes_soon(r, first) ||
        side == SP_ROADS || sp_extents_reserve(&r->staged, PARTS) != SP_OK) {
        return false;
    }
    if (bringer(r, first) == SP_TRUNK) {
        r->road[SP_TRUNK].end = first;
    }
    uint64_t end = least(wanted.end, first + SP_LIMIT_FILL_STRIDE);
    end = end - first < SP_LIMIT_FILL_SIDE ? first + SP_LIMIT_FILL_SIDE : end;
    *out = (struct sp_span){first, least(end, gap_end(r, first))};
    begin(r, side, *out);
    *which = side;
    r->scattered = true;
    return true;
}

void sp_roads_make_whole(struct sp_roads *r)
{
    struct sp_road *trunk = &r->road[SP_TRUNK];
    SP_ASSERT(trunk->busy && free_side(r) == SP_TRUNK + 1);
    r->barred = true;
    *trunk =
        (struct sp_road){.busy = true, .whole = true, .end = r->size, .asked = r->size};
}

void sp_roads_bar(struct sp_roads *r)
{
    r->barred = true;
}

void sp_roads_end(struct sp_roads *r, size_t which)
{
    struct sp_road *trunk = &r->road[SP_TRUNK];
    r->road[which].busy = false;
    uint64_t end = trunk->end;
    if (trunk->busy && bringer(r, end) == SP_ROADS && sp_roads_reach(r, end) == end) {
        trunk->end = least(gap_end(r, end), trunk->asked);
    }
}

size_t sp_roads_pass(struct sp_roads *r, size_t which, size_t len)
{
    struct sp_road *road = &r->road[which];
    if (!road->whole) {
        return 0; /* nothing of what is still to come on it is there */
    }
    size_t there = (size_t)least(sp_roads_reach(r, road->at) - road->at, len);
    road->at += there;
    return there;
}

size_t sp_roads_fits(const struct sp_roads *r, size_t which, size_t len)
{
    const struct sp_road *road = &r->road[which];
    uint64_t end = sp_extents_next(&r->staged, road->at, road->end);
    return (size_t)least(len, least(end, road->end) - road->at);
}

void sp_roads_take(struct sp_roads *r, size_t which, size_t len)
{
    struct sp_road *road = &r->road[which];
    SP_ASSERT(road->busy && len <= road->end - road->at);
    sp_extents_add(&r->staged, (struct sp_span){road->at, road->at + len});
    road->at += len;
}
