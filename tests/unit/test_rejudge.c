/* History judged again: what changes, what does not, and a hundred thousand entries. */
#include "folder.h"

#include "app/proof/rejudge.h"

#include <sys/resource.h>

enum { MANY = 100000, BATCH = 4000 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { JUDGING_KIB = 1 << 20 }; /* what was freed is kept aside there */
#else
enum { JUDGING_KIB = 4096 };
#endif

#define UPDATE(n, more)                                                                \
    "update.id 11111111-2222-4333-8444-555555555555\nupdate.revision " n "\n" more

static struct sp_ledger_files *ledger_with(const char *const *texts, size_t count)
{
    struct sp_ledger_files *l = NULL;
    uint64_t first;
    struct sp_view views[16];
    assert_true(count <= 16);
    assert_ok(sp_ledger_open(in_folder("state"), "sallyport/test", &l, NULL));
    for (size_t i = 0; i < count; i++) {
        views[i] = sp_view_str(texts[i]);
    }
    assert_ok(sp_ledger_append(l, views, count, &first, NULL));
    return l;
}

static struct sp_policy *policy_of(const char *text)
{
    struct sp_policy *p = NULL;
    assert_ok(sp_policy_parse(sp_view_str(text), &p, NULL));
    return p;
}

struct seen {
    size_t count;
    uint64_t entries[16];
    enum sp_outcome was[16], now[16];
    enum sp_rule rules[16];
};

static void on_change(void *ctx, const struct sp_rejudged *j)
{
    struct seen *s = ctx;
    assert_true(s->count < 16);
    s->entries[s->count] = j->entry;
    s->was[s->count] = j->was;
    s->now[s->count] = j->now;
    s->rules[s->count++] = j->verdict->rule;
}

static const char policy_text[] = "policy new\n"
                                  "program-is-update enforce withhold\n"
                                  "digests-sound enforce\n"
                                  "file-digests-equal audit\n"
                                  "reply-wellformed enforce\n"
                                  "file-sha1 enforce\n";

/* 0 passes as before, 1 would be withheld, 2 refused, 3 was withheld and passes, 4 a
 * refusal that stands, 5 a refusal that falls, 6 no verdict, 7 a file. */
static const char *const history[] = {
    "entry.kind revision\npeer.address 10.0.0.1\n" UPDATE(
        "1", "document.digests-sound true\nverdict.ruling passed\n"),
    "entry.kind revision\npeer.address 10.0.0.2\n" UPDATE(
        "2", "document.digests-sound true\ndocument.program PsExec.exe\n"
             "verdict.ruling passed\n"),
    "entry.kind revision\n" UPDATE("3", "document.digests-sound false\n"
                                        "verdict.ruling passed\n"),
    "entry.kind withheld\npeer.address 10.0.0.2\n" UPDATE(
        "4", "document.digests-sound true\nverdict.ruling refused\n"
             "verdict.rule times-zoned\n"),
    "entry.kind refusal\npeer.address 10.0.0.2\nreply.wellformed false\n"
    "verdict.ruling refused\nverdict.rule reply-wellformed\n",
    "entry.kind refusal\nreply.wellformed true\nverdict.ruling refused\n"
    "verdict.rule service-url-relative\n",
    "entry.kind edit\nedit.removed 11111111-2222-4333-8444-555555555555.4\n",
    "entry.kind file\nfile.claim-sha1 1111111111111111111111111111111111111111\n"
    "file.sha1 1111111111111111111111111111111111111111\nverdict.ruling passed\n",
};

static void b_what_would_change(void **state)
{
    (void)state;
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_of(policy_text);
    struct sp_ledger_files *l =
        ledger_with(history, sizeof history / sizeof history[0]);
    struct seen s = {0};
    static struct sp_rejudge r;
    r = (struct sp_rejudge){.policy = p, .changed = on_change, .ctx = &s};
    assert_ok(sp_rejudge(&r, l, NULL));
    sp_ledger_close(&l);
    assert_int_equal(r.entries, 8);
    assert_int_equal(r.looked_at, 7);
    assert_int_equal(r.changes, 4);
    static const uint64_t entries[] = {1, 2, 3, 5};
    static const enum sp_outcome was[] = {SP_OUTCOME_PASSED, SP_OUTCOME_PASSED,
                                          SP_OUTCOME_WITHHELD, SP_OUTCOME_REFUSED};
    static const enum sp_outcome now[] = {SP_OUTCOME_WITHHELD, SP_OUTCOME_REFUSED,
                                          SP_OUTCOME_PASSED, SP_OUTCOME_PASSED};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(s.entries[i], entries[i]);
        assert_int_equal(s.was[i], was[i]);
        assert_int_equal(s.now[i], now[i]);
    }
    assert_int_equal(s.rules[0], SP_RULE_PROGRAM_IS_UPDATE);
    assert_int_equal(s.rules[1], SP_RULE_DIGESTS_SOUND);
    assert_int_equal(r.now[SP_OUTCOME_PASSED], 4);
    assert_int_equal(r.now[SP_OUTCOME_WITHHELD], 1);
    assert_int_equal(r.now[SP_OUTCOME_REFUSED], 2);
}

static void b_tallies_by_rule_and_peer(void **state)
{
    (void)state;
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_of(policy_text);
    struct sp_ledger_files *l =
        ledger_with(history, sizeof history / sizeof history[0]);
    static struct sp_rejudge r;
    r = (struct sp_rejudge){.policy = p};
    assert_ok(sp_rejudge(&r, l, NULL));
    sp_ledger_close(&l);
    assert_int_equal(r.rules[SP_RULE_PROGRAM_IS_UPDATE].failed, 1);
    assert_int_equal(r.rules[SP_RULE_PROGRAM_IS_UPDATE].decided, 1);
    assert_int_equal(r.rules[SP_RULE_REPLY_WELLFORMED].decided, 1);
    assert_int_equal(r.rules[SP_RULE_TIMES_ZONED].failed, 0); /* off in this policy */
    assert_int_equal(r.peer_count, 3);
    assert_string_equal(r.peers[0].peer, "10.0.0.1");
    assert_int_equal(r.peers[0].blocked, 0);
    assert_string_equal(r.peers[1].peer, "10.0.0.2");
    assert_int_equal(r.peers[1].looked_at, 3);
    assert_int_equal(r.peers[1].blocked, 2);
    assert_string_equal(r.peers[2].peer, "");
    assert_int_equal(r.peers[2].looked_at, 3);
}

/* The file list of a revision may stand in two entries: judged apart it would fail. */
static void c_a_revision_in_parts_is_judged_whole(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "entry.kind revision\n" UPDATE(
            "1", "update.file-digest 1111111111111111111111111111111111111111\n"
                 "update.file-digest 2222222222222222222222222222222222222222\n"
                 "document.file-digest 1111111111111111111111111111111111111111\n"
                 "verdict.ruling passed\n"),
        "entry.kind claims\n" UPDATE(
            "1", "document.file-digest 2222222222222222222222222222222222222222\n"),
        "entry.kind edit\n",
    };
    SP_AUTO(sp_policy_free)
    struct sp_policy *p = policy_of("policy p\nfile-digests-equal enforce\n");
    for (size_t count = 1; count <= 3; count++) {
        struct sp_ledger_files *l = ledger_with(parts, count);
        static struct sp_rejudge r;
        r = (struct sp_rejudge){.policy = p};
        assert_ok(sp_rejudge(&r, l, NULL));
        sp_ledger_close(&l);
        assert_int_equal(r.looked_at, 1);
        assert_int_equal(r.changes, count == 1);
        folder_teardown(state);
        folder_setup(state);
    }
}

/* Revision n, one in a thousand of which runs a tool. */
static struct sp_view many_text(unsigned n, char text[320])
{
    int len = snprintf(text, 320,
                       "entry.kind revision\npeer.address 10.0.%u.1\nupdate.id "
                       "%08x-2222-4333-8444-555555555555\nupdate.revision 200\n"
                       "document.digests-sound true\ndocument.program %s\n"
                       "verdict.ruling passed\nverdict.policy old\n",
                       n % 4, n, n % 1000 ? "AM_Delta.exe" : "bginfo.exe");
    return sp_view(text, (size_t)len);
}

static void make_many(void)
{
    static struct sp_view views[BATCH];
    static char texts[BATCH][320];
    struct sp_ledger_files *l = NULL;
    uint64_t first;
    assert_ok(sp_ledger_open(in_folder("state"), "sallyport/test", &l, NULL));
    for (unsigned n = 0; n < MANY; n += BATCH) {
        for (unsigned i = 0; i < BATCH; i++) {
            views[i] = many_text(n + i, texts[i]);
        }
        assert_ok(sp_ledger_append(l, views, BATCH, &first, NULL));
    }
    sp_ledger_close(&l);
}

static void count_tools(void *ctx, const struct sp_rejudged *j)
{
    uint64_t *next = ctx;
    assert_int_equal(j->entry, *next);
    assert_int_equal(j->was, SP_OUTCOME_PASSED);
    assert_int_equal(j->now, SP_OUTCOME_WITHHELD);
    assert_int_equal(j->verdict->rule, SP_RULE_PROGRAM_IS_UPDATE);
    *next += 1000;
}

static void judge_many(void)
{
    static struct sp_rejudge r;
    struct sp_ledger_files *l = NULL;
    uint64_t next = 0;
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_of(policy_text);
    assert_ok(sp_ledger_open_view(in_folder("state"), &l, NULL));
    r = (struct sp_rejudge){.policy = p, .changed = count_tools, .ctx = &next};
    assert_ok(sp_rejudge(&r, l, NULL));
    sp_ledger_close(&l);
    assert_int_equal(next, MANY);
    assert_int_equal(r.entries, MANY);
    assert_int_equal(r.looked_at, MANY);
    assert_int_equal(r.changes, MANY / 1000);
    assert_int_equal(r.now[SP_OUTCOME_PASSED], MANY - MANY / 1000);
    assert_int_equal(r.now[SP_OUTCOME_WITHHELD], MANY / 1000);
    assert_int_equal(r.now[SP_OUTCOME_REFUSED], 0);
    assert_int_equal(r.peer_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(r.peers[i].looked_at, MANY / 4);
        assert_int_equal(r.peers[i].blocked, i == 0 ? MANY / 1000 : 0);
    }
}

/* KiB that this process had in memory at most. */
static long most_memory(void)
{
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return u.ru_maxrss;
}

/* Memory does not grow with the ledger: it has 23 MB of entries. */
static void s_a_hundred_thousand_entries(void **state)
{
    (void)state;
    make_many();
    long before = most_memory();
    judge_many();
    assert_in_range(most_memory() - before, 0, JUDGING_KIB);
}

static void f_peers_beyond_the_table_are_others(void **state)
{
    (void)state;
    static struct sp_rejudge r;
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_of(policy_text);
    struct sp_ledger_files *l = NULL;
    uint64_t first;
    assert_ok(sp_ledger_open(in_folder("state"), "sallyport/test", &l, NULL));
    for (unsigned i = 0; i < 300; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "entry.kind revision\npeer.address 10.0.0.%u\n" UPDATE(
                     "1", "document.digests-sound true\nverdict.ruling passed\n"),
                 i);
        struct sp_view v = sp_view_str(text);
        assert_ok(sp_ledger_append(l, &v, 1, &first, NULL));
    }
    r = (struct sp_rejudge){.policy = p};
    assert_ok(sp_rejudge(&r, l, NULL));
    sp_ledger_close(&l);
    assert_int_equal(r.peer_count, 256);
    assert_string_equal(r.peers[254].peer, "10.0.0.254");
    assert_string_equal(r.peers[255].peer, "others");
    assert_int_equal(r.peers[255].looked_at, 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(b_what_would_change, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(b_tallies_by_rule_and_peer, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(c_a_revision_in_parts_is_judged_whole,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(s_a_hundred_thousand_entries,
                                        folder_setup_in_memory, folder_teardown),
        cmocka_unit_test_setup_teardown(f_peers_beyond_the_table_are_others,
                                        folder_setup, folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
