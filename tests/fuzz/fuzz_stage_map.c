/* A map of any text: every line that is accepted is spelled in exactly one way, and
 * what is torn ends it. */
#include "core/custody/stage_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view rest = sp_view(data, size);
    struct sp_stage_block b;
    char again[SP_STAGE_MAP_LINE];
    for (size_t at = 0; sp_stage_map_next(&rest, &b) == SP_OK; at = size - rest.len) {
        struct sp_view line = sp_view(data + at, size - rest.len - at);
        sp_stage_map_format(&b, again);
        SP_ASSERT(sp_view_eq_str(line, again));
    }
    return 0;
}
