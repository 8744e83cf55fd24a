#include "io/net/turns.h"
#include "io/net/address.h"

enum sp_err sp_turns_init(struct sp_turns *t)
{
    SP_TRY(sp_random_bytes(&t->seed, sizeof t->seed));
    sp_link_init(&t->waiting);
    for (size_t i = 0; i < SP_TURN_CROWDS; i++) {
        sp_link_init(&t->crowds[i].turn);
        sp_link_init(&t->crowds[i].members);
    }
    return SP_OK;
}

struct sp_crowd *sp_turns_crowd(struct sp_turns *t, const uint8_t address[16])
{
    return &t->crowds[sp_address_hash(sp_address_key(address), t->seed) %
                      SP_TURN_CROWDS];
}

void sp_turns_wait(struct sp_turns *t, struct sp_crowd *crowd, struct sp_link *l)
{
    sp_link_append(&crowd->members, l);
    if (sp_link_is_alone(&crowd->turn)) {
        sp_link_append(&t->waiting, &crowd->turn);
    }
}

struct sp_link *sp_turns_next(struct sp_turns *t)
{
    struct sp_link *member = NULL;
    while (!member && !sp_link_is_alone(&t->waiting)) {
        struct sp_crowd *crowd =
            SP_HOLDER(sp_link_shift(&t->waiting), struct sp_crowd, turn);
        member = sp_link_shift(&crowd->members);
        if (!sp_link_is_alone(&crowd->members)) {
            sp_link_append(&t->waiting, &crowd->turn);
        }
    }
    return member;
}

bool sp_turns_is_empty(const struct sp_turns *t)
{
    return sp_link_is_alone(&t->waiting);
}
