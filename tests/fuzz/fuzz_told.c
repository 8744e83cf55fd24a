/* A text for clients: read or not, and what it says is judged without stumbling. */
#include "core/wsus/told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    struct sp_why why = {0};
    if (sp_facts_new(SP_KIB(256), &facts) != SP_OK) {
        return 0;
    }
    if (sp_told_read(sp_view(data, size), facts, &why) == SP_OK) {
        SP_ASSERT(sp_facts_count(facts, SP_FACT_DOCUMENT_ERROR) == 0);
        SP_ASSERT(sp_facts_count(facts, SP_FACT_DOCUMENT_SHA256) == 0);
    }
    return 0;
}
