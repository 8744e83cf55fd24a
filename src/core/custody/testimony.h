/* What witnesses say about a revision, as facts of it: witness.said has each by name, and
 * three counts. Agreeing, contradicting and not knowing are three facts; a witness that
 * could not be asked says nothing at all. Pure. */
#ifndef SP_CORE_CUSTODY_TESTIMONY_H
#define SP_CORE_CUSTODY_TESTIMONY_H

#include "sallyport/facts.h"

enum sp_testimony {
    SP_TESTIMONY_AGREES,      /* it knows this very document */
    SP_TESTIMONY_CONTRADICTS, /* it knows another one for the revision */
    SP_TESTIMONY_MISSING,     /* it was asked, and does not know the revision */
    SP_TESTIMONY_COUNT
};
const char *sp_testimony_text(enum sp_testimony t); /* "agrees" */

/* A witness's name has no blanks. Nothing changes once the counts stand. */
enum sp_err sp_testimony_say(struct sp_facts *f, const char *witness,
                             enum sp_testimony t) SP_MUST_USE;
/* States the counts, once, where anybody said anything. */
enum sp_err sp_testimony_sum(struct sp_facts *f) SP_MUST_USE;

#endif
