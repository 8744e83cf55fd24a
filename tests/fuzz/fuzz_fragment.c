/* The same text as a document and as a fragment: read or not, and each digest once. */
#include "core/crypto/crypto.h"
#include "core/wsus/fragment.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    struct sp_derived_parts parts = {0};
    struct sp_why why = {0};
    if (sp_facts_new(SP_MIB(1), &facts) != SP_OK) {
        return 0;
    }
    uint8_t sha256[32], expected[32];
    if (sp_fragments_derive(sp_view(data, size), facts, sha256, &why) == SP_OK) {
        sp_sha256(sp_view(data, size), expected);
        SP_ASSERT(memcmp(sha256, expected, sizeof sha256) == 0);
        SP_ASSERT(sp_facts_count(facts, SP_FACT_FRAGMENT_CORE) <= 1);
        SP_ASSERT(sp_facts_count(facts, SP_FACT_FRAGMENT_EXTENDED) <= 1);
    }
    if (sp_derived_read(sp_view(data, size), &parts, &why) != SP_OK) {
        SP_ASSERT(!parts.has_id && !parts.has[SP_DERIVED_CORE]);
    }
    return 0;
}
