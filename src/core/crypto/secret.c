#include "core/crypto/secret.h"

#include <openssl/crypto.h>

void *sp_secret_alloc(size_t size)
{
    return OPENSSL_secure_zalloc(size);
}

void sp_secret_free(void *p, size_t size)
{
    OPENSSL_secure_clear_free(p, size);
}

enum sp_err sp_secret_init(struct sp_secret *s, size_t room)
{
    *s = (struct sp_secret){.data = sp_secret_alloc(room), .room = room};
    return s->data ? SP_OK : SP_E_NOMEM;
}

void sp_secret_fini(struct sp_secret *s)
{
    sp_secret_free(s->data, s->room);
    *s = (struct sp_secret){0};
}

struct sp_view sp_secret_view(const struct sp_secret *s)
{
    return sp_view(s->data, s->len);
}
