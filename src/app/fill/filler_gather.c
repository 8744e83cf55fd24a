/* What a transfer brings, gathered into pieces before it is written: one piece is one
 * write, one wake-up of each reader and one turn of the digests. Pieces end where the
 * file's do, so that writes are whole pages of it.
 *
 * Nothing waits for long: what is not whole after a moment is written as it is, and so
 * are the first bytes and the last ones of a transfer. */
#include "app/fill/filler_parts.h"
#include <stdlib.h>
#include <string.h>

/* The kernel copies slowly where a buffer begins a few bytes behind a page's start. */
enum { PIECE = 128 * 1024, MOMENT_MS = 10, PAGE = 4096, OFF_PAGE = 512 };

static bool is_due(const struct gather *g, const struct sp_road *r, uint64_t len)
{
    uint64_t end = r->at + g->held + len;
    return end % PIECE == 0 || end >= r->end || g->brought < PIECE;
}

static void linger(struct sp_filler *filler)
{
    if (!uv_is_active((uv_handle_t *)&filler->linger)) {
        uv_timer_start(&filler->linger, sp_filler_flush, MOMENT_MS, 0);
    }
}

static bool has_room(struct gather *g)
{
    if (!g->pages) {
        g->pages = aligned_alloc(PAGE, PIECE + PAGE);
    }
    return g->pages != NULL;
}

/* Up to the end of the piece. */
static struct sp_view head_of(const struct gather *g, const struct sp_road *r,
                              struct sp_view bytes)
{
    return sp_view_slice(bytes, 0, PIECE - (r->at + g->held) % PIECE);
}

struct sp_view sp_gather(struct gather *g, const struct sp_road *r,
                         struct sp_filler *filler, struct sp_view *bytes)
{
    struct sp_view head = head_of(g, r, *bytes), none = {0};
    bool due = is_due(g, r, head.len);
    if (g->held == 0 && (due || !has_room(g))) {
        *bytes = sp_view_slice(*bytes, head.len, bytes->len);
        g->brought += head.len;
        return head;
    }
    SP_ASSERT(head.len <= PIECE - g->held);
    memcpy(g->pages + OFF_PAGE + g->held, head.data, head.len);
    g->held += head.len;
    *bytes = sp_view_slice(*bytes, head.len, bytes->len);
    if (due) {
        return sp_gather_end(g);
    }
    linger(filler);
    return none;
}

struct sp_view sp_gather_end(struct gather *g)
{
    struct sp_view all =
        g->held ? sp_view(g->pages + OFF_PAGE, g->held) : (struct sp_view){0};
    g->brought += g->held;
    g->held = 0;
    return all;
}

void sp_gather_fini(struct gather *g)
{
    free(g->pages);
    *g = (struct gather){0};
}

void sp_filler_gather_init(struct sp_filler *filler)
{
    uv_timer_init(sp_loop_uv(filler->loop), &filler->linger);
    filler->linger.data = filler;
}
