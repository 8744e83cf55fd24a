/* C2SP tlog-tiles: where hashes and entries lie, and how entries are bundled. */
#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "sallyport/ledger.h"

#include <stdio.h>

/* Groups of three digits, "x" before all but the last: no directory grows past a
 * thousand names. Behind a tile that is not full stands ".p/" and its width. */
static void number_path(const char *prefix, uint64_t index, unsigned width,
                        char out[SP_TILE_PATH_MAX])
{
    SP_ASSERT(width >= 1 && width <= SP_TILE_WIDTH);
    unsigned groups[7];
    size_t count = 0;
    do {
        groups[count++] = (unsigned)(index % 1000);
        index /= 1000;
    } while (index);
    int n = snprintf(out, SP_TILE_PATH_MAX, "%s", prefix);
    while (count-- > 0) {
        n += snprintf(out + n, (size_t)(SP_TILE_PATH_MAX - n), "/%s%03u",
                      count ? "x" : "", groups[count]);
    }
    if (width < SP_TILE_WIDTH) {
        n += snprintf(out + n, (size_t)(SP_TILE_PATH_MAX - n), ".p/%u", width);
    }
    SP_ASSERT(n < SP_TILE_PATH_MAX);
}

void sp_tile_path(unsigned level, uint64_t index, unsigned width,
                  char out[SP_TILE_PATH_MAX])
{
    char prefix[16];
    SP_ASSERT(level < 64);
    snprintf(prefix, sizeof prefix, "tile/%u", level);
    number_path(prefix, index, width, out);
}

void sp_tile_entries_path(uint64_t index, unsigned width, char out[SP_TILE_PATH_MAX])
{
    number_path("tile/entries", index, width, out);
}

enum sp_err sp_tile_entries_append(struct sp_buf *bundle, struct sp_view entry)
{
    if (entry.len == 0) {
        return SP_E_MALFORMED;
    }
    if (entry.len > SP_LIMIT_LEDGER_ENTRY) {
        return SP_E_LIMIT;
    }
    uint8_t *room = NULL;
    SP_TRY(sp_buf_reserve(bundle, 2 + entry.len, &room));
    SP_TRY(sp_buf_append_byte(bundle, (uint8_t)(entry.len >> 8)));
    SP_TRY(sp_buf_append_byte(bundle, (uint8_t)entry.len));
    return sp_buf_append(bundle, entry);
}

enum sp_err sp_tile_entries_next(struct sp_view *bundle, struct sp_view *entry)
{
    if (bundle->len == 0) {
        return SP_E_AGAIN;
    }
    struct sp_cur c = sp_cur(*bundle);
    struct sp_view e = sp_cur_take(&c, sp_cur_be16(&c));
    sp_cur_expect(&c, e.len > 0, SP_E_MALFORMED);
    if (c.err != SP_OK) {
        return c.err;
    }
    *entry = e;
    *bundle = sp_view_slice(*bundle, c.at, bundle->len);
    return SP_OK;
}
