/* Reading policies: what is accepted prints to a text that reads to the same print. */
#include "sallyport/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_policy_free) struct sp_policy *p = NULL;
    SP_AUTO(sp_policy_free) struct sp_policy *again = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf first;
    SP_AUTO(sp_buf_fini) struct sp_buf second;
    struct sp_why why = {0};
    sp_buf_init(&first, 4096);
    sp_buf_init(&second, 4096);
    if (sp_policy_parse(sp_view(data, size), &p, &why) != SP_OK) {
        if (!why.text[0]) {
            abort();
        }
        return 0;
    }
    if (sp_policy_print(p, &first) != SP_OK ||
        sp_policy_parse(sp_buf_view(&first), &again, &why) != SP_OK ||
        sp_policy_print(again, &second) != SP_OK ||
        !sp_view_eq(sp_buf_view(&first), sp_buf_view(&second))) {
        abort();
    }
    return 0;
}
