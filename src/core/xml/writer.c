#include "core/base/text.h"
#include "core/xml/xml.h"

/* What stands for a byte, NULL where it stands for itself. A reader turns a bare CR
 * into LF everywhere, and CR, LF and TAB into blanks in a value (XML 1.0, 2.11
 * and 3.3.3). */
static const char *escaped(uint8_t c, bool in_value)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#xD;";
    case '"':
        return in_value ? "&quot;" : NULL;
    case '\'':
        return in_value ? "&apos;" : NULL;
    case '\n':
        return in_value ? "&#xA;" : NULL;
    case '\t':
        return in_value ? "&#x9;" : NULL;
    default:
        return NULL;
    }
}

/* XML 1.0, 2.2: no control characters but TAB, LF and CR; no U+FFFE, no U+FFFF. */
static bool is_character(struct sp_view v, size_t at)
{
    uint8_t c = v.data[at];
    if (c < 0x20) {
        return c == '\t' || c == '\n' || c == '\r';
    }
    return !(c == 0xef && v.data[at + 1] == 0xbf && v.data[at + 2] >= 0xbe);
}

static enum sp_err write_valid(struct sp_buf *b, struct sp_view v, bool in_value)
{
    size_t run = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (!is_character(v, i)) {
            return SP_E_MALFORMED;
        }
        const char *instead = escaped(v.data[i], in_value);
        if (instead) {
            SP_TRY(sp_buf_append(b, sp_view_slice(v, run, i)));
            SP_TRY(sp_buf_append_str(b, instead));
            run = i + 1;
        }
    }
    return sp_buf_append(b, sp_view_slice(v, run, v.len));
}

static enum sp_err write_all_or_nothing(struct sp_buf *b, struct sp_view v,
                                        bool in_value)
{
    size_t len = b->len;
    enum sp_err e = sp_utf8_is_valid(v) ? write_valid(b, v, in_value) : SP_E_MALFORMED;
    if (e != SP_OK) {
        b->len = len;
    }
    return e;
}

enum sp_err sp_xml_write_text(struct sp_buf *b, struct sp_view text)
{
    return write_all_or_nothing(b, text, false);
}

enum sp_err sp_xml_write_value(struct sp_buf *b, struct sp_view value)
{
    return write_all_or_nothing(b, value, true);
}
