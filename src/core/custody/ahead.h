/* Fetching ahead: which files, when, and how fast. Knows facts, minutes and bytes; what
 * is fetched, and whether it is here already, others know. Pure: clocks are arguments.
 */
#ifndef SP_CORE_CUSTODY_AHEAD_H
#define SP_CORE_CUSTODY_AHEAD_H

#include "core/base/text.h"
#include "sallyport/facts.h"

/* Minutes of a day; from == to is the whole day, from > to goes over midnight. */
struct sp_ahead_window {
    unsigned from, to;
};
/* "22:00-05:30"; "" is the whole day. SP_E_MALFORMED. */
enum sp_err sp_ahead_window_parse(struct sp_view text,
                                  struct sp_ahead_window *out) SP_MUST_USE;
bool sp_ahead_window_is_open(const struct sp_ahead_window *w, unsigned minute);

#define SP_AHEAD_CATEGORIES 64
struct sp_ahead_categories {
    struct sp_guid at[SP_AHEAD_CATEGORIES];
    size_t count;
};
struct sp_ahead_conf { /* of one upstream */
    bool on;
    struct sp_ahead_categories classifications, products; /* empty: any */
    uint64_t size_max;                                    /* bytes of a file; 0: any */
    struct sp_ahead_window window;
    uint64_t rate; /* bytes a second; 0: as fast as it goes */
};
/* Files of all revisions are wanted, whatever they are. Else a revision is chosen by
 * its own categories and chooses for those that it bundles, which have none. */
bool sp_ahead_takes_all(const struct sp_ahead_conf *c);
/* facts are an entry of the ledger: a revision that came from this upstream, and each
 * list that is not empty names one of its categories. */
bool sp_ahead_chooses(const struct sp_ahead_conf *c, const char *upstream,
                      const struct sp_facts *facts);

/* What may be fetched of a rate: nothing is saved up while nothing is fetched, and what
 * came is waited for behind it. All zero is a fresh one. */
struct sp_ahead_budget {
    uint64_t owed; /* bytes, at since_ms */
    uint64_t since_ms;
};
/* Milliseconds until nothing is owed and the next file may begin; 0: now. */
uint64_t sp_ahead_wait(const struct sp_ahead_budget *b, uint64_t rate, uint64_t now_ms);
void sp_ahead_spend(struct sp_ahead_budget *b, uint64_t rate, uint64_t now_ms,
                    uint64_t bytes);
/* Within a file: how long its transfer has to stand still from now on; 0: it goes. It
 * stands still behind anybody who asks, and looks again every SP_TIME_AHEAD_HOLD; and
 * once it is that time ahead of its rate, until nothing is owed. So in any time t never
 * more than rate * (t + SP_TIME_AHEAD_HOLD) and one piece come. */
uint64_t sp_ahead_hold(const struct sp_ahead_budget *b, uint64_t rate, uint64_t now_ms,
                       bool is_held, bool is_behind);

/* How long until a file that could not be had is tried again, after so many rounds in
 * vain; 0: it is given up. Ten minutes, then twice as long each time. */
uint64_t sp_ahead_again_ms(unsigned rounds);

#endif
