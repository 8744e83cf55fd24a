#include "app/run/lane_life.h"

#include "app/fill/filler.h"
#include "app/serve/exchange.h"

#include <stdlib.h>

static enum sp_err open_doors(struct sp_lane *l, const struct sp_lane_conf *conf,
                              struct sp_why *why)
{
    const struct sp_world *w = conf->world;
    size_t n = conf->config->listener_count;
    l->servers = calloc(n, sizeof(struct sp_server *));
    l->doors = calloc(n, sizeof *l->doors);
    l->confs = calloc(n, sizeof *l->confs);
    if (!l->servers || !l->doors || !l->confs) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sp_config_listener *c = &conf->config->listeners[i];
        l->confs[i] = (struct sp_server_conf){.name = c->name,
                                              .bind = c->bind,
                                              .allow = c->allow,
                                              .allow_count = c->allow_count,
                                              .inherited = conf->inherited,
                                              .seats = conf->seats[i],
                                              .tls = w->doors[i].tls};
        struct sp_server_handler handler = sp_exchange_handler;
        l->doors[i] = (struct sp_door_context){.lane = l, .door = i};
        handler.ctx = &l->doors[i];
        SP_TRY(sp_server_new(l->loop, &l->confs[i], &handler, &l->servers[i], why));
        l->server_count = l->servers_open = i + 1;
    }
    return SP_OK;
}

enum sp_err sp_lane_start(struct sp_lane *l, const struct sp_lane_conf *conf,
                          struct sp_why *why)
{
    l->keeper = conf->keeper;
    l->filler = conf->filler;
    l->renewer = conf->renewer;
    l->desk = conf->desk;
    l->watch = conf->watch;
    l->budget = conf->budget;
    l->peers = conf->peers;
    l->lockdown = conf->lockdown;
    l->cosigner = conf->cosigner;
    l->world = sp_world_ref(conf->world);
    l->seals = sp_seals_ref(conf->seals);
    sp_hot_init(&l->hot, conf->hot_objects);
    SP_TRY(sp_loop_new("lane", &l->loop));
    SP_TRY(sp_upstream_pool_new(l->loop, &l->pool));
    SP_TRY(open_doors(l, conf, why));
    return sp_loop_start(l->loop);
}

/* ---- a new world, new keys ------------------------------------------------------- */

struct news {
    struct sp_msg msg;
    struct sp_lane *lane;   /* borrowed */
    struct sp_world *world; /* shared */
};

static void on_news(struct sp_msg *msg)
{
    struct news *n = SP_HOLDER(msg, struct news, msg);
    struct sp_lane *l = n->lane;
    for (size_t i = 0; i < l->server_count; i++) {
        if (n->world->doors[i].tls) {
            sp_server_set_tls(l->servers[i], n->world->doors[i].tls);
        }
    }
    sp_term_leave(&l->term);
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

struct new_seals {
    struct sp_msg msg;
    struct sp_lane *lane;   /* borrowed */
    struct sp_seals *seals; /* shared */
};

static void on_new_seals(struct sp_msg *msg)
{
    struct new_seals *n = SP_HOLDER(msg, struct new_seals, msg);
    sp_term_leave(&n->lane->term);
    sp_seals_unref(&n->lane->seals);
    n->lane->seals = n->seals;
    free(n);
}

enum sp_err sp_lane_set_seals(struct sp_lane *l, struct sp_seals *s)
{
    struct new_seals *n = calloc(1, sizeof *n);
    if (!n) {
        return SP_E_NOMEM;
    }
    *n = (struct new_seals){
        .msg = {.run = on_new_seals}, .lane = l, .seals = sp_seals_ref(s)};
    sp_loop_post(l->loop, &n->msg);
    return SP_OK;
}

/* ---- the end --------------------------------------------------------------------- */

struct farewell {
    struct sp_msg msg;
    struct sp_lane *lane; /* borrowed */
    uint64_t grace_ms, deadline_ms;
    struct sp_loop *loop; /* borrowed: where done runs */
    void (*done)(void *ctx);
    void *ctx;
};

static void on_done(struct sp_msg *msg)
{
    struct farewell *f = SP_HOLDER(msg, struct farewell, msg);
    f->done(f->ctx);
    free(f);
}

static void report(struct farewell *f)
{
    f->msg.run = on_done;
    sp_loop_post(f->loop, &f->msg);
}

static enum sp_err send_farewell(const struct farewell *from,
                                 void (*run)(struct sp_msg *))
{
    struct farewell *f = malloc(sizeof *f);
    if (!f) {
        return SP_E_NOMEM;
    }
    *f = *from;
    f->msg.run = run;
    sp_loop_post(f->lane->loop, &f->msg);
    return SP_OK;
}

static void on_server_gone(void *ctx)
{
    struct farewell *f = ctx;
    if (--f->lane->servers_open == 0) {
        report(f);
    }
}

static void on_drain(struct sp_msg *msg)
{
    struct farewell *f = SP_HOLDER(msg, struct farewell, msg);
    for (size_t i = 0; i < f->lane->server_count; i++) {
        sp_server_drain(f->lane->servers[i], f->grace_ms, f->deadline_ms,
                        on_server_gone, f);
    }
}

enum sp_err sp_lane_drain(struct sp_lane *l, uint64_t grace_ms, uint64_t deadline_ms,
                          struct sp_loop *loop, void (*done)(void *ctx), void *ctx)
{
    return send_farewell(&(struct farewell){.lane = l,
                                            .grace_ms = grace_ms,
                                            .deadline_ms = deadline_ms,
                                            .loop = loop,
                                            .done = done,
                                            .ctx = ctx},
                         on_drain);
}

static void on_idle(struct sp_lane *l)
{
    struct farewell *f = l->farewell;
    l->idle = NULL;
    sp_hot_clear(&l->hot);
    sp_visits_clear(l);
    sp_loop_stop(l->loop);
    report(f);
}

static void on_finish(struct sp_msg *msg)
{
    struct farewell *f = SP_HOLDER(msg, struct farewell, msg);
    struct sp_lane *l = f->lane;
    l->farewell = f;
    sp_upstream_pool_close(&l->pool);
    if (l->visits == 0) {
        on_idle(l);
    } else {
        l->idle = on_idle;
    }
}

enum sp_err sp_lane_finish(struct sp_lane *l, struct sp_loop *loop,
                           void (*done)(void *ctx), void *ctx)
{
    return send_farewell(
        &(struct farewell){.lane = l, .loop = loop, .done = done, .ctx = ctx},
        on_finish);
}

void sp_lane_fini(struct sp_lane *l)
{
    if (l->loop) {
        sp_loop_join(l->loop);
        sp_loop_free(&l->loop);
    }
    sp_term_leave(&l->term);
    sp_world_unref(&l->world);
    sp_seals_unref(&l->seals);
    free(l->servers);
    free(l->doors);
    free(l->confs);
}
