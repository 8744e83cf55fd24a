/* A key that stands twice in its section: libconfuse lets the last one win without a
 * word, so half of an edit, or a line pasted from elsewhere, would change what is in
 * force and nobody would know. Sections stand once or have titles of their own;
 * libconfuse sees to that but for those without a title, which are looked at here as
 * well.
 *
 * Reads words as libconfuse does (config_text.c): comments, both kinds of quotes,
 * braces.
 * "+=" adds to a list and is no second definition. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <string.h>

enum { WORD_MAX = 64, KEYS = 64, DEPTH = 3 };

struct key {
    char name[WORD_MAX];
    int line;
};
struct level { /* the top level, a section, or a list */
    struct key keys[KEYS];
    size_t count;
};
struct scan {
    const char *file;
    struct sp_view text;
    size_t at;
    int line;
    char word[WORD_MAX]; /* the last one, "" where it was quoted or a mark came since */
    int word_line;
    size_t words; /* since the last mark, quoted ones too */
    struct level levels[DEPTH];
    size_t depth;
    bool after_equals; /* it was the last mark: the first word is a value */
    bool in_list;
    struct sp_why *why;
};

static bool is_at(const struct scan *s, const char *what)
{
    return sp_view_starts(sp_view_slice(s->text, s->at, s->text.len),
                          sp_view_str(what));
}

static void skip_until(struct scan *s, const char *end)
{
    while (s->at < s->text.len && !is_at(s, end)) {
        s->line += s->text.data[s->at] == '\n';
        s->at++;
    }
    s->at += s->at < s->text.len && end[0] != '\n' ? strlen(end) : 0;
}

static void skip_quoted(struct scan *s)
{
    uint8_t quote = s->text.data[s->at++];
    while (s->at < s->text.len && s->text.data[s->at] != quote) {
        s->at += s->text.data[s->at] == '\\';
        s->line += s->at < s->text.len && s->text.data[s->at] == '\n';
        s->at++;
    }
    s->at++;
    s->words++;
    s->word[0] = 0;
}

static void take_word(struct scan *s)
{
    size_t n = 0;
    s->word_line = s->line;
    while (s->at < s->text.len && !strchr(" \t\r\n{}()=,+#\"'", s->text.data[s->at])) {
        if (n + 1 < sizeof s->word) {
            s->word[n++] = (char)s->text.data[s->at];
        }
        s->at++;
    }
    s->word[n] = 0;
    s->words++;
}

/* The word is a key, or a section, of the level at hand. */
static enum sp_err define(struct scan *s)
{
    struct level *l = &s->levels[s->depth];
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->keys[i].name, s->word) == 0) {
            return sp_why_set(
                s->why, SP_E_CONFIG,
                _("%s:%d: \"%s\" stands in line %d already; the second would "
                  "silently win"),
                s->file, s->word_line, s->word, l->keys[i].line);
        }
    }
    if (l->count < KEYS) {
        memcpy(l->keys[l->count].name, s->word, sizeof s->word);
        l->keys[l->count++].line = s->word_line;
    }
    return SP_OK;
}

/* "name {" without a title is a definition as well, of a section that stands once. */
static enum sp_err open_brace(struct scan *s)
{
    if (s->after_equals && s->words == 0) {
        s->in_list = true;
        return SP_OK;
    }
    if (s->word[0] && s->words == 1u + s->after_equals) {
        SP_TRY(define(s));
    }
    if (s->depth + 1 < DEPTH) {
        s->levels[++s->depth].count = 0;
    }
    return SP_OK;
}

static void close_brace(struct scan *s)
{
    if (!s->in_list && s->depth > 0) {
        s->depth--;
    }
    s->in_list = false;
}

static enum sp_err take_mark(struct scan *s, uint8_t c)
{
    enum sp_err e = SP_OK;
    bool adds = s->at > 0 && s->text.data[s->at - 1] == '+';
    if (c == '=' && !adds && s->word[0]) {
        e = define(s);
    } else if (c == '{') {
        e = open_brace(s);
    } else if (c == '}') {
        close_brace(s);
    }
    s->after_equals = c == '=';
    s->words = 0;
    s->word[0] = 0;
    s->at++;
    return e;
}

static enum sp_err step(struct scan *s)
{
    uint8_t c = s->text.data[s->at];
    if (c == '#' || is_at(s, "//")) {
        skip_until(s, "\n");
    } else if (is_at(s, "/*")) {
        skip_until(s, "*/");
    } else if (c == '"' || c == '\'') {
        skip_quoted(s);
    } else if (strchr("{}=,()", c) && c) {
        return take_mark(s, c);
    } else if (strchr(" \t\r\n+", c)) {
        s->line += c == '\n';
        s->at++;
    } else {
        take_word(s);
    }
    return SP_OK;
}

enum sp_err sp_config_check_twice(const char *file, struct sp_view text,
                                  struct sp_why *why)
{
    struct scan s = {.file = file, .text = text, .line = 1, .why = why};
    enum sp_err e = SP_OK;
    while (e == SP_OK && s.at < text.len) {
        e = step(&s);
    }
    return e;
}
