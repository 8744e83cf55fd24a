/* Block trees on disk, beside their objects. */
#include "io/store/objects_inside.h"

#include "core/crypto/crypto.h"
#include "io/store/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sp_tree_path(const uint8_t sha256[32], char out[SP_TREE_PATH])
{
    sp_object_path(sha256, out);
    memcpy(out + SP_OBJECT_PATH - 1, ".tree", 6);
}

static enum sp_err read_block(int fd, uint8_t *to, size_t n, uint64_t offset)
{
    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? sp_file_err(errno) : SP_E_TRUNCATED;
        }
        to += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return SP_OK;
}

static enum sp_err hash_blocks(int fd, uint64_t size, uint8_t *block,
                               struct sp_buf *out)
{
    for (uint64_t at = 0; at < size; at += SP_BLOCK_SIZE) {
        uint8_t digest[32];
        size_t n = size - at < SP_BLOCK_SIZE ? (size_t)(size - at) : SP_BLOCK_SIZE;
        SP_TRY(read_block(fd, block, n, at));
        sp_sha256(sp_view(block, n), digest);
        SP_TRY(sp_buf_append(out, sp_view(digest, sizeof digest)));
    }
    return SP_OK;
}

enum sp_err sp_tree_encode(struct sp_view hashes, uint64_t size,
                           const uint8_t sha256[32], struct sp_buf *out)
{
    struct sp_block_tree t = {.size = size, .hashes = hashes};
    memcpy(t.sha256, sha256, 32);
    return sp_block_tree_encode(&t, out);
}

enum sp_err sp_tree_make(int fd, uint64_t size, const uint8_t sha256[32],
                         struct sp_buf *out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf hashes;
    sp_buf_init(&hashes, SP_LIMIT_BLOCK_TREE);
    uint8_t *block = malloc(SP_BLOCK_SIZE);
    enum sp_err e = block ? hash_blocks(fd, size, block, &hashes) : SP_E_NOMEM;
    free(block);
    SP_TRY(e);
    return sp_tree_encode(sp_buf_view(&hashes), size, sha256, out);
}

enum sp_err sp_tree_write(struct sp_objects *o, const uint8_t sha256[32],
                          struct sp_view file, struct sp_why *why)
{
    char path[SP_TREE_PATH];
    sp_tree_path(sha256, path);
    enum sp_err e = sp_file_replace_at(o->objects, path, file, 0600, SP_FILE_DURABLE);
    return e == SP_OK ? e
                      : sp_why_set(why, e, "cannot write the block tree %s: %s", path,
                                   sp_err_text(e));
}

static bool is_damage(enum sp_err e)
{
    return e != SP_OK && e != SP_E_NOMEM && e != SP_E_IO && e != SP_E_DENIED;
}

static enum sp_err parse(struct sp_view file, const uint8_t sha256[32], uint64_t size,
                         struct sp_block_tree *out)
{
    struct sp_block_tree t;
    SP_TRY(sp_block_tree_parse(file, &t));
    if (t.size != size || memcmp(t.sha256, sha256, 32) != 0) {
        return SP_E_MISMATCH;
    }
    *out = t;
    return SP_OK;
}

enum sp_err sp_tree_read(struct sp_objects *o, const uint8_t sha256[32], uint64_t size,
                         struct sp_buf *file, struct sp_block_tree *out)
{
    char path[SP_TREE_PATH];
    sp_tree_path(sha256, path);
    enum sp_err e = sp_file_read_at(o->objects, path, file);
    if (e == SP_OK) {
        e = parse(sp_buf_view(file), sha256, size, out);
    }
    return is_damage(e) ? SP_E_CORRUPT : e;
}
