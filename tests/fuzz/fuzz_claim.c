/* A claim of any text: what is accepted is spelled in exactly one way. */
#include "core/wsus/claim.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view text = sp_view(data, size);
    struct sp_claim c;
    char again[SP_CLAIM_TEXT];
    if (sp_claim_parse(text, &c) != SP_OK) {
        return 0;
    }
    SP_ASSERT(c.size <= SP_CLAIM_SIZE_MAX && c.name.len == 0);
    sp_claim_format(&c, again);
    SP_ASSERT(sp_view_eq_str(text, again));
    return 0;
}
