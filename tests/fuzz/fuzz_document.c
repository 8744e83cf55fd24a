/* A document is read or not; what is read has an identity and no more files than
 * allowed. */
#include "core/wsus/wsus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    SP_AUTO(sp_arena_free) struct sp_arena *arena = NULL;
    struct sp_claim *claims = NULL;
    struct sp_why why = {0};
    size_t count = 0;
    if (sp_facts_new(SP_MIB(4), &facts) != SP_OK ||
        sp_arena_new(SP_MIB(16), &arena) != SP_OK) {
        return 0;
    }
    enum sp_err e =
        sp_document_read(sp_view(data, size), facts, arena, &claims, &count, &why);
    if (e != SP_OK) {
        SP_ASSERT(count == 0);
        return 0;
    }
    SP_ASSERT(sp_facts_count(facts, SP_FACT_DOCUMENT_ID) == 1);
    SP_ASSERT(count <= SP_LIMIT_FILES_PER_UPDATE);
    for (size_t i = 0; i < count; i++) {
        SP_ASSERT(sp_utf8_is_valid(claims[i].name));
    }
    return 0;
}
