#include "io/store/keeper_inside.h"

#include "io/store/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- messages ------------------------------------------------------------------ */

void sp_keeper_post(struct sp_keeper *k, struct sp_msg *msg)
{
    if (sp_inbox_put(&k->inbox, msg)) {
        sem_post(&k->wake);
    }
}

/* A record must not be answered before the batch is whole, a question is answered at
 * once: it sees what was acknowledged before it. */
static void *keep(void *arg)
{
    struct sp_keeper *k = arg;
    bool stop = false;
    while (!stop) {
        while (sem_wait(&k->wake) != 0 && errno == EINTR) {
        }
        stop = atomic_load(&k->stopping);
        struct sp_msg *m = sp_inbox_take(&k->inbox);
        while (m) {
            struct sp_msg *next = m->next;
            m->run(m);
            m = next;
        }
        sp_keeper_flush(k);
    }
    return NULL;
}

/* ---- look-ups ------------------------------------------------------------------ */

static void deliver_revisions(struct sp_msg *msg)
{
    struct sp_ask_revisions *q = (struct sp_ask_revisions *)msg;
    q->answer(q, q->err);
}

static enum sp_err find_highest(struct sp_keeper *k, const struct sp_guid *id,
                                struct sp_known_revision *known)
{
    enum sp_err e = sp_index_highest(k->index, id, &known->highest);
    known->has_highest = e == SP_OK;
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

/* What kind of category an update is, as its newest document in the ledger says. An
 * entry that cannot be read says nothing. */
static void find_category(struct sp_keeper *k, const struct sp_guid *id,
                          struct sp_known_revision *known)
{
    static const char key[] = "\ndocument.category-type ";
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_revision_id newest = {.id = *id, .number = known->highest};
    struct sp_index_revision found;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    if (!known->has_highest || sp_index_revision(k->index, &newest, &found) != SP_OK ||
        sp_ledger_read(k->ledger, found.entry, &text, NULL) != SP_OK) {
        return;
    }
    struct sp_view all = sp_buf_view(&text);
    const uint8_t *at = memmem(all.data, all.len, key, sizeof key - 1);
    if (at) {
        struct sp_view rest =
            sp_view_slice(all, (size_t)(at - all.data) + sizeof key - 1, all.len);
        struct sp_view value = sp_view_slice(rest, 0, sp_view_find(rest, '\n'));
        snprintf(known->category, sizeof known->category, SP_VIEW_FMT,
                 SP_VIEW_ARG(value));
    }
}

static enum sp_err find_withheld(struct sp_keeper *k, struct sp_ask_revisions *q)
{
    free(q->withheld);
    q->withheld = NULL;
    q->withheld_count = 0;
    return q->policy ? sp_index_withheld(k->index, sp_view_str(q->policy), &q->withheld,
                                         &q->withheld_count)
                     : SP_OK;
}

static enum sp_err find_revisions(struct sp_keeper *k, struct sp_ask_revisions *q)
{
    SP_TRY(sp_keeper_index_ready(k, NULL));
    SP_TRY(find_withheld(k, q));
    for (size_t i = 0; i < q->count; i++) {
        struct sp_known_revision *known = &q->known[i];
        struct sp_index_revision found;
        *known = (struct sp_known_revision){.known = false};
        enum sp_err e = sp_index_revision(k->index, &q->ids[i], &found);
        if (e == SP_OK) {
            known->known = true;
            known->entry = found.entry;
            memcpy(known->document_sha256, found.document_sha256, 32);
        } else if (e != SP_E_NOTFOUND) {
            return e;
        }
        SP_TRY(find_highest(k, &q->ids[i].id, known));
        if (i + q->parts >= q->count) {
            find_category(k, &q->ids[i].id, known);
        }
    }
    return SP_OK;
}

static void run_revisions(struct sp_msg *msg)
{
    struct sp_ask_revisions *q = (struct sp_ask_revisions *)msg;
    struct sp_keeper *k = q->keeper;
    q->err = find_revisions(k, q);
    if (q->err != SP_OK) {
        /* once more: a damaged index is made anew */
        sp_keeper_index_failed(k, q->err);
        q->err = find_revisions(k, q);
    }
    msg->run = deliver_revisions;
    sp_loop_post(q->loop, msg);
}

void sp_keeper_ask_revisions(struct sp_keeper *k, struct sp_ask_revisions *q)
{
    q->keeper = k;
    q->msg.run = run_revisions;
    sp_keeper_post(k, &q->msg);
}

static void deliver_claim(struct sp_msg *msg)
{
    struct sp_ask_claim *q = (struct sp_ask_claim *)msg;
    q->answer(q, q->err);
}

/* A verified file that is not what metadata claims by now contradicts it as well. */
static void join_file(struct sp_ask_claim *q, const struct sp_index_file *f)
{
    q->verified = true;
    memcpy(q->verified_sha256, f->sha256, 32);
    q->tree = f->tree;
    if (q->claimed &&
        (q->claim.size != f->size ||
         (q->claim.has_sha256 && memcmp(q->claim.sha256, f->sha256, 32) != 0))) {
        q->contradicted = true;
    }
    q->claim.size = f->size;
}

static enum sp_err find_claim(struct sp_keeper *k, struct sp_ask_claim *q)
{
    struct sp_index_file file;
    SP_TRY(sp_keeper_index_ready(k, NULL));
    q->claimed = q->contradicted = q->verified = false;
    q->claim = (struct sp_claim){.has_sha256 = false};
    memcpy(q->claim.sha1, q->sha1, sizeof q->sha1);
    enum sp_err e = sp_index_claim(k->index, q->sha1, &q->claim, &q->contradicted);
    if (e != SP_OK && e != SP_E_NOTFOUND) {
        return e;
    }
    q->claimed = e == SP_OK;
    e = sp_index_file(k->index, q->sha1, &file);
    if (e == SP_OK) {
        join_file(q, &file);
    }
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

static enum sp_err find_origin(struct sp_keeper *k, struct sp_ask_claim *q)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    uint64_t entry = 0;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    if (!q->wants_origin || !q->claimed) {
        return SP_OK;
    }
    enum sp_err e = sp_index_url(k->index, q->sha1, q->url);
    if (e != SP_OK && e != SP_E_NOTFOUND) {
        return e;
    }
    SP_TRY(sp_index_claim_entry(k->index, q->sha1, &entry));
    SP_TRY(sp_ledger_read(k->ledger, entry, &text, NULL));
    return sp_facts_decode(sp_buf_view(&text), &q->origin, NULL);
}

static void run_claim(struct sp_msg *msg)
{
    struct sp_ask_claim *q = (struct sp_ask_claim *)msg;
    struct sp_keeper *k = q->keeper;
    q->err = find_claim(k, q);
    if (q->err != SP_OK) {
        sp_keeper_index_failed(k, q->err);
        q->err = find_claim(k, q);
    }
    if (q->err == SP_OK) {
        q->err = find_origin(k, q);
    }
    msg->run = deliver_claim;
    sp_loop_post(q->loop, msg);
}

void sp_keeper_ask_claim(struct sp_keeper *k, struct sp_ask_claim *q)
{
    q->keeper = k;
    q->msg.run = run_claim;
    sp_keeper_post(k, &q->msg);
}

static void deliver_files(struct sp_msg *msg)
{
    struct sp_ask_files *q = (struct sp_ask_files *)msg;
    q->answer(q, q->err);
}

static enum sp_err find_file(struct sp_keeper *k, struct sp_asked_file *f)
{
    struct sp_claim claim;
    struct sp_index_file file;
    bool contradicted = false;
    enum sp_err e = sp_index_claim(k->index, f->sha1, &claim, &contradicted);
    if (e == SP_E_NOTFOUND) {
        e = sp_index_file(k->index, f->sha1, &file);
    }
    f->in_custody = e == SP_OK;
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

static enum sp_err find_files(struct sp_keeper *k, struct sp_ask_files *q)
{
    SP_TRY(sp_keeper_index_ready(k, NULL));
    for (size_t i = 0; i < q->count; i++) {
        SP_TRY(find_file(k, &q->files[i]));
    }
    for (size_t i = 0; i < q->shown_count; i++) {
        SP_TRY(sp_keeper_compare(k, q->upstream, &q->shown[i]));
    }
    return q->shown_count
               ? sp_keeper_mark_shown(k, q->policy, q->shown, q->shown_count)
               : SP_OK;
}

static void run_files(struct sp_msg *msg)
{
    struct sp_ask_files *q = (struct sp_ask_files *)msg;
    struct sp_keeper *k = q->keeper;
    q->err = find_files(k, q);
    if (q->err != SP_OK) {
        sp_keeper_index_failed(k, q->err);
        q->err = find_files(k, q);
    }
    msg->run = deliver_files;
    sp_loop_post(q->loop, msg);
}

void sp_keeper_ask_files(struct sp_keeper *k, struct sp_ask_files *q)
{
    q->keeper = k;
    q->msg.run = run_files;
    sp_keeper_post(k, &q->msg);
}

/* ---- recording ----------------------------------------------------------------- */

static void deliver_record(struct sp_msg *msg)
{
    struct sp_record *r = (struct sp_record *)msg;
    r->answer(r, r->err);
}

void sp_keeper_answer_record(struct sp_record *r, enum sp_err e)
{
    r->err = e;
    r->msg.run = deliver_record;
    sp_loop_post(r->loop, &r->msg);
}

static void run_record(struct sp_msg *msg)
{
    struct sp_record *r = (struct sp_record *)msg;
    struct sp_keeper *k = r->keeper;
    msg->next = NULL;
    *k->records_end = r;
    k->records_end = (struct sp_record **)&msg->next;
}

void sp_keeper_record(struct sp_keeper *k, struct sp_record *r)
{
    r->keeper = k;
    r->why.text[0] = '\0';
    r->msg.run = run_record;
    sp_keeper_post(k, &r->msg);
}

/* ---- status -------------------------------------------------------------------- */

void sp_keeper_publish(struct sp_keeper *k, enum sp_err e, const struct sp_why *why)
{
    struct sp_keeper_status s = {.writable = e == SP_OK,
                                 .revisions = k->counts.revisions,
                                 .files = k->counts.files,
                                 .newest = k->counts.newest,
                                 .signed_at = k->signed_at,
                                 .entries = sp_ledger_size(k->ledger)};
    sp_ledger_root(k->ledger, s.root);
    if (e != SP_OK) {
        snprintf(s.why.text, sizeof s.why.text, "%s", sp_why_text(why, e));
    }
    pthread_mutex_lock(&k->status_lock);
    k->status = s;
    pthread_mutex_unlock(&k->status_lock);
}

void sp_keeper_status(struct sp_keeper *k, struct sp_keeper_status *out)
{
    pthread_mutex_lock(&k->status_lock);
    *out = k->status;
    pthread_mutex_unlock(&k->status_lock);
}

/* ---- life ---------------------------------------------------------------------- */

static enum sp_err start(struct sp_keeper *k, const struct sp_keeper_conf *conf,
                         struct sp_why *why)
{
    int n = snprintf(k->index_path, sizeof k->index_path, "%s/index", conf->state_dir);
    if (n < 0 || (size_t)n >= sizeof k->index_path) {
        return sp_why_set(why, SP_E_CONFIG,
                          "the path of the state directory is too long");
    }
    SP_TRY(sp_ledger_open(conf->state_dir, conf->origin, &k->ledger, why));
    SP_TRY(sp_keeper_index_ready(k, why));
    sp_keeper_publish(k, SP_OK, NULL);
    if (pthread_create(&k->thread, NULL, keep, k) != 0) {
        return sp_why_set(why, SP_E_NOMEM, "cannot start the keeper's thread");
    }
    pthread_setname_np(k->thread, "keeper");
    k->is_running = true;
    return SP_OK;
}

enum sp_err sp_keeper_new(const struct sp_keeper_conf *conf, struct sp_keeper **out,
                          struct sp_why *why)
{
    SP_AUTO(sp_keeper_free) struct sp_keeper *k = calloc(1, sizeof *k);
    if (!k) {
        return SP_E_NOMEM;
    }
    k->records_end = &k->records;
    sem_init(&k->wake, 0, 0);
    pthread_mutex_init(&k->status_lock, NULL);
    SP_TRY(start(k, conf, why));
    *out = k;
    k = NULL;
    return SP_OK;
}

void sp_keeper_stop(struct sp_keeper *k)
{
    if (k->is_running) {
        atomic_store(&k->stopping, true);
        sem_post(&k->wake);
        pthread_join(k->thread, NULL);
        k->is_running = false;
    }
}

void sp_keeper_free(struct sp_keeper **k)
{
    if (*k) {
        sp_keeper_stop(*k);
        sp_index_close(&(*k)->index);
        sp_ledger_close(&(*k)->ledger);
        pthread_mutex_destroy(&(*k)->status_lock);
        sem_destroy(&(*k)->wake);
        free(*k);
    }
    *k = NULL;
}
