#include "core/base/splice.h"

#include "core/base/limits.h"

#include <stdlib.h>

static enum sp_err make_room(struct sp_splices *s)
{
    if (s->count < s->room) {
        return SP_OK;
    }
    if (s->count == SP_LIMIT_SPLICES) {
        return SP_E_LIMIT;
    }
    size_t room = s->room ? s->room * 2 : 8;
    struct sp_splice *grown = reallocarray(s->list, room, sizeof *grown);
    if (!grown) {
        return SP_E_NOMEM;
    }
    s->list = grown;
    s->room = room;
    return SP_OK;
}

enum sp_err sp_splices_add(struct sp_splices *s, size_t from, size_t to,
                           struct sp_view with)
{
    struct sp_view kept = {NULL, 0};
    SP_ASSERT(from <= to);
    SP_TRY(make_room(s));
    if (with.len && !s->texts) {
        SP_TRY(sp_arena_new(SP_LIMIT_SPLICED, &s->texts));
    }
    if (with.len) {
        SP_TRY(sp_arena_copy(s->texts, with, &kept));
    }
    s->list[s->count++] = (struct sp_splice){.from = from, .to = to, .with = kept};
    return SP_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct sp_splice *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* The list is sorted. *size: bytes of the text after all of it. */
static enum sp_err measure(const struct sp_splices *s, size_t len, size_t *size)
{
    size_t n = len;
    for (size_t i = 0; i < s->count; i++) {
        const struct sp_splice *a = &s->list[i];
        if (a->to > len) {
            return SP_E_TRUNCATED;
        }
        if (i && (a->from < a[-1].to || a->from == a[-1].from)) {
            return SP_E_CONFLICT;
        }
        n = n - (a->to - a->from) + a->with.len;
    }
    *size = n;
    return SP_OK;
}

enum sp_err sp_splices_apply(struct sp_splices *s, struct sp_view text,
                             struct sp_buf *out)
{
    size_t size = 0, at = 0;
    uint8_t *room = NULL;
    if (s->count) {
        qsort(s->list, s->count, sizeof *s->list, by_place);
    }
    SP_TRY(measure(s, text.len, &size));
    SP_TRY(sp_buf_reserve(out, size, &room)); /* so that nothing fails from here on */
    for (size_t i = 0; i < s->count; i++) {
        SP_TRY(sp_buf_append(out, sp_view_slice(text, at, s->list[i].from)));
        SP_TRY(sp_buf_append(out, s->list[i].with));
        at = s->list[i].to;
    }
    return sp_buf_append(out, sp_view_slice(text, at, text.len));
}

void sp_splices_clear(struct sp_splices *s)
{
    sp_arena_free(&s->texts);
    free(s->list);
    *s = (struct sp_splices){0};
}
