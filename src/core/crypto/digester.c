/* SHA-1 and SHA-256 of the same bytes, by one of two engines. */
#include "core/crypto/blocks.h"
#include "core/crypto/crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = SP_STITCH_BLOCK,
    PIECE = 16 * 1024, /* both algorithms of OpenSSL read it while it is in the cache */
    HASH = 32
};

static const uint32_t sha1_start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                       0xc3d2e1f0};

struct stitched {
    uint32_t sha1[5], sha256[8], part[8], beside[8];
    uint8_t rest[BLOCK]; /* of a block that is not complete */
    uint8_t rest_beside[BLOCK];
};

struct plain {
    EVP_MD *md1, *md256;                       /* owned */
    EVP_MD_CTX *sha1, *sha256, *part, *beside; /* owned; NULL where it is not wanted */
};

struct sp_digester {
    bool is_stitched;
    size_t part;         /* bytes of one, or 0 */
    uint64_t size;       /* that came */
    struct sp_buf parts; /* their digests */
    struct sp_beside beside;
    uint64_t beside_size; /* that came of its ranges */
    struct stitched stitched;
    struct plain plain;
};

/* ---- stitched -------------------------------------------------------------------- */

static void start_part(struct sp_digester *d)
{
    memcpy(d->stitched.part, sp_sha256_start, sizeof sp_sha256_start);
}

/* The first part is the whole so far: it is not computed twice. */
static void take_blocks(struct sp_digester *d, const uint8_t *p, size_t blocks)
{
    struct stitched *s = &d->stitched;
    if (d->part && d->size >= d->part) {
        sp_stitch_three(s->sha1, s->sha256, s->part, p, blocks);
    } else {
        sp_stitch_two(s->sha1, s->sha256, p, blocks);
        memcpy(s->part, s->sha256, sizeof s->part);
    }
}

/* The few bytes around what both take together. */
static void stitched_beside(struct sp_digester *d, struct sp_view v)
{
    struct stitched *s = &d->stitched;
    uint32_t unused[5] = {0};
    for (size_t n; v.len; v = sp_view_slice(v, n, v.len)) {
        size_t held = d->beside_size % BLOCK;
        n = v.len < BLOCK - held ? v.len : BLOCK - held;
        memcpy(s->rest_beside + held, v.data, n);
        d->beside_size += n;
        if (held + n == BLOCK) {
            sp_stitch_two(unused, s->beside, s->rest_beside, 1);
        }
    }
}

/* The blocks of the one begin a few bytes behind those of the other. Returns how many
 * of v were taken by both. */
static size_t take_four(struct sp_digester *d, struct sp_view v)
{
    struct stitched *s = &d->stitched;
    size_t ahead = (BLOCK - d->beside_size % BLOCK) % BLOCK;
    size_t blocks = v.len < ahead ? 0 : (v.len - ahead) / BLOCK;
    stitched_beside(d, sp_view_slice(v, 0, ahead));
    sp_stitch_four(s->sha1, s->sha256, s->part, s->beside, v.data, v.data + ahead,
                   blocks);
    d->beside_size += blocks * BLOCK;
    stitched_beside(d, sp_view_slice(v, ahead + blocks * BLOCK, v.len));
    return blocks;
}

/* v does not reach beyond the part, and is beside all of it or not at all. */
static void stitched_take(struct sp_digester *d, struct sp_view v, bool is_beside)
{
    size_t held = d->size % BLOCK;
    if (held) {
        size_t n = v.len < BLOCK - held ? v.len : BLOCK - held;
        memcpy(d->stitched.rest + held, v.data, n);
        if (is_beside) {
            stitched_beside(d, sp_view_slice(v, 0, n));
        }
        if (held + n < BLOCK) {
            return;
        }
        take_blocks(d, d->stitched.rest, 1);
        v = sp_view_slice(v, n, v.len);
    }
    size_t blocks = v.len / BLOCK, done = is_beside ? take_four(d, v) : 0;
    if (done < blocks) {
        take_blocks(d, v.data + done * BLOCK, blocks - done);
    }
    memcpy(d->stitched.rest, v.data + blocks * BLOCK, v.len % BLOCK);
}

/* From chaining values to digests; the digester stays as it is. */
static void stitched_end(const struct sp_digester *d, uint8_t sha1[20],
                         uint8_t sha256[HASH])
{
    struct stitched s = d->stitched;
    uint8_t tail[2 * BLOCK];
    size_t blocks = sp_blocks_pad(s.rest, d->size, tail);
    sp_stitch_two(s.sha1, s.sha256, tail, blocks);
    sp_blocks_put_be(sha1, s.sha1, 5);
    sp_blocks_put_be(sha256, s.sha256, 8);
}

static void stitched_end_beside(const struct sp_digester *d, uint8_t sha256[HASH])
{
    struct stitched s = d->stitched;
    uint8_t tail[2 * BLOCK];
    size_t blocks = sp_blocks_pad(s.rest_beside, d->beside_size, tail);
    sp_stitch_two(s.sha1, s.beside, tail, blocks);
    sp_blocks_put_be(sha256, s.beside, 8);
}

static void stitched_end_part(struct sp_digester *d, uint8_t sha256[HASH])
{
    struct stitched s = d->stitched;
    uint8_t tail[2 * BLOCK];
    uint64_t size = d->size % d->part ? d->size % d->part : d->part;
    size_t blocks = sp_blocks_pad(s.rest, size, tail);
    sp_stitch_two(s.sha1, s.part, tail, blocks);
    sp_blocks_put_be(sha256, s.part, 8);
    start_part(d);
}

/* ---- OpenSSL --------------------------------------------------------------------- */

static enum sp_err checked(bool good)
{
    if (!good) {
        ERR_clear_error();
    }
    return good ? SP_OK : SP_E_CRYPTO;
}

static bool begin(EVP_MD_CTX **ctx, const EVP_MD *md)
{
    *ctx = EVP_MD_CTX_new();
    return *ctx && EVP_DigestInit_ex2(*ctx, md, NULL) == 1;
}

static bool plain_init(struct plain *p, bool in_parts)
{
    p->md1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    p->md256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    return p->md1 && p->md256 && begin(&p->sha1, p->md1) &&
           begin(&p->sha256, p->md256) && (!in_parts || begin(&p->part, p->md256));
}

static void plain_fini(struct plain *p)
{
    EVP_MD_CTX_free(p->sha1);
    EVP_MD_CTX_free(p->sha256);
    EVP_MD_CTX_free(p->part);
    EVP_MD_CTX_free(p->beside);
    EVP_MD_free(p->md1);
    EVP_MD_free(p->md256);
}

static bool plain_take(struct plain *p, struct sp_view v, bool is_beside)
{
    for (size_t at = 0; at < v.len; at += PIECE) {
        struct sp_view piece = sp_view_slice(v, at, at + PIECE);
        if (EVP_DigestUpdate(p->sha1, piece.data, piece.len) != 1 ||
            EVP_DigestUpdate(p->sha256, piece.data, piece.len) != 1 ||
            (p->part && EVP_DigestUpdate(p->part, piece.data, piece.len) != 1) ||
            (is_beside && EVP_DigestUpdate(p->beside, piece.data, piece.len) != 1)) {
            return false;
        }
    }
    return true;
}

static bool plain_peek(const struct plain *p, uint8_t sha256[HASH])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool done = copy && EVP_MD_CTX_copy_ex(copy, p->sha256) == 1 &&
                EVP_DigestFinal_ex(copy, sha256, NULL) == 1;
    EVP_MD_CTX_free(copy);
    return done;
}

static bool plain_end_part(struct plain *p, uint8_t sha256[HASH])
{
    return EVP_DigestFinal_ex(p->part, sha256, NULL) == 1 &&
           EVP_DigestInit_ex2(p->part, p->md256, NULL) == 1;
}

/* ---- either ---------------------------------------------------------------------- */

static enum sp_err make(bool is_stitched, size_t part, uint64_t most,
                        struct sp_digester **out)
{
    SP_ASSERT(part % BLOCK == 0 && most <= SIZE_MAX / HASH);
    SP_AUTO(sp_digester_free) struct sp_digester *d = calloc(1, sizeof *d);
    if (!d) {
        return SP_E_NOMEM;
    }
    d->is_stitched = is_stitched;
    d->part = part;
    sp_buf_init(&d->parts, most ? (size_t)most * HASH : 1);
    memcpy(d->stitched.sha1, sha1_start, sizeof sha1_start);
    memcpy(d->stitched.sha256, sp_sha256_start, sizeof sp_sha256_start);
    start_part(d);
    SP_TRY(checked(is_stitched || plain_init(&d->plain, part != 0)));
    *out = d;
    d = NULL;
    return SP_OK;
}

enum sp_err sp_digester_new_plain(size_t part, uint64_t most, struct sp_digester **out)
{
    sp_crypto_start();
    return make(false, part, most, out);
}

enum sp_err sp_digester_new_in_parts(size_t part, uint64_t most,
                                     struct sp_digester **out)
{
    return sp_stitch_is_there() ? make(true, part, most, out)
                                : sp_digester_new_plain(part, most, out);
}

enum sp_err sp_digester_new(struct sp_digester **out)
{
    return sp_digester_new_in_parts(0, 0, out);
}

void sp_digester_free(struct sp_digester **d)
{
    if (!*d) {
        return;
    }
    plain_fini(&(*d)->plain);
    sp_buf_fini(&(*d)->parts);
    free(*d);
    *d = NULL;
}

/* Bytes up to the next place where a range begins or ends, at most len. */
static size_t to_boundary(const struct sp_digester *d, size_t len, bool *is_beside)
{
    *is_beside = false;
    for (size_t i = 0; i < d->beside.count; i++) {
        uint64_t at = d->beside.range[i].at, end = at + d->beside.range[i].length;
        if (d->size < end) {
            *is_beside = d->size >= at;
            uint64_t left = (*is_beside ? end : at) - d->size;
            return left < len ? (size_t)left : len;
        }
    }
    return len;
}

static enum sp_err take_piece(struct sp_digester *d, struct sp_view v, bool is_beside)
{
    if (d->is_stitched) {
        stitched_take(d, v, is_beside);
    } else {
        SP_TRY(checked(plain_take(&d->plain, v, is_beside)));
        d->beside_size += is_beside ? v.len : 0;
    }
    d->size += v.len;
    return SP_OK;
}

static enum sp_err take(struct sp_digester *d, struct sp_view v)
{
    bool is_beside;
    for (size_t n; v.len; v = sp_view_slice(v, n, v.len)) {
        n = to_boundary(d, v.len, &is_beside);
        SP_TRY(take_piece(d, sp_view_slice(v, 0, n), is_beside));
    }
    return SP_OK;
}

static enum sp_err end_part(struct sp_digester *d)
{
    uint8_t sha256[HASH];
    if (d->is_stitched) {
        stitched_end_part(d, sha256);
    } else {
        SP_TRY(checked(plain_end_part(&d->plain, sha256)));
    }
    return sp_buf_append(&d->parts, sp_view(sha256, sizeof sha256));
}

enum sp_err sp_digester_update(struct sp_digester *d, struct sp_view v)
{
    while (d->part && v.len) {
        struct sp_view piece = sp_view_slice(v, 0, d->part - d->size % d->part);
        SP_TRY(take(d, piece));
        if (d->size % d->part == 0) {
            SP_TRY(end_part(d));
        }
        v = sp_view_slice(v, piece.len, v.len);
    }
    return v.len ? take(d, v) : SP_OK;
}

enum sp_err sp_digester_peek(const struct sp_digester *d, uint8_t sha256[32])
{
    uint8_t sha1[20];
    if (d->is_stitched) {
        stitched_end(d, sha1, sha256);
        return SP_OK;
    }
    return checked(plain_peek(&d->plain, sha256));
}

enum sp_err sp_digester_beside(struct sp_digester *d, const struct sp_beside *wanted)
{
    SP_ASSERT(d->size == 0 && d->beside.count == 0);
    SP_TRY(checked(d->is_stitched || begin(&d->plain.beside, d->plain.md256)));
    memcpy(d->stitched.beside, sp_sha256_start, sizeof sp_sha256_start);
    d->beside = *wanted;
    return SP_OK;
}

/* Not at all, unless every byte of the ranges came. */
static enum sp_err end_beside(struct sp_digester *d)
{
    uint64_t due = 0;
    for (size_t i = 0; i < d->beside.count; i++) {
        due += d->beside.range[i].length;
    }
    if (due != d->beside_size) {
        d->beside.count = 0;
    }
    if (d->is_stitched) {
        stitched_end_beside(d, d->beside.sha256);
        return SP_OK;
    }
    return d->beside.count == 0
               ? SP_OK
               : checked(EVP_DigestFinal_ex(d->plain.beside, d->beside.sha256, NULL) ==
                         1);
}

void sp_digester_get_beside(const struct sp_digester *d, struct sp_beside *out)
{
    *out = d->beside;
}

enum sp_err sp_digester_finish(struct sp_digester *d, uint8_t sha1[20],
                               uint8_t sha256[32])
{
    if (d->part && d->size % d->part != 0) {
        SP_TRY(end_part(d));
    }
    SP_TRY(end_beside(d));
    if (d->is_stitched) {
        stitched_end(d, sha1, sha256);
        return SP_OK;
    }
    return checked(EVP_DigestFinal_ex(d->plain.sha1, sha1, NULL) == 1 &&
                   EVP_DigestFinal_ex(d->plain.sha256, sha256, NULL) == 1);
}

struct sp_view sp_digester_parts(const struct sp_digester *d)
{
    return sp_buf_view(&d->parts);
}
