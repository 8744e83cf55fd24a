/* A claim as one line of text, the value of a FILE_CLAIM fact: facts are flat sets, so
 * what belongs together stands in one value.
 *
 *     claim  = sha1 " " sha256 " " size " " ext
 *     sha1   = 40 lower-case hex digits
 *     sha256 = 64 lower-case hex digits, or "-" where the document names none
 *     size   = decimal, at most 2^63 - 1
 *     ext    = 1..8 lower-case letters or digits, or "-" where the name has none
 *
 * One spelling a claim. Names are not kept: FILE_NAME has them. Pure. */
#ifndef SP_CORE_WSUS_CLAIM_H
#define SP_CORE_WSUS_CLAIM_H

#include "core/wsus/wsus.h"

#define SP_CLAIM_TEXT     160 /* bytes with the NUL */
#define SP_CLAIM_SIZE_MAX ((uint64_t)INT64_MAX)

/* c->size is at most SP_CLAIM_SIZE_MAX and ext fits the grammar. */
void sp_claim_format(const struct sp_claim *c, char out[SP_CLAIM_TEXT]);
/* The name of the result is empty. SP_E_MALFORMED for any other spelling. */
enum sp_err sp_claim_parse(struct sp_view text, struct sp_claim *out) SP_MUST_USE;

#endif
