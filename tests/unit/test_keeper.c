/* The keeper: what is recorded is found, what races is decided, what stops loses
 * nothing. */
#include "keeper_rig.h"

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
    assert_true(s.signed_at > 0);
    sp_keeper_free(&k);
    k = open_keeper();
    sp_keeper_status(k, &s);
    assert_int_equal(s.entries, 3);
    assert_int_equal(s.signed_at, 0); /* nobody signed since */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_claim_text),
        TEST(b_records_and_finds),
        TEST(b_contradictions),
        TEST(b_known_revisions_are_left_out),
        TEST(c_exactly_one_document_wins),
        TEST(c_stop_loses_nothing),
        TEST(f_text_must_be_what_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
