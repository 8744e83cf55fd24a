/* Seats: how many connections an address has to one listener, on all of its loops
 * together. The kernel deals the connections of an address to the loops by chance, so a
 * count a loop would multiply the limit by their number, and by another one each day.
 *
 * An address has a row while it has a connection; of IPv6 its /64 counts. Rows hang in
 * buckets that nobody outside can aim at. One lock, held for some ten instructions when
 * a connection comes or goes. Any thread. */
#ifndef SP_IO_NET_SEATS_H
#define SP_IO_NET_SEATS_H

#include "sallyport/err.h"

#include <stddef.h>
#include <stdint.h>

struct sp_seats;
struct sp_seat; /* the row of one address */

/* most: connections of one address; 0: any number. */
enum sp_err sp_seats_new(unsigned most, struct sp_seats **out) SP_MUST_USE;
/* Nobody has a seat any more. */
void sp_seats_free(struct sp_seats **s);
/* Who has more already keeps them. */
void sp_seats_set_most(struct sp_seats *s, unsigned most);
/* Connections of all addresses. */
size_t sp_seats_taken(struct sp_seats *s);

/* One more for address, 16 bytes as sp_address_bytes gives it. SP_E_LIMIT: it has all
 * it may have. SP_E_NOMEM. */
enum sp_err sp_seats_take(struct sp_seats *s, const uint8_t address[16],
                          struct sp_seat **out) SP_MUST_USE;
/* Sets *seat to NULL; NULL in there is nobody's. */
void sp_seats_leave(struct sp_seats *s, struct sp_seat **seat);

#endif
