/* A daemon that takes the place of another one with the same state directory, without a
 * refused connection: `sallyport run --take-over`.
 *
 * The one that runs waits at an abstract Unix socket named after the state directory. Who
 * connects, and is the directory's owner or root, is given the listening sockets; the
 * daemon then drains and ends, and the end of the connection says that ledger and cache
 * are free. Whoever connects to a listener meanwhile waits in its queue. */
#ifndef SP_APP_RUN_HANDOVER_H
#define SP_APP_RUN_HANDOVER_H

#include "io/loop/loop.h"
#include "io/net/sockets.h"

/* ---- the one that runs ---------------------------------------------------------- */

struct sp_handover {
    uv_poll_t poll;
    int fd;     /* owned; -1: not offered */
    int asker;  /* owned: open until the process ends */
    uid_t owner;
    void (*asked)(void *ctx);
    void *ctx;
};
/* asked runs on main_loop when somebody who may have the sockets asks. A place that is
 * taken is logged, and the daemon goes on without. */
enum sp_err sp_handover_offer(struct sp_handover *h, struct sp_loop *main_loop,
                              const char *state_dir, void (*asked)(void *ctx),
                              void *ctx) SP_MUST_USE;
/* To who asked: false when it is not there any more. */
bool sp_handover_give(struct sp_handover *h, const int *fds, size_t count);
/* Who asked gets nothing, and the next one may ask. */
void sp_handover_refuse(struct sp_handover *h);
/* Nobody may ask any more; on the main loop. */
void sp_handover_close(struct sp_handover *h);

/* ---- the one that comes --------------------------------------------------------- */

/* Blocking. *connection is the caller's to wait on. Errors: SP_E_UNAVAILABLE: nobody
 * runs there; SP_E_DENIED: not the directory's owner; SP_E_PROTOCOL. */
enum sp_err sp_handover_ask(const char *state_dir, struct sp_sockets *out, int *connection,
                            struct sp_why *why) SP_MUST_USE;
/* Until the other one ended; closes the connection. SP_E_TIMEOUT after a minute. */
enum sp_err sp_handover_wait(int connection, struct sp_why *why) SP_MUST_USE;

#endif
