/* Signed files: what a file is, and what its Authenticode signatures prove.
 *
 * Knows: PE images, cabinets (an .msu is one), installer databases, catalogues; that
 * other formats carry no signature and are told by their content or name only. Refuses
 * to know: files and clocks (the caller reads the ranges that are asked for and says
 * what time it is), whom to trust (struct sp_trust), what to do about it (rules over
 * the facts). Which digests metadata names is not asked here either.
 *
 *     struct sp_sign *s;
 *     sp_sign_new(size, extension, &s);
 *     while (sp_sign_wants(s, &offset, &length)) {
 *         ... read 1..length bytes at offset ...
 *         sp_sign_feed(s, bytes);
 *     }
 *     sp_sign_finish(s, trust, now, facts);
 *
 * The ranges jump: headers first, then where the signature is, then all that is signed,
 * in order, once. Memory: SP_LIMIT_SIGNATURE for the signatures; of installer databases
 * the tables too (docs/decisions/0013); nothing else that grows with the file. What is
 * wrong with a file is a fact (sign.error and the flags), never an error: errors are
 * memory and OpenSSL.
 *
 * What Authenticode leaves out of its digests has to have the one value it may have, or
 * sign.outside-bytes says so; what may have any value (the checksum of a PE image) is
 * named by sign.left-out. So a file hash beside the signature is still needed. */
#ifndef SP_CORE_SIGN_SIGN_H
#define SP_CORE_SIGN_SIGN_H

#include "core/crypto/crypto.h"
#include "core/crypto/trust.h"
#include "sallyport/facts.h"

struct sp_sign;
/* extension as the file's name has it, without the dot, any case; empty if unknown. */
enum sp_err sp_sign_new(uint64_t size, struct sp_view extension,
                        struct sp_sign **out) SP_MUST_USE;
void sp_sign_free(struct sp_sign **s);
/* Before the first byte: algorithms (bit d of enum sp_digest) to compute sign.digest
 * with besides those that signatures want. What catalogues list of PE images without a
 * signature of their own. */
void sp_sign_also(struct sp_sign *s, unsigned digests);
/* Ranges of a file that begins with head (SP_SIGN_FORESEE bytes or all of it) which a
 * signature at its end is likely to be over: a SHA-256 of them that is computed on the
 * way can be handed to sp_sign_know. Count 0: none that could be told. */
enum { SP_SIGN_FORESEE = 4096 };
void sp_sign_foresee(struct sp_view head, uint64_t size, struct sp_beside *out);
/* Before the first byte: the SHA-256 of these ranges of the file is known. Where nothing
 * else is to be digested they are not wanted. */
void sp_sign_know(struct sp_sign *s, const struct sp_beside *known);
/* The range to feed next; false when all is known. length > 0 and within the file. */
bool sp_sign_wants(const struct sp_sign *s, uint64_t *offset, uint64_t *length);
/* The first 1..length bytes of that range. SP_E_NOMEM, SP_E_CRYPTO. */
enum sp_err sp_sign_feed(struct sp_sign *s, struct sp_view bytes) SP_MUST_USE;
/* Adds the sign.* facts. Once, and only when nothing is wanted any more. */
enum sp_err sp_sign_finish(struct sp_sign *s, const struct sp_trust *trust, int64_t now,
                           struct sp_facts *facts) SP_MUST_USE;

#endif
