/* Reading facts: whatever is accepted is written again byte for byte, and whatever is
 * plain is accepted. */
#include "core/custody/facts_plain.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf again;
    struct sp_view text = sp_view(data, size);
    struct sp_why why = {0};
    sp_buf_init(&again, size + 256);
    bool is_plain = sp_facts_are_plain(text);
    if (sp_facts_decode(text, &f, &why) != SP_OK) {
        if (is_plain) {
            abort();
        }
        return 0;
    }
    if (sp_facts_encode(f, &again) != SP_OK || !sp_view_eq(sp_buf_view(&again), text)) {
        abort();
    }
    return 0;
}
