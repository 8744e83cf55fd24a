#include "app/base/terminal.h"

#include "core/base/text.h"

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
