/* One document as a reply brings it: unpacked, digested, read.
 *
 * What comes out depends on the bytes of the document alone, so that it can be read
 * before the reply around it is whole, and by another thread (docs/decisions/0091).
 * Refuses to know which update it belongs to. */
#ifndef SP_CORE_WSUS_READING_H
#define SP_CORE_WSUS_READING_H

#include "core/wsus/wsus.h"

struct sp_reading {
    enum sp_err err;   /* why it is no document */
    struct sp_why why; /* the same in words */
    bool is_unpacked;  /* sha256 and size are those of its UTF-8 */
    uint8_t sha256[32];
    size_t size;
    struct sp_facts *found; /* owned; NULL where err is set */
    struct sp_arena *arena; /* owned: claims */
    struct sp_claim *claims;
    size_t claim_count;
};
void sp_reading_fini(struct sp_reading *r);

/* base64, then cabinet, UTF-16LE, UTF-8. cabinet is initialised by the first and freed by
 * the second; utf8 is empty. Errors are those of their steps, with why. */
enum sp_err sp_reading_decode(struct sp_view text, struct sp_buf *cabinet,
                              struct sp_why *why) SP_MUST_USE;
enum sp_err sp_reading_unpack(struct sp_buf *cabinet, struct sp_buf *utf8,
                              struct sp_why *why) SP_MUST_USE;
/* out is all zero, or what could not be unpacked. A document that cannot be read is no
 * error. Errors: SP_E_NOMEM, SP_E_INTERNAL, SP_E_LIMIT. */
enum sp_err sp_reading_read(struct sp_view utf8, struct sp_reading *out) SP_MUST_USE;

/* Where the compressed documents of a reply are, while it arrives. */
struct sp_reading_search {
    size_t at;      /* of body, how far it was searched */
    size_t from;    /* where the text at hand begins; 0: none is */
    bool is_behind; /* the end of the text was found, its tag is looked at next */
};
/* The text of the next XmlUpdateBlobCompressed in body, which may be longer than
 * before; false where none is whole yet. What is written in an unusual way is passed
 * over. */
bool sp_reading_next(struct sp_reading_search *s, struct sp_view body,
                     struct sp_place *text);

#endif
