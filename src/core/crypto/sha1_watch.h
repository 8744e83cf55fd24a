/* Looks for the marks of a SHA-1 collision attack in one file, without the other.
 *
 * Every practical attack makes the last block of the pair differ by one of few known
 * disturbance vectors, and for each of them the other block can be computed. Where both
 * end in the same chaining value, somebody made two files of one digest: Stevens,
 * "Counter-cryptanalysis", CRYPTO 2013. What it calls a collision is one; an honest
 * file has none. An attack by a vector that is not among the 32 is not seen.
 *
 * Pure; one watch a file; bytes in order. threats A8 */
#ifndef SP_CORE_CRYPTO_SHA1_WATCH_H
#define SP_CORE_CRYPTO_SHA1_WATCH_H

#include "sallyport/bytes.h"

struct sp_sha1_watch;
enum sp_err sp_sha1_watch_new(struct sp_sha1_watch **out) SP_MUST_USE;
void sp_sha1_watch_free(struct sp_sha1_watch **w);
void sp_sha1_watch_update(struct sp_sha1_watch *w, struct sp_view v);

struct sp_sha1_sign {
    uint64_t offset; /* of the first block that is one of a pair */
    char vector[16]; /* "II(52,0)" */
};
/* False: none so far. The block with the padding is never one. */
bool sp_sha1_watch_found(const struct sp_sha1_watch *w, struct sp_sha1_sign *out);

#endif
