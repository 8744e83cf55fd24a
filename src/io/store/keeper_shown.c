/* Fragments for clients against what documents in custody derive. A server calls its
 * revisions by numbers of its own; which revision a number stands for is learned from
 * what it sends, kept in the index, and forgotten with it: what is not known is not
 * compared. */
#include "io/store/keeper_inside.h"

#include <stdlib.h>
#include <string.h>

/* The revision a fragment is of; SP_E_NOTFOUND. What the server says by now counts: one
 * that was set up anew begins to count anew. */
static enum sp_err find_id(struct sp_index *ix, const char *upstream,
                           const struct sp_shown *s, struct sp_revision_id *out)
{
    struct sp_revision_id known;
    enum sp_err e = sp_index_number(ix, upstream, s->number, &known);
    if (!s->parts.has_id) {
        *out = known;
        return e;
    }
    *out = s->parts.id;
    if (e == SP_OK && sp_revision_id_cmp(&known, &s->parts.id) == 0) {
        return SP_OK;
    }
    return e == SP_OK || e == SP_E_NOTFOUND
               ? sp_index_put_number(ix, upstream, s->number, &s->parts.id)
               : e;
}

/* One kind: is the digest among the rows, and is there any? */
static enum sp_shown_says compare_kind(struct sp_view rows, enum sp_derived_kind k,
                                       struct sp_shown *s)
{
    enum sp_shown_says says = SP_SHOWN_UNKNOWN;
    for (size_t at = 0; at + SP_DERIVED_ROW <= rows.len; at += SP_DERIVED_ROW) {
        if (rows.data[at] != k) {
            continue;
        }
        if (memcmp(&rows.data[at + 1], s->parts.sha256[k], 32) == 0) {
            return SP_SHOWN_AGREES;
        }
        says = SP_SHOWN_DIFFERS;
        s->has_derived = k != SP_DERIVED_LOCALIZED;
        memcpy(s->derived, &rows.data[at + 1], 32);
    }
    return says;
}

static void compare(struct sp_view rows, struct sp_shown *s)
{
    if (!s->is_readable) {
        s->says = SP_SHOWN_DIFFERS;
        return;
    }
    for (enum sp_derived_kind k = 0; k < SP_DERIVED_KINDS; k++) {
        enum sp_shown_says says =
            s->parts.has[k] ? compare_kind(rows, k, s) : SP_SHOWN_UNKNOWN;
        if (says == SP_SHOWN_DIFFERS) {
            s->says = says;
            s->kind = k;
            return;
        }
        s->says = says == SP_SHOWN_AGREES ? says : s->says;
    }
}

static enum sp_err find_document(struct sp_index *ix, struct sp_shown *s)
{
    struct sp_index_revision r;
    SP_TRY(sp_index_revision(ix, &s->id, &r));
    memcpy(s->document_sha256, r.document_sha256, 32);
    return SP_OK;
}

enum sp_err sp_keeper_compare(struct sp_keeper *k, const char *upstream,
                              struct sp_shown *s)
{
    struct sp_buf rows;
    s->says = SP_SHOWN_UNKNOWN;
    s->is_kept_back = s->needs_differing = false;
    enum sp_err e = find_id(k->index, upstream, s, &s->id);
    s->has_id = e == SP_OK;
    if (e != SP_OK) {
        return e == SP_E_NOTFOUND ? SP_OK : e;
    }
    sp_buf_init(&rows, SP_DERIVED_MAX);
    e = sp_index_derived(k->index, &s->id, &rows);
    if (e == SP_OK) {
        compare(sp_buf_view(&rows), s);
        e = s->says == SP_SHOWN_DIFFERS ? find_document(k->index, s) : SP_OK;
    }
    sp_buf_fini(&rows);
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

/* ---- what goes with it ----------------------------------------------------------- */

struct kept {
    struct sp_withheld *list; /* owned, sorted */
    size_t count;
};

static void kept_fini(struct kept *l)
{
    free(l->list);
}

static int by_id(const void *key, const void *row)
{
    return sp_revision_id_cmp(key, &((const struct sp_withheld *)row)->id);
}

static bool is_in(const struct kept *l, const struct sp_shown *s)
{
    return s->has_id && l->count &&
           bsearch(&s->id, l->list, l->count, sizeof *l->list, by_id);
}

static enum sp_err mark_needing(struct sp_keeper *k, const struct sp_revision_id *child,
                                struct sp_shown *shown, size_t count)
{
    SP_AUTO(kept_fini) struct kept l = {NULL, 0};
    SP_TRY(sp_index_needing(k->index, child, &l.list, &l.count));
    for (size_t i = 0; i < count; i++) {
        shown[i].needs_differing = shown[i].needs_differing || is_in(&l, &shown[i]);
    }
    return SP_OK;
}

static size_t count_differing(const struct sp_shown *shown, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        n += shown[i].says == SP_SHOWN_DIFFERS;
    }
    return n;
}

enum sp_err sp_keeper_mark_shown(struct sp_keeper *k, const char *policy,
                                 struct sp_shown *shown, size_t count)
{
    SP_AUTO(kept_fini) struct kept l = {NULL, 0};
    SP_TRY(sp_index_withheld(k->index, sp_view_str(policy), &l.list, &l.count));
    bool few = count_differing(shown, count) <= SP_LIMIT_DIFFERING;
    for (size_t i = 0; i < count; i++) {
        shown[i].is_kept_back = is_in(&l, &shown[i]);
        if (few && shown[i].says == SP_SHOWN_DIFFERS) {
            SP_TRY(mark_needing(k, &shown[i].id, shown, count));
        }
    }
    return SP_OK;
}
