/* Where something stands in the file. libconfuse forgets the lines of sections, so they
 * are looked up again for error messages. */
#include "app/config/config_parts.h"

#include <string.h>

static struct sp_view next_line(struct sp_view *rest)
{
    size_t n = sp_view_find(*rest, '\n');
    struct sp_view line = sp_view_slice(*rest, 0, n);
    *rest = sp_view_slice(*rest, n + 1, rest->len);
    size_t comment = sp_view_find(line, '#');
    return sp_view_trim(sp_view_slice(line, 0, comment), " \t\r");
}

static bool starts_word(struct sp_view line, const char *word)
{
    struct sp_view w = sp_view_str(word);
    if (!sp_view_starts(line, w)) {
        return false;
    }
    return line.len == w.len || strchr(" \t=\"{+", line.data[w.len]) != NULL;
}

static bool is_head(struct sp_view line, const char *section, const char *title)
{
    if (!starts_word(line, section)) {
        return false;
    }
    struct sp_view rest = sp_view_slice(line, strlen(section), line.len);
    rest = sp_view_trim(rest, " \t");
    if (!title) {
        return rest.len && rest.data[0] == '{';
    }
    rest = sp_view_slice(rest, rest.len && rest.data[0] == '"', rest.len);
    return sp_view_starts(rest, sp_view_str(title));
}

/* Keys may share a line: look for the word behind a blank or a brace as well. */
static bool has_key(struct sp_view line, const char *key)
{
    for (size_t i = 0; i < line.len; i++) {
        bool begins = i == 0 || strchr(" \t{", line.data[i - 1]) != NULL;
        struct sp_view rest = sp_view_slice(line, i, line.len);
        if (begins && starts_word(rest, key)) {
            rest = sp_view_trim(sp_view_slice(rest, strlen(key), rest.len), " \t");
            if (rest.len && (rest.data[0] == '=' || rest.data[0] == '+')) {
                return true;
            }
        }
    }
    return false;
}

int sp_config_line(struct sp_view text, const char *section, const char *title,
                   const char *key)
{
    int number = 0, head = 0;
    bool inside = section == NULL;
    while (text.len) {
        struct sp_view line = next_line(&text);
        number++;
        if (!inside && is_head(line, section, title)) {
            inside = true;
            head = number;
        }
        if (inside && key && has_key(line, key)) {
            return number;
        }
        if (inside && section && sp_view_find(line, '}') < line.len &&
            !sp_view_eq(line, SP_VIEW("}")) && key &&
            sp_view_find(line, '{') == line.len) {
            continue; /* the end of a list, not of the section */
        }
        if (inside && section && sp_view_eq(line, SP_VIEW("}"))) {
            return head;
        }
    }
    return head;
}
