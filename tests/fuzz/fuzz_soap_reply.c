/* The first byte selects the operation, the second the status. Whatever comes back is
 * told in facts, and they can be written down. */
#include "core/wsus/wsus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_down(const struct sp_facts *facts)
{
    struct sp_buf text;
    sp_buf_init(&text, SP_MIB(16));
    SP_ASSERT(sp_facts_encode(facts, &text) == SP_OK);
    sp_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_reply_free) struct sp_reply *reply = NULL;
    struct sp_why why = {0};
    if (size < 2) {
        return 0;
    }
    enum sp_op op = (enum sp_op)(data[0] % SP_OP_COUNT);
    enum sp_err e =
        sp_reply_inspect(op, data[1] & 1 ? 500 : 200, sp_view(data + 2, size - 2), NULL,
                         0, &reply, &why);
    SP_ASSERT(e == SP_OK);
    bool wellformed = sp_facts_has_flag(reply->facts, SP_FACT_REPLY_WELLFORMED);
    SP_ASSERT(wellformed == (why.text[0] == '\0'));
    SP_ASSERT(wellformed || (reply->revision_count == 0 && !reply->is_fault));
    write_down(reply->facts);
    for (size_t i = 0; i < reply->revision_count; i++) {
        write_down(reply->revisions[i].facts);
    }
    return 0;
}
