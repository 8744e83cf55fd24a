/* Compound files with whatever stands in their tables, chains and directory. */
#include "fuzz/sign_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sign_fuzz(sp_view(data, size), "msi");
    return 0;
}
