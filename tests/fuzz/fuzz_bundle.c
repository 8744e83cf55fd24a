/* Proof bundles from strangers. A fixed key, so that nothing is ever shown as proven.
 */
#include "core/custody/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sp_err never(void *ctx, uint64_t index, struct sp_view entry)
{
    (void)ctx;
    (void)index;
    (void)entry;
    SP_ASSERT(false);
    return SP_E_INTERNAL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = {1};
    struct sp_note_key *key = NULL;
    struct sp_bundle b;
    if (sp_note_key_new("fuzz", seed, &key) == SP_OK) {
        SP_ASSERT(sp_bundle_check(sp_view(data, size), key, &b, never, NULL, NULL) !=
                  SP_OK);
    }
    sp_note_key_free(&key);
    return 0;
}
