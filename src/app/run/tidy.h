/* Memory that nobody uses goes back to the system.
 *
 * The allocator keeps what is freed between what is not: ten thousand connections that
 * went leave 130 MiB behind, held by the sessions and the small things among them. So
 * somebody looks every few seconds, and where much was freed since the last time lets
 * go of whole pages; so too where much was fetched, which may have come and gone
 * between two looks.
 *
 * That does not reach the end of other threads' heaps. Left alone, the allocator keeps
 * twice as much there as the largest piece that was ever freed, up to 64 MiB a thread.
 * So what is large is taken apart from the heaps, and an end has a bound. */
#ifndef SP_APP_RUN_TIDY_H
#define SP_APP_RUN_TIDY_H

#include "core/base/limits.h"
#include "io/loop/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define SP_TIDY_MS   3000
#define SP_TIDY_FROM SP_MIB(2) /* less is left where it is */

/* What the documents at hand take is less: they come from the heaps and stay there. */
#define SP_TIDY_APART SP_MIB(2) /* a piece of so many bytes is mapped by itself */
#define SP_TIDY_END   SP_MIB(2) /* no heap's end stays longer than that */

struct sp_tidy {
    uv_timer_t timer;
    size_t least;   /* bytes that were free in the allocator, the least since it was
                       tidied */
    size_t fetched; /* by the process until it was tidied */
};
void sp_tidy_bound(void); /* from now on, for good, all threads */
void sp_tidy_start(struct sp_tidy *t, struct sp_loop *l); /* bounded, too */
void sp_tidy_stop(struct sp_tidy *t);
/* One look; true when something was given back. */
bool sp_tidy_look(struct sp_tidy *t);

#endif
