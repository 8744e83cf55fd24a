/* Opening checkpoints: the input as it comes, under a fixed key, then as a text that
 * this key signs. What is accepted must be written again as it was. Keys are read too.
 */
#include "core/custody/note.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_signed(const struct sp_note_key *k, struct sp_view text)
{
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    SP_AUTO(sp_buf_fini) struct sp_buf again;
    struct sp_checkpoint c;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    sp_buf_init(&again, SP_LIMIT_CHECKPOINT);
    if (sp_buf_append(&note, text) != SP_OK ||
        sp_buf_append_byte(&note, '\n') != SP_OK ||
        sp_note_sign(k, text, &note) != SP_OK ||
        sp_checkpoint_open(sp_buf_view(&note), k, &c, NULL) != SP_OK) {
        return;
    }
    if (sp_checkpoint_sign(&c, k, &again) != SP_OK ||
        !sp_view_eq(sp_buf_view(&note), sp_buf_view(&again))) {
        abort();
    }
}

/* Signing c again gives the same text in front of the signatures. */
static void check_body(const struct sp_note_key *k, const struct sp_checkpoint *c,
                       struct sp_view input)
{
    enum { SIGNATURE_LINE = 4 + 4 + 92 + 1 };
    SP_AUTO(sp_buf_fini) struct sp_buf again;
    sp_buf_init(&again, SP_LIMIT_CHECKPOINT);
    if (sp_checkpoint_sign(c, k, &again) != SP_OK ||
        !sp_view_starts(input, sp_view(again.data, again.len - SIGNATURE_LINE))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = "a fuzzer's key, no secret at all";
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    SP_AUTO(sp_note_key_free) struct sp_note_key *read = NULL;
    struct sp_view input = sp_view(data, size);
    struct sp_checkpoint c;
    if (sp_note_key_new("log", seed, &k) != SP_OK) {
        abort();
    }
    if (sp_checkpoint_open(input, k, &c, NULL) == SP_OK) {
        check_body(k, &c, input);
    }
    open_signed(k, input);
    if (sp_note_key_import(input, &read, NULL) == SP_OK &&
        strlen(sp_note_key_name(read)) == 0) {
        abort();
    }
    return 0;
}
