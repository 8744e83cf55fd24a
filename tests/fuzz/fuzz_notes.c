/* Known issues are read or not; what is found has a KB and a text in UTF-8. */
#include "core/report/advisory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sp_err found(void *ctx, const struct sp_kb_note *n)
{
    struct sp_view kb;
    (void)ctx;
    SP_ASSERT(sp_kb_in(n->kb, &kb) && kb.len == n->kb.len);
    SP_ASSERT(n->text.len > 0 && sp_utf8_is_valid(n->text));
    return SP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sp_note_sink sink = {NULL, found};
    struct sp_why why = {0};
    enum sp_err e = sp_notes_read(sp_view(data, size), &sink, &why);
    SP_ASSERT(e == SP_OK || why.text[0] != 0);
    return 0;
}
