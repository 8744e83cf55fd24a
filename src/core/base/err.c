#include "sallyport/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    int exit_status;
    const char *text;
} rows[] = {
    {"OK", 0, "done"},
#define ERR(name, exit_status, meaning) {#name, exit_status, meaning},
#include "core/base/err.def"
#undef ERR
};

#define ROWS (sizeof rows / sizeof rows[0])

const char *sp_err_text(enum sp_err e)
{
    SP_ASSERT((size_t)e < ROWS);
    return rows[e].text;
}

const char *sp_err_name(enum sp_err e)
{
    SP_ASSERT((size_t)e < ROWS);
    return rows[e].name;
}

int sp_err_exit_status(enum sp_err e)
{
    SP_ASSERT((size_t)e < ROWS);
    return rows[e].exit_status;
}

static void SP_PRINTF(2, 0) say(struct sp_why *why, const char *fmt, va_list args)
{
    if (!why || why->text[0]) {
        return;
    }
    vsnprintf(why->text, sizeof why->text, fmt, args);
    for (char *p = why->text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
}

enum sp_err sp_why_set(struct sp_why *why, enum sp_err e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(why, fmt, args);
    va_end(args);
    return e;
}

void sp_why_say(struct sp_why *why, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(why, fmt, args);
    va_end(args);
}

const char *sp_why_text(const struct sp_why *why, enum sp_err e)
{
    return why && why->text[0] ? why->text : sp_err_text(e);
}

void sp_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "sallyport: %s:%d: broken assumption: %s\n", file, line, what);
    abort();
}
