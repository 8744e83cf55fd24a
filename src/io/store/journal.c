#include "io/store/journal.h"

#include "core/base/cursor.h"
#include "core/base/limits.h"

enum { FRAME_HEAD = 8 };

uint32_t sp_crc32c(struct sp_view v)
{
    /* RFC 3720 B.4: polynomial 0x1EDC6F41, here reflected, four bits at a time */
    static const uint32_t nibble[16] = {
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
        0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
        0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
    };
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < v.len; i++) {
        crc ^= v.data[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}

static void put_le32(uint8_t *to, uint32_t x)
{
    to[0] = (uint8_t)x;
    to[1] = (uint8_t)(x >> 8);
    to[2] = (uint8_t)(x >> 16);
    to[3] = (uint8_t)(x >> 24);
}

enum sp_err sp_journal_append(struct sp_buf *b, enum sp_journal_type type,
                              struct sp_view body)
{
    uint8_t *to = NULL;
    size_t start = b->len;
    SP_ASSERT(body.len > 0 && body.len <= SP_LIMIT_LEDGER_ENTRY);
    /* all of it or nothing */
    SP_TRY(sp_buf_reserve(b, FRAME_HEAD + 1 + body.len, &to));
    to[FRAME_HEAD] = (uint8_t)type;
    b->len += FRAME_HEAD + 1;
    SP_TRY(sp_buf_append(b, body));
    struct sp_view payload = sp_view_slice(sp_buf_view(b), start + FRAME_HEAD,
                                           start + FRAME_HEAD + 1 + body.len);
    put_le32(to, (uint32_t)payload.len);
    put_le32(to + 4, sp_crc32c(payload));
    return SP_OK;
}

static bool is_length_of(uint8_t type, size_t body)
{
    return (type == SP_JOURNAL_ENTRY && body >= 1 && body <= SP_LIMIT_LEDGER_ENTRY) ||
           (type == SP_JOURNAL_CHECKPOINT && body >= 1 && body <= SP_JOURNAL_NOTE_MAX);
}

enum sp_err sp_journal_next(struct sp_view *journal, struct sp_journal_frame *out)
{
    if (journal->len == 0) {
        return SP_E_AGAIN;
    }
    struct sp_cur c = sp_cur(*journal);
    uint32_t len = sp_cur_le32(&c);
    uint32_t crc = sp_cur_le32(&c);
    struct sp_view payload = sp_cur_take(&c, len);
    if (c.err != SP_OK || payload.len == 0 ||
        !is_length_of(payload.data[0], payload.len - 1) || sp_crc32c(payload) != crc) {
        return SP_E_MALFORMED;
    }
    out->type =
        payload.data[0] == SP_JOURNAL_ENTRY ? SP_JOURNAL_ENTRY : SP_JOURNAL_CHECKPOINT;
    out->body = sp_view_slice(payload, 1, payload.len);
    *journal = sp_view_slice(*journal, c.at, journal->len);
    return SP_OK;
}

/* Lengths may be damaged, so every offset can be where a frame begins. The type is
 * looked at first: nearly no offset costs a checksum. */
static bool has_checkpoint(struct sp_view v)
{
    for (; v.len > FRAME_HEAD; v = sp_view_slice(v, 1, v.len)) {
        struct sp_view at = v;
        struct sp_journal_frame frame;
        if (v.data[FRAME_HEAD] == SP_JOURNAL_CHECKPOINT &&
            sp_journal_next(&at, &frame) == SP_OK) {
            return true;
        }
    }
    return false;
}

enum sp_err sp_journal_measure(struct sp_view journal, size_t *out, struct sp_why *why)
{
    struct sp_view rest = journal;
    struct sp_journal_frame frame;
    size_t good = 0;
    enum sp_err e;
    while ((e = sp_journal_next(&rest, &frame)) == SP_OK) {
        size_t at = journal.len - rest.len;
        if (frame.type == SP_JOURNAL_CHECKPOINT) {
            good = at;
        } else if (good == 0) {
            break;
        }
    }
    size_t broken = journal.len - rest.len;
    if (good == 0 || (e != SP_E_AGAIN && has_checkpoint(rest))) {
        return sp_why_set(
            why, SP_E_CORRUPT,
            "the ledger's journal is damaged at byte %zu, before entries that "
            "were acknowledged; restore it from a backup",
            good ? broken : 0);
    }
    *out = good;
    return SP_OK;
}
