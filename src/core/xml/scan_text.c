/* Text: references, ends of lines, CDATA; and comments, which are none. */
#include "core/xml/scan.h"
#include "core/xml/stops.h"

/* ---- references ------------------------------------------------------------------ */

/* One of the five, at its '&'. */
static bool entity(struct sp_scan *s, uint8_t *out)
{
    *out = skip(s, SP_VIEW("&lt;"))     ? '<'
           : skip(s, SP_VIEW("&gt;"))   ? '>'
           : skip(s, SP_VIEW("&amp;"))  ? '&'
           : skip(s, SP_VIEW("&quot;")) ? '"'
           : skip(s, SP_VIEW("&apos;")) ? '\''
                                        : 0;
    return *out != 0;
}

enum sp_err sp_scan_reference(struct sp_scan *s, uint8_t out[4], size_t *n)
{
    enum {
        LONGEST = 64
    }; /* with many leading zeros; expat is asked about longer ones */
    *n = 1;
    if (entity(s, out)) {
        return SP_OK;
    }
    size_t left = (size_t)(s->end - s->p);
    const uint8_t *end = memchr(s->p, ';', left < LONGEST ? left : LONGEST);
    uint32_t c = 0;
    if (!end || !skip(s, SP_VIEW("&#")) ||
        !sp_xml_char_number(between(s->p, end), &c)) {
        return bad();
    }
    s->p = end + 1;
    *n = sp_xml_encode(c, out);
    return SP_OK;
}

/* ---- text ------------------------------------------------------------------------ */

enum sp_err sp_scan_flush(struct sp_scan *s)
{
    struct sp_view text = sp_view(s->text, s->text_len);
    s->text_len = 0;
    return text.len ? decided(s, sp_xml_text(&s->x, text)) : SP_OK;
}

static enum sp_err put(struct sp_scan *s, struct sp_view v)
{
    if (v.len > CHUNK / 4) {
        SP_TRY(sp_scan_flush(s));
        return decided(s, sp_xml_text(&s->x, v));
    }
    if (v.len > CHUNK - s->text_len) {
        SP_TRY(sp_scan_flush(s));
    }
    memcpy(s->text + s->text_len, v.data, v.len);
    s->text_len += v.len;
    return SP_OK;
}

static enum sp_err put_byte(struct sp_scan *s, uint8_t c)
{
    if (s->text_len == CHUNK) {
        SP_TRY(sp_scan_flush(s));
    }
    s->text[s->text_len++] = c;
    return SP_OK;
}

/* XML 1.0, 2.11: every end of line is one line feed. */
static enum sp_err end_of_line(struct sp_scan *s)
{
    s->p += s->end - s->p > 1 && s->p[1] == '\n' ? 2 : 1;
    return put_byte(s, '\n');
}

/* At one of the three that are not what they look like. */
static enum sp_err special(struct sp_scan *s)
{
    uint8_t bytes[4];
    size_t n = 0;
    if (*s->p == '&') {
        if (entity(s, bytes)) {
            return put_byte(s, *bytes);
        }
        SP_TRY(sp_scan_reference(s, bytes, &n));
        return put(s, sp_view(bytes, n));
    }
    if (*s->p == '\r') {
        return end_of_line(s);
    }
    return is_at(s, SP_VIEW("]]>")) ? bad() : put_byte(s, *s->p++);
}

enum sp_err sp_scan_text(struct sp_scan *s)
{
    for (;;) {
        const uint8_t *from = s->p;
        s->p = sp_xml_text_stop(from, s->end);
        SP_TRY(put(s, between(from, s->p)));
        if (s->p == s->end || *s->p == '<') {
            return SP_OK;
        }
        SP_TRY(special(s));
    }
}

/* Where what begins, from p on; NULL where it does not. */
static const uint8_t *find(const struct sp_scan *s, struct sp_view what)
{
    return memmem(s->p, (size_t)(s->end - s->p), what.data, what.len);
}

enum sp_err sp_scan_cdata(struct sp_scan *s)
{
    const uint8_t *end = find(s, SP_VIEW("]]>"));
    if (!end) {
        return wanting(s);
    }
    (void)skip(s, SP_VIEW("<![CDATA["));
    while (s->p < end) {
        const uint8_t *from = s->p, *line = memchr(s->p, '\r', (size_t)(end - s->p));
        s->p = line ? line : end;
        SP_TRY(put(s, between(from, s->p)));
        if (line) {
            SP_TRY(end_of_line(s));
        }
    }
    s->p = end + 3;
    return SP_OK;
}

enum sp_err sp_scan_comment(struct sp_scan *s)
{
    const uint8_t *from = s->p;
    (void)skip(s, SP_VIEW("<!--"));
    const uint8_t *end = find(s, SP_VIEW("--"));
    if (!end && s->x.rules->comments) {
        s->p = from;
        return wanting(s);
    }
    if (!end || !s->x.rules->comments || s->end - end < 3 || end[2] != '>') {
        return bad();
    }
    s->p = end + 3;
    return SP_OK;
}
