/* What a witness is asked, and cosignatures of a note: the input as it comes, and as
 * the note that a known log signed. What is read must be written again as it was; only
 * what the cosigner's key made may count. */
#include "core/custody/cosign.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct sp_cosign_ask *a, struct sp_view input)
{
    SP_AUTO(sp_buf_fini) struct sp_buf again;
    sp_buf_init(&again, input.len + 1);
    if (sp_cosign_ask_write(a, &again) != SP_OK ||
        !sp_view_eq(sp_buf_view(&again), input)) {
        abort();
    }
}

static void check_judged(const struct sp_cosign_ask *a, const struct sp_note_key *log)
{
    struct sp_head last = {.size = 0}, now;
    struct sp_checkpoint c;
    struct sp_view origin;
    if (sp_cosign_judge(a, log, &last, &now, NULL) != SP_COSIGN_GRANTED) {
        return;
    }
    if (sp_checkpoint_open(a->note, log, &c, NULL) != SP_OK || c.size != now.size ||
        sp_cosign_origin(a->note, &origin) != SP_OK || !sp_view_eq(origin, c.origin)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = {7}, other[32] = {9};
    SP_AUTO(sp_note_key_free) struct sp_note_key *log = NULL;
    SP_AUTO(sp_note_key_free) struct sp_note_key *witness = NULL;
    SP_AUTO(sp_note_key_free) struct sp_note_key *read = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    struct sp_view input = sp_view(data, size);
    struct sp_cosign_ask a;
    struct sp_cosigned said;
    size_t good = 0;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    if (sp_note_key_new("example.net/branch", seed, &log) != SP_OK ||
        sp_cosigner_key_new("example.net/west", other, &witness) != SP_OK) {
        abort();
    }
    const struct sp_note_key *const keys[] = {witness};
    if (sp_cosign_ask_parse(input, &a) == SP_OK) {
        check_written(&a, input);
        check_judged(&a, log);
    }
    if (sp_cosignatures(input, keys, 1, &said, &good) == SP_OK && good > 1) {
        abort();
    }
    if (sp_buf_append_str(&note, "x\n\ny\n") == SP_OK &&
        sp_cosignature_take(input, witness, &note) == SP_OK) {
        abort(); /* nobody but the key's owner cosigns this text */
    }
    if (sp_cosigner_key_import(input, &read, NULL) == SP_OK &&
        read->algorithm != SP_NOTE_COSIGNATURE) {
        abort();
    }
    return 0;
}
