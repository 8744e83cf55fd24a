/* What a descriptor is: a terminal, how wide, and whether it is to have colours. */
#ifndef SP_APP_BASE_TERMINAL_H
#define SP_APP_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns: of COLUMNS where it is set, else of the terminal; 0 for anything else, which
 * may be as wide as it gets. */
size_t sp_terminal_width(int fd);
/* Standard output is a terminal, and neither NO_COLOR nor TERM=dumb says otherwise. */
bool sp_terminal_has_colour(void);
/* Prints the text and blanks up to so many columns; before it where it is negative. */
void sp_terminal_pad(const char *text, int columns);

#endif
