/* How far a command is, on standard error: a bar with the rate and the time that is
 * left where that is a terminal, else a plain line every tenth of the way. Nothing
 * where there is nothing to do, or nobody wants to see it. */
#ifndef SP_APP_BASE_BAR_H
#define SP_APP_BASE_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sp_bar {
    const char *what; /* borrowed: "checked" */
    uint64_t all;     /* bytes, or whatever is counted; 0: nothing is shown */
    FILE *out;        /* borrowed */
    bool is_terminal;
    bool is_quiet;         /* nothing is shown */
    bool is_bytes;         /* what is counted are bytes */
    size_t columns;        /* of the terminal; 0: as many as it takes */
    unsigned shown;        /* percent */
    uint64_t began, drawn; /* when, by now */
    uint64_t (*now)(void); /* milliseconds of a clock that only goes forward */
};
/* On standard error, from now on. */
void sp_bar_init(struct sp_bar *b, const char *what, uint64_t all);
void sp_bar_at(struct sp_bar *b, uint64_t done);
void sp_bar_end(struct sp_bar *b); /* leaves the line of a terminal empty */

/* --quiet: bars that begin from now on show nothing. */
void sp_bars_off(void);

#endif
