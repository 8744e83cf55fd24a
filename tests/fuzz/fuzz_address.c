/* A network as text: what is read has no bit behind its prefix, and holds itself. */
#include "core/base/cidr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_cidr c;
    if (sp_cidr_parse(sp_view(data, size), &c) == SP_OK) {
        SP_ASSERT(c.bits <= 128);
        SP_ASSERT(sp_cidr_holds(&c, c.bytes));
    }
    return 0;
}
