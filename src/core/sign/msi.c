/* Installer databases: compound files with a signature in the stream
 * "\5DigitalSignature" of the root. The digest runs over the content of all other
 * streams in the order of their names, each storage's class behind what is in it. Where
 * there is a stream
 * "\5MsiDigitalSignatureEx", names, sizes and times are digested first: it holds that
 * digest, and the other one begins with it. docs/decisions/0013 says what is left out
 * and what is demanded of it. */
#include "core/sign/ole.h"

#include <inttypes.h>
#include <stdlib.h>

static const uint8_t mark[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};

/* Ranges that are named one by one; more of them and nobody could make use of it. */
enum { NAMED_PIECES = 256 };

/* In this order; those that nothing is left to do for are passed over. */
enum phase {
    HEADER,
    LISTS,
    TABLE,
    DIRECTORY,
    MINI_TABLE,
    DIGESTED_NAMES,
    SIGNATURE,
    START,
    CONTENT,
    SLACK,
    FREE,
    MINI_FREE,
    TAIL,
    DONE
};

struct sp_msi {
    struct sp_ole *ole; /* owned; NULL before the header was read */
    enum phase phase;
    struct sp_ole_reader reader; /* of what is collected or digested */
    uint32_t at;                 /* sector or entry that is next */
    uint32_t signature, names;   /* entries of the two streams; or NONE */
    struct sp_buf wanted_names;  /* what the second one holds */
    size_t named;                /* pieces that sign.left-out names */
};

void sp_msi_free(struct sp_msi **m)
{
    if (*m) {
        sp_ole_free(&(*m)->ole);
        sp_buf_fini(&(*m)->wanted_names);
        free(*m);
        *m = NULL;
    }
}

bool sp_msi_probe(struct sp_view head)
{
    return sp_view_starts(head, sp_view(mark, sizeof mark));
}

/* What is wrong with the file ends the reading of it. */
static enum sp_err check(struct sp_sign *s, enum sp_err e, const struct sp_why *why)
{
    if (e == SP_OK || sp_sign_is_ours(e)) {
        return e;
    }
    s->overlaps = s->overlaps || e == SP_E_MISMATCH;
    s->msi->phase = DONE;
    return sp_sign_broken(s, "%s", sp_why_text(why, e));
}

static void go_on(struct sp_msi *m, enum phase phase)
{
    m->phase = phase;
    m->at = 0;
}

/* Queues what is left of the reader's chain; false when all of it was fed. */
static bool collect_chain(struct sp_sign *s)
{
    struct sp_range r;
    while (sp_sign_has_room(s) && sp_ole_run(s->msi->ole, &s->msi->reader, &r)) {
        sp_sign_append(s, r);
    }
    return s->range_count > 0;
}

/* ---- reading the structure ---- */

static enum sp_err read_header(struct sp_sign *s)
{
    struct sp_why why = {0};
    enum sp_err e = sp_ole_new(sp_buf_view(&s->piece), s->size, &s->msi->ole, &why);
    sp_buf_clear(&s->piece);
    go_on(s->msi, LISTS);
    return check(s, e, &why);
}

static enum sp_err read_lists(struct sp_sign *s)
{
    struct sp_ole *o = s->msi->ole;
    struct sp_why why = {0};
    struct sp_range r;
    enum sp_err e = SP_OK;
    if (s->piece.len > 0) {
        e = sp_ole_add_difat(o, sp_buf_view(&s->piece), &why);
    }
    sp_buf_clear(&s->piece);
    if (e == SP_OK && sp_ole_wants_difat(o, &r)) {
        sp_sign_append(s, r);
        return SP_OK;
    }
    go_on(s->msi, TABLE);
    return check(s, e, &why);
}

static enum sp_err read_table(struct sp_sign *s)
{
    struct sp_msi *m = s->msi;
    struct sp_why why = {0};
    struct sp_range r;
    while (sp_sign_has_room(s) && sp_ole_fat_run(m->ole, &m->at, &r)) {
        sp_sign_append(s, r);
    }
    if (s->range_count > 0) {
        return SP_OK;
    }
    go_on(m, DIRECTORY);
    SP_TRY(check(s, sp_ole_take_fat(m->ole, &s->piece, &why), &why));
    m->reader = m->phase == DONE ? m->reader : sp_ole_directory(m->ole);
    return SP_OK;
}

static enum sp_err read_directory(struct sp_sign *s)
{
    struct sp_msi *m = s->msi;
    struct sp_why why = {0};
    if (collect_chain(s)) {
        return SP_OK;
    }
    go_on(m, MINI_TABLE);
    m->reader = sp_ole_mini_table(m->ole);
    return check(s, sp_ole_take_directory(m->ole, &s->piece, &why), &why);
}

/* Streams that hold signatures are collected, so they are small. */
static enum sp_err open_stream(struct sp_sign *s, uint32_t id, size_t limit)
{
    struct sp_msi *m = s->msi;
    m->reader = (struct sp_ole_reader){0};
    if (id == SP_OLE_NONE) {
        return SP_OK;
    }
    uint64_t size = sp_ole_entry(m->ole, id).size;
    if (size == 0 || size > limit) {
        m->phase = DONE;
        return sp_sign_broken(s, "a stream of the signature has %" PRIu64 " bytes",
                              size);
    }
    m->reader = sp_ole_stream(m->ole, id);
    return SP_OK;
}

static enum sp_err read_mini_table(struct sp_sign *s)
{
    struct sp_msi *m = s->msi;
    struct sp_why why = {0};
    if (collect_chain(s)) {
        return SP_OK;
    }
    SP_TRY(check(s, sp_ole_take_mini(m->ole, &s->piece, &why), &why));
    if (m->phase == DONE) {
        return SP_OK;
    }
    m->signature = sp_ole_find(m->ole, "\5DigitalSignature");
    m->names = sp_ole_find(m->ole, "\5MsiDigitalSignatureEx");
    if (m->signature == SP_OLE_NONE) {
        m->phase = DONE;
        return SP_OK;
    }
    go_on(m, DIGESTED_NAMES);
    return open_stream(s, m->names, SP_DIGEST_MAX);
}

/* ---- reading the signature ---- */

static enum sp_err read_digested_names(struct sp_sign *s)
{
    struct sp_msi *m = s->msi;
    if (collect_chain(s)) {
        return SP_OK;
    }
    sp_buf_take(&s->piece, &m->wanted_names);
    go_on(m, SIGNATURE);
    return open_stream(s, m->signature, SP_LIMIT_SIGNATURE);
}

static enum sp_err read_signature(struct sp_sign *s)
{
    if (collect_chain(s)) {
        return SP_OK;
    }
    sp_buf_take(&s->piece, &s->signature);
    go_on(s->msi, START);
    return sp_sign_read(s, sp_buf_view(&s->signature));
}

/* A file in more pieces than are named has room that is not accounted for. */
static enum sp_err name_piece(struct sp_sign *s, uint64_t at, uint64_t length,
                              const char *what)
{
    if (s->msi->named < NAMED_PIECES) {
        s->msi->named++;
        return sp_sign_left_out(s, at, length, what);
    }
    s->is_outside = true;
    if (s->msi->named++ > NAMED_PIECES) {
        return SP_OK;
    }
    return sp_sign_wrong(s, "what no signature covers lies in more than %d pieces",
                         NAMED_PIECES);
}

enum sp_err sp_msi_left_out(struct sp_sign *s, uint64_t at, uint64_t length,
                            const char *what)
{
    struct sp_ole_reader r = sp_ole_stream(s->msi->ole, s->msi->signature);
    struct sp_range run;
    for (uint64_t from = 0; length > 0 && sp_ole_run(s->msi->ole, &r, &run);
         from += run.length) {
        uint64_t skip = at > from ? at - from : 0;
        if (skip < run.length) {
            uint64_t n = run.length - skip < length ? run.length - skip : length;
            SP_TRY(name_piece(s, run.at + skip, n, what));
            at += n;
            length -= n;
        }
    }
    return SP_OK;
}

static enum sp_err name_directory(struct sp_sign *s)
{
    struct sp_ole_reader r = sp_ole_directory(s->msi->ole);
    struct sp_range run;
    const char *what = s->msi->names == SP_OLE_NONE
                           ? "directory: names, times, links and colours"
                           : "directory: links, colours and the root's time";
    while (sp_ole_run(s->msi->ole, &r, &run)) {
        SP_TRY(name_piece(s, run.at, run.length, what));
    }
    return SP_OK;
}

static bool is_of_signature(const struct sp_msi *m, uint32_t id)
{
    return id == m->signature || id == m->names;
}

/* [MS-CFB] 2.6.1: what of an entry is digested ahead of all content. */
static enum sp_err append_metadata(const struct sp_ole *o, uint32_t id,
                                   struct sp_buf *out)
{
    struct sp_ole_entry e = sp_ole_entry(o, id);
    if (id != 0) {
        SP_TRY(sp_buf_append(out, sp_view_slice(e.name, 0, e.name.len - 2)));
    }
    SP_TRY(sp_buf_append(out, e.type == SP_OLE_STREAM ? e.low_size : e.clsid));
    SP_TRY(sp_buf_append(out, e.state));
    return id != 0 ? sp_buf_append(out, e.times) : SP_OK;
}

/* Each algorithm begins with its own digest of the names; one of them is the one that
 * stands in the file. */
static enum sp_err digest_names(struct sp_sign *s, unsigned wanted)
{
    struct sp_msi *m = s->msi;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    bool is_there = false;
    sp_buf_init(&text, (size_t)SP_LIMIT_OLE_ENTRIES * SP_OLE_ENTRY);
    for (uint32_t id = SP_OLE_NONE; sp_ole_next_outer(m->ole, &id);) {
        SP_TRY(is_of_signature(m, id) ? SP_OK : append_metadata(m->ole, id, &text));
    }
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        uint8_t digest[SP_DIGEST_MAX];
        struct sp_view v = sp_view(digest, sp_digest_bytes(d));
        if (wanted >> d & 1) {
            SP_TRY(sp_digest_of(d, sp_buf_view(&text), digest));
            SP_TRY(sp_hasher_update_one(s->hasher, d, v));
            is_there = is_there || sp_view_eq(v, sp_buf_view(&m->wanted_names));
        }
    }
    if (!is_there) {
        s->is_outside = true;
        return sp_sign_wrong(s, "names, sizes or times of streams are not those that "
                                "were signed");
    }
    return SP_OK;
}

static enum sp_err start_content(struct sp_sign *s)
{
    struct sp_msi *m = s->msi;
    unsigned wanted = 0;
    enum { MINOR_VERSION = 24, TRANSACTION = 52 };
    go_on(m, SLACK);
    SP_TRY(sp_sign_left_out(s, MINOR_VERSION, 2, "minor version"));
    SP_TRY(sp_sign_left_out(s, TRANSACTION, 4, "transaction number"));
    SP_TRY(name_directory(s));
    SP_TRY(sp_sign_start_digests(s, &wanted));
    if (wanted == 0) {
        return SP_OK;
    }
    go_on(m, CONTENT);
    m->at = SP_OLE_NONE;
    m->reader = (struct sp_ole_reader){0};
    return m->names == SP_OLE_NONE ? SP_OK : digest_names(s, wanted);
}

/* Classes are fed from here, so they wait until the ranges before them were. */
static enum sp_err digest_content(struct sp_sign *s)
{
    struct sp_msi *m = s->msi;
    struct sp_range r;
    while (sp_sign_has_room(s)) {
        if (sp_ole_run(m->ole, &m->reader, &r)) {
            sp_sign_digest(s, r.at, r.length);
            continue;
        }
        uint32_t id = m->at;
        if (!sp_ole_next(m->ole, &id)) {
            go_on(m, SLACK);
            return SP_OK;
        }
        struct sp_ole_entry e = sp_ole_entry(m->ole, id);
        if (e.type != SP_OLE_STREAM && s->range_count > 0) {
            return SP_OK;
        }
        m->at = id;
        if (e.type != SP_OLE_STREAM) {
            SP_TRY(sp_hasher_update(s->hasher, e.clsid));
        } else if (!is_of_signature(m, id)) {
            m->reader = sp_ole_stream(m->ole, id);
        }
    }
    return SP_OK;
}

/* ---- what no stream covers is blank ---- */

static enum sp_err check_slack(struct sp_sign *s)
{
    struct sp_msi *m = s->msi;
    struct sp_range r;
    for (; m->at < m->ole->count && sp_sign_has_room(s); m->at++) {
        if (sp_ole_slack(m->ole, m->at, &r)) {
            sp_sign_blank(s, r);
        }
    }
    if (s->range_count == 0) {
        go_on(m, FREE);
    }
    return SP_OK;
}

static enum sp_err check_free(struct sp_sign *s, bool is_mini)
{
    struct sp_msi *m = s->msi;
    struct sp_range r;
    while (sp_sign_has_room(s) && sp_ole_unowned(m->ole, is_mini, &m->at, &r)) {
        sp_sign_blank(s, r);
    }
    if (s->range_count == 0) {
        go_on(m, is_mini ? TAIL : MINI_FREE);
    }
    return SP_OK;
}

static enum sp_err say_stain(struct sp_sign *s)
{
    const char *odd = s->msi->ole->odd;
    if (odd) {
        s->is_outside = true;
        SP_TRY(sp_sign_wrong(s, "%s", odd));
    }
    if (s->stain) {
        s->is_outside = true;
        SP_TRY(sp_sign_wrong(s, "at %" PRIu64 " are bytes that belong to no stream",
                             s->stain));
    }
    return SP_OK;
}

/* Behind the last sector that belongs to something may be blank ones, but nothing else
 * (CVE-2020-1464). */
static enum sp_err check_tail(struct sp_sign *s)
{
    const struct sp_ole *o = s->msi->ole;
    uint64_t end = ((uint64_t)o->end + 1) << o->shift;
    uint64_t covered = ((uint64_t)o->fat.count + 1) << o->shift;
    if (s->msi->at++ == 0) {
        SP_TRY(say_stain(s));
        s->stain = 0;
        if (end < s->size) {
            sp_sign_blank(s, (struct sp_range){end, s->size - end});
            return SP_OK;
        }
    }
    if (s->stain || covered < s->size) {
        s->tail = end;
    }
    s->msi->phase = DONE;
    return SP_OK;
}

static enum sp_err run_phase(struct sp_sign *s)
{
    switch (s->msi->phase) {
    case HEADER:
        return read_header(s);
    case LISTS:
        return read_lists(s);
    case TABLE:
        return read_table(s);
    case DIRECTORY:
        return read_directory(s);
    case MINI_TABLE:
        return read_mini_table(s);
    case DIGESTED_NAMES:
        return read_digested_names(s);
    case SIGNATURE:
        return read_signature(s);
    case START:
        return start_content(s);
    case CONTENT:
        return digest_content(s);
    case SLACK:
        return check_slack(s);
    case FREE:
        return check_free(s, false);
    case MINI_FREE:
        return check_free(s, true);
    case TAIL:
        return check_tail(s);
    case DONE:
        break;
    }
    return SP_OK;
}

/* Phases run until one of them wants bytes. */
enum sp_err sp_msi_step(struct sp_sign *s)
{
    if (!s->msi && !(s->msi = calloc(1, sizeof *s->msi))) {
        return SP_E_NOMEM;
    }
    while (s->range_count == 0 && s->msi->phase != DONE) {
        SP_TRY(run_phase(s));
    }
    return SP_OK;
}
