/* How far a command is, on standard error: a bar where that is a terminal, else a plain
 * line every tenth of the way. Nothing where there is nothing to do. */
#ifndef SP_APP_BAR_H
#define SP_APP_BAR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct sp_bar {
    const char *what; /* borrowed: "checked" */
    uint64_t all;     /* bytes, or whatever is counted; 0: nothing is shown */
    FILE *out;        /* borrowed */
    bool is_terminal;
    bool is_quiet;    /* nothing is shown */
    unsigned shown; /* percent */
};
/* On standard error. */
void sp_bar_init(struct sp_bar *b, const char *what, uint64_t all);
void sp_bar_at(struct sp_bar *b, uint64_t done);
void sp_bar_end(struct sp_bar *b); /* leaves the line of a terminal empty */

#endif
