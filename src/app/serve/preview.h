/* Documents of a reply to GetUpdateData, read while the reply is still arriving.
 *
 * The bytes of a document say what is read of it, whatever comes before and behind:
 * jobs of the pool read each that is whole, and the inspection, which comes when the
 * reply is whole and goes through all of it, takes what they have. Nothing is decided
 * here and nothing leaves earlier. (docs/decisions/0091)
 *
 * On one loop; take is the inspection's, on a thread of the pool. Memory: what was read
 * of the documents that came; their text is read where it stands in the reply.
 */
#ifndef SP_APP_SERVE_PREVIEW_H
#define SP_APP_SERVE_PREVIEW_H

#include "app/serve/arrival.h"
#include "core/wsus/wsus.h"
#include "io/loop/loop.h"

struct sp_preview;
/* a is fixed; it is held until the last job has ended. */
enum sp_err sp_preview_new(struct sp_loop *loop, struct sp_arrival *a,
                           struct sp_preview **out) SP_MUST_USE;
/* More of it is there. */
void sp_preview_more(struct sp_preview *p);
/* For the inspection of what came. Borrowed from p. */
struct sp_foresight sp_preview_foresight(struct sp_preview *p);
/* Memory goes when the last job has ended; *p is NULL. */
void sp_preview_close(struct sp_preview **p);

#endif
