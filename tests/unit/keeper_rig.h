/* A keeper in a folder of its own: entries to record, asking, and waiting for answers. */
#ifndef TESTS_UNIT_KEEPER_RIG_H
#define TESTS_UNIT_KEEPER_RIG_H

#include "folder.h"

#include "core/wsus/claim.h"
#include "io/store/index.h"
#include "io/store/keeper.h"

#include <pthread.h>

/* ---- entries ------------------------------------------------------------------- */

static inline struct sp_revision_id revision_id(uint8_t n)
{
    return (struct sp_revision_id){.id = {{n, 1, 2}}, .number = 200};
}

static inline struct sp_claim claim_of(uint8_t sha1, uint8_t sha256, uint64_t size)
{
    struct sp_claim c = {.sha1 = {sha1}, .has_sha256 = sha256 != 0, .size = size};
    c.sha256[0] = sha256;
    snprintf(c.ext, sizeof c.ext, "cab");
    return c;
}

/* An entry with its text. */
struct made {
    struct sp_record_revision revision;
    struct sp_record_entry entry;
    struct sp_buf text;
};

static inline void add_text(struct sp_facts *f, enum sp_fact k, const char *text)
{
    assert_ok(sp_facts_text(f, k, sp_view_str(text)));
}

static inline void made_end(struct made *m, struct sp_facts *f)
{
    sp_buf_init(&m->text, 65535);
    assert_ok(sp_facts_encode(f, &m->text));
    sp_facts_free(&f);
    m->entry.text = sp_buf_view(&m->text);
}

static const char *recorded_at; /* of entries that are made; NULL: they do not say */

static inline void make_revision(struct made *m, const char *kind, uint8_t id,
                          uint8_t document, const struct sp_claim *claims, size_t count)
{
    struct sp_facts *f = NULL;
    *m = (struct made){.revision = {revision_id(id), {document}, claims, count}};
    assert_ok(sp_facts_new(65536, &f));
    add_text(f, SP_FACT_ENTRY_KIND, kind);
    if (recorded_at) {
        add_text(f, SP_FACT_ENTRY_TIME, recorded_at);
    }
    assert_ok(
        sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(m->revision.id.id.bytes, 16)));
    assert_ok(sp_facts_int(f, SP_FACT_UPDATE_REVISION, m->revision.id.number));
    assert_ok(sp_facts_bytes(f, SP_FACT_DOCUMENT_SHA256,
                             sp_view(m->revision.document_sha256, 32)));
    for (size_t i = 0; i < count; i++) {
        char text[SP_CLAIM_TEXT];
        sp_claim_format(&claims[i], text);
        add_text(f, SP_FACT_FILE_CLAIM, text);
    }
    made_end(m, f);
    m->entry.revision = strcmp(kind, "revision") == 0 ? &m->revision : NULL;
}

static inline void make_file(struct made *m, const char *ruling, uint8_t sha1, uint8_t sha256,
                      uint64_t size)
{
    struct sp_facts *f = NULL;
    *m = (struct made){.entry = {.is_file = strcmp(ruling, "passed") == 0,
                                 .sha1 = {sha1},
                                 .sha256 = {sha256},
                                 .size = size}};
    assert_ok(sp_facts_new(65536, &f));
    add_text(f, SP_FACT_ENTRY_KIND, "file");
    add_text(f, SP_FACT_VERDICT_RULING, ruling);
    assert_ok(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(m->entry.sha1, 20)));
    assert_ok(sp_facts_bytes(f, SP_FACT_FILE_SHA256, sp_view(m->entry.sha256, 32)));
    assert_ok(sp_facts_int(f, SP_FACT_FILE_SIZE, (int64_t)size));
    made_end(m, f);
}

/* ---- asking and waiting -------------------------------------------------------- */

static struct sp_loop *loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned answered;

static inline void one_answered(void)
{
    pthread_mutex_lock(&lock);
    answered++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static inline void wait_for(unsigned count)
{
    pthread_mutex_lock(&lock);
    while (answered < count) {
        pthread_cond_wait(&changed, &lock);
    }
    answered = 0;
    pthread_mutex_unlock(&lock);
}

static inline void on_record(struct sp_record *r, enum sp_err e)
{
    assert_ptr_equal(sp_loop_current(), r->loop);
    r->err = e;
    one_answered();
}

static inline void on_claim(struct sp_ask_claim *q, enum sp_err e)
{
    q->err = e;
    one_answered();
}

static inline void on_revisions(struct sp_ask_revisions *q, enum sp_err e)
{
    q->err = e;
    one_answered();
}

static inline struct sp_keeper *open_keeper(void)
{
    struct sp_keeper *k = NULL;
    struct sp_why why = {0};
    struct sp_keeper_conf conf = {in_folder("state"), "sallyport/test"};
    enum sp_err e = sp_keeper_new(&conf, &k, &why);
    if (e != SP_OK) {
        fail_msg("%s", sp_why_text(&why, e));
    }
    return k;
}

static inline struct sp_record record(struct sp_keeper *k,
                               const struct sp_record_entry *entries, size_t count)
{
    struct sp_record r = {
        .entries = entries, .count = count, .loop = loop, .answer = on_record};
    sp_keeper_record(k, &r);
    wait_for(1);
    return r;
}

static inline struct sp_record record_one(struct sp_keeper *k, struct made *m)
{
    struct sp_record r = record(k, &m->entry, 1);
    sp_buf_fini(&m->text);
    return r;
}

static inline struct sp_ask_claim ask_claim(struct sp_keeper *k, uint8_t sha1)
{
    struct sp_ask_claim q = {.sha1 = {sha1}, .loop = loop, .answer = on_claim};
    sp_keeper_ask_claim(k, &q);
    wait_for(1);
    assert_ok(q.err);
    return q;
}

static inline struct sp_known_revision ask_revision(struct sp_keeper *k, uint8_t id)
{
    struct sp_revision_id ids[2] = {revision_id(id), revision_id(250)};
    struct sp_known_revision known[2];
    struct sp_ask_revisions q = {
        .ids = ids, .count = 2, .parts = 2, .known = known, .loop = loop};
    q.answer = on_revisions;
    sp_keeper_ask_revisions(k, &q);
    wait_for(1);
    assert_ok(q.err);
    assert_false(known[1].known);
    return known[0];
}

static inline int setup(void **state)
{
    answered = 0;
    return folder_setup(state) || sp_loop_new("test", &loop) != SP_OK ||
           sp_loop_start(loop) != SP_OK;
}

static inline int teardown(void **state)
{
    sp_loop_stop(loop);
    sp_loop_join(loop);
    sp_loop_free(&loop);
    return folder_teardown(state);
}

/* ---- what several tests record ---------------------------------------------------- */

static inline void fill(void)
{
    struct sp_keeper *k = open_keeper();
    for (uint8_t i = 0; i < 10; i++) {
        struct made m;
        struct sp_claim c = claim_of(i, 7, 100);
        make_revision(&m, "revision", i, 9, &c, 1);
        assert_ok(record_one(k, &m).err);
        make_file(&m, "passed", i, 7, 100);
        assert_ok(record_one(k, &m).err);
    }
    sp_keeper_free(&k);
}

static inline void expect_filled(void)
{
    struct sp_keeper *k = open_keeper();
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    assert_int_equal(s.entries, 20);
    assert_int_equal(s.revisions, 10);
    assert_int_equal(s.files, 10);
    for (uint8_t i = 0; i < 10; i++) {
        assert_int_equal(ask_revision(k, i).entry, 2 * i);
        struct sp_ask_claim q = ask_claim(k, i);
        assert_true(q.claimed && q.verified && !q.contradicted);
    }
    sp_keeper_free(&k);
}

static inline void remove_index(void)
{
    unlink(in_folder("state/index"));
    unlink(in_folder("state/index-wal"));
    unlink(in_folder("state/index-shm"));
}

static inline void make_withheld(struct made *m, const char *kind, uint8_t id,
                          const char *policy, const char *action, const char *rule)
{
    struct sp_facts *f = NULL;
    *m = (struct made){.revision = {revision_id(id), {0}, NULL, 0}};
    assert_ok(sp_facts_new(65536, &f));
    add_text(f, SP_FACT_ENTRY_KIND, kind);
    assert_ok(
        sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(m->revision.id.id.bytes, 16)));
    assert_ok(sp_facts_int(f, SP_FACT_UPDATE_REVISION, m->revision.id.number));
    add_text(f, SP_FACT_VERDICT_POLICY, policy);
    add_text(f, SP_FACT_VERDICT_ACTION, action);
    add_text(f, SP_FACT_VERDICT_RULE, rule);
    made_end(m, f);
}

/* A revision entry of a bundle of part. */
static inline void make_bundle(struct made *m, uint8_t id, uint8_t part)
{
    struct sp_facts *f = NULL;
    struct sp_revision_id part_id = revision_id(part);
    char text[SP_REVISION_TEXT];
    make_revision(m, "revision", id, id, NULL, 0);
    assert_ok(sp_facts_decode(m->entry.text, &f, NULL));
    sp_buf_fini(&m->text);
    sp_revision_id_format(&part_id, text);
    add_text(f, SP_FACT_DOCUMENT_BUNDLES, text);
    made_end(m, f);
}

static inline void keep(struct sp_keeper *k, const char *kind, uint8_t id,
                        const char *policy, const char *action, const char *rule,
                        size_t appended)
{
    struct made m;
    make_withheld(&m, kind, id, policy, action, rule);
    struct sp_record r = record_one(k, &m);
    assert_ok(r.err);
    assert_int_equal(r.appended, appended);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
