/* PE images, [Authenticode_PE] and [PE]: the certificate table (data directory 4)
 * stands at the end; CheckSum, the directory's entry and the table are left out of the
 * digest. */
#include "core/sign/version.h"

enum {
    DOS_HEADER = 64,
    LFANEW = 0x3c,
    COFF = 24, /* "PE\0\0" and the file header */
    CHECKSUM = COFF + 64,
    SECTION = 40,
    SECTIONS_MAX = 96,
    MAGIC32 = 0x10b,
    MAGIC64 = 0x20b,
    RESOURCES = 2,     /* indices of data directories */
    SECURITY = 4,      /* the certificate table */
    IS_UNSIGNED = 100, /* the step after which no table comes */
    AT_TABLE = 2,      /* the step that looks for the certificate table */
    AT_VERSION = 200,  /* the step that reads resources, and comes again */
    HEADERS = COFF + 240 + SECTIONS_MAX * SECTION
};

struct image {
    uint64_t at; /* of the PE header in the file */
    uint32_t sections, optional_size, magic, directories;
    uint32_t headers_size;
    uint32_t table_at, table_size;
    uint32_t resources; /* address; 0: none */
    uint32_t entry;     /* offset of the directory's entry in the PE header; 0: none */
};

bool sp_pe_probe(struct sp_view head)
{
    return head.len >= DOS_HEADER && sp_view_starts(head, SP_VIEW("MZ"));
}

static void collect_headers(struct sp_sign *s)
{
    uint64_t left = s->size - s->table.at;
    sp_sign_collect(s, s->table.at, left < HEADERS ? left : HEADERS);
}

static enum sp_err find_headers(struct sp_sign *s)
{
    struct sp_cur c = sp_cur(sp_buf_view(&s->piece));
    sp_cur_seek(&c, LFANEW);
    uint64_t at = sp_cur_le32(&c);
    if (c.err != SP_OK || at >= s->size || s->size - at < COFF) {
        return sp_sign_broken(s, "an old program without a PE header");
    }
    s->table.at = at;
    collect_headers(s);
    return SP_OK;
}

/* The optional header, [PE] "Optional Header": CheckSum has the same place in both. */
static bool read_optional(struct sp_cur *c, struct image *out)
{
    enum { OPTIONAL = COFF, HEADERS_SIZE = 60 };
    sp_cur_seek(c, OPTIONAL);
    out->magic = sp_cur_le16(c);
    if (out->magic != MAGIC32 && out->magic != MAGIC64) {
        return false;
    }
    size_t directories = out->magic == MAGIC32 ? 96 : 112;
    sp_cur_seek(c, OPTIONAL + HEADERS_SIZE);
    out->headers_size = sp_cur_le32(c);
    sp_cur_seek(c, OPTIONAL + directories - 4);
    out->directories = sp_cur_le32(c);
    size_t entry = directories + SECURITY * 8;
    if (out->directories > RESOURCES) {
        sp_cur_seek(c, OPTIONAL + directories + RESOURCES * 8);
        out->resources = sp_cur_le32(c);
    }
    if (out->directories > SECURITY) {
        sp_cur_seek(c, OPTIONAL + entry);
        out->entry = (uint32_t)(OPTIONAL + entry);
        out->table_at = sp_cur_le32(c);
        out->table_size = sp_cur_le32(c);
    }
    /* the header must be as long as its own count of directories says */
    return c->err == SP_OK && out->directories <= 16 &&
           directories + (size_t)out->directories * 8 <= out->optional_size;
}

static bool read_image(struct sp_view head, struct image *out)
{
    struct sp_cur c = sp_cur(head);
    sp_cur_expect(&c, sp_view_eq(sp_cur_take(&c, 4), SP_VIEW("PE\0\0")),
                  SP_E_MALFORMED);
    sp_cur_skip(&c, 2);
    out->sections = sp_cur_le16(&c);
    sp_cur_skip(&c, 12);
    out->optional_size = sp_cur_le16(&c);
    return c.err == SP_OK && out->sections <= SECTIONS_MAX && read_optional(&c, out);
}

/* Sections have their bytes to themselves: behind the headers, before the table, none
 * of them shared. Few enough that comparing each with each is cheap. */
static bool sections_overlap(struct sp_view head, const struct image *m, uint64_t end)
{
    struct sp_range found[SECTIONS_MAX];
    size_t count = 0;
    struct sp_cur c = sp_cur(head);
    sp_cur_seek(&c, COFF + m->optional_size);
    for (uint32_t i = 0; i < m->sections; i++) {
        sp_cur_skip(&c, 16);
        uint32_t length = sp_cur_le32(&c), at = sp_cur_le32(&c);
        sp_cur_skip(&c, 16);
        if (length == 0 || at == 0) {
            continue;
        }
        if ((uint64_t)at + length > end || at < m->headers_size) {
            return true;
        }
        for (size_t j = 0; j < count; j++) {
            if (at < found[j].at + found[j].length &&
                found[j].at < (uint64_t)at + length) {
                return true;
            }
        }
        found[count++] = (struct sp_range){at, length};
    }
    return c.err != SP_OK;
}

/* All up to end but CheckSum and the directory's entry. */
static void digest_up_to(struct sp_sign *s, uint64_t end)
{
    uint64_t behind = s->checksum + 4;
    sp_sign_digest(s, 0, s->checksum);
    if (s->entry > 0) {
        sp_sign_digest(s, behind, s->entry - behind);
        behind = s->entry + 8;
    }
    sp_sign_digest(s, behind, end - behind);
}

/* As a catalogue lists it. Signing pads to eight bytes, so the digest does too. */
static enum sp_err digest_unsigned(struct sp_sign *s)
{
    unsigned wanted = 0;
    s->step = IS_UNSIGNED;
    SP_TRY(sp_sign_start_digests(s, &wanted));
    if (wanted) {
        SP_TRY(sp_sign_left_out(s, s->checksum, 4, "CheckSum"));
        digest_up_to(s, s->size);
    }
    return SP_OK;
}

static enum sp_err pad_digest(struct sp_sign *s)
{
    static const uint8_t zeros[8];
    size_t length = (size_t)(8 - s->size % 8) % 8;
    return s->hasher ? sp_hasher_update(s->hasher, sp_view(zeros, length)) : SP_OK;
}

static enum sp_err find_table(struct sp_sign *s);

/* The version resource first; then the headers once more. */
static enum sp_err find_version(struct sp_sign *s)
{
    struct image m = {.at = s->table.at};
    struct sp_view head = sp_buf_view(&s->piece);
    if (read_image(head, &m)) {
        struct sp_cur table = sp_cur(head);
        sp_cur_seek(&table, COFF + m.optional_size);
        if (sp_version_begin(s, table, m.sections, m.resources)) {
            s->step = AT_VERSION;
            return SP_OK;
        }
    }
    s->step++;
    return find_table(s);
}

static enum sp_err go_on_with_version(struct sp_sign *s)
{
    bool more = false;
    SP_TRY(sp_version_step(s, &more));
    if (!more) {
        s->step = AT_TABLE;
        collect_headers(s);
    }
    return SP_OK;
}

static enum sp_err find_table(struct sp_sign *s)
{
    struct image m = {.at = s->table.at};
    struct sp_view head = sp_buf_view(&s->piece);
    if (!read_image(head, &m)) {
        return sp_sign_broken(s, "the PE header is broken");
    }
    bool is_signed = m.entry && m.table_size > 0;
    s->overlaps = sections_overlap(head, &m, is_signed ? m.table_at : s->size);
    s->checksum = m.at + CHECKSUM;
    s->entry = m.entry ? m.at + m.entry : 0;
    if (!is_signed) {
        return digest_unsigned(s);
    }
    uint64_t end = (uint64_t)m.table_at + m.table_size;
    if (end > s->size) {
        return sp_sign_broken(s, "the certificate table is cut off");
    }
    if (m.table_at < m.at + m.entry + 8 || m.table_at < m.headers_size) {
        s->overlaps = true;
        return sp_sign_broken(s, "the certificate table lies inside of the headers");
    }
    if (m.table_size > SP_LIMIT_SIGNATURE) {
        return sp_sign_broken(s, "the certificate table is larger than %zu bytes",
                              SP_LIMIT_SIGNATURE);
    }
    s->table = (struct sp_range){m.table_at, m.table_size};
    if (end < s->size) {
        s->tail = end;
    }
    sp_sign_collect(s, m.table_at, m.table_size);
    return SP_OK;
}

/* [PE] "The Attribute Certificate Table". */
static enum sp_err read_table(struct sp_sign *s)
{
    enum { REVISION = 0x0200, PKCS_SIGNED_DATA = 2 };
    struct sp_cur c = sp_cur(sp_buf_view(&s->signature));
    while (sp_cur_left(&c) > 0 && !s->is_unreadable) {
        uint32_t length = sp_cur_le32(&c);
        uint32_t revision = sp_cur_le16(&c), type = sp_cur_le16(&c);
        sp_cur_expect(&c, length >= 8, SP_E_MALFORMED);
        struct sp_view data = sp_cur_take(&c, length - 8);
        size_t gap = (8 - length % 8) % 8;
        struct sp_view rest =
            sp_cur_take(&c, gap < sp_cur_left(&c) ? gap : sp_cur_left(&c));
        if (c.err != SP_OK || revision != REVISION || type != PKCS_SIGNED_DATA) {
            s->is_unreadable = true;
            return sp_sign_wrong(s, "the certificate table is broken");
        }
        s->trails = s->trails || !sp_sign_is_zero(rest);
        SP_TRY(sp_sign_read(s, data));
    }
    return SP_OK;
}

/* All but CheckSum, the directory's entry and the table. */
static enum sp_err read_signatures(struct sp_sign *s)
{
    unsigned wanted = 0;
    uint64_t end = s->table.at + s->table.length;
    sp_buf_take(&s->piece, &s->signature);
    SP_TRY(read_table(s));
    SP_TRY(sp_sign_left_out(s, s->checksum, 4, "CheckSum"));
    SP_TRY(sp_sign_start_digests(s, &wanted));
    if (wanted) {
        digest_up_to(s, s->table.at);
        sp_sign_digest(s, end, s->size - end);
    }
    return SP_OK;
}

/* Of the usual kind: a table at the end of the file, and headers at its start. */
bool sp_pe_foresee(struct sp_view head, uint64_t size, struct sp_beside *out)
{
    struct sp_cur c = sp_cur(head);
    sp_cur_seek(&c, LFANEW);
    struct image m = {.at = sp_cur_le32(&c)};
    if (!sp_pe_probe(head) || m.at >= head.len ||
        !read_image(sp_view_slice(head, (size_t)m.at, head.len), &m) || !m.entry) {
        return false;
    }
    uint64_t checksum = m.at + CHECKSUM, entry = m.at + m.entry;
    if (m.table_size == 0 || m.table_at <= entry + 8 ||
        (uint64_t)m.table_at + m.table_size != size) {
        return false;
    }
    *out = (struct sp_beside){.range = {{0, checksum},
                                        {checksum + 4, entry - checksum - 4},
                                        {entry + 8, m.table_at - entry - 8}},
                              .count = 3};
    return true;
}

enum sp_err sp_pe_step(struct sp_sign *s)
{
    if (s->step == IS_UNSIGNED) {
        s->step++;
        return pad_digest(s);
    }
    if (s->step == AT_VERSION) {
        return go_on_with_version(s);
    }
    switch (s->step++) {
    case 0:
        return find_headers(s);
    case 1:
        return find_version(s);
    case AT_TABLE:
        return find_table(s);
    case 3:
        return read_signatures(s);
    default:
        return SP_OK;
    }
}
