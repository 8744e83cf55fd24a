#include "core/crypto/gcm.h"

#include <stdlib.h>

#ifdef SP_HAS_IPSEC_MB

#include <intel-ipsec-mb.h>

_Static_assert(sizeof(struct gcm_key_data) <= SP_GCM_BYTES, "a key must fit");

struct sp_gcm_functions {
    aes_gcm_pre_t expand;
    aes_gcm_init_t begin;
    aes_gcm_enc_dec_update_t more;
    aes_gcm_enc_dec_finalize_t end;
};

struct sp_gcm_library {
    struct sp_gcm_functions of_128, of_256; /* bits of a key */
};

static void take(struct sp_gcm_library *l, const IMB_MGR *m)
{
    l->of_128 = (struct sp_gcm_functions){m->gcm128_pre, m->gcm128_init,
                                          m->gcm128_enc_update, m->gcm128_enc_finalize};
    l->of_256 = (struct sp_gcm_functions){m->gcm256_pre, m->gcm256_init,
                                          m->gcm256_enc_update, m->gcm256_enc_finalize};
}

/* The library's manager, 200 KB, only tells which they are. */
struct sp_gcm_library *sp_gcm_load(void)
{
    struct sp_gcm_library *l = calloc(1, sizeof *l);
    IMB_MGR *m = l ? alloc_mb_mgr(0) : NULL;
    if (m) {
        init_mb_mgr_auto(m, NULL);
    }
    if (!m || imb_get_errno(m) != 0) {
        sp_gcm_unload(&l);
    } else {
        take(l, m);
    }
    if (m) {
        free_mb_mgr(m);
    }
    return l;
}

bool sp_gcm_init(struct sp_gcm *g, const struct sp_gcm_library *l, struct sp_view key)
{
    if (key.len != 16 && key.len != 32) {
        return false;
    }
    g->functions = key.len == 16 ? &l->of_128 : &l->of_256;
    g->functions->expand(key.data, (struct gcm_key_data *)(void *)g->expanded);
    return true;
}

void sp_gcm_seal(const struct sp_gcm *g, const uint8_t nonce[SP_GCM_NONCE],
                 struct sp_view aad, struct sp_view plain, struct sp_view last,
                 uint8_t *out)
{
    const struct sp_gcm_functions *f = g->functions;
    const struct gcm_key_data *key = (const void *)g->expanded;
    struct gcm_context_data c;
    f->begin(key, &c, nonce, aad.data, aad.len);
    f->more(key, &c, out, plain.data, plain.len);
    f->more(key, &c, out + plain.len, last.data, last.len);
    f->end(key, &c, out + plain.len + last.len, SP_GCM_TAG);
}

#else

struct sp_gcm_library *sp_gcm_load(void)
{
    return NULL;
}

bool sp_gcm_init(struct sp_gcm *g, const struct sp_gcm_library *l, struct sp_view key)
{
    (void)g, (void)l, (void)key;
    return false;
}

void sp_gcm_seal(const struct sp_gcm *g, const uint8_t nonce[SP_GCM_NONCE],
                 struct sp_view aad, struct sp_view plain, struct sp_view last,
                 uint8_t *out)
{
    (void)g, (void)nonce, (void)aad, (void)plain, (void)last, (void)out;
    SP_ASSERT(!"there is no library to have made a key");
}

#endif

void sp_gcm_unload(struct sp_gcm_library **l)
{
    free(*l);
    *l = NULL;
}
