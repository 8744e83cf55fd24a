/* C2SP tlog-tiles: where hashes and entries lie, and how entries are bundled. */
#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "core/base/text.h"
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

/* Takes what stands before the next c, or everything. */
static struct sp_view take_until(struct sp_view *rest, uint8_t c)
{
    size_t end = sp_view_find(*rest, c);
    struct sp_view part = sp_view_slice(*rest, 0, end);
    *rest = sp_view_slice(*rest, end + 1, rest->len);
    return part;
}

static enum sp_err read_index(struct sp_view *rest, uint64_t *out)
{
    uint64_t index = 0;
    for (int groups = 0; groups < 7; groups++) {
        struct sp_view group = take_until(rest, '/');
        bool more = group.len > 0 && group.data[0] == 'x';
        uint64_t value = 0;
        group = sp_view_slice(group, more, group.len);
        for (size_t i = 0; i < group.len; i++) {
            value = value * 10 + (uint64_t)(group.data[i] - '0');
        }
        index = index * 1000 + value % 1000;
        if (!more) {
            *out = index;
            return SP_OK;
        }
    }
    return SP_E_MALFORMED;
}

/* Reads loosely, writes it again and compares: one spelling is left. */
enum sp_err sp_tile_path_parse(struct sp_view path, struct sp_tile_ref *out)
{
    struct sp_tile_ref t = {.width = SP_TILE_WIDTH};
    struct sp_view rest = path, partial = SP_VIEW(".p/");
    char text[SP_TILE_PATH_MAX];
    uint64_t number = 0;
    if (path.len >= sizeof text || !sp_view_eq_str(take_until(&rest, '/'), "tile")) {
        return SP_E_MALFORMED;
    }
    struct sp_view level = take_until(&rest, '/');
    t.is_entries = sp_view_eq_str(level, "entries");
    if (!t.is_entries) {
        SP_TRY(sp_u64_parse(level, 63, &number));
        t.level = (unsigned)number;
    }
    for (size_t i = 0; i + partial.len <= rest.len; i++) {
        struct sp_view tail = sp_view_slice(rest, i, rest.len);
        if (sp_view_starts(tail, partial)) {
            SP_TRY(sp_u64_parse(sp_view_slice(tail, partial.len, tail.len),
                                SP_TILE_WIDTH - 1, &number));
            t.width = (unsigned)number;
            rest = sp_view_slice(rest, 0, i);
            break;
        }
    }
    SP_TRY(t.width ? read_index(&rest, &t.index) : SP_E_MALFORMED);
    if (t.is_entries) {
        sp_tile_entries_path(t.index, t.width, text);
    } else {
        sp_tile_path(t.level, t.index, t.width, text);
    }
    if (!sp_view_eq_str(path, text)) {
        return SP_E_MALFORMED;
    }
    *out = t;
    return SP_OK;
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
