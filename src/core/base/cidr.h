/* Networks and the addresses in them, as text and as 16 bytes, IPv4 as ::ffff:a.b.c.d.
 * Pure: sockets are the io layer's. */
#ifndef SP_CORE_BASE_CIDR_H
#define SP_CORE_BASE_CIDR_H

#include "sallyport/bytes.h"

struct sp_cidr {
    uint8_t bytes[16];
    unsigned bits; /* 0..128 */
};
/* "10.0.0.0/8", "2001:db8::/32", or one address. SP_E_MALFORMED, also for bits set
 * behind the prefix. */
enum sp_err sp_cidr_parse(struct sp_view text, struct sp_cidr *out) SP_MUST_USE;
bool sp_cidr_holds(const struct sp_cidr *c, const uint8_t address[16]);

/* "10.1.2.3", "2001:db8::1"; no zone, no brackets. *width: the bits an address of its
 * family has. SP_E_MALFORMED. */
enum sp_err sp_address_parse(struct sp_view text, uint8_t out[16],
                             unsigned *width) SP_MUST_USE;

#endif
