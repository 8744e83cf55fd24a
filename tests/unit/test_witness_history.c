/* The pass over the history on a clock of its own: a second upstream that agrees, does
 * not know, contradicts or is silent, as a script says, about revisions that stand in a
 * real ledger. Its neighbours in the watch are replaced at the link. */
#include "folder.h"

#include "app/watch/watch_parts.h"
#include "io/store/ledger_files.h"

enum {
    PIECE = 1000, /* entries, as watch_review.c */
    HOUR_MS = 3600000,
    REVISIONS = 2 * PIECE + 8
};
#define WITNESS "second"
#define SENDER  "head-office"

/* ---- the script ------------------------------------------------------------------ */

static struct {
    uint64_t now_ms, entries;
    enum sp_testimony says[REVISIONS]; /* by revision number */
    struct sp_job *job;                /* that was begun, and is not done */
    unsigned asked;                    /* times somebody was asked */
    unsigned records;
    int64_t last_number; /* of the last record */
    char last_said[32];
} script;

uint64_t __wrap_sp_loop_now_ms(struct sp_loop *l);
int64_t __wrap_sp_watch_now_s(struct sp_watch *w);
void __wrap_sp_loop_work(struct sp_loop *l, struct sp_job *j);
void __wrap_sp_keeper_status(struct sp_keeper *k, struct sp_keeper_status *out);
void __wrap_sp_watch_came_back(struct sp_watch *w);
void __wrap_sp_watch_record(struct sp_watch *w, const struct sp_facts *f);
enum sp_testimony __wrap_sp_second_says(struct sp_watch *w, const char *witness,
                                        const struct sent *sent);

uint64_t __wrap_sp_loop_now_ms(struct sp_loop *l)
{
    (void)l;
    return script.now_ms;
}

int64_t __wrap_sp_watch_now_s(struct sp_watch *w)
{
    (void)w;
    return (int64_t)(script.now_ms / 1000);
}

void __wrap_sp_loop_work(struct sp_loop *l, struct sp_job *j)
{
    (void)l;
    assert_null(script.job);
    script.job = j;
}

void __wrap_sp_keeper_status(struct sp_keeper *k, struct sp_keeper_status *out)
{
    (void)k;
    *out = (struct sp_keeper_status){.entries = script.entries};
}

void __wrap_sp_watch_came_back(struct sp_watch *w)
{
    assert_int_equal(w->under_way, 1);
    w->under_way--;
}

void __wrap_sp_watch_record(struct sp_watch *w, const struct sp_facts *f)
{
    struct sp_fact_value v;
    (void)w;
    script.records++;
    assert_true(sp_facts_get(f, SP_FACT_UPDATE_REVISION, 0, &v));
    script.last_number = v.number;
    assert_true(sp_facts_get(f, SP_FACT_WITNESS_SAID, 0, &v));
    snprintf(script.last_said, sizeof script.last_said, SP_VIEW_FMT,
             SP_VIEW_ARG(v.bytes));
}

enum sp_testimony __wrap_sp_second_says(struct sp_watch *w, const char *witness,
                                        const struct sent *sent)
{
    (void)w;
    assert_string_equal(witness, WITNESS);
    assert_string_equal(sent->served_by, SENDER);
    assert_in_range(sent->id.number, 0, REVISIONS - 1);
    script.asked++;
    return script.says[sent->id.number];
}

/* ---- a watch --------------------------------------------------------------------- */

static char witness_name[] = WITNESS, sender_name[] = SENDER, other_name[] = "other";
static struct sp_config_upstream upstreams[2];
static struct sp_config_witness witness;
static struct sp_config config;
static struct sp_world world;
static struct ward ward;
static struct sp_watch watch;
static struct sp_ledger_files *ledger;

/* As the program begins: what it remembers is in its files. */
static void start(void)
{
    upstreams[0].name = sender_name;
    upstreams[1].name = other_name;
    witness = (struct sp_config_witness){
        .name = witness_name, .kind = SP_WITNESS_UPSTREAM, .upstream = 1};
    config.upstreams = upstreams;
    config.upstream_count = 2;
    config.witnesses = &witness;
    config.witness_count = 1;
    config.state_dir = (char *)(uintptr_t)in_folder("state");
    world.config = &config;
    atomic_store(&world.refs, 1);
    ward = (struct ward){.watch = &watch, .posture = {.due = SP_LOOK_PROBE}};
    snprintf(ward.row.name, sizeof ward.row.name, SENDER);
    watch = (struct sp_watch){
        .world = &world, .wards = &ward, .state_dir = config.state_dir};
    pthread_mutex_init(&watch.lock, NULL);
    sp_review_follow_world(&watch);
}

static void end(void)
{
    sp_review_free(&watch);
    pthread_mutex_destroy(&watch.lock);
    assert_int_equal(watch.under_way, 0);
    assert_int_equal(world.refs, 1);
}

static void restart(void)
{
    end();
    start();
}

static void append(const char *kind, unsigned first, unsigned count)
{
    for (unsigned n = first; n < first + count; n++) {
        char text[512];
        uint64_t at;
        int len = snprintf(text, sizeof text,
                           "entry.kind %s\nentry.time 2026-01-02T03:04:05Z\n"
                           "upstream.name " SENDER "\n"
                           "update.id 11111111-2222-4333-8444-555555555555\n"
                           "update.revision %u\ndocument.sha256 %064u\n",
                           kind, n, n + 1);
        struct sp_view entry = sp_view(text, (size_t)len);
        assert_ok(sp_ledger_append(ledger, &entry, 1, &at, NULL));
    }
    script.entries = sp_ledger_size(ledger);
}

static int setup(void **state)
{
    memset(&script, 0, sizeof script);
    script.now_ms = 5;
    if (folder_setup_in_memory(state) != 0 ||
        sp_ledger_open(in_folder("state"), "sallyport/test", &ledger, NULL) != SP_OK) {
        return -1;
    }
    start();
    return 0;
}

static int teardown(void **state)
{
    end();
    sp_ledger_close(&ledger);
    return folder_teardown(state);
}

/* ---- what happens ---------------------------------------------------------------- */

static bool tick(void)
{
    sp_review_tick(&watch);
    struct sp_job *job = script.job;
    script.job = NULL;
    if (job) {
        job->work(job);
        job->done(job);
    }
    return job != NULL;
}

/* Until nothing is left; how many pieces it took. */
static unsigned pass(void)
{
    unsigned pieces = 0;
    while (tick()) {
        assert_in_range(++pieces, 1, 10);
    }
    return pieces;
}

static void expect_shown(uint64_t agrees, uint64_t contradicts, uint64_t missing,
                         uint64_t silent)
{
    assert_int_equal(watch.status.voice_count, 1);
    const struct sp_watch_voice *v = &watch.status.voices[0];
    assert_string_equal(v->name, WITNESS);
    assert_int_equal(v->agrees, agrees);
    assert_int_equal(v->contradicts, contradicts);
    assert_int_equal(v->missing, missing);
    assert_int_equal(v->silent, silent);
}

static void expect_told(unsigned records, int64_t number, const char *said)
{
    assert_int_equal(script.records, records);
    assert_int_equal(script.last_number, number);
    assert_string_equal(script.last_said, said);
}

static bool is_against(void)
{
    struct sp_why why = {0};
    bool against = sp_review_is_against(&watch, SENDER, &why);
    assert_true(against == (why.text[0] != '\0'));
    assert_false(sp_review_is_against(&watch, "other", NULL));
    return against;
}

/* Revisions 0 to 3: one of each kind. */
static void say_each(void)
{
    script.says[0] = SP_TESTIMONY_AGREES;
    script.says[1] = SP_TESTIMONY_MISSING;
    script.says[2] = SP_TESTIMONY_CONTRADICTS;
    script.says[3] = SP_TESTIMONY_COUNT;
    append("revision", 0, 4);
}

static void b_each_testimony_is_counted(void **state)
{
    (void)state;
    say_each();
    assert_int_equal(pass(), 1);
    expect_shown(1, 1, 1, 1);
    expect_told(1, 2, WITNESS " contradicts");
    assert_true(is_against());
    assert_int_equal(ward.posture.due, SP_LOOK_PASS);
}

static void b_what_agrees_and_what_is_missing_is_not_told(void **state)
{
    (void)state;
    say_each();
    script.says[2] = SP_TESTIMONY_AGREES;
    pass();
    expect_shown(2, 0, 1, 1);
    assert_int_equal(script.records, 0);
    assert_false(is_against());
    assert_int_equal(ward.posture.due, SP_LOOK_PROBE);
}

/* Nothing between the hours; and a contradiction that still stands is not told again.
 */
static void b_a_pass_an_hour(void **state)
{
    (void)state;
    say_each();
    pass();
    unsigned asked = script.asked;
    script.now_ms = 5 + HOUR_MS - 1;
    assert_false(tick());
    script.now_ms = 5 + HOUR_MS;
    assert_int_equal(pass(), 1);
    assert_int_equal(script.asked, 2 * asked);
    expect_shown(1, 1, 1, 1);
    assert_int_equal(script.records, 1);
    script.now_ms += HOUR_MS - 1;
    assert_false(tick());
    sp_review_again(&watch); /* somebody knows more */
    assert_int_equal(pass(), 1);
}

static void b_what_is_recorded_since_counts_at_once(void **state)
{
    (void)state;
    say_each();
    pass();
    script.says[5] = SP_TESTIMONY_CONTRADICTS;
    append("revision", 4, 2);
    assert_int_equal(pass(), 1);
    assert_int_equal(script.asked, 6); /* the first four are not asked again */
    expect_shown(2, 2, 1, 1);
    expect_told(2, 5, WITNESS " contradicts");
}

static void c_a_contradiction_is_resolved(void **state)
{
    (void)state;
    static const struct {
        enum sp_testimony now;
        const char *said;
    } rows[] = {{SP_TESTIMONY_AGREES, WITNESS " agrees"},
                {SP_TESTIMONY_MISSING, WITNESS " does-not-know"}};
    say_each();
    for (unsigned i = 0; i < 2; i++) {
        script.says[2] = SP_TESTIMONY_CONTRADICTS;
        sp_review_again(&watch);
        pass();
        expect_told(2 * i + 1, 2, WITNESS " contradicts");
        assert_true(is_against());
        script.says[2] = rows[i].now;
        sp_review_again(&watch);
        pass();
        expect_told(2 * i + 2, 2, rows[i].said);
        assert_false(is_against());
    }
    expect_shown(1, 0, 2, 1);
}

/* Between two passes, as an exchange hears it. */
static void c_it_is_heard_outside_of_a_pass(void **state)
{
    (void)state;
    struct sent sent = {
        .id = {.number = 7}, .served_by = SENDER, .document_sha256 = {1}};
    sp_review_hear(&watch, "nobody", &sent, SP_TESTIMONY_CONTRADICTS);
    assert_false(is_against());
    sp_review_hear(&watch, WITNESS, &sent, SP_TESTIMONY_CONTRADICTS);
    sp_review_hear(&watch, WITNESS, &sent, SP_TESTIMONY_CONTRADICTS);
    expect_told(1, 7, WITNESS " contradicts");
    assert_true(is_against());
    sp_review_hear(&watch, WITNESS, &sent, SP_TESTIMONY_AGREES);
    expect_told(2, 7, WITNESS " agrees");
    assert_false(is_against());
}

static void c_what_was_said_before_it_fell_silent_stands(void **state)
{
    (void)state;
    say_each();
    pass();
    for (unsigned n = 0; n < 4; n++) {
        script.says[n] = SP_TESTIMONY_COUNT;
    }
    sp_review_again(&watch);
    pass();
    expect_shown(0, 0, 0, 4);
    assert_true(is_against());
    assert_int_equal(script.records, 1);
    restart(); /* what it said is its own file's; here only that it was told is kept */
    pass();
    assert_int_equal(script.records, 1);
    script.says[2] = SP_TESTIMONY_AGREES;
    sp_review_again(&watch);
    pass();
    expect_told(2, 2, WITNESS " agrees");
}

static void c_pieces_end_where_they_end(void **state)
{
    (void)state;
    append("revision", 0, PIECE - 1);
    assert_int_equal(pass(), 1);
    append("revision", PIECE - 1, 1);
    sp_review_again(&watch);
    assert_int_equal(pass(), 1);
    append("revision", PIECE, 1);
    assert_int_equal(pass(), 1); /* the one that is new */
    sp_review_again(&watch);
    assert_int_equal(pass(), 2);
    expect_shown(PIECE + 1, 0, 0, 0);
}

/* The first piece told of one; the second one is lost with the program. */
static void f_a_restart_in_the_middle(void **state)
{
    (void)state;
    script.says[10] = script.says[PIECE + 10] = SP_TESTIMONY_CONTRADICTS;
    append("revision", 0, 2 * PIECE);
    assert_true(tick());
    expect_told(1, 10, WITNESS " contradicts");
    assert_int_equal(watch.status.voices[0].contradicts, 0); /* not before it is over */
    restart();
    assert_false(is_against());
    assert_true(tick());
    assert_true(is_against());
    assert_int_equal(script.records, 1); /* told once, whoever lives */
    assert_true(tick());
    expect_told(2, PIECE + 10, WITNESS " contradicts");
    assert_false(tick());
    expect_shown(2 * PIECE - 2, 2, 0, 0);
}

/* A part of a revision speaks of some of its files: only against it does it count. */
static void c_parts_count_when_they_contradict(void **state)
{
    (void)state;
    append("revision", 0, 1);
    append("claims", 0, 1);
    append("withheld", 1, 1); /* no revision in custody */
    pass();
    expect_shown(1, 0, 0, 0);
    script.says[0] = SP_TESTIMONY_CONTRADICTS;
    sp_review_again(&watch);
    pass();
    expect_shown(0, 2, 0, 0);
    assert_int_equal(script.records, 1);
}

static void f_nobody_is_a_witness_of_himself(void **state)
{
    (void)state;
    witness.upstream = 0;
    say_each();
    pass();
    assert_int_equal(script.asked, 0);
    expect_shown(0, 0, 0, 0);
}

static void c_who_is_dismissed_says_nothing(void **state)
{
    (void)state;
    say_each();
    pass();
    assert_true(is_against());
    config.witness_count = 0;
    sp_review_follow_world(&watch);
    assert_false(is_against());
    assert_int_equal(watch.status.voice_count, 0);
    assert_false(tick());
}

/* The pass stands where it stood, and goes on when the ledger can be read. */
static void f_a_history_that_cannot_be_read(void **state)
{
    (void)state;
    say_each();
    const char *at = in_folder("state/ledger/checkpoint");
    const char *aside = in_folder("state/ledger/aside");
    assert_int_equal(rename(at, aside), 0);
    assert_true(tick());
    assert_true(tick());
    assert_int_equal(script.asked, 0);
    assert_int_equal(watch.review.at, 0);
    assert_int_equal(rename(aside, at), 0);
    assert_int_equal(pass(), 1);
    expect_shown(1, 1, 1, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_each_testimony_is_counted),
        TEST(b_what_agrees_and_what_is_missing_is_not_told),
        TEST(b_a_pass_an_hour),
        TEST(b_what_is_recorded_since_counts_at_once),
        TEST(c_a_contradiction_is_resolved),
        TEST(c_it_is_heard_outside_of_a_pass),
        TEST(c_what_was_said_before_it_fell_silent_stands),
        TEST(c_pieces_end_where_they_end),
        TEST(c_parts_count_when_they_contradict),
        TEST(c_who_is_dismissed_says_nothing),
        TEST(f_a_restart_in_the_middle),
        TEST(f_nobody_is_a_witness_of_himself),
        TEST(f_a_history_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
