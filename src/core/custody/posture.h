/* Posture: is what comes from an upstream in order, as far as can be known now? A pure
 * machine on somebody else's clock. It is asked (pulled), never pushes; it says when
 * the next look is due and which one.
 *
 *     unknown ------ full pass: nothing wrong ------> conforming --+ every interval:
 *        |                     ^                          |        | full pass
 *        | full pass: wrong    | full pass                |  <-----+
 *        v                     |  after a change          v
 *     non-conforming: every 15 s the cheapest probe and nothing else; a full pass only
 * when the probe sees a change. (Unknown after a pass is watched in the same way.)
 *
 * The first full pass is due at once, whatever was known before. Times are seconds of
 * one monotonic clock. One owner. */
#ifndef SP_CORE_CUSTODY_POSTURE_H
#define SP_CORE_CUSTODY_POSTURE_H

#include "sallyport/bytes.h"

enum sp_posture_state { SP_POSTURE_UNKNOWN, SP_POSTURE_CONFORMING, SP_POSTURE_FAILING };
/* "unknown", "conforming", "non-conforming" */
const char *sp_posture_text(enum sp_posture_state s);

enum sp_reason {
#define REASON(name, text, found, help) SP_REASON_##name,
#include "core/custody/posture.def"
#undef REASON
    SP_REASON_COUNT
};
const char *sp_reason_text(enum sp_reason r);
const char *sp_reason_help(enum sp_reason r);
#define SP_REASON_BIT(name) (1u << SP_REASON_##name)
/* What a set of reasons comes to: none is conforming. */
enum sp_posture_state sp_posture_of(unsigned reasons);

/* Minutes between full passes while all is well. */
struct sp_posture_profile {
    const char *name;
    unsigned normal, least, most;
};
extern const struct sp_posture_profile sp_posture_standard; /* 60, 3..300 */
extern const struct sp_posture_profile sp_posture_long;     /* 1320, 30..4320 */
/* wanted within the profile's bounds; 0 is the profile's normal. */
unsigned sp_posture_minutes(const struct sp_posture_profile *p, unsigned wanted);

#define SP_POSTURE_PROBE_S 15

enum sp_look { SP_LOOK_NONE, SP_LOOK_PROBE, SP_LOOK_PASS };

struct sp_posture {
    enum sp_posture_state state;
    unsigned reasons;   /* of the last pass */
    int64_t since;      /* state and reasons are what they are */
    int64_t next;       /* when due is due */
    enum sp_look due;   /* never NONE */
    enum sp_look doing; /* under way; NONE: nothing */
    bool again;         /* a recheck came while something was under way */
    uint64_t seen;      /* what the last look saw, for comparison */
    int64_t interval;   /* seconds */
};
void sp_posture_start(struct sp_posture *p, unsigned minutes, int64_t now);
/* The interval in force from the next pass on. */
void sp_posture_set_minutes(struct sp_posture *p, unsigned minutes);
/* What to do now; it is under way from then on, until passed or probed is called. */
enum sp_look sp_posture_tick(struct sp_posture *p, int64_t now);
/* The full pass ended. seen: what a probe right after it would see if nothing changed.
 * True when state or reasons are others than before. */
bool sp_posture_passed(struct sp_posture *p, unsigned reasons, uint64_t seen,
                       int64_t now);
void sp_posture_probed(struct sp_posture *p, uint64_t seen, int64_t now);
/* A full pass at the next tick, or right after what is under way. */
void sp_posture_recheck(struct sp_posture *p, int64_t now);

#endif
