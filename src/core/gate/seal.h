/* Seals: a cookie of the upstream leaves inside an envelope that only this server can
 * make and open, and comes back as what it was. (threats 1.2, shape B)
 *
 *     version 1 | key id 4 | issued 8 | nonce 12 | AES-256-GCM of the cookie | tag 16
 *
 * Sealed beside it: what kind of cookie it is, which upstream gave it, and who it was
 * given to: the key of the asker's certificate, or else its address. So a cookie serves
 * nobody else, nowhere else, and not for ever. Pure: keys, clock and nonce come in. */
#ifndef SP_CORE_GATE_SEAL_H
#define SP_CORE_GATE_SEAL_H

#include "core/crypto/aead.h"
#include "core/wsus/cookie.h"

#define SP_SEAL_OVERHEAD (1 + 4 + 8 + SP_AEAD_NONCE + SP_AEAD_TAG)

struct sp_seal_key {
    uint32_t id;
    int64_t made; /* unix seconds */
    uint8_t key[SP_AEAD_KEY];
};
struct sp_seal_keys { /* the newest first: it seals, all of them open */
    size_t count;
    struct sp_seal_key at[SP_LIMIT_SEAL_KEYS];
};
/* Time for a new key, or for an old one to go. */
bool sp_seal_keys_due(const struct sp_seal_keys *k, int64_t now);
/* Adds a key made of 32 random bytes and a random id, and forgets those that no cookie
 * can need any more. False where the id is in use: draw again. */
bool sp_seal_keys_turn(struct sp_seal_keys *k, int64_t now, uint32_t id,
                       const uint8_t key[SP_AEAD_KEY]);
/* As state_dir/cookie-keys holds them. Reading takes what writing gives:
 * SP_E_MALFORMED, SP_E_LIMIT. */
enum sp_err sp_seal_keys_write(const struct sp_seal_keys *k,
                               struct sp_buf *out) SP_MUST_USE;
enum sp_err sp_seal_keys_read(struct sp_view text,
                              struct sp_seal_keys *out) SP_MUST_USE;

struct sp_seal_bond { /* what a cookie is bound to */
    enum sp_cookie_kind kind;
    struct sp_view upstream; /* its name */
    bool has_pin;
    struct sp_view peer; /* 32 bytes of a pin, or an address */
};
/* Errors: SP_E_LIMIT (the envelope would be longer than SP_LIMIT_COOKIE), SP_E_NOMEM,
 * SP_E_CRYPTO. */
enum sp_err sp_seal(const struct sp_seal_keys *k, const struct sp_seal_bond *bond,
                    int64_t now, const uint8_t nonce[SP_AEAD_NONCE],
                    struct sp_view cookie, struct sp_buf *out) SP_MUST_USE;
/* SP_E_UNPROVEN: no envelope, an unknown key, another bond, anything changed, or from
 * the future. SP_E_TIMEOUT: good, but issued more than age seconds ago. */
enum sp_err sp_unseal(const struct sp_seal_keys *k, const struct sp_seal_bond *bond,
                      int64_t now, int64_t age, struct sp_view sealed,
                      struct sp_buf *out) SP_MUST_USE;

#endif
