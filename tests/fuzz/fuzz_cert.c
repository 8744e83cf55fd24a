/* Certificates (DER), and the same bytes as PEM: nothing crashes, every text is
 * printable and ended, and a certificate covers neither the empty name nor one with a
 * dot in front. */
#include "core/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t cap)
{
    size_t len = strnlen(text, cap);
    if (len == cap) {
        abort();
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            abort();
        }
    }
}

static void check_facts(const struct sp_cert_facts *f)
{
    check_text(f->subject, sizeof f->subject);
    check_text(f->issuer, sizeof f->issuer);
    check_text(f->names, sizeof f->names);
    check_text(f->key, sizeof f->key);
    check_text(f->signature, sizeof f->signature);
}

static enum sp_err read_one(void *ctx, struct sp_view der)
{
    struct sp_cert_facts f;
    (void)ctx;
    if (sp_cert_read(der, &f) == SP_OK) {
        check_facts(&f);
    }
    return SP_OK;
}

static void check_refused_host(struct sp_view der, const char *host)
{
    bool covers = true;
    if (sp_cert_covers(der, host, &covers) == SP_OK && covers) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view input = sp_view(data, size);
    size_t count;
    bool covers;
    (void)read_one(NULL, input);
    check_refused_host(input, "");
    check_refused_host(input, ".test");
    if (sp_cert_covers(input, "a.test", &covers) != SP_OK) {
        covers = false;
    }
    if (sp_pem_certs(input, read_one, NULL, &count) != SP_OK) {
        count = 0;
    }
    return 0;
}
