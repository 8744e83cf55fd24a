/* A lane's life: made, started, given a new world, drained. Called from the main loop.
 */
#ifndef SP_APP_RUN_LANE_LIFE_H
#define SP_APP_RUN_LANE_LIFE_H

#include "app/shared/lane.h"

struct sp_lane_conf {       /* borrowed by the lane for its life */
    struct sp_world *world; /* the first world */
    const struct sp_config *config; /* its configuration: the lane's listeners */
    struct sp_seals *seals; /* the first keys */
    struct sp_keeper *keeper;
    struct sp_filler *filler;
    struct sp_renewer *renewer; /* NULL: no offline catalogue */
    struct sp_desk *desk;
    struct sp_watch *watch;
    struct sp_budget *budget;
    struct sp_peers *peers;
    const struct sp_lockdown *lockdown;
    struct sp_cosigner *cosigner;
    struct sp_sockets *inherited; /* listening sockets that are open already */
    struct sp_seats **seats;      /* one a listener */
    size_t hot_objects; /* files it may keep open for the next asker */
};
/* Binds every listener and starts the thread. */
enum sp_err sp_lane_start(struct sp_lane *l, const struct sp_lane_conf *conf,
                          struct sp_why *why) SP_MUST_USE;
/* The world in force from now on; exchanges under way keep theirs. */
enum sp_err sp_lane_set_world(struct sp_lane *l, struct sp_world *w) SP_MUST_USE;
/* The same of the keys that seal cookies. */
enum sp_err sp_lane_set_seals(struct sp_lane *l, struct sp_seals *s) SP_MUST_USE;
/* As sp_server_drain; done runs on loop when the last exchange is over or was cut at the
 * deadline. The lane goes on: what was started for askers that are gone may still come
 * back. */
enum sp_err sp_lane_drain(struct sp_lane *l, uint64_t grace_ms, uint64_t deadline_ms,
                          struct sp_loop *loop,
                          void (*done)(void *ctx), void *ctx) SP_MUST_USE;
/* After the drain, and after the filler answered everybody: done runs on loop when nothing
 * can come back any more. The lane's thread then ends. */
enum sp_err sp_lane_finish(struct sp_lane *l, struct sp_loop *loop,
                           void (*done)(void *ctx), void *ctx) SP_MUST_USE;
/* After done: joins and frees what the lane owns. */
void sp_lane_fini(struct sp_lane *l);

#endif
