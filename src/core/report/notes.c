#include "core/report/advisory.h"

#include <stddef.h>

enum { NOTE_MOST = 2000 };

static enum sp_err read_line(struct sp_view line, const struct sp_note_sink *sink,
                             size_t number, struct sp_why *why)
{
    struct sp_kb_note note;
    size_t blank = sp_view_find(line, ' ');
    struct sp_view named = sp_view_slice(line, 0, blank);
    note.text = sp_view_trim(sp_view_slice(line, blank, line.len), " \t");
    bool is_kb = sp_kb_in(named, &note.kb) && note.kb.len + 2 >= named.len;
    if (!is_kb || !note.text.len || !sp_utf8_is_valid(note.text)) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "line %zu is not of the form \"KB5034768 what goes wrong\"",
                          number);
    }
    if (note.text.len > NOTE_MOST) {
        return sp_why_set(why, SP_E_LIMIT, "line %zu is longer than %d bytes", number,
                          NOTE_MOST);
    }
    return sink->found(sink->ctx, &note);
}

enum sp_err sp_notes_read(struct sp_view text, const struct sp_note_sink *sink,
                          struct sp_why *why)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF}; /* as editors of Windows write */
    if (sp_view_starts(text, sp_view(mark, sizeof mark))) {
        text = sp_view_slice(text, sizeof mark, text.len);
    }
    for (size_t number = 1; text.len; number++) {
        size_t end = sp_view_find(text, '\n');
        struct sp_view line = sp_view_trim(sp_view_slice(text, 0, end), " \t\r");
        text = sp_view_slice(text, end + 1, text.len);
        if (line.len && line.data[0] != '#') {
            SP_TRY(read_line(line, sink, number, why));
        }
    }
    return SP_OK;
}
