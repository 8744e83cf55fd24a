/* Catalogues: the file is one ContentInfo around a certificate trust list. */
#include "core/sign/inside.h"

#include "core/crypto/der.h"

static const uint8_t signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                      0xf7, 0x0d, 0x01, 0x07, 0x02};

/* A SEQUENCE that begins with the object identifier of SignedData. */
bool sp_cat_probe(struct sp_view head)
{
    if (head.len < 2 || head.data[0] != SP_DER_SEQUENCE) {
        return false;
    }
    size_t length_bytes = head.data[1] < 0x80 ? 0 : head.data[1] & 0x7f;
    return sp_view_starts(sp_view_slice(head, 2 + length_bytes, head.len),
                          sp_view(signed_data, sizeof signed_data));
}

static size_t der_length(struct sp_view file)
{
    struct sp_der d = sp_der(file);
    size_t length = sp_der_any(&d).whole.len;
    return length ? length : file.len;
}

static enum sp_err read_catalogue(struct sp_sign *s)
{
    sp_buf_take(&s->piece, &s->signature);
    struct sp_view file = sp_buf_view(&s->signature);
    size_t length = der_length(file);
    if (length < file.len) {
        s->tail = length;
    }
    SP_TRY(sp_sign_read(s, sp_view_slice(file, 0, length)));
    for (size_t i = 0; s->cms_count && i < sp_cms_count(s->cms[0]); i++) {
        if (sp_cms_at(s->cms[0], i)->content != SP_CONTENT_TRUST_LIST) {
            SP_TRY(sp_sign_wrong(s, "the signature is not about a list, so this is no "
                                    "catalogue"));
        }
    }
    return SP_OK;
}

enum sp_err sp_cat_step(struct sp_sign *s)
{
    if (s->step++ > 0) {
        return read_catalogue(s);
    }
    if (s->size > SP_LIMIT_SIGNATURE) {
        return sp_sign_broken(s, "the catalogue is larger than %zu bytes",
                              SP_LIMIT_SIGNATURE);
    }
    sp_sign_collect(s, 0, s->size);
    return SP_OK;
}
