/* A catalogue is read or not; what is found in one lies in it and ends there. */
#include "core/base/mo.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_mo m;
    if (sp_mo_open(sp_view(data, size), &m) != SP_OK) {
        return 0;
    }
    static const char *const texts[] = {"", "a", "files", "yes", "\xFF"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *said = sp_mo_find(&m, texts[i]);
        const uint8_t *at = (const uint8_t *)said;
        SP_ASSERT(!said || (at >= data && at + strlen(said) < data + size));
    }
    return 0;
}
