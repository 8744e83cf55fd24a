#include "io/net/seats.h"

#include "io/loop/loop.h"
#include "io/net/address.h"

#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 4096 };

struct sp_seat {
    uint64_t key;
    unsigned taken;
    struct sp_seat *next; /* owned by the bucket */
};

struct sp_seats {
    pthread_mutex_t lock; /* of all below but seed */
    uint64_t seed;
    unsigned most; /* 0: any */
    size_t taken;
    struct sp_seat *buckets[BUCKETS];
};

enum sp_err sp_seats_new(unsigned most, struct sp_seats **out)
{
    struct sp_seats *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    enum sp_err e = sp_random_bytes(&s->seed, sizeof s->seed);
    if (e != SP_OK) {
        free(s);
        return e;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->most = most;
    *out = s;
    return SP_OK;
}

void sp_seats_free(struct sp_seats **s)
{
    if (*s) {
        SP_ASSERT((*s)->taken == 0);
        pthread_mutex_destroy(&(*s)->lock);
        free(*s);
    }
    *s = NULL;
}

void sp_seats_set_most(struct sp_seats *s, unsigned most)
{
    pthread_mutex_lock(&s->lock);
    s->most = most;
    pthread_mutex_unlock(&s->lock);
}

size_t sp_seats_taken(struct sp_seats *s)
{
    pthread_mutex_lock(&s->lock);
    size_t taken = s->taken;
    pthread_mutex_unlock(&s->lock);
    return taken;
}

/* Where the row hangs, or would. */
static struct sp_seat **find(struct sp_seats *s, uint64_t key)
{
    struct sp_seat **at = &s->buckets[sp_address_hash(key, s->seed) % BUCKETS];
    while (*at && (*at)->key != key) {
        at = &(*at)->next;
    }
    return at;
}

static enum sp_err take(struct sp_seats *s, uint64_t key, struct sp_seat **out)
{
    struct sp_seat **at = find(s, key);
    if (*at && s->most && (*at)->taken >= s->most) {
        return SP_E_LIMIT;
    }
    if (!*at) {
        *at = calloc(1, sizeof **at);
    }
    if (!*at) {
        return SP_E_NOMEM;
    }
    (*at)->key = key;
    (*at)->taken++;
    s->taken++;
    *out = *at;
    return SP_OK;
}

enum sp_err sp_seats_take(struct sp_seats *s, const uint8_t address[16],
                          struct sp_seat **out)
{
    pthread_mutex_lock(&s->lock);
    enum sp_err e = take(s, sp_address_key(address), out);
    pthread_mutex_unlock(&s->lock);
    return e;
}

static void leave(struct sp_seats *s, struct sp_seat *seat)
{
    s->taken--;
    if (--seat->taken == 0) {
        *find(s, seat->key) = seat->next;
        free(seat);
    }
}

void sp_seats_leave(struct sp_seats *s, struct sp_seat **seat)
{
    if (*seat) {
        pthread_mutex_lock(&s->lock);
        leave(s, *seat);
        pthread_mutex_unlock(&s->lock);
    }
    *seat = NULL;
}
