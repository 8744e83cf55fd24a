#include "app/base/terminal.h"

#include "core/base/text.h"
#include "core/report/width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDEST = 4096 };

size_t sp_terminal_width(int fd)
{
    struct winsize size;
    uint64_t said = 0;
    const char *columns = getenv("COLUMNS");
    if (columns && sp_u64_parse(sp_view_str(columns), WIDEST, &said) == SP_OK && said) {
        return (size_t)said;
    }
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool sp_terminal_has_colour(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && !(none && none[0]) &&
           !(term && strcmp(term, "dumb") == 0);
}

void sp_terminal_pad(const char *text, int columns)
{
    int wide = (int)sp_width(sp_view_str(text)), all = columns < 0 ? -columns : columns;
    int blanks = wide < all ? all - wide : 0;
    printf("%*s%s%*s", columns < 0 ? blanks : 0, "", text, columns < 0 ? 0 : blanks,
           "");
}

/* What a line keeps of its width however far it is indented. */
enum { NARROWEST = 20 };

void sp_terminal_wrap(FILE *out, const char *text, size_t first, size_t indent)
{
    size_t width = sp_terminal_width(fileno(out)), taken = first;
    struct sp_view rest = sp_view_str(text);
    for (;;) {
        size_t room = width > taken + NARROWEST ? width - taken : NARROWEST;
        size_t n = width ? sp_width_line(rest, room) : rest.len;
        fprintf(out, SP_VIEW_FMT "\n", SP_VIEW_ARG(sp_view_slice(rest, 0, n)));
        while (n < rest.len && rest.data[n] == ' ') {
            n++;
        }
        rest = sp_view_slice(rest, n, rest.len);
        if (!rest.len) {
            return;
        }
        fprintf(out, "%*s", (int)indent, "");
        taken = indent;
    }
}
