/* C2SP tlog-checkpoint: origin, size and root of a tree as a signed note. */
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/custody/note.h"

#include <inttypes.h>

enum sp_err sp_checkpoint_sign(const struct sp_checkpoint *c,
                               const struct sp_note_key *k, struct sp_buf *out)
{
    if (!sp_view_eq_str(c->origin, k->name)) {
        return SP_E_MISMATCH;
    }
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_buf_printf(&text, "%s\n%" PRIu64 "\n", k->name, c->size));
    SP_TRY(sp_base64_append(&text, sp_view(c->root, SP_HASH)));
    SP_TRY(sp_buf_append_byte(&text, '\n'));
    SP_AUTO(sp_buf_fini) struct sp_buf signature;
    sp_buf_init(&signature, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_note_sign(k, sp_buf_view(&text), &signature));
    SP_TRY(sp_buf_append_byte(&text, '\n'));
    SP_TRY(sp_buf_append(&text, sp_buf_view(&signature)));
    return sp_buf_append(out, sp_buf_view(&text));
}

static struct sp_view next_line(struct sp_view *text)
{
    size_t end = sp_view_find(*text, '\n');
    struct sp_view line = sp_view_slice(*text, 0, end);
    *text = sp_view_slice(*text, end + 1, text->len);
    return line;
}

enum sp_err sp_checkpoint_open(struct sp_view note, const struct sp_note_key *k,
                               struct sp_checkpoint *out, struct sp_why *why)
{
    struct sp_view text;
    struct sp_checkpoint c;
    SP_TRY(sp_note_open(k, note, &text, why));
    c.origin = next_line(&text);
    if (!sp_view_eq_str(c.origin, k->name)) {
        return sp_why_set(why, SP_E_UNPROVEN,
                          "the checkpoint is of \"" SP_VIEW_FMT "\", the key of %s",
                          SP_VIEW_ARG(c.origin), k->name);
    }
    if (sp_u64_parse(next_line(&text), UINT64_MAX, &c.size) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED, "the checkpoint's size is no number");
    }
    if (sp_base64_parse_exact(next_line(&text), c.root, SP_HASH) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED, "the checkpoint's root is no hash");
    }
    /* [C2SP tlog-checkpoint]: extension lines are allowed there; nothing here knows any
     */
    if (text.len) {
        return sp_why_set(
            why, SP_E_MALFORMED,
            "the checkpoint has lines behind its root, which are not known");
    }
    *out = c;
    return SP_OK;
}
