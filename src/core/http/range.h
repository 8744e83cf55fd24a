/* One byte range, RFC 9110 section 14.
 *
 * Knows: the text of a Range header and a size. Refuses to know: conditions, files.
 * More than one range is ignored as a whole, which the RFC allows and a flood deserves
 * (H8). */
#ifndef SP_CORE_HTTP_RANGE_H
#define SP_CORE_HTTP_RANGE_H

#include "sallyport/bytes.h"

enum sp_range { SP_RANGE_IGNORED, SP_RANGE_GOOD, SP_RANGE_OUTSIDE };

/* first and last (inclusive, below size) are set for SP_RANGE_GOOD only. Any range of
 * an empty representation is ignored. */
enum sp_range sp_range_read(struct sp_view value, uint64_t size, uint64_t *first,
                            uint64_t *last);

#endif
