/* Circular doubly linked lists, intrusive. A link that is in no list points at itself,
 * so that removing it is always allowed. A list head is a link too. */
#ifndef SP_IO_NET_LIST_H
#define SP_IO_NET_LIST_H

#include "io/loop/loop.h"

#include <stdbool.h>

struct sp_link {
    struct sp_link *prev, *next; /* borrowed; itself when alone */
};

static inline void sp_link_init(struct sp_link *l)
{
    l->prev = l->next = l;
}

static inline bool sp_link_is_alone(const struct sp_link *l)
{
    return l->next == l;
}

static inline void sp_link_remove(struct sp_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    sp_link_init(l);
}

static inline void sp_link_append(struct sp_link *list, struct sp_link *l)
{
    sp_link_remove(l);
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

/* Takes the first link out, or NULL. */
static inline struct sp_link *sp_link_shift(struct sp_link *list)
{
    struct sp_link *first = list->next;
    if (first == list) {
        return NULL;
    }
    sp_link_remove(first);
    return first;
}

/* Moves all of from to the empty list to. */
static inline void sp_link_move_all(struct sp_link *from, struct sp_link *to)
{
    sp_link_append(from, to);
    sp_link_remove(from);
}

#endif
