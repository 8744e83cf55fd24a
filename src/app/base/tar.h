/* Writes a tar file (ustar, POSIX.1-1988) of members that are in memory.
 *
 * Knows: the format. Refuses to know: what is in it, compression. */
#ifndef SP_APP_BASE_TAR_H
#define SP_APP_BASE_TAR_H

#include "sallyport/bytes.h"

/* A regular file of mode 0600, owned by root. name: up to 99 bytes; time: unix seconds.
 * Errors: SP_E_LIMIT, the buffer's. */
enum sp_err sp_tar_add(struct sp_buf *out, const char *name, struct sp_view data,
                       int64_t time) SP_MUST_USE;
/* Two blocks of zeros. */
enum sp_err sp_tar_end(struct sp_buf *out) SP_MUST_USE;

#endif
