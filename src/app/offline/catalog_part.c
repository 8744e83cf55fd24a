#include "app/offline/catalog_part.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOTE "download"

/* W/"..." is weak; what is no quoted text is no ETag (RFC 9110 8.8.3). */
bool sp_catalog_part_is_strong(const char *etag)
{
    size_t n = strlen(etag);
    return n > 2 && etag[0] == '"' && etag[n - 1] == '"' &&
           !memchr(etag + 1, '"', n - 2);
}

/* Stages are found again by a name of 20 bytes: this one stands for the file that was
 * asked for, as long as its own digest is not known. */
static enum sp_err name_of(const char *target, const struct sp_catalog_part *part,
                           uint8_t name[20])
{
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    uint8_t sha256[32];
    SP_TRY(sp_digester_new(&d));
    SP_TRY(sp_digester_update(d, sp_view_str(target)));
    SP_TRY(sp_digester_update(d, SP_VIEW(" ")));
    SP_TRY(sp_digester_update(d, sp_view_str(part->etag)));
    return sp_digester_finish(d, name, sha256);
}

static enum sp_err take(struct sp_objects *objects, const char *target,
                        const struct sp_catalog_part *part, struct sp_stage **out,
                        struct sp_stage_mark *kept, struct sp_why *why)
{
    uint8_t name[20];
    SP_TRY(name_of(target, part, name));
    return sp_stage_take(objects, name, part->size, out, kept, why);
}

enum sp_err sp_catalog_part_begin(struct sp_objects *objects, const char *target,
                                  const struct sp_catalog_part *part,
                                  struct sp_stage **out, struct sp_why *why)
{
    char text[SP_CATALOG_VALIDATOR + 32];
    struct sp_stage_mark kept;
    sp_stages_sweep(objects, true);
    if (!sp_catalog_part_is_strong(part->etag)) {
        return sp_stage_new(objects, part->size, out, why);
    }
    snprintf(text, sizeof text, "%" PRIu64 " %s\n", part->size, part->etag);
    SP_TRY(sp_objects_note(objects, NOTE, sp_view_str(text)));
    SP_TRY(take(objects, target, part, out, &kept, why));
    return kept.prefix ? sp_stage_empty(*out) : SP_OK;
}

/* "<size> <ETag>\n" */
static enum sp_err parse(struct sp_view text, struct sp_catalog_part *out)
{
    struct sp_catalog_part p = {0};
    size_t blank = sp_view_find(text, ' '), end = sp_view_find(text, '\n');
    if (blank >= end || end + 1 != text.len || end - blank - 1 >= sizeof p.etag) {
        return SP_E_MALFORMED;
    }
    SP_TRY(sp_u64_parse(sp_view_slice(text, 0, blank), INT64_MAX, &p.size));
    memcpy(p.etag, text.data + blank + 1, end - blank - 1);
    *out = p;
    return sp_catalog_part_is_strong(p.etag) && p.size > 0 ? SP_OK : SP_E_MALFORMED;
}

enum sp_err sp_catalog_part_resume(struct sp_objects *objects, const char *target,
                                   struct sp_catalog_part *part, struct sp_stage **out,
                                   struct sp_stage_mark *kept)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    SP_AUTO(sp_stage_drop) struct sp_stage *stage = NULL;
    struct sp_stage_mark mark = {0};
    struct sp_catalog_part p;
    sp_buf_init(&text, SP_CATALOG_VALIDATOR + 32);
    if (sp_objects_read_note(objects, NOTE, &text) != SP_OK ||
        parse(sp_buf_view(&text), &p) != SP_OK ||
        take(objects, target, &p, &stage, &mark, NULL) != SP_OK || mark.prefix == 0 ||
        mark.prefix >= p.size) {
        return SP_E_NOTFOUND;
    }
    *part = p;
    *kept = mark;
    *out = stage;
    stage = NULL;
    return SP_OK;
}
