/* A block tree of any bytes, as it comes and then with its own digest made right: what
 * is accepted is written again as it was, and no block of it is taken for another
 * length. */
#include "core/custody/blocks.h"

#include "core/crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct sp_view file)
{
    SP_AUTO(sp_buf_fini) struct sp_buf again;
    struct sp_block_tree t;
    sp_buf_init(&again, SP_LIMIT_BLOCK_TREE);
    if (sp_block_tree_parse(file, &t) != SP_OK) {
        return;
    }
    SP_ASSERT(sp_block_tree_encode(&t, &again) == SP_OK);
    SP_ASSERT(sp_view_eq(sp_buf_view(&again), file));
    SP_ASSERT(sp_block_check(&t, sp_block_count(t.size), file) == SP_E_LIMIT);
    if (t.size) {
        SP_ASSERT(sp_block_check(&t, 0, sp_view(NULL, 0)) == SP_E_MISMATCH);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_buf_fini) struct sp_buf right;
    uint8_t digest[32];
    sp_buf_init(&right, SP_LIMIT_BLOCK_TREE);
    parse(sp_view(data, size));
    sp_sha256(sp_view(data, size), digest);
    if (sp_buf_append(&right, sp_view(data, size)) == SP_OK &&
        sp_buf_append(&right, sp_view(digest, sizeof digest)) == SP_OK) {
        parse(sp_buf_view(&right));
    }
    return 0;
}
