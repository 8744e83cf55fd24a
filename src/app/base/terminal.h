/* What a descriptor is: a terminal, how wide, and whether it is to have colours. */
#ifndef SP_APP_BASE_TERMINAL_H
#define SP_APP_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns: of COLUMNS where it is set, else of the terminal; 0 for anything else, which
 * may be as wide as it gets. */
size_t sp_terminal_width(int fd);
/* Standard output is a terminal, and neither NO_COLOR nor TERM=dumb says otherwise. */
bool sp_terminal_has_colour(void);
/* Prints the text and blanks up to so many columns; before it where it is negative. */
void sp_terminal_pad(const char *text, int columns);

/* Writes the text and a newline, in lines as wide as the terminal that out is, or as long
 * as they are where it is none. Lines after the first begin with so many blanks, for which
 * the first has whatever is in front of it: first columns of it. */
void sp_terminal_wrap(FILE *out, const char *text, size_t first, size_t indent);

#endif
