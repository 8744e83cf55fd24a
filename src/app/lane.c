#include "app/lane.h"

#include <stdlib.h>

#define OF(pointer, type, member)                                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static enum sp_err open_doors(struct sp_lane *l, const struct sp_world *w,
                              struct sp_why *why)
{
    size_t n = w->config->listener_count;
    l->servers = calloc(n, sizeof(struct sp_server *));
    l->doors = calloc(n, sizeof *l->doors);
    if (!l->servers || !l->doors) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sp_config_listener *c = &w->config->listeners[i];
        struct sp_server_conf conf = {.name = c->name,
                                      .bind = c->bind,
                                      .allow = c->allow,
                                      .allow_count = c->allow_count,
                                      .tls = w->doors[i].tls};
        struct sp_server_handler handler = sp_exchange_handler;
        l->doors[i] = (struct sp_door_context){.lane = l, .door = i};
        handler.ctx = &l->doors[i];
        SP_TRY(sp_server_new(l->loop, &conf, &handler, &l->servers[i], why));
        l->server_count = l->servers_open = i + 1;
    }
    return SP_OK;
}

enum sp_err sp_lane_start(struct sp_lane *l, const struct sp_lane_conf *conf,
                          struct sp_why *why)
{
    l->keeper = conf->keeper;
    l->filler = conf->filler;
    l->desk = conf->desk;
    l->world = sp_world_ref(conf->world);
    SP_TRY(sp_loop_new("lane", &l->loop));
    SP_TRY(sp_upstream_pool_new(l->loop, &l->pool));
    SP_TRY(open_doors(l, l->world, why));
    return sp_loop_start(l->loop);
}

/* ---- a new world
 * ------------------------------------------------------------------------ */

struct news {
    struct sp_msg msg;
    struct sp_lane *lane;   /* borrowed */
    struct sp_world *world; /* shared */
};

static void on_news(struct sp_msg *msg)
{
    struct news *n = OF(msg, struct news, msg);
    struct sp_lane *l = n->lane;
    for (size_t i = 0; i < l->server_count; i++) {
        if (n->world->doors[i].tls) {
            sp_server_set_tls(l->servers[i], n->world->doors[i].tls);
        }
    }
    sp_world_unref(&l->world);
    l->world = n->world;
    free(n);
}

enum sp_err sp_lane_set_world(struct sp_lane *l, struct sp_world *w)
{
    struct news *n = calloc(1, sizeof *n);
    if (!n) {
        return SP_E_NOMEM;
    }
    *n = (struct news){.msg = {.run = on_news}, .lane = l, .world = sp_world_ref(w)};
    sp_loop_post(l->loop, &n->msg);
    return SP_OK;
}

/* ---- the end
 * ---------------------------------------------------------------------------- */

struct drain {
    struct sp_msg msg;
    struct sp_lane *lane; /* borrowed */
    uint64_t deadline_ms;
    struct sp_loop *loop; /* borrowed: where done runs */
    void (*done)(void *ctx);
    void *ctx;
};

static void tell_done(struct sp_msg *msg)
{
    struct drain *d = OF(msg, struct drain, msg);
    d->done(d->ctx);
    free(d);
}

static void on_server_gone(void *ctx)
{
    struct drain *d = ctx;
    struct sp_lane *l = d->lane;
    if (--l->servers_open > 0) {
        return;
    }
    sp_upstream_pool_close(&l->pool);
    sp_hot_clear(&l->hot);
    sp_loop_stop(l->loop);
    d->msg.run = tell_done;
    sp_loop_post(d->loop, &d->msg);
}

static void on_drain(struct sp_msg *msg)
{
    struct drain *d = OF(msg, struct drain, msg);
    for (size_t i = 0; i < d->lane->server_count; i++) {
        sp_server_drain(d->lane->servers[i], d->deadline_ms, on_server_gone, d);
    }
}

enum sp_err sp_lane_drain(struct sp_lane *l, uint64_t deadline_ms, struct sp_loop *loop,
                          void (*done)(void *ctx), void *ctx)
{
    struct drain *d = calloc(1, sizeof *d);
    if (!d) {
        return SP_E_NOMEM;
    }
    *d = (struct drain){.msg = {.run = on_drain},
                        .lane = l,
                        .deadline_ms = deadline_ms,
                        .loop = loop,
                        .done = done,
                        .ctx = ctx};
    sp_loop_post(l->loop, &d->msg);
    return SP_OK;
}

void sp_lane_fini(struct sp_lane *l)
{
    if (l->loop) {
        sp_loop_join(l->loop);
        sp_loop_free(&l->loop);
    }
    sp_world_unref(&l->world);
    free(l->servers);
    free(l->doors);
}
