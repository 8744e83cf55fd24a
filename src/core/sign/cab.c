/* Cabinets, [MS-CAB] 2.1 with the reserve that SignCode writes: 20 bytes that say where
 * the signature begins, which stands behind the cabinet. */
#include "core/sign/inside.h"

#include "core/base/cursor.h"

#include <string.h>

enum {
    HEADER = 36,       /* CFHEADER up to the reserve sizes */
    SIGNED_FROM = 60,  /* behind the 20 bytes of reserve */
    RESERVE_FLAG = 0x4 /* cfhdrRESERVE_PRESENT */
};

struct header {
    uint32_t reserved1, size, flags, set_index;
    uint32_t reserve_sizes, mark, at, length, unused;
};

bool sp_cab_probe(struct sp_view head)
{
    return head.len >= HEADER && sp_view_starts(head, SP_VIEW("MSCF"));
}

static bool read_header(struct sp_view head, struct header *out)
{
    struct sp_cur c = sp_cur(head);
    sp_cur_skip(&c, 4);
    out->reserved1 = sp_cur_le32(&c);
    out->size = sp_cur_le32(&c);
    sp_cur_seek(&c, 30);
    out->flags = sp_cur_le16(&c);
    sp_cur_skip(&c, 2);
    out->set_index = sp_cur_le16(&c);
    if (!(out->flags & RESERVE_FLAG)) {
        return c.err == SP_OK;
    }
    out->reserve_sizes = sp_cur_le32(&c);
    out->mark = sp_cur_le32(&c);
    out->at = sp_cur_le32(&c);
    out->length = sp_cur_le32(&c);
    out->unused = sp_cur_le32(&c);
    return c.err == SP_OK;
}

/* What the digest leaves out may have one value only. */
static enum sp_err check_left_out(struct sp_sign *s, const struct header *h)
{
    enum { MARK = 0x00100000, SIZES = 20 };
    if (h->reserved1 || h->set_index || h->reserve_sizes != SIZES || h->mark != MARK ||
        h->unused) {
        s->is_outside = true;
        return sp_sign_wrong(s, "bytes of the cabinet's header that no digest covers "
                                "were changed");
    }
    return SP_OK;
}

static bool is_signed(const struct header *h)
{
    return (h->flags & RESERVE_FLAG) && h->reserve_sizes % 65536 >= 20 && h->length > 0;
}

static enum sp_err find_signature(struct sp_sign *s)
{
    struct header h = {0};
    if (!read_header(sp_buf_view(&s->piece), &h)) {
        return sp_sign_broken(s, "the cabinet's header is cut off");
    }
    uint64_t end = is_signed(&h) ? (uint64_t)h.at + h.length : h.size;
    if (end > s->size) {
        return sp_sign_broken(s, "the cabinet or its signature is cut off");
    }
    if (end < s->size) {
        s->tail = end;
    }
    if (!is_signed(&h)) {
        return SP_OK;
    }
    SP_TRY(check_left_out(s, &h));
    if (h.at != h.size || h.at < SIGNED_FROM) {
        s->is_outside = true;
        return sp_sign_broken(s, "the signature does not begin where the cabinet ends");
    }
    if (h.length > SP_LIMIT_SIGNATURE) {
        return sp_sign_broken(s, "the signature is larger than %zu bytes",
                              SP_LIMIT_SIGNATURE);
    }
    s->table = (struct sp_range){h.at, h.length};
    sp_sign_collect(s, h.at, h.length);
    return SP_OK;
}

/* SignCode's digest: MSCF, cbCabinet up to the set's id, and all behind the reserve. */
static enum sp_err read_signature(struct sp_sign *s)
{
    unsigned wanted = 0;
    sp_buf_take(&s->piece, &s->signature);
    SP_TRY(sp_sign_read(s, sp_buf_view(&s->signature)));
    SP_TRY(sp_sign_start_digests(s, &wanted));
    if (wanted) {
        sp_sign_digest(s, 0, 4);
        sp_sign_digest(s, 8, 26);
        sp_sign_digest(s, 56, s->table.at - 56);
    }
    return SP_OK;
}

bool sp_cab_foresee(struct sp_view head, uint64_t size, struct sp_beside *out)
{
    struct header h = {0};
    if (!sp_cab_probe(head) || !read_header(head, &h) || !is_signed(&h) ||
        h.at != h.size || h.at <= SIGNED_FROM || h.at >= size) {
        return false;
    }
    *out = (struct sp_beside){.range = {{0, 4}, {8, 26}, {56, h.at - 56}}, .count = 3};
    return true;
}

enum sp_err sp_cab_step(struct sp_sign *s)
{
    switch (s->step++) {
    case 0:
        return find_signature(s);
    case 1:
        return read_signature(s);
    default:
        return SP_OK;
    }
}
