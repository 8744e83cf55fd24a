#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The last character of a text that was cut may be there in part only. */
static void drop_cut_character(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] & 0xC0) == 0x80) {
        n--;
    }
    if (n > 0 && (text[n - 1] & 0xC0) == 0xC0) {
        text[n - 1] = '\0';
    }
}

/* Logs, faults, ledger entries and JSON all take the sentence, and all want UTF-8. */
static void make_plain(char *text)
{
    bool utf8 = sp_utf8_is_valid(sp_view_str(text));
    for (char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8)) {
            *p = '?';
        }
    }
}

static void SP_PRINTF(2, 0) say(struct sp_why *why, const char *fmt, va_list args)
{
    if (!why || why->text[0]) {
        return;
    }
    int n = vsnprintf(why->text, sizeof why->text, fmt, args);
    if (n >= (int)sizeof why->text) {
        drop_cut_character(why->text);
    }
    make_plain(why->text);
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
