/* Bundles from an upstream's ledger, against a checkpoint that nothing of them can
 * meet. */
#include "core/custody/follow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sp_err take(void *ctx, uint64_t index, struct sp_view entry)
{
    (void)ctx;
    SP_ASSERT(entry.len > 0 && index < 600);
    return SP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = {1};
    static const struct sp_head nothing;
    struct sp_note_key *key = NULL;
    struct sp_follow f;
    struct sp_buf note;
    sp_buf_init(&note, 4096);
    if (sp_note_key_new("fuzz", seed, &key) != SP_OK) {
        return 0;
    }
    struct sp_checkpoint c = {.origin = SP_VIEW("fuzz"), .size = 600};
    sp_follow_init(&f, key, &nothing);
    if (sp_checkpoint_sign(&c, key, &note) == SP_OK &&
        sp_follow_checkpoint(&f, sp_buf_view(&note))) {
        uint64_t index;
        unsigned width;
        for (int i = 0; i < 4 && sp_follow_wants(&f, &index, &width); i++) {
            if (sp_follow_bundle(&f, sp_view(data, size), take, NULL) != SP_OK) {
                break;
            }
        }
    }
    SP_ASSERT(f.state != SP_FOLLOW_GOOD && f.proven == 0);
    sp_buf_fini(&note);
    sp_note_key_free(&key);
    return 0;
}
