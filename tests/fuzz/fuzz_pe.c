/* PE images with whatever stands in their headers and certificate tables. */
#include "fuzz/sign_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sign_fuzz(sp_view(data, size), "exe");
    return 0;
}
