#include "app/shared/term.h"

#include <stdlib.h>

struct sp_term *sp_term_new(struct sp_world *w, struct sp_seals *s)
{
    struct sp_term *t = malloc(sizeof *t);
    if (t) {
        *t = (struct sp_term){
            .world = sp_world_ref(w), .seals = sp_seals_ref(s), .holders = 1};
    }
    return t;
}

struct sp_term *sp_term_hold(struct sp_term *t)
{
    t->holders++;
    return t;
}

void sp_term_leave(struct sp_term **tp)
{
    struct sp_term *t = *tp;
    *tp = NULL;
    if (t && --t->holders == 0) {
        sp_world_unref(&t->world);
        sp_seals_unref(&t->seals);
        free(t);
    }
}
