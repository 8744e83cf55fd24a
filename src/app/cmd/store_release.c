#include "app/cmd/store_release.h"

#include "app/base/say.h"
#include "app/fill/inspect.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "core/gate/fill.h"
#include "io/store/files.h"
#include "io/store/ledger_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

struct work {
    const struct sp_release *r;     /* borrowed */
    struct sp_released *out;        /* borrowed */
    struct sp_why *why;             /* borrowed */
    struct sp_ledger_files *ledger; /* owned */
    struct sp_stage *stage;         /* owned; NULL when dry */
    struct sp_digester *digester;   /* owned */
    struct sp_facts *facts;         /* owned */
    struct sp_facts *seen;          /* owned; all that the inspection found */
    int evidence;                   /* owned */
    uint8_t sha1[20];
    uint64_t size;
};

static void work_fini(struct work *w)
{
    sp_ledger_close(&w->ledger);
    sp_stage_drop(&w->stage);
    sp_digester_free(&w->digester);
    sp_facts_free(&w->facts);
    sp_facts_free(&w->seen);
    sp_fd_close(&w->evidence);
}

/* ---- what the bytes are ---------------------------------------------------------- */

static enum sp_err read_pieces(struct work *w, uint8_t *piece)
{
    for (uint64_t at = 0; at < w->size;) {
        ssize_t n = pread(w->evidence, piece, PIECE, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? sp_file_err(errno) : SP_E_TRUNCATED;
        }
        struct sp_view bytes = sp_view(piece, (size_t)n);
        SP_TRY(sp_digester_update(w->digester, bytes));
        if (w->stage) {
            SP_TRY(sp_stage_write(w->stage, at, bytes));
        }
        at += bytes.len;
    }
    return SP_OK;
}

/* A copy is staged: the evidence stays what it is until the copy is an object. */
static enum sp_err take_in(struct work *w)
{
    enum sp_err e =
        sp_evidence_open(w->r->objects, w->r->evidence, &w->evidence, &w->size);
    if (e != SP_OK) {
        return sp_why_set(w->why, e, _("the evidence %s: %s"), w->r->evidence,
                          sp_err_text(e));
    }
    if (!w->r->dry) {
        SP_TRY(sp_stage_new(w->r->objects, w->size, &w->stage, w->why));
    }
    SP_TRY(
        sp_digester_new_in_parts(SP_BLOCK_SIZE, sp_block_count(w->size), &w->digester));
    uint8_t *piece = malloc(PIECE);
    e = piece ? read_pieces(w, piece) : SP_E_NOMEM;
    free(piece);
    SP_TRY(e);
    return sp_digester_finish(w->digester, w->sha1, w->out->sha256);
}

/* ---- what they must be ----------------------------------------------------------- */

static bool says(const struct sp_facts *f, enum sp_fact k, struct sp_view what)
{
    struct sp_fact_value v;
    return sp_facts_get(f, k, 0, &v) && sp_view_eq(v.bytes, what);
}

/* An entry of the filler's about exactly these bytes. */
static bool is_about(const struct sp_facts *f, const uint8_t sha256[32])
{
    return (says(f, SP_FACT_ENTRY_KIND, SP_VIEW("file")) ||
            says(f, SP_FACT_ENTRY_KIND, SP_VIEW("refusal"))) &&
           says(f, SP_FACT_FILE_SHA256, sp_view(sha256, 32)) &&
           sp_facts_count(f, SP_FACT_FILE_CLAIM_SHA1) == 1;
}

static enum sp_err read_entry(struct work *w, uint64_t n, struct sp_facts **out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    SP_TRY(sp_ledger_read(w->ledger, n, &text, w->why));
    return sp_facts_decode(sp_buf_view(&text), out, w->why);
}

/* The newest one. */
static enum sp_err find_entry(struct work *w, struct sp_facts **out)
{
    for (uint64_t n = sp_ledger_size(w->ledger); n > 0; n--) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        SP_TRY(read_entry(w, n - 1, &f));
        if (is_about(f, w->out->sha256)) {
            w->out->about = n - 1;
            *out = f;
            f = NULL;
            return SP_OK;
        }
    }
    return sp_why_set(w->why, SP_E_NOTFOUND,
                      _("the ledger has no entry about exactly these bytes, so nobody "
                        "knows what they must be"));
}

/* What is measured or decided anew: what the file is, its signatures, the verdict. */
static bool is_renewed(enum sp_fact k)
{
    static const char *const groups[] = {"entry.",    "file.sha", "file.size",
                                         "file.tree", "release.", "sign.",
                                         "verdict."};
    struct sp_view key = sp_view_str(sp_fact_key(k));
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (sp_view_starts(key, sp_view_str(groups[i]))) {
            return true;
        }
    }
    return false;
}

static enum sp_err copy_kept(const struct sp_facts *from, struct sp_facts *to)
{
    struct sp_fact_value v;
    for (int k = 0; k < SP_FACT_COUNT; k++) {
        for (size_t i = 0;
             !is_renewed((enum sp_fact)k) && sp_facts_get(from, (enum sp_fact)k, i, &v);
             i++) {
            SP_TRY(sp_facts_add(to, (enum sp_fact)k, &v));
        }
    }
    return SP_OK;
}

/* The extension is what the content path promises. */
static enum sp_err add_signatures(struct work *w)
{
    struct sp_fact_value v;
    char ext[16] = "";
    if (sp_facts_get(w->facts, SP_FACT_FILE_PATH, 0, &v)) {
        size_t dot = sp_view_find(v.bytes, '.');
        struct sp_view tail = sp_view_slice(v.bytes, dot + 1, v.bytes.len);
        snprintf(ext, sizeof ext, SP_VIEW_FMT, SP_VIEW_ARG(tail));
    }
    static const atomic_bool never = false;
    struct sp_open_file file = {.fd = w->evidence,
                                .ext = ext,
                                .trust = w->r->trust,
                                .now = sp_clock_wall_s(),
                                .stop = &never};
    SP_TRY(sp_inspect_signatures(&file, w->seen, w->why));
    if (sp_facts_count(w->facts, SP_FACT_FILE_CLAIM_SHA256) == 0) {
        SP_TRY(sp_inspect_collision(&file, w->seen, w->why));
    }
    return sp_fill_keep(w->seen, w->facts);
}

static enum sp_err add_tree(struct work *w)
{
    struct sp_tree_root root;
    if (!w->stage) {
        return SP_OK;
    }
    SP_TRY(
        sp_stage_tree(w->stage, w->out->sha256, sp_digester_parts(w->digester), &root));
    return sp_facts_bytes(w->seen, SP_FACT_FILE_TREE,
                          sp_view(root.hash, sizeof root.hash));
}

static enum sp_err make_facts(struct work *w)
{
    SP_AUTO(sp_facts_free) struct sp_facts *before = NULL;
    SP_TRY(find_entry(w, &before));
    SP_TRY(sp_facts_new(SP_MIB(1), &w->facts));
    SP_TRY(sp_facts_new(SP_MIB(1), &w->seen));
    SP_TRY(copy_kept(before, w->facts));
    SP_TRY(sp_facts_entry(w->facts, "file", sp_clock_wall_s()));
    SP_TRY(sp_facts_bytes(w->facts, SP_FACT_FILE_SHA1, sp_view(w->sha1, 20)));
    SP_TRY(sp_facts_bytes(w->facts, SP_FACT_FILE_SHA256, sp_view(w->out->sha256, 32)));
    SP_TRY(sp_facts_int(w->facts, SP_FACT_FILE_SIZE, (int64_t)w->size));
    SP_TRY(sp_facts_int(w->facts, SP_FACT_RELEASE_ENTRY, (int64_t)w->out->about));
    SP_TRY(sp_facts_text(w->facts, SP_FACT_RELEASE_REASON, sp_view_str(w->r->reason)));
    SP_TRY(add_tree(w));
    return add_signatures(w);
}

/* ---- the release ----------------------------------------------------------------- */

static enum sp_err record(struct work *w)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    SP_TRY(sp_verdict_to_facts(&w->out->verdict, w->r->policy, w->facts));
    SP_TRY(sp_facts_encode(w->facts, &text));
    struct sp_view entry = sp_buf_view(&text);
    return sp_ledger_append(w->ledger, &entry, 1, &w->out->entry, w->why);
}

static enum sp_err put_back(struct work *w)
{
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    SP_TRY(sp_stage_commit(&w->stage, w->out->sha256, w->sha1, &o, w->why));
    return sp_evidence_remove(w->r->objects, w->r->evidence);
}

/* Opening it for writing makes a ledger where there is none: so it is looked at first.
 */
static enum sp_err open_ledger(struct work *w)
{
    SP_TRY(sp_ledger_open_view(w->r->state_dir, &w->ledger, w->why));
    if (w->r->dry) {
        return SP_OK;
    }
    sp_ledger_close(&w->ledger);
    return sp_ledger_open(w->r->state_dir, "unused", &w->ledger, w->why);
}

static enum sp_err release(struct work *w)
{
    SP_TRY(take_in(w));
    SP_TRY(open_ledger(w));
    SP_TRY(make_facts(w));
    sp_policy_judge(w->r->policy, SP_SUBJECT_FILE, w->facts, &w->out->verdict);
    if (w->out->verdict.ruling != SP_PASSED || w->r->dry) {
        return SP_OK;
    }
    SP_TRY(record(w));
    return put_back(w);
}

enum sp_err sp_release(const struct sp_release *r, struct sp_released *out,
                       struct sp_why *why)
{
    SP_AUTO(work_fini) struct work w = {.r = r, .out = out, .why = why, .evidence = -1};
    return release(&w);
}
