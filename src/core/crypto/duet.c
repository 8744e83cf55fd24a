#include "core/crypto/duet.h"

#include "core/crypto/blocks.h"
#include "core/crypto/crypto.h"
#include "core/crypto/hasher.h"

#include <stdlib.h>

enum {
    BLOCK = SP_STITCH_BLOCK,
    WORTH = 64 * 1024, /* bytes */
};

struct sp_duet {
    struct sp_hasher *plain; /* owned; NULL: by what follows */
    uint64_t size;           /* that came */
    uint32_t state[8];
    uint8_t rest[BLOCK]; /* of a block that is not complete */
};

/* ---- the text -------------------------------------------------------------------- */

void sp_duet_text_begin(struct sp_duet_text *t, struct sp_view text)
{
    t->text = text;
    t->done = 0;
    memcpy(t->state, sp_sha256_start, sizeof t->state);
}

static void end_of_message(uint32_t state[8], const uint8_t *rest, uint64_t size,
                           uint8_t sha256[32])
{
    uint8_t tail[2 * BLOCK];
    sp_stitch_one(state, tail, sp_blocks_pad(rest, size, tail));
    sp_blocks_put_be(sha256, state, 8);
}

void sp_duet_text_end(struct sp_duet_text *t, uint8_t sha256[32])
{
    if (t->done == 0) { /* nobody came along */
        sp_sha256(t->text, sha256);
        return;
    }
    size_t whole = t->text.len / BLOCK * BLOCK;
    sp_stitch_one(t->state, t->text.data + t->done, (whole - t->done) / BLOCK);
    end_of_message(t->state, t->text.data + whole, t->text.len, sha256);
}

/* ---- a message ------------------------------------------------------------------- */

bool sp_duet_is_worth(size_t bytes)
{
    return bytes >= WORTH && sp_stitch_is_there();
}

enum sp_err sp_duet_new(bool is_plain, struct sp_duet **out)
{
    SP_AUTO(sp_duet_free) struct sp_duet *d = calloc(1, sizeof *d);
    if (!d) {
        return SP_E_NOMEM;
    }
    if (is_plain) {
        SP_TRY(sp_hasher_new(1U << SP_DIGEST_SHA256, &d->plain));
    }
    memcpy(d->state, sp_sha256_start, sizeof d->state);
    *out = d;
    d = NULL;
    return SP_OK;
}

void sp_duet_free(struct sp_duet **d)
{
    if (*d) {
        sp_hasher_free(&(*d)->plain);
        free(*d);
        *d = NULL;
    }
}

/* As many of them as the text has go with its own. */
static void take_blocks(struct sp_duet *d, const uint8_t *p, size_t blocks,
                        struct sp_duet_text *beside)
{
    size_t left = beside ? (beside->text.len - beside->done) / BLOCK : 0;
    size_t both = blocks < left ? blocks : left;
    if (both) {
        sp_stitch_pair(d->state, p, beside->state, beside->text.data + beside->done,
                       both);
        beside->done += both * BLOCK;
    }
    sp_stitch_one(d->state, p + both * BLOCK, blocks - both);
}

static void take(struct sp_duet *d, struct sp_view v, struct sp_duet_text *beside)
{
    size_t held = d->size % BLOCK;
    d->size += v.len;
    if (held) {
        size_t n = v.len < BLOCK - held ? v.len : BLOCK - held;
        memcpy(d->rest + held, v.data, n);
        if (held + n < BLOCK) {
            return;
        }
        take_blocks(d, d->rest, 1, beside);
        v = sp_view_slice(v, n, v.len);
    }
    size_t blocks = v.len / BLOCK;
    take_blocks(d, v.data, blocks, beside);
    memcpy(d->rest, v.data + blocks * BLOCK, v.len % BLOCK);
}

enum sp_err sp_duet_add(struct sp_duet *d, struct sp_view piece,
                        struct sp_duet_text *beside)
{
    if (d->plain) {
        return sp_hasher_update(d->plain, piece);
    }
    if (piece.len) {
        take(d, piece, beside);
    }
    return SP_OK;
}

enum sp_err sp_duet_end(struct sp_duet *d, uint8_t sha256[32])
{
    uint8_t digest[SP_DIGEST_MAX];
    if (!d->plain) {
        end_of_message(d->state, d->rest, d->size, sha256);
        return SP_OK;
    }
    SP_TRY(sp_hasher_finish(d->plain, SP_DIGEST_SHA256, digest));
    memcpy(sha256, digest, 32);
    return SP_OK;
}
