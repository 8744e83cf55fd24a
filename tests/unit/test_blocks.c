#include "unit.h"

#include "core/crypto/crypto.h"
#include "core/custody/blocks.h"

static const uint8_t SHA256[32] = {0xab, 1, 2};
enum { SIZE = 2 * 1024 * 1024 + 5, BLOCKS = 3, HEAD = 56 };

static uint8_t body[SIZE];
static uint8_t hashes[BLOCKS * 32];

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        body[i] = (uint8_t)(i * 31 + i / 251);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        sp_sha256(sp_view_slice(sp_view(body, SIZE), i * SP_BLOCK_SIZE,
                                (i + 1) * SP_BLOCK_SIZE),
                  hashes + i * 32);
    }
    return 0;
}

static struct sp_view block(uint64_t i)
{
    return sp_view_slice(sp_view(body, SIZE), i * SP_BLOCK_SIZE,
                         (i + 1) * SP_BLOCK_SIZE);
}

static void encode(uint64_t size, size_t blocks, struct sp_buf *out)
{
    struct sp_block_tree t = {.size = size, .hashes = sp_view(hashes, blocks * 32)};
    memcpy(t.sha256, SHA256, 32);
    sp_buf_init(out, SP_LIMIT_BLOCK_TREE);
    assert_ok(sp_block_tree_encode(&t, out));
}

static void b_counts(void **state)
{
    (void)state;
    assert_int_equal(sp_block_count(0), 0);
    assert_int_equal(sp_block_count(1), 1);
    assert_int_equal(sp_block_count(SP_BLOCK_SIZE - 1), 1);
    assert_int_equal(sp_block_count(SP_BLOCK_SIZE), 1);
    assert_int_equal(sp_block_count(SP_BLOCK_SIZE + 1), 2);
    assert_int_equal(sp_block_count(SP_LIMIT_CONTENT_FILE), 16384);
    assert_int_equal(sp_block_count(UINT64_MAX), (uint64_t)1 << 44);
}

static void b_there_and_back(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    struct sp_block_tree t;
    encode(SIZE, BLOCKS, &file);
    assert_int_equal(file.len, HEAD + BLOCKS * 32 + 32);
    assert_ok(sp_block_tree_parse(sp_buf_view(&file), &t));
    assert_int_equal(t.size, SIZE);
    assert_memory_equal(t.sha256, SHA256, 32);
    assert_int_equal(t.hashes.len, sizeof hashes);
    assert_memory_equal(t.hashes.data, hashes, sizeof hashes);
    for (uint64_t i = 0; i < BLOCKS; i++) {
        assert_ok(sp_block_check(&t, i, block(i)));
    }
}

static void b_empty_file(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    struct sp_block_tree t;
    encode(0, 0, &file);
    assert_ok(sp_block_tree_parse(sp_buf_view(&file), &t));
    assert_err(sp_block_check(&t, 0, sp_view(NULL, 0)), SP_E_LIMIT);
}

static void c_largest_file(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    uint8_t *many = calloc(16385, 32);
    struct sp_block_tree t = {.size = SP_LIMIT_CONTENT_FILE,
                              .hashes = sp_view(many, (size_t)16384 * 32)};
    sp_buf_init(&file, SP_LIMIT_BLOCK_TREE);
    assert_ok(sp_block_tree_encode(&t, &file));
    assert_int_equal(file.len, SP_LIMIT_BLOCK_TREE);
    assert_ok(sp_block_tree_parse(sp_buf_view(&file), &t));
    t.size++;
    t.hashes = sp_view(many, (size_t)16385 * 32);
    assert_err(sp_block_tree_encode(&t, &file), SP_E_LIMIT);
    free(many);
}

static void f_wrong_blocks_are_noticed(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    struct sp_block_tree t;
    encode(SIZE, BLOCKS, &file);
    assert_ok(sp_block_tree_parse(sp_buf_view(&file), &t));
    assert_err(sp_block_check(&t, 0, block(1)), SP_E_MISMATCH);
    assert_err(sp_block_check(&t, 3, block(2)), SP_E_LIMIT);
    assert_err(sp_block_check(&t, 2, sp_view_slice(block(2), 0, 4)), SP_E_MISMATCH);
    assert_err(sp_block_check(&t, 1, sp_view(NULL, 0)), SP_E_MISMATCH);
    for (size_t at = 0; at < SIZE; at += 65521) {
        body[at] ^= 0x40;
        assert_err(sp_block_check(&t, at / SP_BLOCK_SIZE, block(at / SP_BLOCK_SIZE)),
                   SP_E_MISMATCH);
        body[at] ^= 0x40;
    }
    assert_ok(sp_block_check(&t, 1, block(1)));
}

static void f_every_changed_byte_of_a_tree_is_noticed(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    struct sp_block_tree t;
    encode(SIZE, BLOCKS, &file);
    for (size_t at = 0; at < file.len; at++) {
        file.data[at] ^= 1;
        assert_int_not_equal(sp_block_tree_parse(sp_buf_view(&file), &t), SP_OK);
        file.data[at] ^= 1;
    }
    for (size_t len = 0; len < file.len; len++) {
        assert_int_not_equal(sp_block_tree_parse(sp_view(file.data, len), &t), SP_OK);
    }
    assert_ok(sp_block_tree_parse(sp_buf_view(&file), &t));
    assert_ok(sp_buf_append_byte(&file, 0));
    assert_err(sp_block_tree_parse(sp_buf_view(&file), &t), SP_E_MALFORMED);
}

/* The field is changed and the digest made right again: the refusal is the field's own.
 */
static void refuses(size_t at, uint8_t value, enum sp_err expected)
{
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    struct sp_block_tree t;
    encode(SIZE, BLOCKS, &file);
    file.data[at] = value;
    sp_sha256(sp_view(file.data, file.len - 32), file.data + file.len - 32);
    assert_err(sp_block_tree_parse(sp_buf_view(&file), &t), expected);
}

static void f_fields_are_checked(void **state)
{
    (void)state;
    refuses(0, 'X', SP_E_MALFORMED);
    refuses(11, 2, SP_E_UNSUPPORTED);
    refuses(15, 1, SP_E_UNSUPPORTED);
    refuses(16, 1, SP_E_LIMIT);
    refuses(21, 0x30, SP_E_TRUNCATED); /* one block more than there are hashes */
    refuses(21, 0x10, SP_E_MALFORMED); /* one fewer */
    refuses(24, SHA256[0], SP_OK);     /* the neighbour: nothing was changed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_counts),
        cmocka_unit_test(b_there_and_back),
        cmocka_unit_test(b_empty_file),
        cmocka_unit_test(c_largest_file),
        cmocka_unit_test(f_wrong_blocks_are_noticed),
        cmocka_unit_test(f_every_changed_byte_of_a_tree_is_noticed),
        cmocka_unit_test(f_fields_are_checked),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
