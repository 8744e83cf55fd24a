#include "advisories.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return read_advisories(sp_csaf_read, sp_view(data, size));
}
