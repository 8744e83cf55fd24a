#include "app/daemon.h"

#include <string.h>

void sp_hot_init(struct sp_hot *h, size_t places)
{
    h->places = places < SP_HOT_OBJECTS ? places : SP_HOT_OBJECTS;
    h->places = h->places ? h->places : 1;
}

/* A digest is random enough to be its own hash. */
static struct sp_object **place(struct sp_hot *h, const uint8_t sha1[20])
{
    size_t key = (size_t)sha1[0] << 8 | sha1[1];
    return &h->at[key % h->places];
}

struct sp_object *sp_hot_find(struct sp_hot *h, const uint8_t sha1[20])
{
    struct sp_object *o = *place(h, sha1);
    return o && memcmp(o->sha1, sha1, 20) == 0 ? o : NULL;
}

void sp_hot_put(struct sp_hot *h, struct sp_object *o)
{
    struct sp_object **at = place(h, o->sha1);
    struct sp_object *old = *at;
    *at = sp_object_ref(o);
    sp_object_unref(&old);
}

void sp_hot_clear(struct sp_hot *h)
{
    for (size_t i = 0; i < SP_HOT_OBJECTS; i++) {
        sp_object_unref(&h->at[i]);
    }
}
