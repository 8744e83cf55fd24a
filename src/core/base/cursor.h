/* A cursor that remembers its first mistake.
 *
 * Binary formats are read as straight-line schemas: every read past the end, or of what
 * must not be, sets the error once and gives zeros from then on; one check of sp_cur_end
 * at the end tells whether all of it was good. The cursor borrows its bytes. */
#ifndef SP_CORE_BASE_CURSOR_H
#define SP_CORE_BASE_CURSOR_H

#include "sallyport/bytes.h"

struct sp_cur {
    struct sp_view bytes; /* borrowed */
    size_t at;            /* offset of the next byte */
    enum sp_err err;      /* the first mistake, sticky */
};

struct sp_cur sp_cur(struct sp_view bytes);
uint8_t sp_cur_u8(struct sp_cur *c);
uint16_t sp_cur_le16(struct sp_cur *c);
uint32_t sp_cur_le32(struct sp_cur *c);
uint64_t sp_cur_le64(struct sp_cur *c);
uint16_t sp_cur_be16(struct sp_cur *c);
uint32_t sp_cur_be32(struct sp_cur *c);
uint64_t sp_cur_be64(struct sp_cur *c);
struct sp_view sp_cur_take(struct sp_cur *c, size_t n); /* empty after a mistake */
void sp_cur_skip(struct sp_cur *c, size_t n);
void sp_cur_seek(struct sp_cur *c, size_t at);
/* Sets the error unless one is set or the condition holds. */
void sp_cur_expect(struct sp_cur *c, bool holds, enum sp_err e);
size_t sp_cur_left(const struct sp_cur *c); /* 0 after a mistake */
/* The first mistake; else SP_E_MALFORMED where bytes are left over; else SP_OK. */
enum sp_err sp_cur_end(const struct sp_cur *c) SP_MUST_USE;

#endif
