#include "core/wsus/wsus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int sp_revision_id_cmp(const struct sp_revision_id *a, const struct sp_revision_id *b)
{
    int by_id = memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
    return by_id ? by_id : (a->number > b->number) - (a->number < b->number);
}

void sp_revision_id_format(const struct sp_revision_id *r, char out[SP_REVISION_TEXT])
{
    char id[SP_GUID_TEXT];
    sp_guid_format(&r->id, id);
    snprintf(out, SP_REVISION_TEXT, "%s.%" PRId32, id, r->number);
}

enum sp_err sp_revision_id_parse(struct sp_view text, struct sp_revision_id *out)
{
    size_t dot = sp_view_find(text, '.');
    struct sp_revision_id r = {.number = 0};
    int64_t number = 0;
    SP_TRY(sp_guid_parse(sp_view_slice(text, 0, dot), &r.id));
    SP_TRY(sp_i64_parse(sp_view_slice(text, dot + 1, text.len), 0, INT32_MAX, &number));
    r.number = (int32_t)number;
    *out = r;
    return SP_OK;
}
