#include "app/admin/admin_key.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <strings.h>

static bool is_secret(struct sp_view secret, const uint8_t sha256[32])
{
    uint8_t shown[32];
    sp_sha256(secret, shown);
    return sp_bytes_eq_secret(shown, sha256, sizeof shown);
}

/* What stands behind "Bearer " or "Basic ", the case of the word aside. */
static bool take_scheme(struct sp_view value, const char *scheme, size_t n,
                        struct sp_view *rest)
{
    if (value.len <= n || strncasecmp((const char *)value.data, scheme, n) != 0) {
        return false;
    }
    *rest = sp_view_trim(sp_view_slice(value, n, value.len), " ");
    return true;
}

bool sp_admin_key_fits(struct sp_view value, const uint8_t sha256[32])
{
    struct sp_view rest;
    SP_AUTO(sp_buf_fini) struct sp_buf pair;
    sp_buf_init(&pair, SP_KIB(4));
    if (take_scheme(value, "Bearer ", 7, &rest)) {
        return is_secret(rest, sha256);
    }
    if (!take_scheme(value, "Basic ", 6, &rest) ||
        sp_base64_parse(rest, &pair) != SP_OK) {
        return false;
    }
    struct sp_view both = sp_buf_view(&pair);
    size_t colon = sp_view_find(both, ':');
    bool fits =
        colon < both.len && is_secret(sp_view_slice(both, colon + 1, both.len), sha256);
    sp_bytes_wipe(pair.data, pair.len);
    return fits;
}
