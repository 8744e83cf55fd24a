#include "core/custody/stage_map.h"

#include "core/base/limits.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>

void sp_stage_map_format(const struct sp_stage_block *b, char out[SP_STAGE_MAP_LINE])
{
    int n = snprintf(out, SP_STAGE_MAP_LINE, "%" PRIu64 " ", b->number);
    for (size_t i = 0; i < sizeof b->sha256; i++) {
        n += snprintf(out + n, SP_STAGE_MAP_LINE - (size_t)n, "%02x", b->sha256[i]);
    }
    snprintf(out + n, SP_STAGE_MAP_LINE - (size_t)n, "\n");
}

enum sp_err sp_stage_map_next(struct sp_view *text, struct sp_stage_block *out)
{
    struct sp_stage_block b;
    char again[SP_STAGE_MAP_LINE];
    size_t end = sp_view_find(*text, '\n');
    struct sp_view line = sp_view_slice(*text, 0, end + 1);
    size_t space = sp_view_find(line, ' ');
    bool reads = end < text->len &&
                 sp_u64_parse(sp_view_slice(line, 0, space), SP_LIMIT_CONTENT_FILE,
                              &b.number) == SP_OK &&
                 sp_hex_parse(sp_view_slice(line, space + 1, end), b.sha256,
                              sizeof b.sha256) == SP_OK;
    if (!reads) {
        return SP_E_MALFORMED;
    }
    sp_stage_map_format(&b, again); /* one spelling a line */
    if (!sp_view_eq_str(line, again)) {
        return SP_E_MALFORMED;
    }
    *text = sp_view_slice(*text, end + 1, text->len);
    *out = b;
    return SP_OK;
}
