#include "small_tree.h"
#include "unit.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/custody/cosign.h"

/* Made by tests/support/tlog.py, which shares nothing with the program: seeds 7 and 9
 * followed by zeros, the time 1700000000, the root SHA-256("a root"). */
static const char log_key[] =
    "example.net/branch+42579ff0+AaL6L0o1W6LpB6UwCenjfK3fesfmagi6B2MfVTBys/JM";
static const char witness_key[] =
    "example.net/west+1ef9e506+BLtcZySCsNzKkaIaTtY7Fa/eiqE3jacs0Bs0lYnW591q";
static const char note_text[] = "example.net/branch\n300\n"
                                "ULMS9cvHFnWfViDXOnzBFBVwc0n0Gwzgt897eAfsMdo=\n";
static const char log_line[] =
    "\xe2\x80\x94 example.net/branch Qlef8B4i47aTup1Ucz0mzvEV9dZwWBAif+3/"
    "ZWmWVhdTVI0TITMV8RwVF4OPS8E9r3R7aJpGWxdD5VkrxzF4CvFRNw8=\n";
static const char witness_line[] =
    "\xe2\x80\x94 example.net/west HvnlBgAAAABlU/EAa0W4+/go/"
    "QddAjLnSS9PoTWEtIu1dQjXcPRu4yBJ1h3lTGzeWYkgw9VpmVKi2f1IPZ+YWiwIeFkPRqyE3+3uDg==\n";
#define STAMP 1700000000u

static struct sp_note_key *branch, *west, *east; /* a log, two witnesses */
static struct sp_buf note;

static struct sp_note_key *cosigner(const char *name, uint8_t first)
{
    uint8_t seed[32] = {first};
    struct sp_note_key *k = NULL;
    assert_ok(sp_cosigner_key_new(name, seed, &k));
    return k;
}

static int setup(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {7};
    assert_ok(sp_note_key_new("example.net/branch", seed, &branch));
    west = cosigner("example.net/west", 9);
    east = cosigner("example.net/east", 10);
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_note_key_free(&branch);
    sp_note_key_free(&west);
    sp_note_key_free(&east);
    sp_buf_fini(&note);
    return 0;
}

static void put(const char *text)
{
    assert_ok(sp_buf_append_str(&note, text));
}

/* The signed note of the vectors, and what else stands behind it. */
static void begin_note(const char *more)
{
    sp_buf_clear(&note);
    put(note_text);
    put("\n");
    put(log_line);
    put(more);
}

static void b_keys_are_those_of_the_documents(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    struct sp_why why = {0};
    sp_buf_init(&b, 1024);
    assert_ok(sp_note_key_export_public(branch, &b));
    assert_view_equal(sp_buf_view(&b), log_key);
    sp_buf_clear(&b);
    assert_ok(sp_note_key_export_public(west, &b));
    assert_view_equal(sp_buf_view(&b), witness_key);
    assert_ok(sp_cosigner_key_import(sp_view_str(witness_key), &k, NULL));
    assert_memory_equal(k->public_key, west->public_key, 32);
    assert_false(k->is_private);
    sp_note_key_free(&k);
    /* neither is taken for the other */
    assert_err(sp_cosigner_key_import(sp_view_str(log_key), &k, &why),
               SP_E_UNSUPPORTED);
    assert_non_null(strstr(why.text, "cosignatures"));
    assert_err(sp_note_key_import(sp_view_str(witness_key), &k, NULL),
               SP_E_UNSUPPORTED);
}

static void b_a_private_key_comes_back(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, 1024);
    assert_ok(sp_note_key_export(west, &b));
    assert_ok(sp_cosigner_key_import(sp_buf_view(&b), &k, NULL));
    assert_true(k->is_private);
    assert_memory_equal(k->seed, west->seed, 32);
}

static void b_a_cosignature_is_that_of_the_documents(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, 1024);
    assert_ok(sp_cosign(west, sp_view_str(note_text), STAMP, &b));
    assert_view_equal(sp_buf_view(&b), witness_line);
    assert_err(sp_cosign(branch, sp_view_str(note_text), STAMP, &b), SP_E_USAGE);
    assert_err(sp_cosign(west, sp_view_str(note_text), (uint64_t)INT64_MAX + 1, &b),
               SP_E_USAGE);
    assert_ok(sp_cosign(west, sp_view_str(note_text), INT64_MAX, &b));
    assert_err(sp_note_sign(west, sp_view_str(note_text), &b), SP_E_USAGE);
}

static size_t count_good(struct sp_cosigned said[2])
{
    const struct sp_note_key *const keys[] = {west, east};
    size_t good = 99;
    assert_ok(sp_cosignatures(sp_buf_view(&note), keys, 2, said, &good));
    return good;
}

static void b_cosignatures_are_counted_by_key(void **state)
{
    (void)state;
    struct sp_cosigned said[2];
    begin_note("");
    assert_int_equal(count_good(said), 0);
    begin_note(witness_line);
    assert_int_equal(count_good(said), 1);
    assert_true(said[0].good && !said[1].good);
    assert_int_equal(said[0].time, STAMP);
    put(witness_line); /* twice the same is one */
    assert_int_equal(count_good(said), 1);
    assert_ok(sp_cosign(west, sp_view_str(note_text), STAMP + 5, &note));
    assert_ok(sp_cosign(west, sp_view_str(note_text), STAMP + 1, &note));
    assert_ok(sp_cosign(east, sp_view_str(note_text), 0, &note));
    assert_int_equal(count_good(said), 2);
    assert_int_equal(said[0].time, STAMP + 5);
    assert_int_equal(said[1].time, 0);
}

static void b_the_log_s_checkpoint_is_still_one(void **state)
{
    (void)state;
    struct sp_checkpoint c;
    begin_note(witness_line);
    assert_ok(sp_checkpoint_open(sp_buf_view(&note), branch, &c, NULL));
    assert_int_equal(c.size, 300);
}

static void f_what_does_not_verify_does_not_count(void **state)
{
    (void)state;
    struct sp_cosigned said[2];
    begin_note(witness_line);
    note.data[20] ^= 1; /* the size that was signed: "200" */
    assert_int_equal(count_good(said), 0);
    begin_note(witness_line);
    note.data[note.len - 20] = note.data[note.len - 20] == 'A' ? 'B' : 'A';
    assert_int_equal(count_good(said), 0);
    put(witness_line); /* a wrong line before a good one takes nothing away */
    assert_int_equal(count_good(said), 1);
    /* the text without the time: what a log signs is no cosignature */
    begin_note("");
    uint8_t bare[64 + 8] = {0};
    assert_ok(sp_note_line_append(west, sp_view(bare, 64), &note));
    assert_ok(sp_note_line_append(west, sp_view(bare, 72), &note));
    assert_int_equal(count_good(said), 0);
    put("no signature line\n");
    size_t good = 99;
    assert_err(sp_cosignatures(sp_buf_view(&note), NULL, 0, NULL, &good),
               SP_E_MALFORMED);
    assert_int_equal(good, 99);
}

static void b_a_witness_s_answer_is_taken(void **state)
{
    (void)state;
    struct sp_cosigned said[2];
    SP_AUTO(sp_buf_fini) struct sp_buf lines;
    sp_buf_init(&lines, 4096);
    assert_ok(sp_cosign(east, sp_view_str(note_text), STAMP, &lines));
    assert_ok(sp_buf_append_str(&lines, witness_line));
    begin_note("");
    assert_ok(sp_cosignature_take(sp_buf_view(&lines), west, &note));
    assert_int_equal(count_good(said), 1); /* of the one that was asked for only */
    assert_ok(sp_cosignature_take(sp_buf_view(&lines), east, &note));
    assert_int_equal(count_good(said), 2);
    sp_buf_clear(&lines);
    assert_err(sp_cosignature_take(sp_buf_view(&lines), west, &note), SP_E_UNPROVEN);
    assert_ok(sp_cosign(west, SP_VIEW("another text\n"), STAMP, &lines));
    assert_err(sp_cosignature_take(sp_buf_view(&lines), west, &note), SP_E_UNPROVEN);
    assert_ok(sp_buf_append_str(&lines, "and more"));
    assert_err(sp_cosignature_take(sp_buf_view(&lines), east, &note), SP_E_MALFORMED);
}

/* ---- add-checkpoint -------------------------------------------------------------- */

enum { MOST = 40 };
static struct sp_merkle trees[MOST + 1];

static void grow(void)
{
    uint8_t leaf[SP_HASH];
    for (uint8_t i = 0; i < MOST; i++) {
        trees[i + 1] = trees[i];
        sp_merkle_leaf(sp_view(&i, 1), leaf);
        sp_merkle_append(&trees[i + 1], leaf);
    }
}

/* note becomes the log's checkpoint of so many entries. */
static void sign(uint64_t size, uint8_t flip)
{
    struct sp_checkpoint c = {.origin = SP_VIEW("example.net/branch"), .size = size};
    sp_merkle_root(&trees[size], c.root);
    c.root[0] ^= flip;
    sp_buf_clear(&note);
    assert_ok(sp_checkpoint_sign(&c, branch, &note));
}

static struct sp_head head_of(uint64_t size)
{
    struct sp_head h = {.size = size};
    sp_merkle_root(&trees[size], h.root);
    return h;
}

static struct sp_cosign_ask ask_of(uint64_t old_size, uint64_t size)
{
    static const struct sp_hash_reader r = {NULL, read_hash};
    struct sp_cosign_ask a = {.old_size = old_size};
    if (old_size <= size) {
        assert_ok(sp_merkle_prove_growth(&r, old_size, size, &a.proof));
    }
    sign(size, 0);
    a.note = sp_buf_view(&note);
    return a;
}

static int judge(const struct sp_cosign_ask *a, uint64_t last)
{
    struct sp_head h = last ? head_of(last) : (struct sp_head){0}, now = {.size = 999};
    struct sp_why why = {0};
    enum sp_cosign_ruling r = sp_cosign_judge(a, branch, &h, &now, &why);
    assert_int_equal(r == SP_COSIGN_GRANTED, now.size != 999);
    assert_int_equal(r == SP_COSIGN_GRANTED, why.text[0] == 0);
    return sp_cosign_status(r);
}

static void b_a_ledger_that_grew_is_cosigned(void **state)
{
    (void)state;
    grow();
    for (uint64_t last = 0; last <= MOST; last++) {
        for (uint64_t size = last; size <= MOST; size++) {
            struct sp_cosign_ask a = ask_of(last, size);
            assert_int_equal(judge(&a, last), 200);
        }
    }
}

static void f_who_stands_elsewhere_is_told_where(void **state)
{
    (void)state;
    grow();
    struct sp_cosign_ask a = ask_of(0, 20);
    assert_int_equal(judge(&a, 10), 409); /* does not know, or rolled back */
    a = ask_of(9, 20);
    assert_int_equal(judge(&a, 10), 409);
    a = ask_of(11, 20);
    assert_int_equal(judge(&a, 10), 409);
    a = ask_of(8, 8);
    assert_int_equal(judge(&a, 10), 409); /* truncated */
    a = ask_of(10, 8);
    assert_int_equal(judge(&a, 10), 400);
    a = ask_of(10, 10);
    assert_int_equal(judge(&a, 10), 200);
}

static void f_a_fork_is_not_cosigned(void **state)
{
    (void)state;
    grow();
    struct sp_cosign_ask a = ask_of(10, 20);
    sign(20, 1);
    a.note = sp_buf_view(&note);
    assert_int_equal(judge(&a, 10), 422);
    sign(10, 1);
    a = (struct sp_cosign_ask){.old_size = 10, .note = sp_buf_view(&note)};
    assert_int_equal(judge(&a, 10), 409);
    a = ask_of(10, 20);
    a.proof.hashes[0][3] ^= 1;
    assert_int_equal(judge(&a, 10), 422);
    a = ask_of(10, 20);
    a.proof.count--;
    assert_int_equal(judge(&a, 10), 422);
    a = ask_of(0, 20);
    a.proof.count = 1; /* [C2SP tlog-witness]: none where the old size is zero */
    assert_int_equal(judge(&a, 0), 422);
    sign(0, 1); /* the empty tree has one root only */
    a = (struct sp_cosign_ask){.note = sp_buf_view(&note)};
    assert_int_equal(judge(&a, 0), 422);
    a = ask_of(10, 20);
    assert_int_equal(judge(&a, 10), 200);
}

static void f_who_signed_it_matters(void **state)
{
    (void)state;
    grow();
    SP_AUTO(sp_note_key_free) struct sp_note_key *other = NULL;
    static const uint8_t seed[32] = {8};
    struct sp_head last = {0}, now;
    assert_ok(sp_note_key_new("example.net/branch", seed, &other));
    struct sp_cosign_ask a = ask_of(0, 20);
    assert_int_equal(sp_cosign_judge(&a, other, &last, &now, NULL), SP_COSIGN_UNSIGNED);
    note.data[19] = '3'; /* 30 entries */
    assert_int_equal(judge(&a, 0), 403);
    sp_buf_clear(&note);
    put("example.net/branch\nmany\n");
    assert_ok(sp_note_sign(branch, SP_VIEW("example.net/branch\nmany\n"), &note));
    a.note = sp_buf_view(&note);
    assert_int_equal(judge(&a, 0), 400);
}

static void b_what_is_written_is_read(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    struct sp_cosign_ask got;
    struct sp_view origin;
    grow();
    sp_buf_init(&b, SP_LIMIT_CHECKPOINT);
    struct sp_cosign_ask a = ask_of(13, 37);
    assert_true(a.proof.count > 2);
    assert_ok(sp_cosign_ask_write(&a, &b));
    assert_ok(sp_cosign_ask_parse(sp_buf_view(&b), &got));
    assert_int_equal(got.old_size, 13);
    assert_int_equal(got.proof.count, a.proof.count);
    assert_memory_equal(got.proof.hashes, a.proof.hashes, a.proof.count * SP_HASH);
    assert_true(sp_view_eq(got.note, a.note));
    assert_ok(sp_cosign_origin(got.note, &origin));
    assert_view_equal(origin, "example.net/branch");
}

static void f_nothing_else_is_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "old",
        "old 1",
        "old 1\n",
        "old 01\n\nx",
        "old -1\n\n",
        "old  1\n\n",
        "Old 1\n\n",
        "old 1 \n\n",
        "new 1\n\n",
        "old 1\nx\n\n",
        "old 1\n\r\n",
        "old 1\nAAAA\n\n",
        "old 18446744073709551616\n\n",
    };
    struct sp_cosign_ask a = {.old_size = 99};
    struct sp_view origin;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_true(sp_cosign_ask_parse(sp_view_str(wrong[i]), &a) != SP_OK);
        assert_int_equal(a.old_size, 99);
    }
    assert_ok(sp_cosign_ask_parse(SP_VIEW("old 0\n\n"), &a));
    assert_int_equal(a.note.len, 0);
    assert_err(sp_cosign_origin(a.note, &origin), SP_E_MALFORMED);
    assert_err(sp_cosign_origin(SP_VIEW("\n\n\n"), &origin), SP_E_MALFORMED);
    assert_err(sp_cosign_origin(SP_VIEW("x\n\n"), &origin), SP_E_MALFORMED);
    assert_ok(sp_cosign_origin(SP_VIEW("x\n\ny\n"), &origin));
}

static void f_a_proof_has_at_most_63_hashes(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    struct sp_cosign_ask a = {.old_size = 1, .proof = {.count = SP_COSIGN_PROOF_MAX}};
    struct sp_cosign_ask got;
    sp_buf_init(&b, SP_LIMIT_CHECKPOINT);
    assert_ok(sp_cosign_ask_write(&a, &b));
    assert_ok(sp_cosign_ask_parse(sp_buf_view(&b), &got));
    a.proof.count++;
    assert_err(sp_cosign_ask_write(&a, &b), SP_E_LIMIT);
    b.len--; /* the empty line becomes one more hash */
    assert_ok(
        sp_buf_append_str(&b, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"));
    assert_err(sp_cosign_ask_parse(sp_buf_view(&b), &got), SP_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(b_keys_are_those_of_the_documents, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(b_a_private_key_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(b_a_cosignature_is_that_of_the_documents, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(b_cosignatures_are_counted_by_key, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(b_the_log_s_checkpoint_is_still_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_what_does_not_verify_does_not_count, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(b_a_witness_s_answer_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(b_a_ledger_that_grew_is_cosigned, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_who_stands_elsewhere_is_told_where, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_a_fork_is_not_cosigned, setup, teardown),
        cmocka_unit_test_setup_teardown(f_who_signed_it_matters, setup, teardown),
        cmocka_unit_test_setup_teardown(b_what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(f_nothing_else_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(f_a_proof_has_at_most_63_hashes, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
