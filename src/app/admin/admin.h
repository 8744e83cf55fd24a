/* The admin pages: /health /metrics /status.json /posture on the main loop. */
#ifndef SP_APP_ADMIN_ADMIN_H
#define SP_APP_ADMIN_ADMIN_H

#include "app/shared/lane.h"

struct sp_admin_view {       /* what it reports; all borrowed */
    struct sp_world **world; /* the one in force */
    struct sp_lane *lanes;
    size_t lane_count;
    struct sp_filler *filler;
    struct sp_renewer *renewer; /* NULL: no offline catalogue */
    struct sp_keeper *keeper;
    struct sp_desk *desk;
    struct sp_watch *watch;
    struct sp_peers *peers;
    struct sp_seats **seats; /* one a listener of config */
    struct sp_lockdown *lockdown;
    bool *draining;
    const struct sp_config *config; /* the one it started with: its own listeners */
    int64_t started;
    /* Reloads the configuration and appends what came of it, as JSON. */
    enum sp_err (*reload)(void *ctx, struct sp_buf *out);
    void *reload_ctx;
    struct sp_sockets *inherited; /* while it is made */
};
struct sp_admin;
/* Its one or two, borrowed until it is closed; how many. */
size_t sp_admin_sockets(const struct sp_admin *a, int fds[2]);
/* The certificate of the world in force now. */
void sp_admin_follow_world(struct sp_admin *a);
enum sp_err sp_admin_new(struct sp_loop *main_loop, const struct sp_admin_view *view,
                         struct sp_admin **out, struct sp_why *why) SP_MUST_USE;
void sp_admin_close(struct sp_admin *a, void (*done)(void *ctx), void *ctx);

#endif
