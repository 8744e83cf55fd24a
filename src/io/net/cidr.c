#include "io/net/server.h"

#include "core/base/text.h"
#include "io/net/address.h"

#include <string.h>

/* *width: the bits an address of its family has. */
static enum sp_err parse_address(struct sp_view text, uint8_t out[16], unsigned *width)
{
    char address[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof address || memchr(text.data, 0, text.len)) {
        return SP_E_MALFORMED;
    }
    memcpy(address, text.data, text.len);
    address[text.len] = 0;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        sp_address_bytes((const struct sockaddr *)&v4, out);
        *width = 32;
        return SP_OK;
    }
    *width = 128;
    return inet_pton(AF_INET6, address, out) == 1 ? SP_OK : SP_E_MALFORMED;
}

static bool bit(const uint8_t bytes[16], unsigned at)
{
    return bytes[at / 8] >> (7 - at % 8) & 1;
}

enum sp_err sp_cidr_parse(struct sp_view text, struct sp_cidr *out)
{
    struct sp_cidr c = {0};
    unsigned width = 0;
    size_t slash = sp_view_find(text, '/');
    SP_TRY(parse_address(sp_view_slice(text, 0, slash), c.bytes, &width));
    uint64_t bits = width;
    if (slash < text.len) {
        if (sp_u64_parse(sp_view_slice(text, slash + 1, text.len), width, &bits) !=
            SP_OK) {
            return SP_E_MALFORMED;
        }
    }
    c.bits = 128 - width + (unsigned)bits;
    for (unsigned i = c.bits; i < 128; i++) {
        if (bit(c.bytes,
                i)) { /* "10.0.0.1/8" names no network; one of both is a slip */
            return SP_E_MALFORMED;
        }
    }
    *out = c;
    return SP_OK;
}

bool sp_cidr_has(const struct sp_cidr *c, const struct sockaddr *a)
{
    uint8_t address[16];
    if (!sp_address_bytes(a, address)) {
        return false;
    }
    for (unsigned i = 0; i < c->bits; i++) {
        if (bit(address, i) != bit(c->bytes, i)) {
            return false;
        }
    }
    return true;
}
