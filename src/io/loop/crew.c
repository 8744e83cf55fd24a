#include "io/loop/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

struct shift {
    const struct sp_crew *crew; /* borrowed */
    uint64_t pieces;
    pthread_mutex_t lock;  /* of what follows */
    pthread_cond_t change; /* of any of it */
    uint64_t begun, taken;
    bool is_done[SP_CREW_SLOTS]; /* and not taken yet */
    bool over;
};

struct hand {
    struct shift *shift; /* borrowed */
    unsigned desk;
    pthread_t thread;
};

unsigned sp_crew_size(void)
{
    unsigned there = uv_available_parallelism();
    return there < SP_CREW_THREADS ? there : SP_CREW_THREADS;
}

static unsigned slot_of(uint64_t piece)
{
    return (unsigned)(piece % SP_CREW_SLOTS);
}

/* The next piece, once there is a slot for it; false when there is none any more. */
static bool take_up(struct shift *s, uint64_t *piece)
{
    pthread_mutex_lock(&s->lock);
    while (!s->over && s->begun < s->pieces && s->begun - s->taken == SP_CREW_SLOTS) {
        pthread_cond_wait(&s->change, &s->lock);
    }
    bool is_there = !s->over && s->begun < s->pieces;
    if (is_there) {
        *piece = s->begun++;
    }
    pthread_mutex_unlock(&s->lock);
    return is_there;
}

static void *work(void *arg)
{
    const struct hand *h = arg;
    struct shift *s = h->shift;
    uint64_t piece = 0;
    while (take_up(s, &piece)) {
        s->crew->work(s->crew->ctx, h->desk, slot_of(piece), piece);
        pthread_mutex_lock(&s->lock);
        s->is_done[slot_of(piece)] = true;
        pthread_cond_broadcast(&s->change);
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

static void await(struct shift *s, uint64_t piece)
{
    pthread_mutex_lock(&s->lock);
    while (!s->is_done[slot_of(piece)]) {
        pthread_cond_wait(&s->change, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

static void settle(struct shift *s, uint64_t piece, enum sp_err e)
{
    pthread_mutex_lock(&s->lock);
    s->is_done[slot_of(piece)] = false;
    s->taken++;
    s->over = e != SP_OK;
    pthread_cond_broadcast(&s->change);
    pthread_mutex_unlock(&s->lock);
}

static enum sp_err take_all(struct shift *s)
{
    enum sp_err e = SP_OK;
    for (uint64_t i = 0; e == SP_OK && i < s->pieces; i++) {
        await(s, i);
        e = s->crew->take(s->crew->ctx, slot_of(i), i);
        settle(s, i, e);
    }
    return e;
}

static enum sp_err run_alone(const struct sp_crew *c, uint64_t pieces)
{
    for (uint64_t i = 0; i < pieces; i++) {
        c->work(c->ctx, 0, 0, i);
        SP_TRY(c->take(c->ctx, 0, i));
    }
    return SP_OK;
}

enum sp_err sp_crew_run(const struct sp_crew *c, unsigned threads, uint64_t pieces)
{
    struct hand hands[SP_CREW_THREADS];
    struct shift s = {.crew = c, .pieces = pieces};
    unsigned hired = 0;
    SP_ASSERT(threads >= 1 && threads <= SP_CREW_THREADS);
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.change, NULL);
    while (threads > 1 && hired < threads && hired < pieces) {
        hands[hired] = (struct hand){.shift = &s, .desk = hired};
        if (pthread_create(&hands[hired].thread, NULL, work, &hands[hired]) != 0) {
            break;
        }
        hired++;
    }
    enum sp_err e = hired ? take_all(&s) : run_alone(c, pieces);
    for (unsigned i = 0; i < hired; i++) {
        pthread_join(hands[i].thread, NULL);
    }
    pthread_cond_destroy(&s.change);
    pthread_mutex_destroy(&s.lock);
    return e;
}
