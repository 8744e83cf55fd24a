/* Replies to sallyport's own run as a downstream. The first byte picks the step. */
#include "core/wsus/dss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sp_guid account;
    struct sp_dss_list list = {0};
    struct sp_dss d;
    if (size == 0) {
        return 0;
    }
    sp_dss_init(&d, &account);
    enum sp_dss_step step = (enum sp_dss_step)(data[0] % SP_DSS_DATA);
    if (sp_dss_take(&d, step, 200, sp_view(data + 1, size - 1), &list, NULL) == SP_OK) {
        struct sp_buf b;
        sp_buf_init(&b, SP_MIB(1));
        /* what was accepted can be sent back */
        SP_ASSERT(sp_dss_ask(&d, SP_DSS_LIST, NULL, 0, &b) == SP_OK);
        sp_buf_fini(&b);
    }
    sp_dss_fini(&d);
    return 0;
}
