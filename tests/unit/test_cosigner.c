#include "small_tree.h"
#include "unit.h"

#include "app/serve/cosigner.h"
#include "folder.h"

#include <glob.h>
#include <sys/stat.h>

enum { MOST = 40, NOW = 1700000000 };

static char dir[TEMPORARY_PATH];
static struct sp_note_key *branch;
static struct sp_config_keys logs = {&branch, 1};
static struct sp_cosigner *cosigner;
static struct sp_buf note, ask;
static struct sp_merkle trees[MOST + 1];

static void reopen(void)
{
    struct sp_why why = {0};
    sp_cosigner_free(&cosigner);
    assert_ok(sp_cosigner_new(dir, "example.net/west", &cosigner));
    if (sp_cosigner_ready(cosigner, &why) != SP_OK) {
        fail_msg("%s", why.text);
    }
}

static int setup(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {7};
    uint8_t leaf[SP_HASH];
    assert_non_null(mkdtemp(temporary_path(dir)));
    assert_ok(sp_note_key_new("example.net/branch", seed, &branch));
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    sp_buf_init(&ask, SP_LIMIT_COSIGN_ASK);
    for (uint8_t i = 0; i < MOST; i++) {
        trees[i + 1] = trees[i];
        sp_merkle_leaf(sp_view(&i, 1), leaf);
        sp_merkle_append(&trees[i + 1], leaf);
    }
    reopen();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_cosigner_free(&cosigner);
    sp_note_key_free(&branch);
    sp_buf_fini(&note);
    sp_buf_fini(&ask);
    folder_remove(dir);
    return 0;
}

/* The answer's status to the ledger that has so many entries now. fork: another one. */
static int rule(uint64_t old_size, uint64_t size, uint8_t fork,
                struct sp_cosigner_answer *out)
{
    static const struct sp_hash_reader r = {NULL, read_hash};
    struct sp_cosign_ask a = {.old_size = old_size};
    struct sp_checkpoint c = {.origin = SP_VIEW("example.net/branch"), .size = size};
    sp_merkle_root(&trees[size], c.root);
    c.root[0] ^= fork;
    sp_buf_clear(&note);
    sp_buf_clear(&ask);
    assert_ok(sp_checkpoint_sign(&c, branch, &note));
    assert_ok(sp_merkle_prove_growth(&r, old_size, size, &a.proof));
    a.note = sp_buf_view(&note);
    assert_ok(sp_cosign_ask_write(&a, &ask));
    sp_cosigner_rule(cosigner, &logs, sp_buf_view(&ask), NOW, out);
    assert_int_equal(out->lines.len > 0, out->status == 200);
    assert_int_equal(out->why.text[0] == 0, out->status == 200);
    return out->status;
}

static int status(uint64_t old_size, uint64_t size, uint8_t fork)
{
    struct sp_cosigner_answer out;
    int got = rule(old_size, size, fork, &out);
    sp_cosigner_answer_fini(&out);
    return got;
}

static size_t evidence(void)
{
    char pattern[TEMPORARY_PATH + 32];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/evidence/*", dir);
    size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

static void b_the_cosignature_is_the_key_s(void **state)
{
    (void)state;
    struct sp_cosigner_answer out;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    struct sp_cosigned said;
    size_t good = 0;
    assert_int_equal(rule(0, 20, 0, &out), 200);
    assert_string_equal(out.origin, "example.net/branch");
    assert_int_equal(out.asked, 20);
    assert_ok(sp_cosigner_key_import(sp_view_str(sp_cosigner_public_key(cosigner)), &k,
                                     NULL));
    assert_string_equal(sp_note_key_name(k), "example.net/west");
    assert_ok(sp_buf_append(&note, sp_buf_view(&out.lines)));
    const struct sp_note_key *const keys[] = {k};
    assert_ok(sp_cosignatures(sp_buf_view(&note), keys, 1, &said, &good));
    assert_int_equal(good, 1);
    assert_int_equal(said.time, NOW);
    sp_cosigner_answer_fini(&out);
}

static void b_the_key_is_made_once_and_is_private(void **state)
{
    (void)state;
    char before[1024], path[TEMPORARY_PATH + 32];
    struct stat st;
    snprintf(before, sizeof before, "%s", sp_cosigner_public_key(cosigner));
    reopen();
    assert_string_equal(sp_cosigner_public_key(cosigner), before);
    snprintf(path, sizeof path, "%s/witness/key", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, 1024);
    assert_int_equal(truncate(path, 20), 0);
    sp_cosigner_free(&cosigner);
    assert_ok(sp_cosigner_new(dir, "x", &cosigner));
    assert_true(sp_cosigner_ready(cosigner, NULL) != SP_OK);
    struct sp_cosigner_answer out; /* and it goes on without a key */
    assert_int_equal(rule(0, 20, 0, &out), 503);
    sp_cosigner_answer_fini(&out);
}

static void f_what_was_cosigned_is_remembered(void **state)
{
    (void)state;
    struct sp_cosigner_answer out;
    assert_int_equal(status(0, 10, 0), 200);
    reopen();
    assert_int_equal(rule(0, 20, 0, &out), 409);
    assert_int_equal(out.last, 10);
    assert_int_equal(out.ruling, SP_COSIGN_STALE);
    sp_cosigner_answer_fini(&out);
    assert_int_equal(status(10, 20, 0), 200);
    reopen();
    assert_int_equal(status(10, 20, 0), 409); /* rolled back */
    assert_int_equal(status(20, 20, 0), 200);
    assert_int_equal(status(20, 30, 0), 200);
    assert_int_equal(evidence(), 0);
}

static void f_a_fork_is_kept_as_evidence_once(void **state)
{
    (void)state;
    struct sp_cosigner_answer out;
    assert_int_equal(status(0, 10, 0), 200);
    assert_int_equal(rule(10, 20, 1, &out), 422);
    assert_true(out.is_first);
    sp_cosigner_answer_fini(&out);
    assert_int_equal(evidence(), 2);
    assert_int_equal(rule(10, 21, 1, &out), 422);
    assert_false(out.is_first);
    sp_cosigner_answer_fini(&out);
    assert_int_equal(rule(10, 10, 1, &out), 409);
    assert_int_equal(out.ruling, SP_COSIGN_FORKED);
    assert_true(out.is_first);
    sp_cosigner_answer_fini(&out);
    assert_int_equal(evidence(), 4);
    assert_int_equal(status(10, 20, 0), 200); /* the neighbour: the true branch */
}

static void f_damage_is_no_beginning(void **state)
{
    (void)state;
    char pattern[TEMPORARY_PATH + 32];
    glob_t found;
    assert_int_equal(status(0, 10, 0), 200);
    snprintf(pattern, sizeof pattern, "%s/witness/[0-9a-f]*", dir);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    assert_int_equal(truncate(found.gl_pathv[0], 30), 0);
    assert_int_equal(status(0, 20, 0), 503);
    assert_int_equal(status(10, 20, 0), 503);
    assert_int_equal(truncate(found.gl_pathv[0], 0), 0);
    assert_int_equal(status(0, 20, 0), 503);
    globfree(&found);
}

static void f_a_disk_that_fails_gives_no_cosignature(void **state)
{
    (void)state;
    char pattern[TEMPORARY_PATH + 32], path[TEMPORARY_PATH + 80];
    glob_t found;
    assert_int_equal(status(0, 10, 0), 200);
    snprintf(pattern, sizeof pattern, "%s/witness/[0-9a-f]*", dir);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    snprintf(path, sizeof path, "%s.new", found.gl_pathv[0]);
    globfree(&found);
    assert_int_equal(mkdir(path, 0700), 0); /* where the new one would be written */
    assert_int_equal(status(10, 20, 0), 503);
    assert_int_equal(status(10, 10, 0), 200); /* nothing new to remember */
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(status(10, 20, 0), 200);
}

static void f_who_is_not_known_gets_nothing(void **state)
{
    (void)state;
    struct sp_config_keys nobody = {&branch, 0};
    struct sp_cosigner_answer out;
    assert_int_equal(status(0, 10, 0), 200);
    sp_cosigner_rule(cosigner, &nobody, sp_buf_view(&ask), NOW, &out);
    assert_int_equal(out.status, 404);
    sp_cosigner_answer_fini(&out);
    sp_cosigner_rule(cosigner, &logs, SP_VIEW("old 0\n\nexample.net/branch\n"), NOW,
                     &out);
    assert_int_equal(out.status, 400);
    sp_cosigner_answer_fini(&out);
    static const uint8_t other[32] = {8};
    struct sp_note_key *own = branch;
    branch = NULL;
    assert_ok(sp_note_key_new("example.net/branch", other, &branch));
    sp_cosigner_rule(cosigner, &logs, sp_buf_view(&ask), NOW, &out);
    assert_int_equal(out.status, 503); /* what was cosigned is another key's */
    sp_cosigner_answer_fini(&out);
    sp_note_key_free(&branch);
    branch = own;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(b_the_cosignature_is_the_key_s, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(b_the_key_is_made_once_and_is_private, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_what_was_cosigned_is_remembered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_a_fork_is_kept_as_evidence_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_damage_is_no_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(f_a_disk_that_fails_gives_no_cosignature, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_who_is_not_known_gets_nothing, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
