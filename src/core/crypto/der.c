#include "core/crypto/der.h"

struct sp_der sp_der(struct sp_view bytes)
{
    return (struct sp_der){.left = bytes};
}

static struct sp_tlv mistake(struct sp_der *d, enum sp_err e)
{
    d->err = d->err == SP_OK ? e : d->err;
    return (struct sp_tlv){0};
}

/* X.690 10.1: the definite form, in as few bytes as possible. *header grows by what the
 * length took. */
static enum sp_err read_length(struct sp_view v, size_t *header, size_t *length)
{
    size_t first = v.data[1], count = first & 0x7f, value = 0;
    *header = 2;
    if (first < 0x80) {
        *length = first;
        return SP_OK;
    }
    if (count == 0 || count > 4) {
        return SP_E_UNSUPPORTED;
    }
    if (v.len < 2 + count) {
        return SP_E_TRUNCATED;
    }
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | v.data[2 + i];
    }
    *header += count;
    *length = value;
    return value < 0x80 || v.data[2] == 0 ? SP_E_UNSUPPORTED : SP_OK;
}

struct sp_tlv sp_der_any(struct sp_der *d)
{
    struct sp_view v = d->left;
    size_t header = 0, length = 0;
    if (d->err != SP_OK || v.len < 2) {
        return mistake(d, SP_E_TRUNCATED);
    }
    if ((v.data[0] & 0x1f) == 0x1f) {
        return mistake(d, SP_E_UNSUPPORTED);
    }
    enum sp_err e = read_length(v, &header, &length);
    if (e != SP_OK) {
        return mistake(d, e);
    }
    if (length > v.len - header) {
        return mistake(d, SP_E_TRUNCATED);
    }
    d->left = sp_view_slice(v, header + length, v.len);
    return (struct sp_tlv){.tag = v.data[0],
                           .whole = sp_view_slice(v, 0, header + length),
                           .content = sp_view_slice(v, header, header + length)};
}

struct sp_tlv sp_der_tlv(struct sp_der *d, uint8_t tag)
{
    if (d->err == SP_OK && d->left.len > 0 && d->left.data[0] != tag) {
        return mistake(d, SP_E_MALFORMED);
    }
    return sp_der_any(d);
}

struct sp_view sp_der_content(struct sp_der *d, uint8_t tag)
{
    return sp_der_tlv(d, tag).content;
}

struct sp_der sp_der_enter(struct sp_der *d, uint8_t tag)
{
    struct sp_view inside = sp_der_content(d, tag);
    return (struct sp_der){.left = inside, .err = d->err};
}

bool sp_der_more(const struct sp_der *d)
{
    return d->err == SP_OK && d->left.len > 0;
}

bool sp_der_is(const struct sp_der *d, uint8_t tag)
{
    return sp_der_more(d) && d->left.data[0] == tag;
}

enum sp_err sp_der_end(const struct sp_der *d)
{
    if (d->err != SP_OK) {
        return d->err;
    }
    return d->left.len ? SP_E_MALFORMED : SP_OK;
}
