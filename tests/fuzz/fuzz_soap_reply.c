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

/* What may be cut out lies within the reply, tags and all. */
static void check_place(struct sp_place p, struct sp_view body)
{
    SP_ASSERT(p.from < p.to && p.to <= body.len);
    SP_ASSERT(body.data[p.from] == '<' && body.data[p.to - 1] == '>');
}

static void check_places(const struct sp_reply *r, struct sp_view body)
{
    for (size_t i = 0; i < r->revision_count; i++) {
        check_place(r->revisions[i].place, body);
    }
    for (size_t i = 0; i < r->listed_count; i++) {
        check_place(r->listed[i].place, body);
    }
    for (size_t i = 0; i < r->url_count; i++) {
        check_place(r->urls[i].place, body);
    }
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
    check_places(reply, sp_view(data + 2, size - 2));
    for (size_t i = 0; i < reply->revision_count; i++) {
        write_down(reply->revisions[i].facts);
    }
    return 0;
}
