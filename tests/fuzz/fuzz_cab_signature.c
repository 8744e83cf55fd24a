/* Cabinets with whatever stands in the reserve of their headers, and catalogues. */
#include "fuzz/sign_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sign_fuzz(sp_view(data, size), "cab");
    return 0;
}
