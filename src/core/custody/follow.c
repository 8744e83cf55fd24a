#include "core/custody/follow.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *text;
} states[] = {
#define FOLLOW(name, text, good, help) {text},
#include "core/custody/follow.def"
#undef FOLLOW
};

const char *sp_follow_text(enum sp_follow_state s)
{
    SP_ASSERT(s < SP_FOLLOW_STATE_COUNT);
    return states[s].text;
}

bool sp_follow_is_final(enum sp_follow_state s)
{
    return s == SP_FOLLOW_FORKED || s == SP_FOLLOW_TRUNCATED;
}

void sp_follow_init(struct sp_follow *f, const struct sp_note_key *key,
                    const struct sp_head *seen)
{
    *f = (struct sp_follow){.key = key, .seen = *seen, .state = SP_FOLLOW_SILENT};
    sp_why_say(&f->why, "it was not read yet");
}

static void set_state(struct sp_follow *f, enum sp_follow_state s)
{
    f->state = s;
    f->why.text[0] = '\0';
}

static bool same_head(const struct sp_head *a, const struct sp_head *b)
{
    return a->size == b->size && memcmp(a->root, b->root, SP_HASH) == 0;
}

static bool was_seen(const struct sp_follow *f, const struct sp_head *h)
{
    for (unsigned i = 0; i < f->head_count && i < SP_FOLLOW_HEADS; i++) {
        if (same_head(&f->heads[i], h)) {
            return true;
        }
    }
    return false;
}

static void split(struct sp_follow *f, const char *what)
{
    set_state(f, SP_FOLLOW_FORKED);
    sp_why_say(&f->why,
               "%s signed two histories: %" PRIu64 " entries were seen, and the "
               "ledger it shows now %s. One of both is a lie; nothing of either is "
               "believed",
               sp_note_key_name(f->key), f->seen.size, what);
}

/* Smaller than what was seen: an old one again, or a ledger that was cut. */
static void shrink(struct sp_follow *f, const struct sp_head *h)
{
    bool replayed = was_seen(f, h);
    set_state(f, replayed ? SP_FOLLOW_REPLAYED : SP_FOLLOW_TRUNCATED);
    sp_why_say(&f->why,
               replayed ? "%s shows %" PRIu64 " entries again, though %" PRIu64
                          " were seen: an old answer is replayed"
                        : "%s signed a ledger of %" PRIu64 " entries, though %" PRIu64
                          " were seen: entries were cut off",
               sp_note_key_name(f->key), h->size, f->seen.size);
}

/* The tree reached a size whose root is known: it must be that one. */
static bool meets(struct sp_follow *f, const struct sp_head *h)
{
    uint8_t root[SP_HASH];
    if (f->tree.size != h->size) {
        return true;
    }
    sp_merkle_root(&f->tree, root);
    return memcmp(root, h->root, SP_HASH) == 0;
}

static void prove(struct sp_follow *f)
{
    f->proven = f->target.size;
    f->seen = f->target;
    if (!was_seen(f, &f->target)) {
        f->heads[f->head_count++ % SP_FOLLOW_HEADS] = f->target;
    }
    set_state(f, SP_FOLLOW_GOOD);
}

bool sp_follow_checkpoint(struct sp_follow *f, struct sp_view note)
{
    struct sp_checkpoint c;
    struct sp_why why = {0};
    if (sp_follow_is_final(f->state)) {
        return false;
    }
    enum sp_err e = sp_checkpoint_open(note, f->key, &c, &why);
    if (e != SP_OK) {
        set_state(f, SP_FOLLOW_UNSIGNED);
        sp_why_say(&f->why, "the checkpoint of %s: %s", sp_note_key_name(f->key),
                   sp_why_text(&why, e));
        return false;
    }
    struct sp_head h = {.size = c.size};
    memcpy(h.root, c.root, SP_HASH);
    if (h.size < f->seen.size) {
        shrink(f, &h);
        return false;
    }
    if (h.size == f->seen.size && f->seen.size && !same_head(&h, &f->seen)) {
        split(f, "is of the same size and has other entries");
        return false;
    }
    f->target = h;
    if (f->tree.size == 0 || f->tree.size > h.size) {
        f->tree = (struct sp_merkle){.size = 0};
        f->is_whole = true;
        f->diverged = false;
    } else {
        f->is_whole = false;
    }
    if (h.size == f->tree.size && meets(f, &h)) {
        prove(f);
    }
    return true;
}

bool sp_follow_is_proven(const struct sp_follow *f)
{
    return f->state == SP_FOLLOW_GOOD && same_head(&f->seen, &f->target);
}

bool sp_follow_wants(const struct sp_follow *f, uint64_t *bundle, unsigned *width)
{
    if (f->tree.size >= f->target.size || sp_follow_is_final(f->state)) {
        return false;
    }
    uint64_t index = f->tree.size / SP_TILE_WIDTH;
    uint64_t left = f->target.size - index * SP_TILE_WIDTH;
    *bundle = index;
    *width = left < SP_TILE_WIDTH ? (unsigned)left : SP_TILE_WIDTH;
    return true;
}

/* Entries that do not give the signed root prove nothing, against nobody: a broken
 * mirror looks the same. Reading stops, until the next checkpoint. */
static void unreadable(struct sp_follow *f, const char *what)
{
    f->tree = (struct sp_merkle){.size = 0};
    f->target = (struct sp_head){.size = 0};
    set_state(f, SP_FOLLOW_UNREADABLE);
    sp_why_say(&f->why, "the entries that %s shows %s", sp_note_key_name(f->key), what);
}

static enum sp_err take_entries(struct sp_follow *f, struct sp_view rest,
                                enum sp_err (*each)(void *, uint64_t, struct sp_view),
                                void *ctx)
{
    uint64_t at = f->tree.size / SP_TILE_WIDTH * SP_TILE_WIDTH;
    struct sp_view entry;
    uint8_t leaf[SP_HASH];
    for (; rest.len && at < f->target.size; at++) {
        SP_TRY(sp_tile_entries_next(&rest, &entry));
        if (at < f->tree.size) {
            continue;
        }
        SP_TRY(each(ctx, at, entry));
        sp_merkle_leaf(entry, leaf);
        sp_merkle_append(&f->tree, leaf);
        f->diverged = f->diverged || !meets(f, &f->seen);
    }
    return rest.len ? SP_E_MALFORMED : SP_OK;
}

/* All entries are here. Only when they give a root that was signed do they say
 * anything: that the history goes on, or that there are two. Else the whole ledger is
 * read once more from its start, which tells one from the other. */
static void arrive(struct sp_follow *f)
{
    if (meets(f, &f->target)) {
        if (f->diverged) {
            split(f, "begins with other entries");
        } else {
            prove(f);
        }
    } else if (f->is_whole) {
        unreadable(f, "do not give the root that was signed");
    } else {
        struct sp_head target = f->target;
        unreadable(f, "do not continue those that were seen; they are read again");
        f->target = target;
        f->is_whole = true;
        f->diverged = false;
    }
}

enum sp_err sp_follow_bundle(struct sp_follow *f, struct sp_view bytes,
                             enum sp_err (*each)(void *ctx, uint64_t index,
                                                 struct sp_view entry),
                             void *ctx)
{
    uint64_t before = f->tree.size;
    enum sp_err e = take_entries(f, bytes, each, ctx);
    if (e == SP_E_MALFORMED || e == SP_E_TRUNCATED ||
        (e == SP_OK && f->tree.size == before)) {
        unreadable(f, "are cut off or too few");
        return SP_OK;
    }
    SP_TRY(e);
    if (f->tree.size == f->target.size) {
        arrive(f);
    }
    return SP_OK;
}
