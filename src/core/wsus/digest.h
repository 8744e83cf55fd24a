/* The attributes of a File, read one by one. */
#ifndef SP_CORE_WSUS_DIGEST_H
#define SP_CORE_WSUS_DIGEST_H

#include "core/wsus/wsus.h"

/* Bytes of a digest of the algorithm, at most 64; 0 for one that is not known. */
size_t sp_digest_size(struct sp_view algorithm);
/* base64 of exactly size bytes, blanks around it allowed; false for size 0. */
bool sp_digest_read(struct sp_view text, uint8_t *out, size_t size);
/* What follows the last dot, lower case; ext is left alone where that is none. */
void sp_extension_read(struct sp_view name, char ext[9]);

#endif
