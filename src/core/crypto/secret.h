/* Memory for keys: OpenSSL's secure heap where the program has set one up (locked into
 * memory, in no dump, behind guard pages; see io/net/tls_secret.h), else ordinary memory.
 * Wiped before it is given back, in any case. Any thread. */
#ifndef SP_CORE_CRYPTO_SECRET_H
#define SP_CORE_CRYPTO_SECRET_H

#include "sallyport/bytes.h"

/* Zeroed; NULL when memory ran out. */
void *sp_secret_alloc(size_t size);
/* NULL is nothing. size is what it was made with. */
void sp_secret_free(void *p, size_t size);

struct sp_secret { /* a text that holds a key */
    uint8_t *data; /* owned */
    size_t len, room;
};
enum sp_err sp_secret_init(struct sp_secret *s, size_t room) SP_MUST_USE;
void sp_secret_fini(struct sp_secret *s);
struct sp_view sp_secret_view(const struct sp_secret *s);

#endif
