#include "app/bar.h"

#include <unistd.h>

enum { WIDTH = 40, LINE_EVERY = 10 };

void sp_bar_init(struct sp_bar *b, const char *what, uint64_t all)
{
    *b = (struct sp_bar){.what = what,
                         .all = all,
                         .out = stderr,
                         .is_terminal = isatty(STDERR_FILENO) == 1};
}

static void draw(const struct sp_bar *b, unsigned percent)
{
    static const char full[] = "########################################";
    int n = (int)(percent * WIDTH / 100);
    fprintf(b->out, "\r[%.*s%*s] %3u %% %s", n, full, WIDTH - n, "", percent, b->what);
    fflush(b->out);
}

void sp_bar_at(struct sp_bar *b, uint64_t done)
{
    if (b->all == 0 || b->is_quiet) {
        return;
    }
    unsigned percent =
        done >= b->all ? 100 : (unsigned)((double)done * 100 / (double)b->all);
    unsigned step = b->is_terminal ? 1 : LINE_EVERY;
    if (percent < b->shown + step) {
        return;
    }
    b->shown = percent - percent % step;
    if (b->is_terminal) {
        draw(b, percent);
    } else {
        fprintf(b->out, "%u %% %s\n", b->shown, b->what);
    }
}

void sp_bar_end(struct sp_bar *b)
{
    if (b->is_terminal && b->all && !b->is_quiet) {
        fprintf(b->out, "\r\033[K");
    }
}
