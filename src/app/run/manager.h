/* What a service manager is told, by its own protocol (sd_notify(3)): a datagram to
 * $NOTIFY_SOCKET. Without a manager nothing happens. */
#ifndef SP_APP_RUN_MANAGER_H
#define SP_APP_RUN_MANAGER_H

#include "io/loop/loop.h"
#include "io/net/sockets.h"

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the
 * environment. Before any thread. */
void sp_manager_meet(void);
/* "READY=1\nSTATUS=...", as sd_notify(3) has it. */
void sp_manager_tell(const char *fmt, ...) SP_PRINTF(1, 2);
/* Adds the listening sockets that the manager holds open for this process ($LISTEN_FDS,
 * sd_listen_fds(3)) and takes the variables out of the environment. Before any thread. */
void sp_manager_inherit(struct sp_sockets *out);
/* Lets the manager keep these over a restart, so that who connects meanwhile waits; in
 * place of what it kept before. It needs FileDescriptorStoreMax= in the unit. */
void sp_manager_keep(const int *fds, size_t count);
/* RELOADING=1 with the time it needs since systemd 253; 252 reads it as a status. */
void sp_manager_tell_reloading(void);

/* The watchdog: while every loop answers, the manager hears of it, three times in the
 * time it gives. A loop that hangs makes it silent, and the manager restarts the
 * service. */
enum { SP_MANAGER_LOOPS = 257 };
struct sp_watchdog {
    struct sp_loop *main; /* borrowed */
    uv_timer_t timer;
    size_t out; /* questions under way */
    struct sp_ping {
        struct sp_msg msg;
        struct sp_watchdog *watchdog;
        struct sp_loop *loop; /* borrowed */
    } pings[SP_MANAGER_LOOPS];
    size_t count;
};
/* On the main loop; does nothing where no watchdog is wanted. */
void sp_watchdog_start(struct sp_watchdog *w, struct sp_loop *main_loop);
/* One more loop that has to answer. */
void sp_watchdog_add(struct sp_watchdog *w, struct sp_loop *loop);
/* No more questions; before the loops end. */
void sp_watchdog_stop(struct sp_watchdog *w);

#endif
