#include "core/custody/blocks.h"

#include "core/base/cursor.h"
#include "core/crypto/crypto.h"

#include <string.h>

enum { VERSION = 1, HASH = 32 };

static const struct sp_view magic = {(const uint8_t *)"SPBLOCKS", 8};

uint64_t sp_block_count(uint64_t size)
{
    return size / SP_BLOCK_SIZE + (size % SP_BLOCK_SIZE != 0);
}

static uint64_t block_len(uint64_t size, uint64_t index)
{
    uint64_t left = size - index * SP_BLOCK_SIZE;
    return left < SP_BLOCK_SIZE ? left : SP_BLOCK_SIZE;
}

static enum sp_err append_be(struct sp_buf *out, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--) {
        SP_TRY(sp_buf_append_byte(out, (uint8_t)(value >> (8 * (i - 1)))));
    }
    return SP_OK;
}

enum sp_err sp_block_tree_encode(const struct sp_block_tree *t, struct sp_buf *out)
{
    size_t start = out->len;
    uint8_t digest[HASH];
    if (t->size > SP_LIMIT_CONTENT_FILE) {
        return SP_E_LIMIT;
    }
    SP_ASSERT(t->hashes.len == sp_block_count(t->size) * HASH);
    SP_TRY(sp_buf_append(out, magic));
    SP_TRY(append_be(out, VERSION, 4));
    SP_TRY(append_be(out, SP_BLOCK_SIZE, 4));
    SP_TRY(append_be(out, t->size, 8));
    SP_TRY(sp_buf_append(out, sp_view(t->sha256, HASH)));
    SP_TRY(sp_buf_append(out, t->hashes));
    sp_sha256(sp_view_slice(sp_buf_view(out), start, out->len), digest);
    return sp_buf_append(out, sp_view(digest, HASH));
}

enum sp_err sp_block_tree_parse(struct sp_view file, struct sp_block_tree *out)
{
    struct sp_cur c = sp_cur(file);
    struct sp_block_tree t = {0};
    uint8_t digest[HASH];
    sp_cur_expect(&c, sp_view_eq(sp_cur_take(&c, magic.len), magic), SP_E_MALFORMED);
    sp_cur_expect(&c, sp_cur_be32(&c) == VERSION, SP_E_UNSUPPORTED);
    sp_cur_expect(&c, sp_cur_be32(&c) == SP_BLOCK_SIZE, SP_E_UNSUPPORTED);
    t.size = sp_cur_be64(&c);
    sp_cur_expect(&c, t.size <= SP_LIMIT_CONTENT_FILE, SP_E_LIMIT);
    struct sp_view sha256 = sp_cur_take(&c, HASH);
    t.hashes = sp_cur_take(&c, (size_t)sp_block_count(t.size) * HASH);
    struct sp_view signed_part = sp_view_slice(file, 0, c.at);
    struct sp_view own = sp_cur_take(&c, HASH);
    SP_TRY(sp_cur_end(&c));
    sp_sha256(signed_part, digest);
    if (!sp_view_eq(own, sp_view(digest, HASH))) {
        return SP_E_MISMATCH;
    }
    memcpy(t.sha256, sha256.data, HASH);
    memcpy(t.root, digest, HASH);
    *out = t;
    return SP_OK;
}

enum sp_err sp_block_check(const struct sp_block_tree *t, uint64_t index,
                           struct sp_view bytes)
{
    uint8_t digest[HASH];
    if (index >= sp_block_count(t->size)) {
        return SP_E_LIMIT;
    }
    if (bytes.len != block_len(t->size, index)) {
        return SP_E_MISMATCH;
    }
    sp_sha256(bytes, digest);
    return memcmp(digest, t->hashes.data + index * HASH, HASH) == 0 ? SP_OK
                                                                    : SP_E_MISMATCH;
}
