#include "core/custody/stage_mark.h"

#include "core/base/limits.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>

#define HEAD "sallyport stage 1\n"

void sp_stage_mark_format(const struct sp_stage_mark *m, char out[SP_STAGE_MARK_TEXT])
{
    char hex[65];
    for (size_t i = 0; i < sizeof m->sha256; i++) {
        snprintf(hex + 2 * i, 3, "%02x", m->sha256[i]);
    }
    snprintf(out, SP_STAGE_MARK_TEXT, HEAD "%" PRIu64 " %" PRIu64 " %s\n", m->size,
             m->prefix, hex);
}

/* Takes what stands in front of the next stop, and the stop. */
static struct sp_view next(struct sp_view *text, uint8_t stop)
{
    size_t end = sp_view_find(*text, stop);
    struct sp_view word = sp_view_slice(*text, 0, end);
    *text = sp_view_slice(*text, end + 1, text->len);
    return word;
}

enum sp_err sp_stage_mark_parse(struct sp_view text, struct sp_stage_mark *out)
{
    struct sp_stage_mark m;
    char again[SP_STAGE_MARK_TEXT];
    struct sp_view rest = text;
    (void)next(&rest, '\n');
    bool reads =
        sp_u64_parse(next(&rest, ' '), SP_LIMIT_CONTENT_FILE, &m.size) == SP_OK &&
        sp_u64_parse(next(&rest, ' '), SP_LIMIT_CONTENT_FILE, &m.prefix) == SP_OK &&
        sp_hex_parse(next(&rest, '\n'), m.sha256, sizeof m.sha256) == SP_OK;
    if (!reads || m.prefix == 0 || m.prefix > m.size) {
        return SP_E_MALFORMED;
    }
    /* whatever else stands there is another spelling */
    sp_stage_mark_format(&m, again);
    if (!sp_view_eq_str(text, again)) {
        return SP_E_MALFORMED;
    }
    *out = m;
    return SP_OK;
}
