/* An event loop is one thread that owns what is on it. Loops share nothing; they send
 * each other messages. Work that would block or take long runs in the work pool as a
 * job over immutable input and comes back to the loop it came from.
 *
 * Messages and jobs are intrusive: embed the struct first in your own, fill run (work,
 * done), and the receiver owns it from then on. Posting never blocks and never fails.
 */
#ifndef SP_IO_LOOP_LOOP_H
#define SP_IO_LOOP_LOOP_H

#include "sallyport/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* The struct of this type whose member ptr points at. */
#define SP_HOLDER(ptr, type, member)                                                   \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct sp_loop;

struct sp_msg {
    struct sp_msg *next;             /* private */
    void (*run)(struct sp_msg *msg); /* called on the receiving loop, which owns msg */
};

/* A loop without a thread: the caller may run it itself (sp_loop_run) or give it a
 * thread (sp_loop_start). name is borrowed and shows up as the thread's name. */
enum sp_err sp_loop_new(const char *name, struct sp_loop **out) SP_MUST_USE;
enum sp_err sp_loop_start(struct sp_loop *l) SP_MUST_USE;
void sp_loop_run(struct sp_loop *l); /* until sp_loop_stop and no handle is active */
/* From any thread: the loop closes its own handles and ends once all others are closed.
 */
void sp_loop_stop(struct sp_loop *l);
void sp_loop_join(struct sp_loop *l); /* waits for the thread of sp_loop_start */
void sp_loop_free(
    struct sp_loop **l); /* after join; undelivered messages are an error */
uv_loop_t *sp_loop_uv(struct sp_loop *l);
struct sp_loop *sp_loop_current(void); /* of this thread, or NULL */

void sp_loop_post(struct sp_loop *to, struct sp_msg *msg); /* from any thread */

struct sp_job {
    uv_work_t request;              /* private */
    void (*work)(struct sp_job *j); /* on a pool thread: no loop, no shared state */
    void (*done)(struct sp_job *j); /* back on the loop */
};
/* From the loop's own thread. */
void sp_loop_work(struct sp_loop *l, struct sp_job *j);

/* The clocks. Monotonic milliseconds are those of the loop iteration. */
uint64_t sp_loop_now_ms(struct sp_loop *l);
int64_t sp_clock_wall_s(void); /* unix seconds */
enum sp_err sp_random_bytes(void *out, size_t n) SP_MUST_USE;

/* Random bytes in stock: one system call for many small draws. All zero is the empty
 * stock; it belongs to one thread. What was drawn is not kept. For nonces and names,
 * which are told; keys come from sp_random_bytes. */
struct sp_random_stock {
    uint8_t bytes[512];
    size_t left; /* of bytes, the last ones */
};
/* n is at most the size of the stock. */
enum sp_err sp_random_draw(struct sp_random_stock *s, void *out, size_t n) SP_MUST_USE;

#endif
