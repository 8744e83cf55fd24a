#include "app/shared/lockdown.h"

#include "app/log/log.h"
#include "core/base/text.h"
#include "io/store/files.h"
#include "sallyport/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "lockdown"

bool sp_lockdown_is_on(const struct sp_lockdown *l)
{
    return atomic_load_explicit(&l->on, memory_order_relaxed);
}

/* ---- the ledger ----------------------------------------------------------------- */

struct note {
    struct sp_record record;
    struct sp_record_entry entry;
    struct sp_buf text; /* owned */
};

static void note_free(struct note *n)
{
    sp_buf_fini(&n->text);
    free(n);
}

static void recorded(struct sp_record *r, enum sp_err e)
{
    struct note *n = (struct note *)(void *)r;
    if (e != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "lockdown", "it is not in the ledger: %s",
                   sp_why_text(&r->why, e));
    }
    note_free(n);
}

static enum sp_err entry_text(bool on, struct sp_buf *out)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_TRY(sp_facts_new(SP_KIB(4), &f));
    SP_TRY(sp_facts_entry(f, "lockdown", sp_clock_wall_s()));
    SP_TRY(sp_facts_flag(f, SP_FACT_LOCKDOWN, on));
    return sp_facts_encode(f, out);
}

static enum sp_err write_down(struct sp_lockdown *l, bool on)
{
    struct note *n = calloc(1, sizeof *n);
    if (!n) {
        return SP_E_NOMEM;
    }
    sp_buf_init(&n->text, SP_LIMIT_LEDGER_ENTRY);
    enum sp_err e = entry_text(on, &n->text);
    if (e != SP_OK) {
        note_free(n);
        return e;
    }
    n->entry = (struct sp_record_entry){.text = sp_buf_view(&n->text)};
    n->record = (struct sp_record){
        .entries = &n->entry, .count = 1, .loop = l->loop, .answer = recorded};
    sp_keeper_record(l->keeper, &n->record);
    return SP_OK;
}

/* ---- the switch ----------------------------------------------------------------- */

enum sp_err sp_lockdown_look(struct sp_lockdown *l, struct sp_why *why)
{
    struct stat st;
    SP_AUTO(sp_fd_close) int dir = -1;
    enum sp_err e = sp_dir_open(l->state_dir, &dir, why);
    bool off = e == SP_OK && fstatat(dir, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
               errno == ENOENT;
    bool changed = atomic_exchange(&l->on, !off) == off;
    if (changed && off) {
        sp_log_say(SP_LOG_WARNING, "lockdown", "off: update metadata passes again");
    } else if (changed) {
        sp_log_say(SP_LOG_WARNING, "lockdown", "on: all update metadata is stopped");
    }
    SP_TRY(e);
    return changed ? write_down(l, !off) : SP_OK;
}

static enum sp_err remove_file(int dir, struct sp_why *why)
{
    if (unlinkat(dir, FILE_NAME, 0) != 0 && errno != ENOENT) {
        return sp_file_fail(why, "remove", FILE_NAME, errno);
    }
    return fsync(dir) == 0 ? SP_OK : sp_file_fail(why, "sync", "state_dir", errno);
}

enum sp_err sp_lockdown_throw(const char *state_dir, bool on, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_TRY(sp_dir_open(state_dir, &dir, why));
    if (!on) {
        return remove_file(dir, why);
    }
    enum sp_err e = sp_file_replace_at(
        dir, FILE_NAME,
        SP_VIEW("All update metadata is stopped: sallyport lockdown off\n"), 0600,
        SP_FILE_DURABLE);
    return e == SP_OK ? e : sp_why_set(why, e, "cannot write the file %s", FILE_NAME);
}
