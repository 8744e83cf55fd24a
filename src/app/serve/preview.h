/* Documents of a reply to GetUpdateData, read while the reply is still arriving.
 *
 * The bytes of a document say what is read of it, whatever comes before and behind:
 * jobs of the pool read each that is whole, and the inspection, which comes when the
 * reply is whole and goes through all of it, takes what they have. Nothing is decided
 * here and nothing leaves earlier. (docs/decisions/0091)
 *
 * On one loop; take is the inspection's, on a thread of the pool. Memory: a copy of
 * each document that a job reads, two at a time, and what was read of those that came.
 */
#ifndef SP_APP_SERVE_PREVIEW_H
#define SP_APP_SERVE_PREVIEW_H

#include "core/wsus/wsus.h"
#include "io/loop/loop.h"

struct sp_preview;
enum sp_err sp_preview_new(struct sp_loop *loop, struct sp_preview **out) SP_MUST_USE;
/* Appends to reply, which it looks at until it is closed. Errors: those of appending.
 */
enum sp_err sp_preview_append(struct sp_preview *p, struct sp_buf *reply,
                              struct sp_view bytes) SP_MUST_USE;
/* Once, for the inspection of what was appended, which may have moved to another buffer.
 * Borrowed from p. */
struct sp_foresight sp_preview_foresight(struct sp_preview *p);
/* Before the bytes are freed. Memory goes when the last job has ended; *p is NULL. */
void sp_preview_close(struct sp_preview **p);

#endif
