#include "io/net/tls_records.h"

#include <linux/tls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 5, SALT = 4, EXPLICIT = 8, NUMBER = 8, AAD_12 = 13, APPLICATION = 23 };

/* What both ciphers' structs say. */
struct offer {
    uint16_t version;
    struct sp_view key;
    const uint8_t *salt, *iv, *number;
};

static bool read_offer(const void *keys, struct offer *out)
{
    const struct tls_crypto_info *info = keys;
    const struct tls12_crypto_info_aes_gcm_128 *a = keys;
    const struct tls12_crypto_info_aes_gcm_256 *b = keys;
    if (info->cipher_type == TLS_CIPHER_AES_GCM_128) {
        *out = (struct offer){info->version, sp_view(a->key, sizeof a->key), a->salt,
                              a->iv, a->rec_seq};
        return true;
    }
    if (info->cipher_type == TLS_CIPHER_AES_GCM_256) {
        *out = (struct offer){info->version, sp_view(b->key, sizeof b->key), b->salt,
                              b->iv, b->rec_seq};
        return true;
    }
    return false;
}

static uint64_t read_number(const uint8_t from[NUMBER])
{
    uint64_t n = 0;
    for (size_t i = 0; i < NUMBER; i++) {
        n = n << 8 | from[i];
    }
    return n;
}

static void put_number(uint8_t *to, uint64_t n, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; n >>= 8) {
        to[i] = (uint8_t)n;
    }
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sp_gcm_library *library; /* owned by the process */

static void load_library(void)
{
    library = sp_gcm_load();
}

const struct sp_gcm_library *sp_tls_records_library(void)
{
    pthread_once(&once, load_library);
    return library;
}

struct sp_tls_sealer {
    struct sp_gcm gcm;
    uint64_t whose; /* id; 0: nobody's */
    uint64_t ids;   /* that were given: none comes twice */
};

struct sp_tls_sealer *sp_tls_sealer_new(void)
{
    struct sp_tls_sealer *s = aligned_alloc(_Alignof(struct sp_tls_sealer), sizeof *s);
    if (s) {
        *s = (struct sp_tls_sealer){.whose = 0};
    }
    return s;
}

static void forget(struct sp_tls_sealer *s)
{
    sp_bytes_wipe(&s->gcm, sizeof s->gcm);
    s->whose = 0;
}

void sp_tls_sealer_free(struct sp_tls_sealer **s)
{
    if (*s) {
        forget(*s);
        free(*s);
        *s = NULL;
    }
}

struct sp_tls_records *sp_tls_records_new(struct sp_tls_sealer *s, const void *keys)
{
    struct offer o;
    bool fits = sp_tls_records_library() && read_offer(keys, &o) &&
                (o.version == TLS_1_2_VERSION || o.version == TLS_1_3_VERSION) &&
                read_number(o.number) < UINT64_MAX - SP_TLS_RECORDS_MAX;
    struct sp_tls_records *r = fits ? malloc(sizeof *r) : NULL;
    if (!r) {
        return NULL;
    }
    *r = (struct sp_tls_records){.id = ++s->ids,
                                 .key_len = (uint8_t)o.key.len,
                                 .is_13 = o.version == TLS_1_3_VERSION,
                                 .number = read_number(o.number),
                                 .left = SP_TLS_RECORDS_MAX};
    memcpy(r->key, o.key.data, o.key.len);
    memcpy(r->iv, o.salt, SALT);
    memcpy(r->iv + SALT, o.iv, EXPLICIT);
    return r;
}

void sp_tls_records_free(struct sp_tls_sealer *s, struct sp_tls_records **rp)
{
    struct sp_tls_records *r = *rp;
    *rp = NULL;
    if (!r) {
        return;
    }
    if (s->whose == r->id) {
        forget(s);
    }
    sp_bytes_wipe(r, sizeof *r);
    free(r);
}

static const struct sp_gcm *key_of(struct sp_tls_sealer *s,
                                   const struct sp_tls_records *r)
{
    if (s->whose != r->id) {
        bool fits =
            sp_gcm_init(&s->gcm, sp_tls_records_library(), sp_view(r->key, r->key_len));
        SP_ASSERT(fits);
        s->whose = r->id;
    }
    return &s->gcm;
}

static void put_head(uint8_t *to, uint8_t type, size_t len)
{
    to[0] = type;
    put_number(to + 1, TLS_1_2_VERSION, 2); /* RFC 8446 section 5.1: so it stays */
    put_number(to + 3, len, 2);
}

/* RFC 8446 sections 5.2 and 5.3: the type is the last byte of what is encrypted, and
 * the nonce is the number over the IV. */
static size_t seal_13(const struct sp_gcm *g, const struct sp_tls_records *r,
                      uint8_t type, struct sp_view payload, uint8_t *out)
{
    uint8_t nonce[SP_GCM_NONCE];
    size_t len = payload.len + 1 + SP_GCM_TAG;
    put_head(out, APPLICATION, len);
    put_number(nonce + SALT, r->number, NUMBER);
    memcpy(nonce, r->iv, SALT);
    for (size_t i = SALT; i < SP_GCM_NONCE; i++) {
        nonce[i] ^= r->iv[i];
    }
    sp_gcm_seal(g, nonce, sp_view(out, HEAD), payload, sp_view(&type, 1), out + HEAD);
    return HEAD + len;
}

/* RFC 5246 section 6.2.3.3 and RFC 5288 section 3: the number is the explicit part of
 * the nonce. */
static size_t seal_12(const struct sp_gcm *g, const struct sp_tls_records *r,
                      uint8_t type, struct sp_view payload, uint8_t *out)
{
    uint8_t nonce[SP_GCM_NONCE], aad[AAD_12];
    size_t len = EXPLICIT + payload.len + SP_GCM_TAG;
    put_head(out, type, len);
    put_number(out + HEAD, r->number, EXPLICIT);
    memcpy(nonce, r->iv, SALT);
    memcpy(nonce + SALT, out + HEAD, EXPLICIT);
    put_number(aad, r->number, NUMBER);
    put_head(aad + NUMBER, type, payload.len);
    sp_gcm_seal(g, nonce, sp_view(aad, sizeof aad), payload, sp_view(NULL, 0),
                out + HEAD + EXPLICIT);
    return HEAD + len;
}

enum sp_err sp_tls_records_seal(struct sp_tls_sealer *s, struct sp_tls_records *r,
                                uint8_t type, struct sp_view payload, uint8_t *out,
                                size_t *len)
{
    SP_ASSERT(payload.len <= SP_TLS_RECORD_PAYLOAD);
    if (r->left == 0) {
        return SP_E_TLS;
    }
    *len = (r->is_13 ? seal_13 : seal_12)(key_of(s, r), r, type, payload, out);
    r->number++;
    r->left--;
    return SP_OK;
}
