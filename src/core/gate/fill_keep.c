/* An entry of the ledger has 64 KiB, and whoever makes a file decides how much there is
 * to say of its signatures. Flags, numbers and digests are always kept: they are few,
 * and what rules read. Of each text so much is kept as SHARE holds, at least one value;
 * how many values are left out is said. The update that names the file and its
 * categories are kept likewise: publishers are limited to some. The policy judges what
 * is kept, so that the entry can be judged again. */
#include "core/gate/fill_private.h"

enum { SHARE = 3 * 1024 }; /* bytes of the entry a text fact has */

/* The most one value of a text takes: core/sign says nothing longer. */
enum { LONGEST_TEXT = 512 };
_Static_assert(SHARE >= 3 * LONGEST_TEXT + 128, "one value always fits");

static enum sp_err keep_fact(const struct sp_facts *from, enum sp_fact k,
                             struct sp_facts *entry, int64_t *omitted)
{
    struct sp_fact_value v;
    size_t used = 0;
    bool is_shared =
        sp_fact_kind(k) == SP_FACT_KIND_TEXT || k == SP_FACT_DOCUMENT_CATEGORY;
    for (size_t i = 0; sp_facts_get(from, k, i, &v); i++) {
        used += is_shared ? sp_fact_line_max(k, &v) : 0;
        if (used > SHARE) {
            *omitted += (int64_t)(sp_facts_count(from, k) - i);
            return SP_OK;
        }
        SP_TRY(sp_facts_add(entry, k, &v));
    }
    return SP_OK;
}

enum sp_err sp_fill_keep(const struct sp_facts *signatures, struct sp_facts *entry)
{
    int64_t omitted = 0;
    SP_TRY(keep_fact(signatures, SP_FACT_FILE_TREE, entry, &omitted));
    SP_TRY(keep_fact(signatures, SP_FACT_FILE_SHA1_COLLISION, entry, &omitted));
    SP_TRY(keep_fact(signatures, SP_FACT_UPDATE_ID, entry, &omitted));
    SP_TRY(keep_fact(signatures, SP_FACT_DOCUMENT_CATEGORY, entry, &omitted));
    for (enum sp_fact k = SP_FACT_SIGN_FORMAT; k < SP_FACT_SIGN_OMITTED; k++) {
        SP_TRY(keep_fact(signatures, k, entry, &omitted));
    }
    return omitted ? sp_facts_int(entry, SP_FACT_SIGN_OMITTED, omitted) : SP_OK;
}
