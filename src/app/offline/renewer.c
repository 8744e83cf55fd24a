/* The catalogue in force, and the life of the thread that keeps it new. */
#include "app/log/log.h"
#include "app/offline/renewer_parts.h"

#include <stdlib.h>
#include <string.h>

#define OF(pointer, type, member)                                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* ---- in force -------------------------------------------------------------------- */

void sp_renewer_publish(struct sp_renewer *r, struct sp_object *o)
{
    uv_mutex_lock(&r->lock);
    struct sp_object *old = r->object;
    r->object = o;
    if (o) {
        memcpy(r->indexed, o->sha256, sizeof r->indexed);
    }
    uv_mutex_unlock(&r->lock);
    sp_object_unref(&old);
}

struct sp_object *sp_renewer_object(struct sp_renewer *r)
{
    uv_mutex_lock(&r->lock);
    struct sp_object *o = r->object ? sp_object_ref(r->object) : NULL;
    uv_mutex_unlock(&r->lock);
    return o;
}

bool sp_renewer_index(struct sp_renewer *r, char out[SP_CATALOG_PATH])
{
    uint8_t sha256[32];
    uv_mutex_lock(&r->lock);
    bool is_there = r->object != NULL;
    memcpy(sha256, r->indexed, sizeof sha256);
    uv_mutex_unlock(&r->lock);
    return is_there && sp_catalog_index_path(r->place, sha256, out) == SP_OK;
}

/* ---- damage ---------------------------------------------------------------------- */

static void on_found(struct sp_msg *msg)
{
    struct sp_object *o = OF(msg, struct sp_object, msg);
    struct sp_renewer *r = o->watch->ctx;
    if (o == r->object) { /* only this thread writes it */
        sp_log_say(SP_LOG_WARNING, "catalog",
                   "the stored catalogue is damaged: it is fetched again");
        (void)!sp_objects_quarantine(r->objects, o->sha256, "damaged");
        sp_renewer_publish(r, NULL);
        sp_renewal_lost(&r->machine);
        sp_renewer_hurry(r);
    }
    sp_object_unref(&o);
}

/* On whatever thread: the reference goes with the message. */
static void found(void *ctx, struct sp_object *o)
{
    struct sp_renewer *r = ctx;
    sp_object_ref(o);
    o->msg.run = on_found;
    sp_loop_post(r->loop, &o->msg);
}

/* ---- the beginning --------------------------------------------------------------- */

/* True when cabinet and index of the one in force are there. */
static bool open_good(struct sp_renewer *r)
{
    struct sp_object *o = NULL;
    struct sp_why why = {0};
    enum sp_err e = sp_catalog_place_open(r->objects, r->place, &r->good, &o, &why);
    if (e != SP_OK) {
        if (e != SP_E_NOTFOUND || r->good.signed_at != 0) {
            sp_log_say(SP_LOG_WARNING, "catalog", "%s: it is fetched again",
                       sp_why_text(&why, e));
        }
        return false;
    }
    o->last_modified = r->good.signed_at;
    o->watch = &r->watch;
    sp_renewer_publish(r, o);
    return sp_catalog_place_has_index(r->place, &r->good);
}

static void say_interval(const struct sp_config_catalog *c)
{
    sp_log_say(
        SP_LOG_INFO, "catalog", "%s is looked for every %u minutes%s and served at %s",
        c->target, c->interval,
        c->interval == c->asked ? "" : " (interval is within 60 and 10080)", c->path);
}

static void set_up(struct sp_renewer *r, bool has_good)
{
    const struct sp_config_catalog *c = r->world->config->catalog;
    sp_renewal_init(&r->machine, (uint64_t)c->interval * 60000, c->ceiling, has_good);
    say_interval(c);
}

static void on_start(struct sp_msg *msg)
{
    struct sp_renewer *r = OF(msg, struct sp_renewer, start_msg);
    r->waiting = true;
    sp_renewer_hurry(r);
}

static enum sp_err open_place(struct sp_renewer *r, struct sp_why *why)
{
    SP_TRY(sp_catalog_place(r->world->config->cache_dir, r->place, why));
    SP_TRY(sp_objects_open(r->place, &r->objects, why));
    bool has_good = open_good(r);
    set_up(r, has_good);
    return SP_OK;
}

static enum sp_err start(struct sp_renewer *r, struct sp_why *why)
{
    SP_TRY(sp_loop_new("catalog", &r->loop));
    SP_TRY(sp_upstream_pool_new(r->loop, &r->pool));
    uv_timer_init(sp_loop_uv(r->loop), &r->timer);
    r->timer.data = r;
    SP_TRY(open_place(r, why));
    r->start_msg.run = on_start;
    sp_loop_post(r->loop, &r->start_msg);
    return sp_loop_start(r->loop);
}

enum sp_err sp_renewer_new(const struct sp_renewer_conf *conf, struct sp_renewer **out,
                           struct sp_why *why)
{
    struct sp_renewer *r = calloc(1, sizeof *r);
    if (!r || uv_mutex_init(&r->lock) != 0) {
        free(r);
        return SP_E_NOMEM;
    }
    r->keeper = conf->keeper;
    r->desk = conf->desk;
    r->world = sp_world_ref(conf->world);
    r->watch = (struct sp_object_watch){.found = found, .ctx = r};
    enum sp_err e = start(r, why);
    if (e != SP_OK) {
        return sp_why_set(why, e, "the offline catalogue cannot be kept: %s",
                          sp_err_text(e));
    }
    *out = r;
    return SP_OK;
}

/* ---- a new world ----------------------------------------------------------------- */

struct news {
    struct sp_msg msg;
    struct sp_renewer *renewer; /* borrowed */
    struct sp_world *world;     /* shared */
};

static void on_news(struct sp_msg *msg)
{
    struct news *n = OF(msg, struct news, msg);
    struct sp_renewer *r = n->renewer;
    const struct sp_config_catalog *c = n->world->config->catalog;
    sp_world_unref(&r->world);
    r->world = n->world;
    r->machine.interval_ms = (uint64_t)c->interval * 60000;
    r->machine.ceiling = c->ceiling;
    say_interval(c);
    sp_renewer_hurry(r);
    free(n);
}

enum sp_err sp_renewer_set_world(struct sp_renewer *r, struct sp_world *w)
{
    struct news *n = calloc(1, sizeof *n);
    if (!n) {
        return SP_E_NOMEM;
    }
    *n = (struct news){.msg = {.run = on_news}, .renewer = r, .world = sp_world_ref(w)};
    sp_loop_post(r->loop, &n->msg);
    return SP_OK;
}

/* ---- the end --------------------------------------------------------------------- */

void sp_renewer_maybe_end(struct sp_renewer *r)
{
    if (r->stopping && r->waiting && !r->ended) {
        r->ended = true;
        sp_loop_stop(r->loop);
    }
}

static void on_stop(struct sp_msg *msg)
{
    struct sp_renewer *r = OF(msg, struct sp_renewer, stop_msg);
    r->stopping = true;
    uv_close((uv_handle_t *)&r->timer, NULL);
    sp_upstream_pool_close(&r->pool);
    sp_renewer_maybe_end(r);
}

void sp_renewer_stop(struct sp_renewer *r)
{
    atomic_store(&r->stop, true);
    r->stop_msg.run = on_stop;
    sp_loop_post(r->loop, &r->stop_msg);
    sp_loop_join(r->loop);
}

void sp_renewer_free(struct sp_renewer **pr)
{
    struct sp_renewer *r = *pr;
    if (r) {
        sp_loop_free(&r->loop);
        sp_renewer_publish(r, NULL);
        sp_objects_close(&r->objects);
        sp_world_unref(&r->world);
        uv_mutex_destroy(&r->lock);
        free(r);
        *pr = NULL;
    }
}

const struct sp_counters *sp_renewer_counters(const struct sp_renewer *r)
{
    return &r->counters;
}
