/* What the files of this folder share among themselves. */
#ifndef SP_CORE_CRYPTO_OPENSSL_H
#define SP_CORE_CRYPTO_OPENSSL_H

#include "sallyport/bytes.h"

#include <openssl/x509.h>

/* The whole of der is one certificate; else SP_E_MALFORMED. */
enum sp_err sp_x509_parse(struct sp_view der, X509 **out) SP_MUST_USE;
void sp_x509_free(X509 **x);

#endif
