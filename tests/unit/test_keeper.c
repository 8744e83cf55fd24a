#include "folder.h"

#include "core/wsus/claim.h"
#include "io/store/index.h"
#include "io/store/keeper.h"

#include <fcntl.h>
#include <pthread.h>

/* ---- entries ------------------------------------------------------------------- */

static struct sp_revision_id revision_id(uint8_t n)
{
    return (struct sp_revision_id){.id = {{n, 1, 2}}, .number = 200};
}

static struct sp_claim claim_of(uint8_t sha1, uint8_t sha256, uint64_t size)
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

static void add_text(struct sp_facts *f, enum sp_fact k, const char *text)
{
    assert_ok(sp_facts_text(f, k, sp_view_str(text)));
}

static void made_end(struct made *m, struct sp_facts *f)
{
    sp_buf_init(&m->text, 65535);
    assert_ok(sp_facts_encode(f, &m->text));
    sp_facts_free(&f);
    m->entry.text = sp_buf_view(&m->text);
}

static const char *recorded_at; /* of entries that are made; NULL: they do not say */

static void make_revision(struct made *m, const char *kind, uint8_t id,
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

static void make_file(struct made *m, const char *ruling, uint8_t sha1, uint8_t sha256,
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

static void one_answered(void)
{
    pthread_mutex_lock(&lock);
    answered++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(unsigned count)
{
    pthread_mutex_lock(&lock);
    while (answered < count) {
        pthread_cond_wait(&changed, &lock);
    }
    answered = 0;
    pthread_mutex_unlock(&lock);
}

static void on_record(struct sp_record *r, enum sp_err e)
{
    assert_ptr_equal(sp_loop_current(), r->loop);
    r->err = e;
    one_answered();
}

static void on_claim(struct sp_ask_claim *q, enum sp_err e)
{
    q->err = e;
    one_answered();
}

static void on_revisions(struct sp_ask_revisions *q, enum sp_err e)
{
    q->err = e;
    one_answered();
}

static struct sp_keeper *open_keeper(void)
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

static struct sp_record record(struct sp_keeper *k,
                               const struct sp_record_entry *entries, size_t count)
{
    struct sp_record r = {
        .entries = entries, .count = count, .loop = loop, .answer = on_record};
    sp_keeper_record(k, &r);
    wait_for(1);
    return r;
}

static struct sp_record record_one(struct sp_keeper *k, struct made *m)
{
    struct sp_record r = record(k, &m->entry, 1);
    sp_buf_fini(&m->text);
    return r;
}

static struct sp_ask_claim ask_claim(struct sp_keeper *k, uint8_t sha1)
{
    struct sp_ask_claim q = {.sha1 = {sha1}, .loop = loop, .answer = on_claim};
    sp_keeper_ask_claim(k, &q);
    wait_for(1);
    assert_ok(q.err);
    return q;
}

static struct sp_known_revision ask_revision(struct sp_keeper *k, uint8_t id)
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

static int setup(void **state)
{
    answered = 0;
    return folder_setup(state) || sp_loop_new("test", &loop) != SP_OK ||
           sp_loop_start(loop) != SP_OK;
}

static int teardown(void **state)
{
    sp_loop_stop(loop);
    sp_loop_join(loop);
    sp_loop_free(&loop);
    return folder_teardown(state);
}

/* ---- tests --------------------------------------------------------------------- */

static void b_claim_text(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0100000000000000000000000000000000000000 - 0 -",
        "0100000000000000000000000000000000000000 - 9223372036854775807 12345678",
        ("0100000000000000000000000000000000000000 "
         "ab00000000000000000000000000000000000000000000000000000000000000 17 cab")};
    static const char *const bad[] = {
        "",
        "0100000000000000000000000000000000000000 - 0",
        "0100000000000000000000000000000000000000 - 0 ",
        "0100000000000000000000000000000000000000 - 0 - ",
        "0100000000000000000000000000000000000000  0 -",
        "01000000000000000000000000000000000000 - 0 -",
        "0100000000000000000000000000000000000000 ab 0 -",
        "A100000000000000000000000000000000000000 - 0 -",
        "0100000000000000000000000000000000000000 - 00 -",
        "0100000000000000000000000000000000000000 - -1 -",
        "0100000000000000000000000000000000000000 - 9223372036854775808 -",
        "0100000000000000000000000000000000000000 - 0 123456789",
        "0100000000000000000000000000000000000000 - 0 CAB",
        "0100000000000000000000000000000000000000 - 0 a/b",
        "0100000000000000000000000000000000000000 - 0 -\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct sp_claim c;
        char text[SP_CLAIM_TEXT];
        assert_ok(sp_claim_parse(sp_view_str(good[i]), &c));
        sp_claim_format(&c, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sp_claim c;
        assert_err(sp_claim_parse(sp_view_str(bad[i]), &c), SP_E_MALFORMED);
    }
}

static void b_records_and_finds(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    struct sp_claim claims[2] = {claim_of(1, 7, 100), claim_of(2, 0, 200)};
    assert_false(ask_revision(k, 5).known);
    assert_false(ask_claim(k, 1).claimed);
    make_revision(&m, "revision", 5, 9, claims, 2);
    struct sp_record r = record_one(k, &m);
    assert_ok(r.err);
    assert_int_equal(r.first, 0);
    assert_int_equal(r.appended, 1);
    struct sp_known_revision known = ask_revision(k, 5);
    assert_true(known.known);
    assert_int_equal(known.document_sha256[0], 9);
    assert_int_equal(known.entry, 0);
    struct sp_ask_claim q = ask_claim(k, 1);
    assert_true(q.claimed && q.claim.has_sha256 && !q.contradicted && !q.verified);
    assert_int_equal(q.claim.sha256[0], 7);
    assert_int_equal(q.claim.size, 100);
    assert_string_equal(q.claim.ext, "cab");
    q = ask_claim(k, 2);
    assert_true(q.claimed && !q.claim.has_sha256);
    assert_false(ask_claim(k, 3).claimed);

    make_file(&m, "refused", 1, 7, 100);
    assert_ok(record_one(k, &m).err);
    assert_false(ask_claim(k, 1).verified);
    make_file(&m, "passed", 1, 7, 100);
    r = record_one(k, &m);
    assert_ok(r.err);
    assert_int_equal(r.first, 2);
    q = ask_claim(k, 1);
    assert_true(q.verified && !q.contradicted);
    assert_int_equal(q.verified_sha256[0], 7);
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    assert_int_equal(s.entries, 3);
    assert_int_equal(s.revisions, 1);
    assert_int_equal(s.files, 1);
    assert_true(s.writable);
    sp_keeper_free(&k);
}

static void b_contradictions(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    struct sp_claim first[3] = {claim_of(1, 7, 100), claim_of(2, 7, 100),
                                claim_of(3, 0, 100)};
    struct sp_claim second[3] = {claim_of(1, 8, 100), claim_of(2, 7, 101),
                                 claim_of(3, 9, 100)};
    make_revision(&m, "revision", 5, 9, first, 3);
    assert_ok(record_one(k, &m).err);
    make_revision(&m, "revision", 6, 9, second, 3);
    assert_ok(record_one(k, &m).err);
    assert_true(ask_claim(k, 1).contradicted);
    assert_true(ask_claim(k, 2).contradicted);
    struct sp_ask_claim q = ask_claim(k, 3); /* one names it, the other does not */
    assert_false(q.contradicted);
    assert_true(q.claim.has_sha256);
    assert_int_equal(q.claim.sha256[0], 9);
    /* verified as something else than what is claimed now */
    make_file(&m, "passed", 3, 9, 99);
    assert_ok(record_one(k, &m).err);
    assert_true(ask_claim(k, 3).contradicted);
    sp_keeper_free(&k);
}

static void b_known_revisions_are_left_out(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m[4];
    struct sp_record_entry entries[4];
    struct sp_claim more = claim_of(4, 4, 4);
    make_revision(&m[0], "revision", 1, 9, NULL, 0);
    make_revision(&m[1], "claims", 1, 9, &more, 1);
    make_revision(&m[2], "revision", 2, 9, NULL, 0);
    make_revision(&m[3], "revision", 2, 9, NULL, 0);
    for (int i = 0; i < 4; i++) {
        entries[i] = m[i].entry;
    }
    struct sp_record r = record(k, entries, 2);
    assert_ok(r.err);
    assert_int_equal(r.appended, 2);
    assert_true(ask_claim(k, 4).claimed);
    r = record(k, entries, 4);
    assert_ok(r.err);
    assert_int_equal(r.appended, 1); /* revision 2, once */
    assert_int_equal(r.first, 2);
    r = record(k, entries, 4);
    assert_ok(r.err);
    assert_int_equal(r.appended, 0);
    for (int i = 0; i < 4; i++) {
        sp_buf_fini(&m[i].text);
    }
    /* another document: nothing of the record */
    make_revision(&m[0], "revision", 3, 9, NULL, 0);
    make_revision(&m[1], "revision", 1, 8, NULL, 0);
    entries[0] = m[0].entry;
    entries[1] = m[1].entry;
    r = record(k, entries, 2);
    assert_err(r.err, SP_E_CONFLICT);
    assert_int_equal(r.appended, 0);
    assert_false(ask_revision(k, 3).known);
    sp_buf_fini(&m[0].text);
    sp_buf_fini(&m[1].text);
    sp_keeper_free(&k);
}

static void f_text_must_be_what_is_recorded(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    make_revision(&m, "revision", 1, 9, NULL, 0);
    m.revision.document_sha256[0] = 8;
    assert_err(record_one(k, &m).err, SP_E_INTERNAL);
    make_revision(&m, "revision", 1, 9, NULL, 0);
    m.entry.revision = NULL;
    assert_err(record_one(k, &m).err, SP_E_INTERNAL);
    struct sp_record_entry bad = {.text = SP_VIEW("no facts at all")};
    assert_int_not_equal(record(k, &bad, 1).err, SP_OK);
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    assert_int_equal(s.entries, 0);
    assert_true(s.writable);
    sp_keeper_free(&k);
}

/* Two loops record every revision with a document of their own at once. */
enum { RACES = 200 };
struct racer {
    struct sp_msg msg;
    struct sp_keeper *keeper;
    struct sp_loop *loop;
    struct made made[RACES];
    struct sp_record records[RACES];
};

static void race(struct sp_msg *msg)
{
    struct racer *r = (struct racer *)msg;
    for (int i = 0; i < RACES; i++) {
        r->records[i] = (struct sp_record){.entries = &r->made[i].entry,
                                           .count = 1,
                                           .loop = r->loop,
                                           .answer = on_record};
        sp_keeper_record(r->keeper, &r->records[i]);
    }
}

static void c_exactly_one_document_wins(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct sp_loop *other = NULL;
    assert_ok(sp_loop_new("other", &other));
    assert_ok(sp_loop_start(other));
    static struct racer racers[2];
    for (int i = 0; i < 2; i++) {
        racers[i].keeper = k;
        racers[i].loop = i ? other : loop;
        racers[i].msg.run = race;
        for (int n = 0; n < RACES; n++) {
            make_revision(&racers[i].made[n], "revision", (uint8_t)n, (uint8_t)(i + 1),
                          NULL, 0);
        }
    }
    sp_loop_post(loop, &racers[0].msg);
    sp_loop_post(other, &racers[1].msg);
    wait_for(2 * RACES);
    for (int n = 0; n < RACES; n++) {
        enum sp_err a = racers[0].records[n].err, b = racers[1].records[n].err;
        assert_true((a == SP_OK) != (b == SP_OK));
        assert_err(a == SP_OK ? b : a, SP_E_CONFLICT);
        assert_int_equal(ask_revision(k, (uint8_t)n).document_sha256[0],
                         a == SP_OK ? 1 : 2);
        sp_buf_fini(&racers[0].made[n].text);
        sp_buf_fini(&racers[1].made[n].text);
    }
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    assert_int_equal(s.entries, RACES);
    sp_keeper_free(&k);
    sp_loop_stop(other);
    sp_loop_join(other);
    sp_loop_free(&other);
}

static void c_stop_loses_nothing(void **state)
{
    (void)state;
    static struct racer r;
    struct sp_keeper *k = open_keeper();
    r.keeper = k;
    r.loop = loop;
    for (int n = 0; n < RACES; n++) {
        make_revision(&r.made[n], "revision", (uint8_t)n, 1, NULL, 0);
    }
    race(&r.msg);
    sp_keeper_stop(k);
    wait_for(RACES);
    for (int n = 0; n < RACES; n++) {
        assert_ok(r.records[n].err);
        sp_buf_fini(&r.made[n].text);
    }
    sp_keeper_free(&k);
}

/* ---- the index is a cache ------------------------------------------------------ */

static void fill(void)
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

static void expect_filled(void)
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

static void remove_index(void)
{
    unlink(in_folder("state/index"));
    unlink(in_folder("state/index-wal"));
    unlink(in_folder("state/index-shm"));
}

static void c_lost_index_is_rebuilt(void **state)
{
    (void)state;
    fill();
    expect_filled();
    remove_index();
    expect_filled();
}

static void f_damaged_index_is_rebuilt(void **state)
{
    (void)state;
    static const char *const garbage[] = {"", "no database at all", "SQLite format 3"};
    fill();
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        remove_index();
        folder_write(in_folder("state/index"), garbage[i], strlen(garbage[i]));
        expect_filled();
    }
    /* pages that only a statement meets */
    struct stat st;
    assert_int_equal(stat(in_folder("state/index"), &st), 0);
    for (off_t page = 1; page < st.st_size / 4096; page++) {
        uint8_t junk[4096];
        memset(junk, 0xA5, sizeof junk);
        int fd = open(in_folder("state/index"), O_RDWR);
        assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
        close(fd);
        expect_filled();
    }
}

static void copy_index(const char *from, const char *to)
{
    size_t len = 0;
    uint8_t *bytes = unit_read_file(in_folder(from), &len);
    assert_non_null(bytes);
    folder_write(in_folder(to), bytes, len);
    free(bytes);
}

static void c_index_behind_is_replayed(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    sp_keeper_free(&k);
    copy_index("state/index", "old");
    fill();
    remove_index();
    copy_index("old", "state/index");
    expect_filled();
}

static void f_index_of_another_ledger_is_rebuilt(void **state)
{
    (void)state;
    struct made m;
    struct sp_keeper *k = open_keeper();
    make_revision(&m, "revision", 77, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    sp_keeper_free(&k);
    copy_index("state/index", "old");
    folder_remove(in_folder("state"));
    fill();
    remove_index();
    copy_index("old", "state/index");
    expect_filled();
    k = open_keeper();
    assert_false(ask_revision(k, 77).known);
    sp_keeper_free(&k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- what is withheld ------------------------------------------------------------ */

static void make_withheld(struct made *m, const char *kind, uint8_t id,
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
static void make_bundle(struct made *m, uint8_t id, uint8_t part)
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

static void c_what_category_a_part_is(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    struct sp_facts *f = NULL;
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(sp_facts_decode(m.entry.text, &f, NULL));
    sp_buf_fini(&m.text);
    add_text(f, SP_FACT_DOCUMENT_CATEGORY_TYPE, "UpdateClassification");
    made_end(&m, f);
    assert_ok(record_one(k, &m).err);
    assert_string_equal(ask_revision(k, 1).category, "UpdateClassification");
    assert_string_equal(ask_revision(k, 2).category, "");
    sp_keeper_free(&k);
}

static void withheld_is(struct sp_keeper *k, const char *policy, const uint8_t *ids,
                        const enum sp_keeping *why, size_t count)
{
    struct sp_ask_revisions q = {
        .policy = policy, .loop = loop, .answer = on_revisions};
    sp_keeper_ask_revisions(k, &q);
    wait_for(1);
    assert_ok(q.err);
    assert_int_equal(q.withheld_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(q.withheld[i].id.id.bytes[0], ids[i]);
        assert_int_equal(q.withheld[i].id.number, 200);
        assert_int_equal(q.withheld[i].why, why[i]);
    }
    free(q.withheld);
}

static void keep(struct sp_keeper *k, const char *kind, uint8_t id, const char *policy,
                 const char *action, const char *rule, size_t appended)
{
    struct made m;
    make_withheld(&m, kind, id, policy, action, rule);
    struct sp_record r = record_one(k, &m);
    assert_ok(r.err);
    assert_int_equal(r.appended, appended);
}

static void withheld_as_recorded(struct sp_keeper *k)
{
    static const uint8_t under_p[] = {1, 2, 5, 6}, under_q[] = {2, 3};
    static const enum sp_keeping why_p[] = {SP_KEPT_BY_POLICY, SP_KEPT_IN_QUARANTINE,
                                            SP_KEPT_FOR_PART, SP_KEPT_FOR_PART};
    static const enum sp_keeping why_q[] = {SP_KEPT_IN_QUARANTINE, SP_KEPT_BY_POLICY};
    withheld_is(k, "p", under_p, why_p, 4);
    withheld_is(k, "q", under_q, why_q, 2);
}

/* 6 bundles 5, 5 bundles 1. Lost, the index says the same again. */
static void c_what_is_withheld_outlives_the_index(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made bundle;
    withheld_is(k, "p", NULL, NULL, 0);
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 1);
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 0);
    keep(k, "withheld", 2, "p", "quarantine", "program-is-update", 1);
    keep(k, "withheld", 3, "q", "withhold", "program-is-update", 1);
    make_bundle(&bundle, 5, 1);
    assert_ok(record_one(k, &bundle).err);
    make_bundle(&bundle, 6, 5);
    assert_ok(record_one(k, &bundle).err);
    withheld_as_recorded(k);
    sp_keeper_free(&k);
    assert_int_equal(unlink(in_folder("state/index")), 0);
    k = open_keeper();
    withheld_as_recorded(k);
    sp_keeper_free(&k);
}

static void c_withheld_revisions_come_free(void **state)
{
    (void)state;
    static const uint8_t one[] = {2};
    static const enum sp_keeping quarantined[] = {SP_KEPT_IN_QUARANTINE};
    struct sp_keeper *k = open_keeper();
    struct made m;
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 1);
    keep(k, "withheld", 2, "p", "quarantine", "program-is-update", 1);
    make_revision(&m, "revision", 1, 1, NULL, 0); /* passed after all */
    assert_ok(record_one(k, &m).err);
    make_revision(&m, "revision", 2, 1, NULL,
                  0); /* which frees nobody from quarantine */
    assert_ok(record_one(k, &m).err);
    withheld_is(k, "p", one, quarantined, 1);
    keep(k, "released", 2, "p", "", "", 1);
    withheld_is(k, "p", NULL, NULL, 0);
    sp_keeper_free(&k);
}

/* A bundle that is withheld for a part is so only as long as the part is. */
static void c_bundles_come_free_with_their_parts(void **state)
{
    (void)state;
    static const uint8_t both[] = {1, 5};
    static const enum sp_keeping why[] = {SP_KEPT_BY_POLICY, SP_KEPT_FOR_PART};
    struct sp_keeper *k = open_keeper();
    struct made m;
    struct sp_facts *f = NULL;
    struct sp_revision_id part = revision_id(1);
    char text[SP_REVISION_TEXT];
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 1);
    make_withheld(&m, "withheld", 5, "p", "withhold", "bundle-whole");
    assert_ok(sp_facts_decode(m.entry.text, &f, NULL));
    sp_buf_fini(&m.text);
    sp_revision_id_format(&part, text);
    add_text(f, SP_FACT_DOCUMENT_BUNDLES, text);
    made_end(&m, f);
    assert_ok(record_one(k, &m).err);
    withheld_is(k, "p", both, why, 2);
    keep(k, "released", 1, "p", "", "", 1);
    withheld_is(k, "p", NULL, NULL, 0);
    sp_keeper_free(&k);
}

static void b_the_highest_revision_is_known(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    assert_false(ask_revision(k, 1).has_highest);
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_true(ask_revision(k, 1).has_highest);
    assert_int_equal(ask_revision(k, 1).highest, 200);
    sp_keeper_free(&k);
}

/* ---- hints ---------------------------------------------------------------------- */

static void hint(struct sp_keeper *k, uint8_t sha1, const char *url)
{
    struct sp_hints *h = NULL;
    uint8_t digest[20] = {sha1}, second[20] = {99};
    assert_ok(sp_hints_new(&h));
    assert_ok(sp_hints_add(h, second, SP_VIEW("http://unclaimed")));
    assert_ok(sp_hints_add(h, digest, sp_view_str(url)));
    sp_keeper_hint(k, &h);
    assert_null(h);
}

static void url_is(struct sp_keeper *k, uint8_t sha1, const char *url)
{
    struct sp_ask_claim q = {
        .sha1 = {sha1}, .wants_origin = true, .loop = loop, .answer = on_claim};
    sp_keeper_ask_claim(k, &q);
    wait_for(1);
    assert_ok(q.err);
    assert_string_equal(q.url, url);
    sp_facts_free(&q.origin);
}

/* The last one said counts; only of files that somebody claims; over a restart, and
 * lost with the index. */
static void b_hints(void **state)
{
    (void)state;
    char longest[SP_FILE_URL];
    fill();
    struct sp_keeper *k = open_keeper();
    url_is(k, 1, "");
    hint(k, 1, "http://a/1");
    hint(k, 1, "http://b/1");
    hint(k, 77, "http://a/77");
    url_is(k, 1, "http://b/1");
    url_is(k, 77, "");
    url_is(k, 99, "");
    memset(longest, 'a', sizeof longest);
    longest[SP_FILE_URL - 1] = 0;
    hint(k, 2, longest);
    url_is(k, 2, longest);
    sp_keeper_free(&k);
    expect_filled();
    k = open_keeper();
    url_is(k, 1, "http://b/1");
    sp_keeper_free(&k);
    remove_index();
    expect_filled();
    k = open_keeper();
    url_is(k, 1, "");
    sp_keeper_free(&k);
}

static int64_t newest(struct sp_keeper *k)
{
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    return s.newest;
}

/* What is recorded again is not new. */
static void b_the_newest_revision_has_a_time(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    assert_int_equal(newest(k), 0);
    recorded_at = "2026-11-22T00:00:00Z";
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_int_equal(newest(k), 1795305600);
    recorded_at = "2026-11-22T00:00:09Z";
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_int_equal(newest(k), 1795305600);
    sp_keeper_free(&k);
    k = open_keeper();
    assert_int_equal(newest(k), 1795305600);
    make_revision(&m, "revision", 2, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_int_equal(newest(k), 1795305609);
    recorded_at = NULL;
    sp_keeper_free(&k);
}

/* ---- fragments for clients ----------------------------------------------------- */

static void on_files(struct sp_ask_files *q, enum sp_err e)
{
    q->err = e;
    one_answered();
}

static void compare(struct sp_keeper *k, const char *upstream, struct sp_shown *s)
{
    struct sp_ask_files q = {.upstream = upstream,
                             .policy = "p",
                             .shown = s,
                             .shown_count = 1,
                             .loop = loop,
                             .answer = on_files};
    sp_keeper_ask_files(k, &q);
    wait_for(1);
    assert_ok(q.err);
}

/* Of a document whose fragments have these digests, and a title in 40 languages. */
static void record_derived(struct sp_keeper *k, uint8_t id)
{
    struct sp_facts *f = NULL, *plain = NULL;
    struct made m;
    make_revision(&m, "revision", id, id, NULL, 0);
    assert_ok(sp_facts_decode(m.entry.text, &plain, NULL));
    sp_buf_fini(&m.text);
    assert_ok(sp_facts_new(65536, &f));
    assert_ok(sp_facts_merge(f, plain));
    sp_facts_free(&plain);
    uint8_t digest[32] = {id, 1};
    assert_ok(sp_facts_bytes(f, SP_FACT_FRAGMENT_CORE, sp_view(digest, 32)));
    digest[1] = 2;
    assert_ok(sp_facts_bytes(f, SP_FACT_FRAGMENT_EXTENDED, sp_view(digest, 32)));
    for (uint8_t i = 0; i < 40; i++) {
        digest[1] = (uint8_t)(3 + i);
        assert_ok(sp_facts_bytes(f, SP_FACT_FRAGMENT_LOCALIZED, sp_view(digest, 32)));
    }
    made_end(&m, f);
    assert_ok(record_one(k, &m).err);
}

static struct sp_shown shown(int32_t number, enum sp_derived_kind kind, uint8_t id,
                             uint8_t digest)
{
    struct sp_shown s = {.number = number, .is_readable = true};
    s.parts.has[kind] = true;
    s.parts.sha256[kind][0] = id;
    s.parts.sha256[kind][1] = digest;
    if (kind == SP_DERIVED_CORE) {
        s.parts.has_id = true;
        s.parts.id = revision_id(id);
    }
    return s;
}

static void says(struct sp_keeper *k, const char *upstream, struct sp_shown s,
                 enum sp_shown_says expected)
{
    compare(k, upstream, &s);
    assert_int_equal(s.says, expected);
}

static void c_fragments_are_compared_with_what_is_recorded(void **state)
{
    (void)state;
    const enum sp_derived_kind core = SP_DERIVED_CORE, extended = SP_DERIVED_EXTENDED,
                               localized = SP_DERIVED_LOCALIZED;
    struct sp_keeper *k = open_keeper();
    record_derived(k, 1);
    record_derived(k, 2);
    /* which revision 7 stands for is not known before core names it */
    says(k, "a", shown(7, extended, 9, 9), SP_SHOWN_UNKNOWN);
    says(k, "a", shown(7, core, 1, 1), SP_SHOWN_AGREES);
    says(k, "a", shown(7, extended, 1, 2), SP_SHOWN_AGREES);
    says(k, "a", shown(7, extended, 2, 2), SP_SHOWN_DIFFERS); /* another document's */
    says(k, "a", shown(7, localized, 1, 42), SP_SHOWN_AGREES);
    says(k, "a", shown(7, localized, 1, 43), SP_SHOWN_DIFFERS);
    says(k, "a", shown(8, extended, 1, 9), SP_SHOWN_UNKNOWN);
    says(k, "b", shown(7, extended, 1, 9), SP_SHOWN_UNKNOWN); /* its own numbers */
    says(k, "a", shown(9, core, 3, 1), SP_SHOWN_UNKNOWN);     /* no such document */
    struct sp_shown broken = {.number = 7};
    says(k, "a", broken, SP_SHOWN_DIFFERS);
    broken.number = 8;
    says(k, "a", broken, SP_SHOWN_UNKNOWN);
    struct sp_shown both = shown(7, extended, 1, 2);
    both.parts.has[localized] = true;
    says(k, "a", both, SP_SHOWN_DIFFERS);
    struct sp_shown bad = shown(7, core, 1, 9);
    compare(k, "a", &bad);
    assert_int_equal(bad.says, SP_SHOWN_DIFFERS);
    assert_true(bad.has_derived && bad.derived[1] == 1);
    sp_keeper_free(&k);
    /* numbers outlive a restart, digests an index that is lost */
    k = open_keeper();
    says(k, "a", shown(7, extended, 1, 9), SP_SHOWN_DIFFERS);
    sp_keeper_free(&k);
    sp_index_remove(in_folder("state/index"));
    k = open_keeper();
    says(k, "a", shown(7, extended, 1, 9), SP_SHOWN_UNKNOWN);
    says(k, "a", shown(7, core, 2, 1), SP_SHOWN_AGREES); /* counted anew */
    says(k, "a", shown(7, extended, 2, 2), SP_SHOWN_AGREES);
    says(k, "a", shown(7, extended, 1, 2), SP_SHOWN_DIFFERS);
    sp_keeper_free(&k);
}

/* 6 bundles 5, 5 bundles 1; 3 is withheld under p, and 7 bundles it. */
static void c_what_goes_with_what_differs(void **state)
{
    (void)state;
    const enum sp_derived_kind core = SP_DERIVED_CORE;
    struct sp_keeper *k = open_keeper();
    struct made m;
    record_derived(k, 1);
    static const uint8_t bundles[][2] = {{5, 1}, {6, 5}, {7, 3}};
    for (size_t i = 0; i < 3; i++) {
        make_bundle(&m, bundles[i][0], bundles[i][1]);
        assert_ok(record_one(k, &m).err);
    }
    keep(k, "withheld", 3, "p", "withhold", "program-is-update", 1);
    for (uint8_t digest = 1; digest <= 2; digest++) { /* as derived, and another */
        struct sp_shown page[] = {shown(5, core, 5, 9), shown(6, core, 6, 9),
                                  shown(1, core, 1, digest), shown(3, core, 3, 9),
                                  shown(7, core, 7, 9), shown(8, core, 8, 9)};
        struct sp_ask_files q = {.upstream = "a",
                                 .policy = "p",
                                 .shown = page,
                                 .shown_count = 6,
                                 .loop = loop,
                                 .answer = on_files};
        sp_keeper_ask_files(k, &q);
        wait_for(1);
        assert_ok(q.err);
        assert_int_equal(page[2].says,
                         digest == 1 ? SP_SHOWN_AGREES : SP_SHOWN_DIFFERS);
        for (size_t i = 0; i < 6; i++) {
            assert_true(page[i].has_id);
            assert_int_equal(page[i].needs_differing, digest == 2 && i < 2);
            assert_int_equal(page[i].is_kept_back, i == 3 || i == 4);
        }
    }
    struct sp_shown other = shown(3, core, 3, 9);
    struct sp_ask_files q = {.upstream = "a",
                             .policy = "q", /* another policy keeps nothing back */
                             .shown = &other,
                             .shown_count = 1,
                             .loop = loop,
                             .answer = on_files};
    sp_keeper_ask_files(k, &q);
    wait_for(1);
    assert_false(other.is_kept_back);
    sp_keeper_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_hints),
        TEST(b_the_highest_revision_is_known),
        TEST(b_the_newest_revision_has_a_time),
        TEST(c_what_category_a_part_is),
        TEST(c_what_is_withheld_outlives_the_index),
        TEST(c_withheld_revisions_come_free),
        TEST(c_bundles_come_free_with_their_parts),
        TEST(c_fragments_are_compared_with_what_is_recorded),
        TEST(c_what_goes_with_what_differs),
        TEST(b_claim_text),
        TEST(b_records_and_finds),
        TEST(b_contradictions),
        TEST(b_known_revisions_are_left_out),
        TEST(c_exactly_one_document_wins),
        TEST(c_stop_loses_nothing),
        TEST(c_lost_index_is_rebuilt),
        TEST(c_index_behind_is_replayed),
        TEST(f_text_must_be_what_is_recorded),
        TEST(f_damaged_index_is_rebuilt),
        TEST(f_index_of_another_ledger_is_rebuilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
