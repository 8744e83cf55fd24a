/* The directory, [MS-CFB] 2.6: each storage has a binary tree of what is in it. */
#include "core/sign/ole.h"

#include "core/base/cursor.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 64 };

struct sp_ole_entry sp_ole_entry(const struct sp_ole *o, uint32_t id)
{
    struct sp_ole_entry e = {0};
    struct sp_cur c = sp_cur(sp_buf_view(&o->entries));
    sp_cur_seek(&c, (size_t)id * SP_OLE_ENTRY);
    struct sp_view name = sp_cur_take(&c, NAME_BYTES);
    e.name = sp_view_slice(name, 0, sp_cur_le16(&c));
    e.type = sp_cur_u8(&c);
    e.colour = sp_cur_u8(&c);
    e.left = sp_cur_le32(&c);
    e.right = sp_cur_le32(&c);
    e.child = sp_cur_le32(&c);
    e.clsid = sp_cur_take(&c, 16);
    e.state = sp_cur_take(&c, 4);
    e.times = sp_cur_take(&c, 16);
    e.first = sp_cur_le32(&c);
    e.low_size = sp_cur_take(&c, 4);
    uint64_t high = sp_cur_le32(&c);
    struct sp_cur low = sp_cur(e.low_size);
    /* [MS-CFB] 2.6.1: in small sectors the upper half is not to be trusted */
    e.size = sp_cur_le32(&low) | (o->shift > 9 ? high << 32 : 0);
    return e;
}

static struct sp_view bytes_of(const struct sp_ole *o, uint32_t id)
{
    size_t at = (size_t)id * SP_OLE_ENTRY;
    return sp_view_slice(sp_buf_view(&o->entries), at, at + SP_OLE_ENTRY);
}

/* ---- what is in an entry and means nothing ---- */

static bool is_link(uint32_t id)
{
    return id != SP_OLE_NONE && id != 0;
}

static bool is_unused(const struct sp_ole *o, uint32_t id)
{
    enum { LINKS = 68, BEHIND = 80 };
    struct sp_ole_entry e = sp_ole_entry(o, id);
    struct sp_view v = bytes_of(o, id);
    return sp_sign_is_zero(sp_view_slice(v, 0, LINKS)) && !is_link(e.left) &&
           !is_link(e.right) && !is_link(e.child) &&
           sp_sign_is_zero(sp_view_slice(v, BEHIND, v.len));
}

static bool has_room(const struct sp_ole *o, uint32_t id)
{
    enum { HIGH_SIZE = 124 };
    struct sp_ole_entry e = sp_ole_entry(o, id);
    struct sp_view v = bytes_of(o, id);
    bool is_stream = e.type == SP_OLE_STREAM;
    return !sp_sign_is_zero(sp_view_slice(v, e.name.len, NAME_BYTES)) || e.colour > 1 ||
           (is_stream && (!sp_sign_is_zero(e.clsid) || is_link(e.child))) ||
           (o->shift == 9 && !sp_sign_is_zero(sp_view_slice(v, HIGH_SIZE, v.len)));
}

static bool is_name(struct sp_view v)
{
    return v.len >= 4 && v.len % 2 == 0 && v.data[v.len - 2] == 0 &&
           v.data[v.len - 1] == 0;
}

/* ---- order ---- */

static uint32_t unit_at(struct sp_view name, size_t i)
{
    uint32_t u = (uint32_t)name.data[i] | (uint32_t)name.data[i + 1] << 8;
    return u >= 'a' && u <= 'z' ? u - 'a' + 'A' : u;
}

/* [MS-CFB] 2.6.4: the shorter first, then unit by unit without case. Only the case of
 * ASCII is known here. */
static bool is_before(struct sp_view a, struct sp_view b)
{
    if (a.len != b.len) {
        return a.len < b.len;
    }
    for (size_t i = 0; i < a.len; i += 2) {
        if (unit_at(a, i) != unit_at(b, i)) {
            return unit_at(a, i) < unit_at(b, i);
        }
    }
    return false;
}

/* The order of digests is that of the bytes of names. */
struct item {
    struct sp_view name; /* borrowed from the directory */
    uint32_t id;
};

static int compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return sp_view_cmp(x->name, y->name);
}

/* ---- the trees ---- */

struct grower {
    struct sp_ole *ole;
    uint32_t *stack, *storages; /* owned; one an entry */
    struct item *items;         /* owned; one an entry */
    uint32_t storage_count;
    struct sp_why *why;
};

static void grower_fini(struct grower *g)
{
    free(g->stack);
    free(g->storages);
    free(g->items);
}

static enum sp_err start(struct grower *g)
{
    struct sp_ole *o = g->ole;
    g->stack = calloc(o->count, sizeof *g->stack);
    g->storages = calloc(o->count, sizeof *g->storages);
    g->items = calloc(o->count, sizeof *g->items);
    o->nodes = calloc(o->count, sizeof *o->nodes);
    if (!g->stack || !g->storages || !g->items || !o->nodes) {
        return SP_E_NOMEM;
    }
    for (uint32_t i = 0; i < o->count; i++) {
        o->nodes[i].parent = o->nodes[i].next = o->nodes[i].child = SP_OLE_NONE;
    }
    return SP_OK;
}

static enum sp_err broken(struct grower *g)
{
    return sp_why_set(g->why, SP_E_MALFORMED, "the directory is broken");
}

/* Every entry is reached once, whatever the links say. */
static enum sp_err reach(struct grower *g, uint32_t id, uint32_t parent)
{
    struct sp_ole *o = g->ole;
    if (id >= o->count || id == 0) {
        return broken(g);
    }
    if (o->nodes[id].is_live) {
        return sp_why_set(g->why, SP_E_MISMATCH,
                          "the directory reaches an entry in two ways");
    }
    struct sp_ole_entry e = sp_ole_entry(o, id);
    if ((e.type != SP_OLE_STORAGE && e.type != SP_OLE_STREAM) || !is_name(e.name)) {
        return broken(g);
    }
    sp_ole_note(o, has_room(o, id),
                "fields of the directory that mean nothing are set");
    o->nodes[id].is_live = true;
    o->nodes[id].parent = parent;
    if (e.type == SP_OLE_STORAGE) {
        g->storages[g->storage_count++] = id;
    }
    return SP_OK;
}

/* Fills items in the order of the tree; the stack holds what was reached only, so it is
 * never deeper than there are entries. */
static enum sp_err walk(struct grower *g, uint32_t storage, uint32_t *found)
{
    struct sp_ole *o = g->ole;
    uint32_t depth = 0, count = 0, at = sp_ole_entry(o, storage).child;
    while (depth > 0 || at != SP_OLE_NONE) {
        if (at != SP_OLE_NONE) {
            SP_TRY(reach(g, at, storage));
            g->stack[depth++] = at;
            at = sp_ole_entry(o, at).left;
            continue;
        }
        uint32_t id = g->stack[--depth];
        struct sp_ole_entry e = sp_ole_entry(o, id);
        sp_ole_note(o, count > 0 && !is_before(g->items[count - 1].name, e.name),
                    "names in the directory are out of order, so that readers find "
                    "different streams");
        g->items[count++] = (struct item){e.name, id};
        at = e.right;
    }
    *found = count;
    return SP_OK;
}

static enum sp_err add_storage(struct grower *g, uint32_t storage)
{
    uint32_t count = 0, next = SP_OLE_NONE;
    SP_TRY(walk(g, storage, &count));
    qsort(g->items, count, sizeof *g->items, compare);
    while (count > 0) {
        uint32_t id = g->items[--count].id;
        g->ole->nodes[id].next = next;
        next = id;
    }
    g->ole->nodes[storage].child = next;
    return SP_OK;
}

/* The root goes by this name, is made at no time and beside nobody. */
static enum sp_err check_root(struct grower *g)
{
    static const uint8_t name[] = "R\0o\0o\0t\0 \0E\0n\0t\0r\0y\0\0";
    struct sp_ole *o = g->ole;
    struct sp_ole_entry e = sp_ole_entry(o, 0);
    if (e.type != SP_OLE_ROOT) {
        return broken(g);
    }
    bool is_plain = sp_view_eq(e.name, sp_view(name, sizeof name)) &&
                    !is_link(e.left) && !is_link(e.right) &&
                    sp_sign_is_zero(sp_view_slice(e.times, 0, 8));
    sp_ole_note(o, !is_plain || has_room(o, 0),
                "fields of the directory that mean nothing are set");
    o->nodes[0].is_live = true;
    g->storages[g->storage_count++] = 0;
    return SP_OK;
}

enum sp_err sp_ole_grow(struct sp_ole *o, struct sp_why *why)
{
    SP_AUTO(grower_fini) struct grower g = {.ole = o, .why = why};
    o->count = (uint32_t)(o->entries.len / SP_OLE_ENTRY);
    SP_TRY(start(&g));
    SP_TRY(check_root(&g));
    for (uint32_t i = 0; i < g.storage_count; i++) {
        SP_TRY(add_storage(&g, g.storages[i]));
    }
    for (uint32_t id = 0; id < o->count; id++) {
        sp_ole_note(o, !o->nodes[id].is_live && !is_unused(o, id),
                    "the directory has entries that nothing leads to");
    }
    return SP_OK;
}

/* ---- what is asked of it ---- */

static bool is_named(struct sp_view name, const char *ascii)
{
    size_t len = strlen(ascii) + 1;
    for (size_t i = 0; name.len == 2 * len && i < len; i++) {
        if (name.data[2 * i] != (uint8_t)ascii[i] || name.data[2 * i + 1] != 0) {
            return false;
        }
    }
    return name.len == 2 * len;
}

uint32_t sp_ole_find(const struct sp_ole *o, const char *name)
{
    uint32_t id = o->nodes[0].child;
    while (id != SP_OLE_NONE) {
        struct sp_ole_entry e = sp_ole_entry(o, id);
        if (e.type == SP_OLE_STREAM && is_named(e.name, name)) {
            return id;
        }
        id = o->nodes[id].next;
    }
    return SP_OLE_NONE;
}

static uint32_t innermost(const struct sp_ole *o, uint32_t id)
{
    while (o->nodes[id].child != SP_OLE_NONE) {
        id = o->nodes[id].child;
    }
    return id;
}

bool sp_ole_next(const struct sp_ole *o, uint32_t *id)
{
    if (*id == 0) {
        return false;
    }
    if (*id == SP_OLE_NONE) {
        *id = innermost(o, 0);
    } else {
        const struct sp_ole_node *n = &o->nodes[*id];
        *id = n->next != SP_OLE_NONE ? innermost(o, n->next) : n->parent;
    }
    return true;
}

bool sp_ole_next_outer(const struct sp_ole *o, uint32_t *id)
{
    uint32_t at = *id;
    if (at == SP_OLE_NONE || o->nodes[at].child != SP_OLE_NONE) {
        *id = at == SP_OLE_NONE ? 0 : o->nodes[at].child;
        return true;
    }
    while (at != 0 && o->nodes[at].next == SP_OLE_NONE) {
        at = o->nodes[at].parent;
    }
    if (at != 0) {
        *id = o->nodes[at].next;
    }
    return at != 0;
}
