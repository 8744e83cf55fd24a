/* Lists of catalogues: whatever is read can be looked into to its end, what is found is
 * one thing whoever asks, and views stay inside of the input. */
#include "core/crypto/list.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t sought[SP_DIGEST_MAX] = {1, 2, 3};
    struct sp_list list;
    if (sp_list_read(sp_view(data, size), &list) != SP_OK) {
        return 0;
    }
    check(list.members.len == 0 ||
          (list.members.data >= data &&
           list.members.data + list.members.len <= data + size));
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        bool first = false, second = false;
        struct sp_view digest = sp_view(sought, sp_digest_bytes(d));
        enum sp_err e = sp_list_find(&list, d, digest, &first);
        check(sp_list_find(&list, d, digest, &second) == e && first == second);
        check(e == SP_OK || !first);
    }
    return 0;
}
