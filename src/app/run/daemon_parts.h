/* Shared by the files of the daemon. */
#ifndef SP_APP_RUN_DAEMON_PARTS_H
#define SP_APP_RUN_DAEMON_PARTS_H

#include "app/admin/admin.h"
#include "app/fill/filler.h"
#include "app/log/log.h"
#include "app/log/log_sink.h"
#include "app/offline/renewer.h"
#include "app/run/changes.h"
#include "app/run/confine.h"
#include "app/run/handover.h"
#include "app/run/manager.h"
#include "app/run/tidy.h"
#include "app/serve/cosigner.h"
#include "app/shared/desk.h"
#include "app/watch/watch.h"

struct daemon {
    const char *config_file; /* borrowed */
    bool takes_over;         /* the place of the daemon that runs */
    struct sp_world *world;  /* shared: the one in force */
    /* Owned: what it started with, for all that is opened once and borrows from it. Not
     * the first world: that has keys, which go when they are replaced. */
    struct sp_config *first;
    struct sp_loop *loop;       /* owned: the main loop */
    struct sp_desk *desk;       /* owned */
    struct sp_keeper *keeper;   /* owned */
    struct sp_objects *objects; /* owned */
    struct sp_filler *filler;   /* owned */
    struct sp_watch *watch;     /* owned */
    struct sp_seals *seals;     /* shared: the keys of cookies in force */
    struct sp_renewer *renewer; /* owned; NULL: no offline catalogue */
    struct sp_budget budget;
    struct sp_peers *peers;  /* owned */
    struct sp_seats **seats; /* owned, one a listener */
    struct sp_lockdown lockdown;
    struct sp_cosigner *cosigner; /* owned */
    struct sp_lane *lanes;        /* owned */
    size_t lane_count, lanes_open;
    struct sp_admin *admin; /* owned; freed by its drain */
    uv_signal_t signals[3];
    uv_timer_t hourly;
    struct sp_tidy tidy;
    struct sp_watchdog watchdog;
    struct sp_sockets inherited;
    struct sp_handover handover;
    struct sp_confines confines;
    struct sp_snapshot *snapshot; /* owned: of the world in force */
    bool draining;
    int64_t started;
};

enum sp_err sp_daemon_load_world(const char *file, struct sp_world **out,
                                 struct sp_why *why) SP_MUST_USE;
/* Before anybody can ask for a cosignature: its key is there, and told. */
enum sp_err sp_daemon_prepare_cosigner(struct daemon *d, const struct sp_world *w,
                                       struct sp_why *why) SP_MUST_USE;
/* Whoever asked for it, by a signal or by the admin listener; out, where there is one,
 * is told as sp_changes_json does. */
enum sp_err sp_daemon_reload(struct daemon *d, struct sp_buf *out) SP_MUST_USE;

/* Asked once: open exchanges are waited for. Twice: at once. */
void sp_daemon_stop(struct daemon *d);
/* Every listening socket; false when there are more than can be handed on at once. */
bool sp_daemon_sockets(const struct daemon *d, int fds[SP_SOCKETS],
                       size_t *count) SP_MUST_USE;
/* Another daemon asked for them: it gets them, and this one ends. ctx is the daemon. */
void sp_daemon_successor(void *ctx);

#endif
