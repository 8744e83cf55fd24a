/* The version resource of a PE image, [PE] ".rsrc" and VS_VERSIONINFO: the names under
 * which its makers know a program, whatever the file is called. Three levels of
 * directories (type, name, language) lead to it; the first of each counts. What cannot
 * be read says nothing: whether the image is sound is for its signature to prove. */
#include "core/sign/version.h"

#include "core/base/cursor.h"
#include "core/base/text.h"

enum {
    DIRECTORY = 16, /* bytes of a directory's head; 8 an entry */
    ENTRIES_MAX = 1024,
    DATA = 16, /* bytes of a data entry */
    RT_VERSION = 16,
    TABLES_MAX = 8,
    TEXT_MAX = 256 /* bytes of a name that is kept */
};
#define IS_DIRECTORY UINT32_C(0x80000000)

/* ---- the way to it ------------------------------------------------------------- */

/* [PE] "Section Table (Section Headers)": the one that holds the address. */
static bool find_section(struct sp_cur c, uint32_t sections, uint32_t address,
                         struct sp_version *out)
{
    for (uint32_t i = 0; i < sections; i++) {
        sp_cur_skip(&c, 12);
        uint32_t va = sp_cur_le32(&c), length = sp_cur_le32(&c), at = sp_cur_le32(&c);
        sp_cur_skip(&c, 16);
        if (c.err == SP_OK && at > 0 && address >= va && address - va < length) {
            out->section = (struct sp_range){at, length};
            out->va = va;
            return true;
        }
    }
    return false;
}

/* A part of the section; false where it does not lie in it, or in the file. */
static bool collect(struct sp_sign *s, uint64_t at, uint64_t most, uint64_t least)
{
    const struct sp_range *r = &s->version.section;
    if (at >= r->length || r->at >= s->size || r->length > s->size - r->at) {
        return false;
    }
    uint64_t left = r->length - at;
    if (left < least) {
        return false;
    }
    sp_sign_collect(s, r->at + at, left < most ? left : most);
    return true;
}

static bool collect_directory(struct sp_sign *s, uint64_t at)
{
    return collect(s, at, DIRECTORY + 8 * ENTRIES_MAX, DIRECTORY + 8);
}

bool sp_version_begin(struct sp_sign *s, struct sp_cur table, uint32_t sections,
                      uint32_t address)
{
    s->version = (struct sp_version){.level = 0};
    if (address == 0 || !find_section(table, sections, address, &s->version)) {
        return false;
    }
    s->version.root = address - s->version.va;
    return collect_directory(s, s->version.root);
}

/* The entry of this number, or the first of all: names stand before numbers. */
static bool find_entry(struct sp_view bytes, bool any, uint32_t number, uint32_t *out)
{
    struct sp_cur c = sp_cur(bytes);
    sp_cur_skip(&c, 12);
    uint32_t count = sp_cur_le16(&c);
    count += sp_cur_le16(&c);
    for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
        uint32_t name = sp_cur_le32(&c);
        *out = sp_cur_le32(&c);
        if (c.err != SP_OK) {
            return false;
        }
        if (any || name == number) {
            return true;
        }
    }
    return false;
}

/* One level down; offsets of directories count from the root. */
static bool descend(struct sp_sign *s)
{
    struct sp_version *v = &s->version;
    uint32_t to = 0;
    if (!find_entry(sp_buf_view(&s->piece), v->level > 0, RT_VERSION, &to)) {
        return false;
    }
    bool is_directory = (to & IS_DIRECTORY) != 0;
    uint64_t at = (uint64_t)v->root + (to & ~IS_DIRECTORY);
    v->level++;
    if (v->level < 3) {
        return is_directory && collect_directory(s, at);
    }
    return !is_directory && collect(s, at, DATA, DATA);
}

static bool follow_data(struct sp_sign *s)
{
    struct sp_cur c = sp_cur(sp_buf_view(&s->piece));
    uint32_t address = sp_cur_le32(&c), length = sp_cur_le32(&c);
    s->version.level++;
    return c.err == SP_OK && length > 0 && length <= SP_LIMIT_VERSION &&
           address >= s->version.va &&
           collect(s, address - s->version.va, length, length);
}

/* ---- VS_VERSIONINFO ------------------------------------------------------------ */

struct block {
    struct sp_view key;  /* UTF-16LE */
    struct sp_view rest; /* value and children, from where they begin */
    size_t value;        /* bytes of the value that the block announces */
};

static size_t aligned(size_t at)
{
    return (at + 3) & ~(size_t)3;
}

static size_t length_of_text(struct sp_view v)
{
    size_t n = 0;
    while (n + 1 < v.len && (v.data[n] || v.data[n + 1])) {
        n += 2;
    }
    return n;
}

/* wLength, wValueLength, wType, szKey, padding: all aligned to four bytes. */
static bool next_block(struct sp_cur *c, struct block *out)
{
    enum { HEAD = 6 };
    struct sp_view all = sp_view_slice(c->bytes, c->at, c->bytes.len);
    size_t length = sp_cur_le16(c);
    size_t value = sp_cur_le16(c), unit = sp_cur_le16(c) == 1 ? 2 : 1;
    if (c->err != SP_OK || length < HEAD || length > all.len) {
        return false;
    }
    struct sp_view block = sp_view_slice(all, 0, length);
    out->key = sp_view_slice(block, HEAD, length);
    out->key = sp_view_slice(out->key, 0, length_of_text(out->key));
    out->rest = sp_view_slice(block, aligned(HEAD + out->key.len + 2), length);
    out->value = value * unit;
    size_t step = aligned(length) < all.len ? aligned(length) : all.len;
    sp_cur_skip(c, step - HEAD);
    return true;
}

static bool is_key(const struct block *b, const char *key)
{
    size_t n = 0;
    for (; key[n] && 2 * n + 1 < b->key.len; n++) {
        if (b->key.data[2 * n] != (uint8_t)key[n] || b->key.data[2 * n + 1]) {
            return false;
        }
    }
    return !key[n] && b->key.len == 2 * n;
}

static enum sp_err state(struct sp_sign *s, enum sp_fact k, struct sp_view wide)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, TEXT_MAX);
    if (sp_facts_count(s->facts, k) == TABLES_MAX) {
        return SP_OK;
    }
    enum sp_err e =
        sp_utf16le_to_utf8(sp_view_slice(wide, 0, length_of_text(wide)), &text);
    if (e == SP_E_NOMEM) {
        return e;
    }
    return e == SP_OK && text.len > 0 ? sp_facts_text(s->facts, k, sp_buf_view(&text))
                                      : SP_OK;
}

static enum sp_err state_string(struct sp_sign *s, const struct block *b)
{
    static const struct {
        const char *key;
        enum sp_fact fact;
    } known[] = {{"OriginalFilename", SP_FACT_VERSION_ORIGINAL_NAME},
                 {"InternalName", SP_FACT_VERSION_INTERNAL_NAME},
                 {"ProductName", SP_FACT_VERSION_PRODUCT},
                 {"CompanyName", SP_FACT_VERSION_COMPANY}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (is_key(b, known[i].key)) {
            return state(s, known[i].fact, b->rest);
        }
    }
    return SP_OK;
}

static enum sp_err read_tables(struct sp_sign *s, struct sp_view bytes)
{
    struct sp_cur tables = sp_cur(bytes);
    struct block table, string;
    for (size_t i = 0; i < TABLES_MAX && next_block(&tables, &table); i++) {
        struct sp_cur strings = sp_cur(table.rest);
        while (next_block(&strings, &string)) {
            SP_TRY(state_string(s, &string));
        }
    }
    return SP_OK;
}

static enum sp_err read_version(struct sp_sign *s)
{
    struct sp_cur c = sp_cur(sp_buf_view(&s->piece));
    struct block root, part;
    if (!next_block(&c, &root) || !is_key(&root, "VS_VERSION_INFO")) {
        return SP_OK;
    }
    struct sp_cur parts =
        sp_cur(sp_view_slice(root.rest, aligned(root.value), root.rest.len));
    while (next_block(&parts, &part)) {
        if (is_key(&part, "StringFileInfo")) {
            SP_TRY(read_tables(s, part.rest));
        }
    }
    return SP_OK;
}

enum sp_err sp_version_step(struct sp_sign *s, bool *more)
{
    enum { AT_DATA = 3, AT_VERSION = 4 };
    *more = false;
    if (s->version.level == AT_VERSION) {
        return read_version(s);
    }
    *more = s->version.level == AT_DATA ? follow_data(s) : descend(s);
    return SP_OK;
}
