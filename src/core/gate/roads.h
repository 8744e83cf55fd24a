/* Roads: how the bytes of one file are divided among the transfers that bring it.
 *
 * Road 0 is the trunk. It goes through the file in order, from gap to gap. The others
 * are side roads: short ranges for those who wait far ahead of it. What a running road
 * is still to bring belongs to it alone, and what has come belongs to nobody: so no
 * byte is asked for twice and none is written twice.
 *
 * A road may bring the whole file although a part was asked for (an upstream without
 * ranges). Then it is the only one, and passes over what is there.
 *
 * Pure. Limits: SP_LIMIT_FILL_SIDES side roads; SP_LIMIT_FILL_STRIDE bytes a road once
 * somebody asked far ahead. */
#ifndef SP_CORE_GATE_ROADS_H
#define SP_CORE_GATE_ROADS_H

#include "core/base/limits.h"
#include "core/gate/extents.h"

enum { SP_TRUNK, SP_ROADS = 1 + SP_LIMIT_FILL_SIDES };

struct sp_road {
    bool busy, whole;
    uint64_t at, end; /* at .. end - 1 are still to come on it */
    uint64_t asked;   /* end, before side roads cut it */
};
struct sp_roads {
    uint64_t size;
    struct sp_extents staged; /* owned */
    struct sp_road road[SP_ROADS];
    bool scattered; /* somebody asked far ahead */
    bool barred;    /* no side roads any more */
};
enum sp_err sp_roads_init(struct sp_roads *r, uint64_t size) SP_MUST_USE;
void sp_roads_fini(struct sp_roads *r);

/* From first on everything has come up to here. */
uint64_t sp_roads_reach(const struct sp_roads *r, uint64_t first);

/* Before the first road: the file's start is there already. */
void sp_roads_resume(struct sp_roads *r, uint64_t prefix);

/* And so is this, far ahead of it. SP_E_LIMIT, SP_E_NOMEM: then it counts for missing.
 */
enum sp_err sp_roads_regain(struct sp_roads *r, struct sp_span s) SP_MUST_USE;

/* The trunk's next piece, from the first missing byte on. False, and the trunk stands
 * still: nothing is left that is not on its way. */
bool sp_roads_begin_trunk(struct sp_roads *r, struct sp_span *out);
/* Somebody waits for these bytes. True: a side road begins for the first of them that
 * are missing. False: they come soon, or there is no road to be had. */
bool sp_roads_begin_side(struct sp_roads *r, struct sp_span wanted, size_t *which,
                         struct sp_span *out);
/* The answer on the trunk is the whole file. The side roads have ended before. */
void sp_roads_make_whole(struct sp_roads *r);
/* No side roads from now on; those that run go on. */
void sp_roads_bar(struct sp_roads *r);
/* What it did not bring belongs to nobody, or to the trunk that was cut for it. */
void sp_roads_end(struct sp_roads *r, size_t which);

/* len bytes came on a road. Of those at their head: are there already, and are passed;
 */
size_t sp_roads_pass(struct sp_roads *r, size_t which, size_t len);
/* may be written, at road[which].at; 0: the road has ended; */
size_t sp_roads_fits(const struct sp_roads *r, size_t which, size_t len);
/* were written. */
void sp_roads_take(struct sp_roads *r, size_t which, size_t len);

#endif
