#include "app/base/bar.h"

#include "app/base/say.h"
#include "app/base/terminal.h"
#include "core/report/sheet.h"
#include "core/report/width.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WIDTH = 40,       /* of the bar itself, where there is room */
    LEAST = 10,       /* below it there is none */
    LINE_EVERY = 10,  /* percent */
    DRAW_EVERY = 250, /* milliseconds, where a percent takes longer */
    SETTLED = 1000,   /* milliseconds until a rate can be told */
    TEXT = 256
};

static bool off;

void sp_bars_off(void)
{
    off = true;
}

static uint64_t clock_ms(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void sp_bar_init(struct sp_bar *b, const char *what, uint64_t all)
{
    uint64_t now = clock_ms();
    *b = (struct sp_bar){.what = what,
                         .all = all,
                         .out = stderr,
                         .is_terminal = isatty(STDERR_FILENO) == 1,
                         .is_quiet = off,
                         .columns = sp_terminal_width(STDERR_FILENO),
                         .began = now,
                         .drawn = now,
                         .now = clock_ms};
}

/* ---- what is said ---- */

/* "0:07", "59:59", "27:46:40" */
static void format_time(uint64_t seconds, char *out, size_t size)
{
    uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
    if (hours) {
        snprintf(out, size, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, minutes,
                 seconds % 60);
    } else {
        snprintf(out, size, "%" PRIu64 ":%02" PRIu64, minutes, seconds % 60);
    }
}

static void format_rate(const struct sp_bar *b, double rate, char out[SP_SIZE_TEXT])
{
    if (b->is_bytes) {
        sp_size_format((uint64_t)rate, out);
    } else {
        snprintf(out, SP_SIZE_TEXT, "%.0f", rate);
    }
}

/* " 42 % checked, 85.3 MiB/s, 0:21 left"; the rate is that of all the way so far. */
static void describe(const struct sp_bar *b, uint64_t done, uint64_t elapsed,
                     unsigned percent, char out[TEXT])
{
    char rate_text[SP_SIZE_TEXT], left_text[32], left[64] = "";
    double rate = elapsed ? (double)done * 1000 / (double)elapsed : 0;
    if (elapsed < SETTLED || rate < 1) {
        snprintf(out, TEXT, "%u %% %s", percent, b->what);
        return;
    }
    format_rate(b, rate, rate_text);
    if (done < b->all) {
        format_time((uint64_t)((double)(b->all - done) / rate), left_text,
                    sizeof left_text);
        snprintf(left, sizeof left, _(", %s left"), left_text);
    }
    snprintf(out, TEXT, "%u %% %s, %s/s%s", percent, b->what, rate_text, left);
}

/* ---- where it is said ---- */

/* Cut to the width of the terminal: a line that wraps cannot be drawn over. */
static void draw_text(const struct sp_bar *b, const char *text)
{
    SP_AUTO(sp_buf_fini) struct sp_buf cut;
    sp_buf_init(&cut, 4 * TEXT);
    if (sp_width_put(&cut, sp_view_str(text), b->columns ? b->columns : TEXT) ==
        SP_OK) {
        fprintf(b->out, "\r" SP_VIEW_FMT "\033[K", SP_VIEW_ARG(sp_buf_view(&cut)));
    }
}

static void draw(const struct sp_bar *b, unsigned percent, const char *text)
{
    static const char full[] = "########################################";
    size_t taken = sp_width(sp_view_str(text)) + 5;
    size_t room = b->columns == 0 ? WIDTH : b->columns > taken ? b->columns - taken : 0;
    int width = room < LEAST ? 0 : room < WIDTH ? (int)room : WIDTH;
    int n = (int)percent * width / 100;
    if (width) {
        fprintf(b->out, "\r[%.*s%*s] %s\033[K", n, full, width - n, "", text);
    } else {
        draw_text(b, text);
    }
    fflush(b->out);
}

static bool is_due(const struct sp_bar *b, unsigned percent, uint64_t now)
{
    if (!b->is_terminal) {
        return percent >= b->shown + LINE_EVERY;
    }
    return percent > b->shown || (percent < 100 && now - b->drawn >= DRAW_EVERY);
}

void sp_bar_at(struct sp_bar *b, uint64_t done)
{
    char text[TEXT];
    if (b->all == 0 || b->is_quiet) {
        return;
    }
    unsigned percent =
        done >= b->all ? 100 : (unsigned)((double)done * 100 / (double)b->all);
    uint64_t now = b->now();
    if (!is_due(b, percent, now)) {
        return;
    }
    b->shown = b->is_terminal ? percent : percent - percent % LINE_EVERY;
    b->drawn = now;
    describe(b, done, now - b->began, b->shown, text);
    if (b->is_terminal) {
        draw(b, percent, text);
    } else {
        fprintf(b->out, "%s\n", text);
    }
}

void sp_bar_end(struct sp_bar *b)
{
    if (b->is_terminal && b->all && !b->is_quiet) {
        fprintf(b->out, "\r\033[K");
    }
}
