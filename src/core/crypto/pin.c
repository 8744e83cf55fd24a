#include "core/crypto/crypto.h"

#include "core/base/text.h"

#include <string.h>

static const char prefix[] = "sha256//";

enum sp_err sp_pin_parse(struct sp_view text, struct sp_pin *out)
{
    struct sp_pin pin;
    struct sp_view front = sp_view_str(prefix);
    if (!sp_view_starts(text, front)) {
        return SP_E_MALFORMED;
    }
    struct sp_view base64 = sp_view_slice(text, front.len, text.len);
    if (sp_base64_parse_exact(base64, pin.sha256, sizeof pin.sha256) != SP_OK) {
        return SP_E_MALFORMED;
    }
    *out = pin;
    return SP_OK;
}

void sp_pin_format(const struct sp_pin *p, char out[SP_PIN_TEXT])
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_PIN_TEXT);
    enum sp_err e = sp_buf_append_str(&text, prefix);
    if (e == SP_OK) {
        e = sp_base64_append(&text, sp_view(p->sha256, sizeof p->sha256));
    }
    if (e == SP_OK) {
        e = sp_buf_append_byte(&text, 0);
    }
    SP_ASSERT(e == SP_OK);
    memcpy(out, text.data, text.len);
}

bool sp_pin_eq(const struct sp_pin *a, const struct sp_pin *b)
{
    return memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}
