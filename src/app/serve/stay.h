/* The stay of a guest who is no visit: he came for one thing, and what he came with is
 * given back once the exchange has ended and nothing that was begun for him is still
 * under way, whichever is later. custody_serve.c and cosign_serve.c put it first in
 * what they keep of him. One lane's thread. */
#ifndef SP_APP_SERVE_STAY_H
#define SP_APP_SERVE_STAY_H

#include "app/serve/visit.h"

struct stay {
    struct visitor visitor;       /* first, as in a visit */
    enum sp_asked what;           /* custody or witness */
    bool counted;                 /* by the status of the answer */
    struct sp_door_context *door; /* borrowed; and its */
    struct sp_lane *lane;         /* borrowed */
    struct sp_world *world;       /* shared */
    struct sp_exchange *exchange; /* borrowed; NULL once the asker is gone */
    struct sp_peer_lease lease;
    uint64_t moved;               /* bytes, for his share */
    unsigned holders;             /* the exchange, and what is under way */
    size_t *present;              /* of the lane: how many of his kind there are */
    void (*free)(struct stay *s); /* the whole of which this is the first part */
};

/* What is asked of every guest before anything is done for him. present: how many are
 * here already, most at once. False: he was answered. */
bool sp_stay_may_begin(struct sp_door_context *d, struct sp_exchange *x,
                       enum sp_asked what, size_t present, size_t most,
                       struct sp_guest *out);
/* s is zero but for visitor.kind, present and free; NULL where memory ran out, which is
 * answered. It is held by the exchange then. */
bool sp_stay_begin(struct stay *s, struct sp_door_context *d, struct sp_exchange *x,
                   enum sp_asked what, struct sp_guest *guest);
/* He is given an answer of that status. */
void sp_stay_count(struct stay *s, int status);
void sp_stay_hold(struct stay *s);
void sp_stay_let_go(struct stay *s); /* the last one frees it */
void sp_stay_release(void *stay);    /* the same, as an answer's release */

/* No, in so many words, and counted: nobody's slot. */
void sp_stay_refuse(struct sp_door_context *d, struct sp_exchange *x,
                    enum sp_asked what, int status);
/* The same to one who stays. */
void sp_stay_disappoint(struct stay *s, int status);

/* Whoever stays at this exchange, if he is of that kind; or NULL. */
struct stay *sp_stay_of(struct sp_exchange *x, enum visitor_kind kind);
/* The exchange ended. False when it was no stay's. */
bool sp_stay_ended(struct sp_exchange *x);

#endif
