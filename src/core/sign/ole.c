/* Header, allocation tables and chains, [MS-CFB] 2.1 to 2.5. */
#include "core/sign/ole.h"

#include "core/base/cursor.h"

#include <stdlib.h>
#include <string.h>

enum { IN_HEADER = 109, MINI_SHIFT = 6, HEADER = 512, DIFAT_AT = 76 };
#define FAT_SECTOR   UINT32_C(0xfffffffd)
#define DIFAT_SECTOR UINT32_C(0xfffffffc)

static const char unused_places[] = "sectors are listed that the table has no use for";

void sp_ole_note(struct sp_ole *o, bool is_odd, const char *what)
{
    if (is_odd && !o->odd) {
        o->odd = what;
    }
}

static uint32_t number_at(const struct sp_buf *b, uint32_t i)
{
    struct sp_cur c = sp_cur(sp_buf_view(b));
    sp_cur_seek(&c, (size_t)i * 4);
    return sp_cur_le32(&c);
}

static uint64_t offset_of(const struct sp_ole *o, uint32_t sector)
{
    return ((uint64_t)sector + 1) << o->shift;
}

static uint64_t mini_offset_of(const struct sp_ole *o, uint32_t sector)
{
    unsigned step = o->shift - MINI_SHIFT;
    uint32_t within = sector & ((1U << step) - 1);
    return offset_of(o, o->mini_places[sector >> step]) +
           ((uint64_t)within << MINI_SHIFT);
}

static uint64_t units(uint64_t size, unsigned shift)
{
    return (size >> shift) + ((size & ((1U << shift) - 1)) != 0);
}

static bool is_owned(const struct sp_ole_table *t, uint32_t sector)
{
    return (t->owned[sector / 8] >> sector % 8 & 1) != 0;
}

static enum sp_err own(struct sp_ole_table *t, uint32_t sector, struct sp_why *why)
{
    if (sector >= t->count) {
        return sp_why_set(why, SP_E_MALFORMED, "a chain of sectors leaves the file");
    }
    if (is_owned(t, sector)) {
        return sp_why_set(why, SP_E_MISMATCH,
                          "chains of sectors meet, or one runs in a circle");
    }
    t->owned[sector / 8] |= (uint8_t)(1U << sector % 8);
    return SP_OK;
}

/* Takes a whole chain for one owner, which needs this many sectors; *last is the last
 * one that it needs, *found how many there are. */
static enum sp_err own_chain(struct sp_ole_table *t, uint32_t first, uint64_t needed,
                             uint32_t *last, uint64_t *found, struct sp_why *why)
{
    uint64_t n = 0;
    for (uint32_t at = first; at != SP_OLE_END; at = number_at(&t->next, at)) {
        SP_TRY(own(t, at, why));
        n++;
        *last = n == needed ? at : *last;
    }
    *found = n;
    return n >= needed ? SP_OK
                       : sp_why_set(why, SP_E_MALFORMED,
                                    "a chain of sectors ends before its stream");
}

/* ---- header ---- */

static bool read_versions(struct sp_ole *o, struct sp_cur *c)
{
    sp_cur_seek(c, 26);
    uint32_t major = sp_cur_le16(c), order = sp_cur_le16(c);
    uint32_t shift = sp_cur_le16(c), mini_shift = sp_cur_le16(c);
    o->shift = shift;
    return order == 0xfffe && mini_shift == MINI_SHIFT &&
           ((major == 3 && shift == 9) || (major == 4 && shift == 12));
}

static void read_counts(struct sp_ole *o, struct sp_cur *c)
{
    sp_cur_seek(c, 40);
    o->directory_count = sp_cur_le32(c);
    o->fat_count = sp_cur_le32(c);
    o->directory = sp_cur_le32(c);
    sp_cur_skip(c, 4);
    sp_cur_expect(c, sp_cur_le32(c) == SP_OLE_CUTOFF, SP_E_MALFORMED);
    o->mini = sp_cur_le32(c);
    o->mini_count = sp_cur_le32(c);
    o->difat = sp_cur_le32(c);
    o->difat_count = sp_cur_le32(c);
}

/* What means nothing has one value; no digest covers it. */
static void note_header(struct sp_ole *o, struct sp_view head)
{
    bool is_blank = sp_sign_is_zero(sp_view_slice(head, 8, 24)) &&
                    sp_sign_is_zero(sp_view_slice(head, 34, 40));
    sp_ole_note(o, !is_blank || (o->shift == 9 && o->directory_count != 0),
                "fields of the header that mean nothing are set");
    if (o->shift > 9) {
        struct sp_view rest = sp_view_slice(head, HEADER, (size_t)1 << o->shift);
        sp_ole_note(o, !sp_sign_is_zero(rest), "bytes stand behind the header");
    }
}

static bool is_all_none(struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] != 0xff) {
            return false;
        }
    }
    return true;
}

static enum sp_err broken_lists(struct sp_why *why)
{
    return sp_why_set(why, SP_E_MALFORMED,
                      "the lists of the allocation table are broken");
}

/* Numbers of sectors; all of them are in the file. */
static enum sp_err add_places(struct sp_ole *o, struct sp_view list, struct sp_why *why)
{
    struct sp_cur c = sp_cur(list);
    while (sp_cur_left(&c) > 0) {
        if (sp_cur_le32(&c) >= o->sectors) {
            return broken_lists(why);
        }
    }
    return sp_buf_append(&o->fat_places, list);
}

/* More lists follow where fewer than all are there, and no others. */
static enum sp_err check_next_list(const struct sp_ole *o, struct sp_why *why)
{
    bool is_last = o->difat_places.len / 4 == o->difat_count;
    bool is_good = is_last ? o->difat >= SP_OLE_END : o->difat < o->sectors;
    return is_good ? SP_OK : broken_lists(why);
}

/* The sectors of the table: 109 of them in the header, the others in sectors of their
 * own, whose number follows from that. */
static enum sp_err read_places(struct sp_ole *o, struct sp_view head,
                               struct sp_why *why)
{
    uint32_t here = o->fat_count < IN_HEADER ? o->fat_count : IN_HEADER;
    uint32_t each = (1U << o->shift) / 4 - 1;
    size_t end = DIFAT_AT + (size_t)here * 4;
    if (o->difat_count != (o->fat_count - here + each - 1) / each) {
        return broken_lists(why);
    }
    sp_ole_note(o, !is_all_none(sp_view_slice(head, end, HEADER)), unused_places);
    sp_buf_init(&o->fat_places, SP_LIMIT_OLE_TABLE >> 7);
    sp_buf_init(&o->difat_places, SP_LIMIT_OLE_TABLE >> 7);
    SP_TRY(check_next_list(o, why));
    return add_places(o, sp_view_slice(head, DIFAT_AT, end), why);
}

static enum sp_err read_header(struct sp_ole *o, struct sp_view head,
                               struct sp_why *why)
{
    struct sp_cur c = sp_cur(head);
    bool is_known = read_versions(o, &c);
    read_counts(o, &c);
    if (!is_known || c.err != SP_OK || head.len < HEADER || o->size >> o->shift < 2) {
        return sp_why_set(why, SP_E_MALFORMED, "the header is broken");
    }
    uint64_t sectors = (o->size >> o->shift) - 1;
    o->sectors = sectors < DIFAT_SECTOR ? (uint32_t)sectors : DIFAT_SECTOR;
    if (o->fat_count == 0 || o->fat_count > SP_LIMIT_OLE_TABLE >> o->shift) {
        return sp_why_set(why, o->fat_count ? SP_E_LIMIT : SP_E_MALFORMED,
                          "the allocation table is empty or larger than %zu bytes",
                          SP_LIMIT_OLE_TABLE);
    }
    note_header(o, head);
    return read_places(o, head, why);
}

enum sp_err sp_ole_new(struct sp_view head, uint64_t size, struct sp_ole **out,
                       struct sp_why *why)
{
    SP_AUTO(sp_ole_free) struct sp_ole *o = calloc(1, sizeof *o);
    if (!o) {
        return SP_E_NOMEM;
    }
    o->size = size;
    SP_TRY(read_header(o, head, why));
    *out = o;
    o = NULL;
    return SP_OK;
}

static void table_fini(struct sp_ole_table *t)
{
    sp_buf_fini(&t->next);
    free(t->owned);
}

void sp_ole_free(struct sp_ole **o)
{
    if (*o) {
        sp_buf_fini(&(*o)->fat_places);
        sp_buf_fini(&(*o)->difat_places);
        sp_buf_fini(&(*o)->entries);
        table_fini(&(*o)->fat);
        table_fini(&(*o)->mini_fat);
        free((*o)->nodes);
        free((*o)->mini_places);
        free(*o);
        *o = NULL;
    }
}

/* ---- the allocation table ---- */

bool sp_ole_wants_difat(const struct sp_ole *o, struct sp_range *out)
{
    if (o->difat_places.len / 4 == o->difat_count) {
        return false;
    }
    *out = (struct sp_range){offset_of(o, o->difat), (uint64_t)1 << o->shift};
    return true;
}

enum sp_err sp_ole_add_difat(struct sp_ole *o, struct sp_view sector,
                             struct sp_why *why)
{
    uint8_t place[4];
    struct sp_view list = sp_view_slice(sector, 0, sector.len - 4);
    struct sp_cur c = sp_cur(sp_view_slice(sector, list.len, sector.len));
    size_t missing = (size_t)o->fat_count * 4 - o->fat_places.len;
    for (unsigned i = 0; i < sizeof place; i++) {
        place[i] = (uint8_t)(o->difat >> 8 * i);
    }
    SP_TRY(sp_buf_append(&o->difat_places, sp_view(place, sizeof place)));
    sp_ole_note(o, !is_all_none(sp_view_slice(list, missing, list.len)), unused_places);
    o->difat = sp_cur_le32(&c);
    SP_TRY(check_next_list(o, why));
    return add_places(o, sp_view_slice(list, 0, missing), why);
}

bool sp_ole_fat_run(const struct sp_ole *o, uint32_t *at, struct sp_range *out)
{
    uint32_t from = *at, first = number_at(&o->fat_places, from);
    while (*at < o->fat_count && number_at(&o->fat_places, *at) - first == *at - from) {
        ++*at;
    }
    *out = (struct sp_range){offset_of(o, first), (uint64_t)(*at - from) << o->shift};
    return *at > from;
}

/* What lies in the table behind count has nothing to say. Some writers end the mini
 * stream's with one more end. */
static void note_rest(struct sp_ole *o, const struct sp_ole_table *t, bool may_end)
{
    for (uint32_t i = t->count; i < t->next.len / 4; i++) {
        uint32_t next = number_at(&t->next, i);
        bool is_end = may_end && i == t->count && next == SP_OLE_END;
        sp_ole_note(o, next != SP_OLE_NONE && !is_end,
                    "an allocation table speaks of sectors that are not there");
    }
}

static enum sp_err start_table(struct sp_ole_table *t, struct sp_buf *bytes,
                               uint64_t sectors)
{
    sp_buf_take(bytes, &t->next);
    t->count = (uint32_t)(sectors < t->next.len / 4 ? sectors : t->next.len / 4);
    t->owned = calloc(t->count / 8 + 1, 1);
    return t->owned ? SP_OK : SP_E_NOMEM;
}

/* [MS-CFB] 2.3: the table's own sectors, and those of its lists, are marked in it. */
static enum sp_err own_marked(struct sp_ole *o, const struct sp_buf *places,
                              uint32_t mark, struct sp_why *why)
{
    for (uint32_t i = 0; i < places->len / 4; i++) {
        uint32_t at = number_at(places, i);
        SP_TRY(own(&o->fat, at, why));
        if (number_at(&o->fat.next, at) != mark) {
            return sp_why_set(why, SP_E_MALFORMED,
                              "a sector of the allocation table is not marked as one");
        }
    }
    return SP_OK;
}

enum sp_err sp_ole_take_fat(struct sp_ole *o, struct sp_buf *bytes, struct sp_why *why)
{
    uint32_t last = 0;
    uint64_t found = 0;
    SP_TRY(start_table(&o->fat, bytes, o->sectors));
    note_rest(o, &o->fat, false);
    SP_TRY(own_marked(o, &o->fat_places, FAT_SECTOR, why));
    SP_TRY(own_marked(o, &o->difat_places, DIFAT_SECTOR, why));
    SP_TRY(own_chain(&o->fat, o->directory, 1, &last, &found, why));
    sp_ole_note(o, o->shift > 9 && found != o->directory_count,
                "the header gives the directory another size");
    o->directory_count = (uint32_t)found;
    if (found << o->shift > (uint64_t)SP_LIMIT_OLE_ENTRIES * SP_OLE_ENTRY) {
        return sp_why_set(why, SP_E_LIMIT, "the directory has more than %d entries",
                          SP_LIMIT_OLE_ENTRIES);
    }
    if (o->mini_count == 0) {
        return o->mini >= SP_OLE_END
                   ? SP_OK
                   : sp_why_set(why, SP_E_MALFORMED, "the header is broken");
    }
    SP_TRY(own_chain(&o->fat, o->mini, o->mini_count, &last, &found, why));
    if (found != o->mini_count ||
        found << o->shift > (uint64_t)SP_LIMIT_OLE_ENTRIES * SP_OLE_CUTOFF / 16) {
        return sp_why_set(why, SP_E_LIMIT,
                          "the table of the mini stream has a wrong size");
    }
    return SP_OK;
}

enum sp_err sp_ole_take_directory(struct sp_ole *o, struct sp_buf *bytes,
                                  struct sp_why *why)
{
    sp_buf_take(bytes, &o->entries);
    return sp_ole_grow(o, why);
}

/* ---- streams ---- */

/* Where the mini stream lies, which the root entry holds. */
static enum sp_err own_mini_stream(struct sp_ole *o, struct sp_why *why)
{
    struct sp_ole_entry root = sp_ole_entry(o, 0);
    uint64_t needed = units(root.size, o->shift), found = 0;
    if (root.size > (uint64_t)SP_LIMIT_OLE_ENTRIES * SP_OLE_CUTOFF) {
        return sp_why_set(why, SP_E_LIMIT, "the mini stream is too large");
    }
    o->mini_places = calloc(needed + 1, sizeof *o->mini_places);
    if (!o->mini_places) {
        return SP_E_NOMEM;
    }
    if (needed == 0) {
        return SP_OK;
    }
    SP_TRY(own_chain(&o->fat, root.first, needed, &o->nodes[0].last, &found, why));
    sp_ole_note(o, found > needed, "a chain of sectors is longer than its stream");
    uint32_t at = root.first;
    for (uint64_t i = 0; i < needed; i++) {
        o->mini_places[i] = at;
        at = number_at(&o->fat.next, at);
    }
    return SP_OK;
}

static enum sp_err own_stream(struct sp_ole *o, uint32_t id, struct sp_why *why)
{
    struct sp_ole_entry e = sp_ole_entry(o, id);
    bool is_mini = e.size < SP_OLE_CUTOFF;
    uint64_t needed = units(e.size, is_mini ? MINI_SHIFT : o->shift), found = 0;
    if (e.type != SP_OLE_STREAM || e.size == 0) {
        return SP_OK;
    }
    SP_TRY(own_chain(is_mini ? &o->mini_fat : &o->fat, e.first, needed,
                     &o->nodes[id].last, &found, why));
    sp_ole_note(o, found > needed, "a chain of sectors is longer than its stream");
    return SP_OK;
}

static void note_unowned(struct sp_ole *o, const struct sp_ole_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        sp_ole_note(o, !is_owned(t, i) && number_at(&t->next, i) != SP_OLE_NONE,
                    "sectors are allocated that no stream owns");
    }
}

enum sp_err sp_ole_take_mini(struct sp_ole *o, struct sp_buf *bytes, struct sp_why *why)
{
    SP_TRY(own_mini_stream(o, why));
    SP_TRY(
        start_table(&o->mini_fat, bytes, units(sp_ole_entry(o, 0).size, MINI_SHIFT)));
    note_rest(o, &o->mini_fat, true);
    for (uint32_t id = 1; id < o->count; id++) {
        SP_TRY(o->nodes[id].is_live ? own_stream(o, id, why) : SP_OK);
    }
    note_unowned(o, &o->fat);
    note_unowned(o, &o->mini_fat);
    for (o->end = o->fat.count; !is_owned(&o->fat, o->end - 1);) {
        o->end--;
    }
    return SP_OK;
}

struct sp_ole_reader sp_ole_directory(const struct sp_ole *o)
{
    return (struct sp_ole_reader){false, o->directory,
                                  (uint64_t)o->directory_count << o->shift};
}

struct sp_ole_reader sp_ole_mini_table(const struct sp_ole *o)
{
    return (struct sp_ole_reader){false, o->mini, (uint64_t)o->mini_count << o->shift};
}

struct sp_ole_reader sp_ole_stream(const struct sp_ole *o, uint32_t id)
{
    struct sp_ole_entry e = sp_ole_entry(o, id);
    return (struct sp_ole_reader){e.size < SP_OLE_CUTOFF, e.first, e.size};
}

static uint64_t place_of(const struct sp_ole *o, bool is_mini, uint32_t sector)
{
    return is_mini ? mini_offset_of(o, sector) : offset_of(o, sector);
}

bool sp_ole_run(const struct sp_ole *o, struct sp_ole_reader *r, struct sp_range *out)
{
    const struct sp_ole_table *t = r->is_mini ? &o->mini_fat : &o->fat;
    uint64_t unit = (uint64_t)1 << (r->is_mini ? MINI_SHIFT : o->shift);
    struct sp_range run = {0};
    if (r->left == 0) {
        return false;
    }
    run.at = place_of(o, r->is_mini, r->at);
    do {
        uint64_t n = r->left < unit ? r->left : unit;
        run.length += n;
        r->left -= n;
        r->at = number_at(&t->next, r->at);
    } while (r->left > 0 && place_of(o, r->is_mini, r->at) == run.at + run.length);
    *out = run;
    return true;
}

bool sp_ole_slack(const struct sp_ole *o, uint32_t id, struct sp_range *out)
{
    struct sp_ole_entry e = sp_ole_entry(o, id);
    bool is_mini = id != 0 && e.size < SP_OLE_CUTOFF;
    uint64_t unit = (uint64_t)1 << (is_mini ? MINI_SHIFT : o->shift);
    uint64_t used = e.size & (unit - 1);
    bool holds = o->nodes[id].is_live && (e.type == SP_OLE_STREAM || id == 0);
    if (!holds || used == 0) {
        return false;
    }
    uint64_t at = place_of(o, is_mini, o->nodes[id].last);
    *out = (struct sp_range){at + used, unit - used};
    return true;
}

bool sp_ole_unowned(const struct sp_ole *o, bool is_mini, uint32_t *at,
                    struct sp_range *out)
{
    const struct sp_ole_table *t = is_mini ? &o->mini_fat : &o->fat;
    uint32_t end = is_mini ? t->count : o->end;
    uint64_t unit = (uint64_t)1 << (is_mini ? MINI_SHIFT : o->shift);
    while (*at < end && is_owned(t, *at)) {
        ++*at;
    }
    if (*at == end) {
        return false;
    }
    *out = (struct sp_range){place_of(o, is_mini, *at), 0};
    do {
        out->length += unit;
        ++*at;
    } while (*at < end && !is_owned(t, *at) &&
             place_of(o, is_mini, *at) == out->at + out->length);
    return true;
}
