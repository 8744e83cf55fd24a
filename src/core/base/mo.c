#include "core/base/mo.h"

#include <string.h>

enum { HEADER = 28, ROW = 8, MOST = 1 << 20 };
#define MAGIC 0x950412deu

static uint32_t number(struct sp_view b, size_t at)
{
    return (uint32_t)b.data[at] | (uint32_t)b.data[at + 1] << 8 |
           (uint32_t)b.data[at + 2] << 16 | (uint32_t)b.data[at + 3] << 24;
}

/* The string of a row; false unless it lies in the bytes and ends with the one NUL. */
static bool string_of(struct sp_view b, uint32_t table, uint32_t row, const char **out)
{
    uint32_t len = number(b, table + row * ROW);
    uint32_t at = number(b, table + row * ROW + 4);
    if (at >= b.len || len >= b.len - at || b.data[at + len] != 0 ||
        memchr(b.data + at, 0, len)) {
        return false;
    }
    *out = (const char *)(b.data + at);
    return true;
}

static bool table_fits(struct sp_view b, uint32_t table, uint32_t count)
{
    return table <= b.len && (size_t)count * ROW <= b.len - table;
}

static bool strings_fit(const struct sp_mo *m)
{
    const char *before = "", *from, *to;
    for (uint32_t i = 0; i < m->count; i++) {
        if (!string_of(m->bytes, m->from, i, &from) ||
            !string_of(m->bytes, m->to, i, &to) || (i && strcmp(before, from) >= 0)) {
            return false;
        }
        before = from;
    }
    return true;
}

enum sp_err sp_mo_open(struct sp_view bytes, struct sp_mo *out)
{
    struct sp_mo m = {.bytes = bytes};
    if (bytes.len < HEADER || number(bytes, 0) != MAGIC) {
        return SP_E_MALFORMED;
    }
    if (number(bytes, 4) != 0) {
        return SP_E_UNSUPPORTED;
    }
    m.count = number(bytes, 8);
    m.from = number(bytes, 12);
    m.to = number(bytes, 16);
    if (m.count > MOST || !table_fits(bytes, m.from, m.count) ||
        !table_fits(bytes, m.to, m.count) || !strings_fit(&m)) {
        return SP_E_MALFORMED;
    }
    *out = m;
    return SP_OK;
}

const char *sp_mo_find(const struct sp_mo *m, const char *text)
{
    uint32_t low = 0, high = m->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *from = "", *to = NULL;
        if (!string_of(m->bytes, m->from, middle, &from)) {
            return NULL;
        }
        int order = strcmp(text, from);
        if (order == 0) {
            return string_of(m->bytes, m->to, middle, &to) ? to : NULL;
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return NULL;
}
