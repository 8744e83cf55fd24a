/* How many columns of a terminal a text takes: two for a character of Chinese, Japanese
 * or Korean, none for one that joins the one before it. The texts are UTF-8 and may
 * come from a peer; what would steer a terminal is shown as '?'. Pure. */
#ifndef SP_CORE_REPORT_WIDTH_H
#define SP_CORE_REPORT_WIDTH_H

#include "sallyport/bytes.h"

/* Columns of one character: 0, 1 or 2. */
unsigned sp_width_of(uint32_t character);
/* Columns of a text as sp_width_put writes it. */
size_t sp_width(struct sp_view text);
/* Appends the text, cut to at most so many columns; what is cut off shows as "...". */
enum sp_err sp_width_put(struct sp_buf *out, struct sp_view text,
                         size_t columns) SP_MUST_USE;

/* Bytes of the text that go on a line of so many columns: up to a blank, or between two
 * characters of which one is wide, and no closing mark begins a line. More than fit only
 * where there is no such place in them; all of it where it is short enough. */
size_t sp_width_line(struct sp_view text, size_t columns);

#endif
