/* Lockdown: all update metadata is stopped, until somebody says otherwise.
 *
 * The switch is the file state_dir/lockdown: it holds over restarts, can be thrown
 * while no daemon runs, and what cannot be looked at counts as on. The running daemon
 * looks when it is told to (POST /lockdown of the admin listener). */
#ifndef SP_APP_SHARED_LOCKDOWN_H
#define SP_APP_SHARED_LOCKDOWN_H

#include "io/store/keeper.h"

#define SP_LOCKDOWN_SENTENCE                                                           \
    "Update metadata is stopped here by its administrator (sallyport lockdown on). "   \
    "Windows Update clients try again later."

struct sp_lockdown {
    const char *state_dir;    /* borrowed, as what follows */
    struct sp_keeper *keeper; /* its ledger says when it was thrown */
    struct sp_loop *loop;     /* the main loop */
    atomic_bool on;           /* any thread */
};
/* Looks at the file; says a change in the log and the ledger. On the main loop. */
enum sp_err sp_lockdown_look(struct sp_lockdown *l, struct sp_why *why) SP_MUST_USE;
bool sp_lockdown_is_on(const struct sp_lockdown *l);
/* Makes or removes the file, durably. */
enum sp_err sp_lockdown_throw(const char *state_dir, bool on,
                              struct sp_why *why) SP_MUST_USE;

#endif
