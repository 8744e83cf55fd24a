/* Many like pieces of work, done by several threads and taken by the caller in order.
 *
 * For commands that go over much: work reads and computes, take says what came of it.
 * The caller keeps one desk a thread and one result a slot, in arrays of its own; what
 * is at a desk belongs to that thread, what is in a slot to work and then to take. No
 * more pieces than there are slots are under way, whatever take waits for. */
#ifndef SP_IO_LOOP_CREW_H
#define SP_IO_LOOP_CREW_H

#include "sallyport/err.h"

#include <stdint.h>

#define SP_CREW_THREADS 8
#define SP_CREW_SLOTS   (2 * SP_CREW_THREADS)

struct sp_crew {
    void *ctx; /* borrowed */
    void (*work)(void *ctx, unsigned desk, unsigned slot, uint64_t piece);
    /* In the caller's thread, from piece 0 on. An error ends it all. */
    enum sp_err (*take)(void *ctx, unsigned slot, uint64_t piece);
};
/* As many as the machine has processors for us, within SP_CREW_THREADS. */
unsigned sp_crew_size(void);
/* Returns when every piece was taken, or with the error of take; nothing is at work
 * then. With one thread the caller's own does it all; where the system gives fewer than
 * are wanted, fewer do it. */
enum sp_err sp_crew_run(const struct sp_crew *c, unsigned threads,
                        uint64_t pieces) SP_MUST_USE;

#endif
