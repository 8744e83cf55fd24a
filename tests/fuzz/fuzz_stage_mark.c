/* A record of any text: what is accepted is spelled in exactly one way. */
#include "core/custody/stage_mark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view text = sp_view(data, size);
    struct sp_stage_mark m;
    char again[SP_STAGE_MARK_TEXT];
    if (sp_stage_mark_parse(text, &m) != SP_OK) {
        return 0;
    }
    SP_ASSERT(m.prefix > 0 && m.prefix <= m.size);
    sp_stage_mark_format(&m, again);
    SP_ASSERT(sp_view_eq_str(text, again));
    return 0;
}
