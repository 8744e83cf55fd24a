/* Paths of tiles from the network: what is accepted has one spelling. */
#include "sallyport/ledger.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_tile_ref t;
    char text[SP_TILE_PATH_MAX];
    if (sp_tile_path_parse(sp_view(data, size), &t) == SP_OK) {
        if (t.is_entries) {
            sp_tile_entries_path(t.index, t.width, text);
        } else {
            sp_tile_path(t.level, t.index, t.width, text);
        }
        SP_ASSERT(strlen(text) == size && memcmp(text, data, size) == 0);
    }
    return 0;
}
