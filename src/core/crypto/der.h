/* DER, read as a straight line: a reader that remembers its first mistake.
 *
 * Knows tags, lengths and nesting; refuses to know what the parts mean. Lengths are
 * definite and minimal, tags have one byte; BER's other forms are SP_E_UNSUPPORTED.
 * Every read past the end or of another tag sets the error once and gives empty views
 * from then on; sp_der_end tells whether all was good and nothing is left. Views borrow
 * the input. */
#ifndef SP_CORE_CRYPTO_DER_H
#define SP_CORE_CRYPTO_DER_H

#include "sallyport/bytes.h"

enum {
    SP_DER_INTEGER = 0x02,
    SP_DER_BIT_STRING = 0x03,
    SP_DER_OCTETS = 0x04,
    SP_DER_NULL = 0x05,
    SP_DER_OID = 0x06,
    SP_DER_GENERALIZED_TIME = 0x18,
    SP_DER_SEQUENCE = 0x30,
    SP_DER_SET = 0x31,
    SP_DER_0 = 0xa0, /* [0], constructed */
    SP_DER_1 = 0xa1
};

struct sp_der {
    struct sp_view left; /* borrowed */
    enum sp_err err;     /* the first mistake, sticky */
};

struct sp_tlv {
    uint8_t tag;
    struct sp_view whole;   /* with tag and length */
    struct sp_view content; /* without */
};

struct sp_der sp_der(struct sp_view bytes);
struct sp_tlv sp_der_any(struct sp_der *d);
/* The next one, which must have this tag. */
struct sp_tlv sp_der_tlv(struct sp_der *d, uint8_t tag);
struct sp_view sp_der_content(struct sp_der *d, uint8_t tag);
/* A reader of what is inside of the next one; it inherits a mistake. */
struct sp_der sp_der_enter(struct sp_der *d, uint8_t tag);
/* Whether something is left, and whether it has this tag. */
bool sp_der_more(const struct sp_der *d);
bool sp_der_is(const struct sp_der *d, uint8_t tag);
/* The first mistake; SP_E_MALFORMED where something is left; else SP_OK. */
enum sp_err sp_der_end(const struct sp_der *d) SP_MUST_USE;

#endif
