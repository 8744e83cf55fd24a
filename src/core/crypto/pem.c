#include "core/crypto/crypto.h"
#include "core/crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits.h>
#include <string.h>

struct block {
    char *name, *header; /* owned, by OpenSSL's allocator */
    unsigned char *data; /* owned, likewise; may be somebody's private key */
    long len;
};

static void block_fini(struct block *b)
{
    OPENSSL_free(b->name);
    OPENSSL_free(b->header);
    OPENSSL_clear_free(b->data, (size_t)b->len);
}

static void bio_free(BIO **b)
{
    BIO_free(*b);
}

static void pkey_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static enum sp_err open_memory(struct sp_view text, BIO **out)
{
    sp_crypto_start();
    if (text.len > INT_MAX) {
        return SP_E_LIMIT;
    }
    BIO *b = BIO_new_mem_buf(text.len ? (const void *)text.data : "", (int)text.len);
    if (!b) {
        ERR_clear_error();
        return SP_E_NOMEM;
    }
    *out = b;
    return SP_OK;
}

/* The next block, or one without a name when there is none left. */
static enum sp_err next_block(BIO *in, struct block *out)
{
    if (PEM_read_bio(in, &out->name, &out->header, &out->data, &out->len) == 1) {
        return SP_OK;
    }
    unsigned long e = ERR_peek_last_error();
    ERR_clear_error();
    bool is_end =
        ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
    return is_end ? SP_OK : SP_E_MALFORMED;
}

static bool is_certificate(const struct block *b)
{
    return strcmp(b->name, PEM_STRING_X509) == 0 ||
           strcmp(b->name, PEM_STRING_X509_OLD) == 0;
}

enum sp_err sp_pem_certs(struct sp_view pem,
                         enum sp_err (*each)(void *ctx, struct sp_view der), void *ctx,
                         size_t *count)
{
    SP_AUTO(bio_free) BIO *in = NULL;
    SP_TRY(open_memory(pem, &in));
    for (size_t found = 0;;) {
        SP_AUTO(block_fini) struct block b = {0};
        SP_TRY(next_block(in, &b));
        if (!b.name) {
            *count = found;
            return SP_OK;
        }
        if (strcmp(b.name, PEM_STRING_X509_TRUSTED) == 0) {
            return SP_E_UNSUPPORTED;
        }
        if (is_certificate(&b)) {
            SP_TRY(each(ctx, sp_view(b.data, (size_t)b.len)));
            found++;
        }
    }
}

/* Called only for an encrypted key: notes that, gives nothing, asks nobody. */
static int no_password(char *buf, int size, int writing, void *was_asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)was_asked = true;
    return -1;
}

enum sp_err sp_key_matches(struct sp_view key_pem, struct sp_view cert_der, bool *out)
{
    SP_AUTO(bio_free) BIO *in = NULL;
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    bool is_encrypted = false;
    SP_TRY(sp_x509_parse(cert_der, &x));
    SP_TRY(open_memory(key_pem, &in));
    SP_AUTO(pkey_free)
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_password, &is_encrypted);
    bool matches = key && X509_check_private_key(x, key) == 1;
    ERR_clear_error();
    if (!key) {
        return is_encrypted ? SP_E_UNSUPPORTED : SP_E_MALFORMED;
    }
    *out = matches;
    return SP_OK;
}
