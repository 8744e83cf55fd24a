/* Turns: who may move the next piece of what takes long. Knows: addresses and links.
 *
 * Those who wait stand in crowds by their address (of IPv6 its /64), and one of each crowd
 * is next, round and round: somebody who pulls with sixty connections gets as much as his
 * neighbour with one. There is a fixed number of crowds, and which one an address belongs to
 * nobody outside can aim at; two addresses that share one share its turns. */
#ifndef SP_IO_NET_TURNS_H
#define SP_IO_NET_TURNS_H

#include "io/net/list.h"

#include <stdint.h>

#define SP_TURN_CROWDS 512

struct sp_crowd {
    struct sp_link turn;    /* in sp_turns.waiting */
    struct sp_link members; /* who waits, first come first */
};

struct sp_turns {
    uint64_t seed;
    struct sp_link waiting; /* crowds, who is next in front */
    struct sp_crowd crowds[SP_TURN_CROWDS];
};

enum sp_err sp_turns_init(struct sp_turns *t) SP_MUST_USE;
/* The crowd of an address, 16 bytes as sp_address_bytes gives it. */
struct sp_crowd *sp_turns_crowd(struct sp_turns *t, const uint8_t address[16]);
/* l waits with its crowd; wherever it stood before, it stands at the end. Who waits no more
 * removes his link. */
void sp_turns_wait(struct sp_turns *t, struct sp_crowd *crowd, struct sp_link *l);
/* Takes out who is next, or NULL. */
struct sp_link *sp_turns_next(struct sp_turns *t);
/* False may be wrong, where somebody left; then sp_turns_next says so. */
bool sp_turns_is_empty(const struct sp_turns *t);

#endif
