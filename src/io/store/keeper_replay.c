/* Bringing the index to where the ledger is. */
#include "io/store/change.h"
#include "io/store/keeper_inside.h"

#include "core/base/limits.h"

#include <string.h>

enum { REPLAY_STEP = 4096 }; /* entries of one transaction */

void sp_keeper_mark(struct sp_keeper *k, struct sp_index_mark *out)
{
    out->size = sp_ledger_size(k->ledger);
    sp_ledger_root(k->ledger, out->root);
}

static enum sp_err root_at(struct sp_keeper *k, uint64_t size, uint8_t root[SP_HASH])
{
    struct sp_hash_reader r = sp_ledger_hashes(k->ledger);
    struct sp_merkle m = {0};
    SP_TRY(sp_merkle_load(&r, size, &m));
    sp_merkle_root(&m, root);
    return SP_OK;
}

/* The index stands for a beginning of this very ledger. A fresh one stands for nothing.
 */
static bool is_of_ledger(struct sp_keeper *k, const struct sp_index_mark *mark)
{
    uint8_t root[SP_HASH];
    if (mark->size == 0) {
        return true;
    }
    return mark->size <= sp_ledger_size(k->ledger) &&
           root_at(k, mark->size, root) == SP_OK &&
           memcmp(root, mark->root, SP_HASH) == 0;
}

static enum sp_err replay_entry(struct sp_keeper *k, uint64_t number,
                                struct sp_why *why)
{
    struct sp_change c;
    struct sp_buf text;
    struct sp_why cause = {0};
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    enum sp_err e = sp_ledger_read(k->ledger, number, &text, why);
    if (e == SP_OK) {
        e = sp_change_read(sp_buf_view(&text), &c, &cause);
    }
    sp_buf_fini(&text);
    if (e != SP_OK) {
        return sp_why_set(why, e, "entry %llu of the ledger cannot be used: %s",
                          (unsigned long long)number, sp_why_text(&cause, e));
    }
    e = sp_change_apply(&c, k->index, number, &k->counts);
    sp_change_fini(&c);
    return e;
}

static enum sp_err replay_step(struct sp_keeper *k, uint64_t from, uint64_t to,
                               struct sp_why *why)
{
    struct sp_index_mark mark = {.size = to};
    SP_TRY(root_at(k, to, mark.root));
    SP_TRY(sp_index_begin(k->index));
    for (uint64_t n = from; n < to; n++) {
        enum sp_err e = replay_entry(k, n, why);
        if (e != SP_OK) {
            sp_index_rollback(k->index);
            return e;
        }
    }
    return sp_index_commit(k->index, &mark);
}

static enum sp_err open_index(struct sp_keeper *k, struct sp_index_mark *mark,
                              struct sp_why *why)
{
    SP_TRY(sp_index_open(k->index_path, &k->index, why));
    SP_TRY(sp_index_mark(k->index, mark));
    if (is_of_ledger(k, mark)) {
        return SP_OK;
    }
    sp_index_close(&k->index);
    sp_index_remove(k->index_path);
    SP_TRY(sp_index_open(k->index_path, &k->index, why));
    return sp_index_mark(k->index, mark);
}

/* The time of the newest revision that the index knows; its entry tells. */
static enum sp_err find_newest(struct sp_keeper *k, struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_change c;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    if (k->counts.revisions == 0) {
        return SP_OK;
    }
    SP_TRY(sp_ledger_read(k->ledger, k->counts.newest_entry, &text, why));
    SP_TRY(sp_change_read(sp_buf_view(&text), &c, why));
    k->counts.newest = sp_change_time(&c);
    sp_change_fini(&c);
    return SP_OK;
}

static enum sp_err open_and_replay(struct sp_keeper *k, struct sp_why *why)
{
    struct sp_index_mark mark;
    uint64_t size = sp_ledger_size(k->ledger);
    SP_TRY(open_index(k, &mark, why));
    SP_TRY(sp_index_count(k->index, &k->counts));
    SP_TRY(find_newest(k, why));
    while (mark.size < size) {
        uint64_t to = size - mark.size > REPLAY_STEP ? mark.size + REPLAY_STEP : size;
        SP_TRY(replay_step(k, mark.size, to, why));
        mark.size = to;
    }
    return SP_OK;
}

void sp_keeper_index_failed(struct sp_keeper *k, enum sp_err e)
{
    sp_index_close(&k->index);
    if (e == SP_E_CORRUPT) {
        sp_index_remove(k->index_path);
    }
}

enum sp_err sp_keeper_index_ready(struct sp_keeper *k, struct sp_why *why)
{
    if (k->index) {
        return SP_OK;
    }
    enum sp_err e = open_and_replay(k, why);
    if (e == SP_E_CORRUPT) {
        /* damage that showed up on the way: once more from nothing */
        sp_keeper_index_failed(k, e);
        e = open_and_replay(k, why);
    }
    if (e != SP_OK) {
        sp_keeper_index_failed(k, e);
        return sp_why_set(why, e, "the index %s cannot be used", k->index_path);
    }
    return SP_OK;
}
