/* What a text may not hold before libconfuse sees it: NUL, at which it would stop
 * reading;
 * ${...}, which it takes from the environment (decision S5: nothing comes from there);
 * a comment that is never closed, which would swallow what follows without a word. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <string.h>

enum place { BETWEEN, WORD, LINE_COMMENT, COMMENT, DOUBLE_QUOTES, SINGLE_QUOTES };

static bool is_at(struct sp_view text, size_t i, const char *what)
{
    return sp_view_starts(sp_view_slice(text, i, text.len), sp_view_str(what));
}

/* Comments begin where a word may begin, not within one. */
static enum place place_outside(enum place now, struct sp_view text, size_t *i)
{
    uint8_t c = text.data[*i];
    if (now == BETWEEN && is_at(text, *i, "/*")) {
        ++*i;
        return COMMENT;
    }
    if (c == '#' || (now == BETWEEN && is_at(text, *i, "//"))) {
        return LINE_COMMENT;
    }
    if (c == '"' || c == '\'') {
        return c == '"' ? DOUBLE_QUOTES : SINGLE_QUOTES;
    }
    return strchr(" \t\r\n{}()=,+*", c) ? BETWEEN : WORD;
}

/* Where the byte behind text[*i] is; *i moves on over the second byte of a pair. */
static enum place place_behind(enum place now, struct sp_view text, size_t *i)
{
    uint8_t c = text.data[*i];
    switch (now) {
    case BETWEEN:
    case WORD:
        return place_outside(now, text, i);
    case LINE_COMMENT:
        return c == '\n' ? BETWEEN : now;
    case COMMENT:
        *i += is_at(text, *i, "*/");
        return text.data[*i] == '/' && c == '*' ? BETWEEN : now;
    case DOUBLE_QUOTES:
    case SINGLE_QUOTES:
        *i += c == '\\';
        return c == (now == DOUBLE_QUOTES ? '"' : '\'') ? BETWEEN : now;
    }
    return now;
}

static int line_at(struct sp_view text, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at; i++) {
        line += text.data[i] == '\n';
    }
    return line;
}

static enum sp_err not_closed(const char *file, struct sp_view text, size_t opened,
                              const char *what, struct sp_why *why)
{
    return sp_why_set(why, SP_E_CONFIG, _("%s:%d: %s is never closed"), file,
                      line_at(text, opened), what);
}

static enum sp_err check_closed(const char *file, struct sp_view text,
                                struct sp_why *why)
{
    enum place now = BETWEEN;
    size_t comment = 0, braces = 0, brace = 0;
    for (size_t i = 0; i < text.len; i++) {
        size_t at = i;
        bool outside = now == BETWEEN || now == WORD;
        now = place_behind(now, text, &i);
        comment = now == COMMENT && outside ? at : comment;
        if (outside && text.data[at] == '{' && braces++ == 0) {
            brace = at;
        }
        braces -= outside && text.data[at] == '}' && braces;
    }
    if (now == COMMENT) {
        return not_closed(file, text, comment, _("a comment"), why);
    }
    return braces ? not_closed(file, text, brace, _("a brace"), why) : SP_OK;
}

enum sp_err sp_config_check_text(const char *file, struct sp_view text,
                                 struct sp_why *why)
{
    if (text.len > SP_MIB(1)) {
        return sp_why_set(why, SP_E_LIMIT, _("%s is larger than 1 MiB"), file);
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == 0) {
            return sp_why_set(why, SP_E_CONFIG, _("%s:%d: a NUL byte"), file,
                              line_at(text, i));
        }
        if (is_at(text, i, "${")) {
            return sp_why_set(
                why, SP_E_CONFIG,
                _("%s:%d: ${...} is not expanded: nothing in this file comes "
                  "from the environment. Write the value itself"),
                file, line_at(text, i));
        }
    }
    return check_closed(file, text, why);
}
