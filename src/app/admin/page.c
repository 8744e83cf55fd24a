#include "app/admin/page.h"

#include "app/embedded/status_html.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <string.h>

struct sp_view sp_page(void)
{
    return sp_view(status_html, sizeof status_html);
}

/* What stands between an element's tags, of which the page has one each. */
static struct sp_view inside(struct sp_view page, const char *opening,
                             const char *closing)
{
    const uint8_t *from = memmem(page.data, page.len, opening, strlen(opening));
    SP_ASSERT(from);
    from += strlen(opening);
    size_t left = page.len - (size_t)(from - page.data);
    const uint8_t *to = memmem(from, left, closing, strlen(closing));
    SP_ASSERT(to);
    return sp_view(from, (size_t)(to - from));
}

static enum sp_err append_hash(struct sp_buf *out, const char *directive,
                               struct sp_view text)
{
    uint8_t hash[32];
    sp_sha256(text, hash);
    SP_TRY(sp_buf_printf(out, "; %s 'sha256-", directive));
    SP_TRY(sp_base64_append(out, sp_view(hash, sizeof hash)));
    return sp_buf_append_str(out, "'");
}

enum sp_err sp_page_fields(struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, "Content-Security-Policy: default-src 'none'; "
                                  "connect-src 'self'; base-uri 'none'; "
                                  "form-action 'none'; frame-ancestors 'none'"));
    SP_TRY(append_hash(out, "style-src", inside(sp_page(), "<style>", "</style>")));
    SP_TRY(append_hash(out, "script-src", inside(sp_page(), "<script>", "</script>")));
    return sp_buf_append_str(out, "\r\nX-Content-Type-Options: nosniff\r\n"
                                  "Referrer-Policy: no-referrer\r\n");
}
