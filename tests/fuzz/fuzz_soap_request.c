/* The first byte selects the operation. What is rebuilt reads back to itself, and asks
 * for the same. */
#include "core/wsus/wsus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_soap_request first, second;
    struct sp_soap_refusal refusal;
    if (size == 0) {
        return 0;
    }
    enum sp_op op = (enum sp_op)(data[0] % SP_OP_COUNT);
    enum sp_err e =
        sp_soap_request_read(op, sp_view(data + 1, size - 1), NULL, &first, &refusal);
    if (e != SP_OK) {
        SP_ASSERT(e == SP_E_PROTOCOL || e == SP_E_NOMEM);
        SP_ASSERT(sp_utf8_is_valid(sp_view_str(refusal.member)));
        return 0;
    }
    e = sp_soap_request_read(op, sp_buf_view(&first.body), NULL, &second, &refusal);
    SP_ASSERT(e == SP_OK);
    SP_ASSERT(sp_view_eq(sp_buf_view(&first.body), sp_buf_view(&second.body)));
    SP_ASSERT(first.asked_count == second.asked_count);
    sp_soap_request_fini(&first);
    sp_soap_request_fini(&second);
    return 0;
}
