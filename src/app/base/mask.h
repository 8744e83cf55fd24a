/* Addresses of machines in a text, replaced by names that say nothing but stay the same
 * within one bundle: peer-1, peer-2. Loopback and the unspecified address stay.
 *
 * Knows: what an IPv4 or IPv6 address looks like. Refuses to know: what kind of text. */
#ifndef SP_APP_BASE_MASK_H
#define SP_APP_BASE_MASK_H

#include "sallyport/bytes.h"

enum { SP_MASK_PEERS = 512 };
struct sp_mask {
    uint8_t peers[SP_MASK_PEERS][16]; /* IPv4 as mapped */
    size_t count;                     /* those beyond are all "peer-x" */
};
/* Appends the text with every address masked. */
enum sp_err sp_mask_append(struct sp_mask *m, struct sp_view text,
                           struct sp_buf *out) SP_MUST_USE;

#endif
