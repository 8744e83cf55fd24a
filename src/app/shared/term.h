/* A term: the world and the keys in force on a lane while nothing of them changes.
 *
 * Both are counted for all threads, and counting is writing: lanes that did it for every
 * request would take the same two cache lines from each other. So a lane counts once a
 * term, and its exchanges hold the term, which only that lane counts. */
#ifndef SP_APP_SHARED_TERM_H
#define SP_APP_SHARED_TERM_H

#include "app/shared/seals.h"
#include "app/world/world.h"

struct sp_term {
    struct sp_world *world; /* shared */
    struct sp_seals *seals; /* shared */
    size_t holders;         /* private */
};
/* Takes a reference of each; the caller holds the term. NULL when memory ran out. */
struct sp_term *sp_term_new(struct sp_world *w, struct sp_seals *s);
struct sp_term *sp_term_hold(struct sp_term *t);
/* The last one gives both back. NULL is nobody's. */
void sp_term_leave(struct sp_term **t);

#endif
