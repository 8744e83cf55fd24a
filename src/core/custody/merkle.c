/* RFC 6962 section 2.1. Every tree is seen as its complete subtrees: 2^level leaves at
 * an index of that level. Proofs are walks over at most 64 levels; nothing recurses. */
#include "core/crypto/crypto.h"
#include "sallyport/ledger.h"

#include <string.h>

void sp_merkle_leaf(struct sp_view entry, uint8_t out[SP_HASH])
{
    sp_sha256_joined(SP_VIEW("\x00"), entry, out);
}

void sp_merkle_node(const uint8_t left[SP_HASH], const uint8_t right[SP_HASH],
                    uint8_t out[SP_HASH])
{
    uint8_t bytes[1 + 2 * SP_HASH] = {1};
    memcpy(bytes + 1, left, SP_HASH);
    memcpy(bytes + 1 + SP_HASH, right, SP_HASH);
    sp_sha256(sp_view(bytes, sizeof bytes), out);
}

static bool is_odd(uint64_t x)
{
    return x & 1;
}

void sp_merkle_append_tree(struct sp_merkle *m, unsigned level,
                           const uint8_t root[SP_HASH])
{
    SP_ASSERT(level < 64 && m->size <= UINT64_MAX - ((uint64_t)1 << level));
    SP_ASSERT(m->size % ((uint64_t)1 << level) == 0);
    uint8_t hash[SP_HASH];
    memcpy(hash, root, SP_HASH);
    /* like carrying in a binary counter: equal neighbours become one subtree */
    for (uint64_t s = m->size >> level; is_odd(s); s >>= 1) {
        sp_merkle_node(m->roots[--m->count], hash, hash);
    }
    memcpy(m->roots[m->count++], hash, SP_HASH);
    m->size += (uint64_t)1 << level;
}

void sp_merkle_append(struct sp_merkle *m, const uint8_t leaf[SP_HASH])
{
    sp_merkle_append_tree(m, 0, leaf);
}

void sp_merkle_root(const struct sp_merkle *m, uint8_t out[SP_HASH])
{
    if (m->count == 0) {
        sp_sha256(SP_VIEW(""), out);
        return;
    }
    uint8_t hash[SP_HASH];
    memcpy(hash, m->roots[m->count - 1], SP_HASH);
    for (unsigned i = m->count - 1; i-- > 0;) {
        sp_merkle_node(m->roots[i], hash, hash);
    }
    memcpy(out, hash, SP_HASH);
}

/* The complete subtrees of the leaves start..start+size-1. start is a multiple of the
 * largest power of two in size, as it is for every subtree of RFC 6962. */
static enum sp_err load_part(const struct sp_hash_reader *r, uint64_t start,
                             uint64_t size, struct sp_merkle *out)
{
    struct sp_merkle m = {.size = size};
    for (unsigned level = 64; level-- > 0;) {
        uint64_t there = size >> level;
        if (is_odd(there)) {
            uint64_t index = (start >> level) + there - 1;
            SP_TRY(r->read(r->ctx, level, index, m.roots[m.count++]));
        }
    }
    *out = m;
    return SP_OK;
}

enum sp_err sp_merkle_load(const struct sp_hash_reader *r, uint64_t size,
                           struct sp_merkle *out)
{
    return load_part(r, 0, size, out);
}

static enum sp_err push_part(const struct sp_hash_reader *r, uint64_t start,
                             uint64_t size, struct sp_proof *p)
{
    struct sp_merkle part;
    SP_ASSERT(p->count < SP_PROOF_MAX);
    SP_TRY(load_part(r, start, size, &part));
    sp_merkle_root(&part, p->hashes[p->count++]);
    return SP_OK;
}

/* The largest power of two below n; n > 1. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* The walks below go from the root down; a proof is written from the leaf up. */
static void reverse(struct sp_proof *p)
{
    for (unsigned i = 0, j = p->count; i + 1 < j; i++) {
        uint8_t hash[SP_HASH];
        j--;
        memcpy(hash, p->hashes[i], SP_HASH);
        memcpy(p->hashes[i], p->hashes[j], SP_HASH);
        memcpy(p->hashes[j], hash, SP_HASH);
    }
}

enum sp_err sp_merkle_prove(const struct sp_hash_reader *r, uint64_t index,
                            uint64_t size, struct sp_proof *out)
{
    if (index >= size) {
        return SP_E_NOTFOUND;
    }
    struct sp_proof p = {0};
    uint64_t start = 0, n = size;
    while (n > 1) {
        uint64_t k = split(n);
        if (index - start < k) {
            SP_TRY(push_part(r, start + k, n - k, &p));
            n = k;
        } else {
            SP_TRY(push_part(r, start, k, &p));
            start += k;
            n -= k;
        }
    }
    reverse(&p);
    *out = p;
    return SP_OK;
}

enum sp_err sp_merkle_prove_growth(const struct sp_hash_reader *r, uint64_t old_size,
                                   uint64_t size, struct sp_proof *out)
{
    if (old_size > size) {
        return SP_E_NOTFOUND;
    }
    struct sp_proof p = {0};
    uint64_t start = 0, n = old_size ? size : 0, left = old_size;
    while (left != n) {
        uint64_t k = split(n);
        if (left <= k) {
            SP_TRY(push_part(r, start + k, n - k, &p));
            n = k;
        } else {
            SP_TRY(push_part(r, start, k, &p));
            start += k;
            n -= k;
            left -= k;
        }
    }
    /* the verifier knows the old root, but not a part of the old tree */
    if (start > 0) {
        SP_TRY(push_part(r, start, n, &p));
    }
    reverse(&p);
    *out = p;
    return SP_OK;
}

/* A climb from a node to the root: where it stands on its level, and the last place of
 * that level. Names as in RFC 9162 2.1.3.2. */
struct climb {
    uint64_t fn, sn;
};

static void climb_up(struct climb *c)
{
    c->fn >>= 1;
    c->sn >>= 1;
}

/* True when the next hash of the proof stands to the left; then levels at which the
 * node has no sibling are skipped. */
static bool climb_is_left(struct climb *c)
{
    if (!is_odd(c->fn) && c->fn != c->sn) {
        return false;
    }
    while (!is_odd(c->fn) && c->fn != 0) {
        climb_up(c);
    }
    return true;
}

bool sp_merkle_check(const struct sp_proof *p, uint64_t index, uint64_t size,
                     const uint8_t leaf[SP_HASH], const uint8_t root[SP_HASH])
{
    if (index >= size || p->count > SP_PROOF_MAX) {
        return false;
    }
    struct climb c = {index, size - 1};
    uint8_t hash[SP_HASH];
    memcpy(hash, leaf, SP_HASH);
    for (unsigned i = 0; i < p->count; i++) {
        if (c.sn == 0) {
            return false;
        }
        if (climb_is_left(&c)) {
            sp_merkle_node(p->hashes[i], hash, hash);
        } else {
            sp_merkle_node(hash, p->hashes[i], hash);
        }
        climb_up(&c);
    }
    return c.sn == 0 && memcmp(hash, root, SP_HASH) == 0;
}

static bool is_power_of_two(uint64_t x)
{
    return x && (x & (x - 1)) == 0;
}

/* RFC 9162 2.1.4.2: the same hashes must build the old root and the new one. */
static bool check_growth_path(const struct sp_proof *p, uint64_t old_size,
                              uint64_t size, const uint8_t old_root[SP_HASH],
                              const uint8_t root[SP_HASH])
{
    struct climb c = {old_size - 1, size - 1};
    while (is_odd(c.fn)) {
        climb_up(&c);
    }
    /* a complete old tree is a node of the new one, and the verifier has it already */
    unsigned next = is_power_of_two(old_size) ? 0 : 1;
    const uint8_t *first = next ? p->hashes[0] : old_root;
    uint8_t before[SP_HASH], after[SP_HASH];
    memcpy(before, first, SP_HASH);
    memcpy(after, first, SP_HASH);
    for (; next < p->count; next++) {
        if (c.sn == 0) {
            return false;
        }
        if (climb_is_left(&c)) {
            sp_merkle_node(p->hashes[next], before, before);
            sp_merkle_node(p->hashes[next], after, after);
        } else {
            sp_merkle_node(after, p->hashes[next], after);
        }
        climb_up(&c);
    }
    return c.sn == 0 && memcmp(before, old_root, SP_HASH) == 0 &&
           memcmp(after, root, SP_HASH) == 0;
}

bool sp_merkle_check_growth(const struct sp_proof *p, uint64_t old_size, uint64_t size,
                            const uint8_t old_root[SP_HASH],
                            const uint8_t root[SP_HASH])
{
    if (old_size > size || p->count > SP_PROOF_MAX) {
        return false;
    }
    bool same = memcmp(old_root, root, SP_HASH) == 0;
    if (old_size == 0) {
        uint8_t empty[SP_HASH];
        sp_sha256(SP_VIEW(""), empty);
        return p->count == 0 && memcmp(old_root, empty, SP_HASH) == 0 &&
               (size > 0 || same);
    }
    if (old_size == size) {
        return p->count == 0 && same;
    }
    return p->count > 0 && check_growth_path(p, old_size, size, old_root, root);
}
