#include "core/gate/seal.h"

#include "core/base/cursor.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1, HEAD = 1 + 4 + 8 + SP_AEAD_NONCE, BESIDE_MAX = 2048 };

/* A clock that was put right meanwhile makes nobody start over. */
enum { FUTURE_S = 300 };

/* ---- keys ---------------------------------------------------------------------- */

static bool is_needed(const struct sp_seal_key *k, int64_t now)
{
    return now - k->made < SP_TIME_SEAL_KEY_S + SP_LIMIT_COOKIE_AGE_S;
}

bool sp_seal_keys_due(const struct sp_seal_keys *k, int64_t now)
{
    return k->count == 0 || now - k->at[0].made >= SP_TIME_SEAL_KEY_S ||
           !is_needed(&k->at[k->count - 1], now);
}

static const struct sp_seal_key *find(const struct sp_seal_keys *k, uint32_t id)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->at[i].id == id) {
            return &k->at[i];
        }
    }
    return NULL;
}

bool sp_seal_keys_turn(struct sp_seal_keys *k, int64_t now, uint32_t id,
                       const uint8_t key[SP_AEAD_KEY])
{
    struct sp_seal_keys turned = {.count = 1, .at = {{.id = id, .made = now}}};
    if (find(k, id)) {
        return false;
    }
    memcpy(turned.at[0].key, key, SP_AEAD_KEY);
    for (size_t i = 0; i < k->count && turned.count < SP_LIMIT_SEAL_KEYS; i++) {
        if (is_needed(&k->at[i], now)) {
            turned.at[turned.count++] = k->at[i];
        }
    }
    *k = turned;
    sp_bytes_wipe(&turned, sizeof turned);
    return true;
}

#define FIRST_LINE "sallyport cookie keys 1\n"

enum sp_err sp_seal_keys_write(const struct sp_seal_keys *k, struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, FIRST_LINE));
    for (size_t i = 0; i < k->count; i++) {
        SP_TRY(
            sp_buf_printf(out, "%" PRIu32 " %" PRId64 " ", k->at[i].id, k->at[i].made));
        SP_TRY(sp_hex_append(out, sp_view(k->at[i].key, SP_AEAD_KEY)));
        SP_TRY(sp_buf_append_byte(out, '\n'));
    }
    return SP_OK;
}

/* The text up to c, which is dropped; all of it where there is no c. */
static struct sp_view until(struct sp_view *text, uint8_t c)
{
    struct sp_view part = sp_view_slice(*text, 0, sp_view_find(*text, c));
    *text = sp_view_slice(*text, part.len + 1, text->len);
    return part;
}

static enum sp_err read_key(struct sp_view line, struct sp_seal_key *out)
{
    uint64_t id = 0;
    SP_TRY(sp_u64_parse(until(&line, ' '), UINT32_MAX, &id));
    SP_TRY(sp_i64_parse(until(&line, ' '), 0, INT64_MAX / 2, &out->made));
    out->id = (uint32_t)id;
    return line.len == 2 * SP_AEAD_KEY ? sp_hex_parse(line, out->key, SP_AEAD_KEY)
                                       : SP_E_MALFORMED;
}

enum sp_err sp_seal_keys_read(struct sp_view text, struct sp_seal_keys *out)
{
    struct sp_seal_keys k = {0};
    if (!sp_view_starts(text, SP_VIEW(FIRST_LINE)) ||
        !sp_view_ends(text, SP_VIEW("\n"))) {
        return SP_E_MALFORMED;
    }
    text = sp_view_slice(text, sizeof FIRST_LINE - 1, text.len);
    while (text.len) {
        struct sp_seal_key *next = &k.at[k.count];
        if (k.count == SP_LIMIT_SEAL_KEYS) {
            return SP_E_LIMIT;
        }
        SP_TRY(read_key(until(&text, '\n'), next));
        if (find(&k, next->id)) {
            return SP_E_MALFORMED;
        }
        k.count++;
    }
    *out = k;
    sp_bytes_wipe(&k, sizeof k);
    return SP_OK;
}

/* ---- envelopes ------------------------------------------------------------------ */

static enum sp_err append_number(struct sp_buf *b, uint64_t n, unsigned bytes)
{
    while (bytes-- > 0) {
        SP_TRY(sp_buf_append_byte(b, (uint8_t)(n >> 8 * bytes)));
    }
    return SP_OK;
}

static enum sp_err append_counted(struct sp_buf *b, struct sp_view v)
{
    SP_TRY(append_number(b, v.len, 4));
    return sp_buf_append(b, v);
}

/* Every part with its length: no two bonds make the same bytes. head: the envelope's,
 * up to the nonce. */
static enum sp_err make_beside(const struct sp_seal_bond *bond, struct sp_view head,
                               struct sp_buf *out)
{
    SP_TRY(append_counted(out, SP_VIEW("sallyport cookie")));
    SP_TRY(append_counted(out, sp_view_str(sp_cookie_text(bond->kind))));
    SP_TRY(append_counted(out, bond->upstream));
    SP_TRY(append_counted(out, bond->has_pin ? SP_VIEW("spki") : SP_VIEW("address")));
    SP_TRY(append_counted(out, bond->peer));
    return sp_buf_append(out, head);
}

static enum sp_err seal_behind(const struct sp_seal_keys *k,
                               const struct sp_seal_bond *bond, int64_t now,
                               const uint8_t *nonce, struct sp_view cookie,
                               struct sp_buf *beside, struct sp_buf *out)
{
    size_t start = out->len;
    SP_TRY(sp_buf_append_byte(out, VERSION));
    SP_TRY(append_number(out, k->at[0].id, 4));
    SP_TRY(append_number(out, (uint64_t)now, 8));
    SP_TRY(sp_buf_append(out, sp_view(nonce, SP_AEAD_NONCE)));
    SP_TRY(make_beside(bond, sp_view_slice(sp_buf_view(out), start, out->len), beside));
    return sp_aead_seal(k->at[0].key, nonce, sp_buf_view(beside), cookie, out);
}

enum sp_err sp_seal(const struct sp_seal_keys *k, const struct sp_seal_bond *bond,
                    int64_t now, const uint8_t nonce[SP_AEAD_NONCE],
                    struct sp_view cookie, struct sp_buf *out)
{
    struct sp_buf beside;
    size_t start = out->len;
    SP_ASSERT(k->count > 0 && now >= 0);
    if (cookie.len > SP_LIMIT_COOKIE - SP_SEAL_OVERHEAD) {
        return SP_E_LIMIT;
    }
    sp_buf_init(&beside, BESIDE_MAX);
    enum sp_err e = seal_behind(k, bond, now, nonce, cookie, &beside, out);
    sp_buf_fini(&beside);
    if (e != SP_OK) {
        out->len = start;
    }
    return e;
}

static enum sp_err open_with(const struct sp_seal_key *key, const uint8_t *nonce,
                             const struct sp_seal_bond *bond, struct sp_view sealed,
                             struct sp_buf *out)
{
    struct sp_buf beside;
    sp_buf_init(&beside, BESIDE_MAX);
    enum sp_err e = make_beside(bond, sp_view_slice(sealed, 0, HEAD), &beside);
    if (e == SP_OK) {
        e = sp_aead_open(key->key, nonce, sp_buf_view(&beside),
                         sp_view_slice(sealed, HEAD, sealed.len), out);
    }
    sp_buf_fini(&beside);
    return e;
}

enum sp_err sp_unseal(const struct sp_seal_keys *k, const struct sp_seal_bond *bond,
                      int64_t now, int64_t age, struct sp_view sealed,
                      struct sp_buf *out)
{
    struct sp_cur c = sp_cur(sealed);
    size_t start = out->len;
    unsigned version = sp_cur_u8(&c);
    const struct sp_seal_key *key = find(k, sp_cur_be32(&c));
    uint64_t issued = sp_cur_be64(&c);
    struct sp_view nonce = sp_cur_take(&c, SP_AEAD_NONCE);
    if (c.err != SP_OK || version != VERSION || !key || issued > INT64_MAX / 2) {
        return SP_E_UNPROVEN;
    }
    SP_TRY(open_with(key, nonce.data, bond, sealed, out));
    if ((int64_t)issued <= now + FUTURE_S && now - (int64_t)issued <= age) {
        return SP_OK;
    }
    sp_bytes_wipe(out->data + start, out->len - start);
    out->len = start;
    return (int64_t)issued > now + FUTURE_S ? SP_E_UNPROVEN : SP_E_TIMEOUT;
}
