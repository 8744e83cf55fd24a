/* The scrubber killed, or failing, at every call that opens or changes something: what
 * is good stays and is served, what is damaged is never taken for good, and the next
 * pass puts it away. */
#include "faults.h"

#include "app/fill/scrub.h"
#include "core/crypto/crypto.h"

enum { SIZE = 2000, FILES = 6, FLIPPED = 1, TREELESS = 4 };
static const uint8_t SHA1[20] = {1};

static void content(uint8_t n, uint8_t bytes[SIZE], uint8_t sha256[32])
{
    memset(bytes, n, SIZE);
    sp_sha256(sp_view(bytes, SIZE), sha256);
}

static bool is_damaged(uint8_t n)
{
    return n == FLIPPED || n == TREELESS;
}

/* "objects/ab/abcdef..." and a tail. */
static const char *path_of(uint8_t n, const char *tail)
{
    uint8_t bytes[SIZE], sha256[32];
    char name[96] = "", digits[3];
    content(n, bytes, sha256);
    snprintf(name, sizeof name, "cache/objects/%02x/", sha256[0]);
    for (size_t i = 0; i < 32; i++) {
        snprintf(digits, sizeof digits, "%02x", sha256[i]);
        strncat(name, digits, sizeof name - strlen(name) - 1);
    }
    strncat(name, tail, sizeof name - strlen(name) - 1);
    return in_folder(name);
}

/* ---- a pass ---------------------------------------------------------------------- */

struct pass {
    struct sp_loop *loop;
    struct sp_objects *objects;
    struct sp_shelf *shelf;
    struct sp_scrub *scrub;
    struct sp_counters counters;
    uv_prepare_t watch;
    uint64_t rate;  /* bytes a second */
    int first_wait; /* milliseconds, behind the first file */
};

static void pass_fini(struct pass *p)
{
    sp_scrub_free(&p->scrub);
    sp_shelf_free(&p->shelf);
    sp_objects_close(&p->objects);
    if (p->loop) {
        sp_loop_free(&p->loop);
    }
}

/* As the stock does it, without a ledger. */
static void on_damage(void *ctx, const struct sp_damage *d)
{
    struct pass *p = ctx;
    (void)!sp_shelf_discard(p->shelf, d->sha256, d->serial, "damaged");
}

static void on_surveyed(void *ctx)
{
    (void)ctx;
}

static void on_stopped(void *ctx)
{
    struct pass *p = ctx;
    uv_close((uv_handle_t *)&p->watch, NULL);
    sp_loop_stop(p->loop);
}

/* Before the loop waits. At a rate it ends behind the first file, else with the pass.
 */
static void on_turn(uv_prepare_t *watch)
{
    struct pass *p = watch->data;
    bool first = p->rate && atomic_load(&p->counters.scrub_files) > 0;
    if (first) {
        p->first_wait = uv_backend_timeout(sp_loop_uv(p->loop));
    }
    if (first || atomic_load(&p->counters.scrub_passes) > 0) {
        uv_prepare_stop(watch);
        sp_scrub_stop(p->scrub, on_stopped, p);
    }
}

static enum sp_err open_pass(struct pass *p)
{
    SP_TRY(sp_objects_open(in_folder("cache"), &p->objects, NULL));
    SP_TRY(sp_shelf_new(p->objects, 8, &p->shelf, NULL));
    return sp_loop_new("scrub", &p->loop);
}

/* Around once; whatever it meets on the way, it comes to the end. */
static enum sp_err run(struct pass *p)
{
    SP_TRY(open_pass(p));
    struct sp_scrub_conf conf = {.loop = p->loop,
                                 .objects = p->objects,
                                 .shelf = p->shelf,
                                 .counters = &p->counters,
                                 .damaged = on_damage,
                                 .surveyed = on_surveyed,
                                 .ctx = p};
    SP_TRY(sp_scrub_new(&conf, &p->scrub));
    sp_scrub_set_rate(p->scrub, p->rate ? p->rate : UINT64_C(1) << 40);
    uv_prepare_init(sp_loop_uv(p->loop), &p->watch);
    p->watch.data = p;
    uv_prepare_start(&p->watch, on_turn);
    sp_loop_run(p->loop);
    return SP_OK;
}

static enum sp_err pass(void)
{
    SP_AUTO(pass_fini) struct pass p = {0};
    return run(&p);
}

/* ---- before and after ------------------------------------------------------------ */

static void put(struct sp_objects *objects, uint8_t n)
{
    struct sp_stage *stage = NULL;
    struct sp_object *o = NULL;
    uint8_t bytes[SIZE], sha256[32];
    content(n, bytes, sha256);
    assert_ok(sp_stage_new(objects, SIZE, &stage, NULL));
    assert_ok(sp_stage_write(stage, 0, sp_view(bytes, SIZE)));
    assert_ok(sp_stage_commit(&stage, sha256, SHA1, &o, NULL));
    sp_object_unref(&o);
}

static void damage(void)
{
    FILE *f = NULL;
    assert_int_equal(chmod(path_of(FLIPPED, ""), 0600), 0);
    f = fopen(path_of(FLIPPED, ""), "r+b");
    assert_non_null(f);
    assert_int_equal(fputc('x', f), 'x');
    assert_int_equal(fclose(f), 0);
    assert_int_equal(unlink(path_of(TREELESS, ".tree")), 0);
}

static void stored_with_damage(void)
{
    struct sp_objects *objects = NULL;
    folder_remove(in_folder("cache"));
    assert_ok(sp_objects_open(in_folder("cache"), &objects, NULL));
    for (uint8_t n = 0; n < FILES; n++) {
        put(objects, n);
    }
    sp_objects_close(&objects);
    damage();
}

/* The bytes of n come, or it is refused; what is good comes. */
static void assert_file(struct sp_objects *objects, uint8_t n)
{
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    uint8_t bytes[SIZE], sha256[32], got[SIZE];
    content(n, bytes, sha256);
    enum sp_err e = sp_objects_get(objects, sha256, SHA1, SIZE, &o);
    if (!is_damaged(n)) {
        assert_ok(e);
    }
    if (e == SP_OK) {
        assert_int_equal(pread(o->fd, got, SIZE, 0), SIZE);
        e = sp_object_check(o, 0, sp_view(got, SIZE));
        assert_err(e, is_damaged(n) ? SP_E_CORRUPT : SP_OK);
    }
}

/* Damaged bytes stand where they stood, or lie in quarantine: never both, never lost.
 */
static void assert_evidence(void)
{
    unsigned still = 0;
    for (uint8_t n = 0; n < FILES; n++) {
        still += is_damaged(n) && access(path_of(n, ""), F_OK) == 0;
    }
    assert_int_equal(still + folder_count(in_folder("cache/quarantine")), 2);
}

static void assert_note(struct sp_objects *objects)
{
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    sp_buf_init(&note, 128);
    enum sp_err e = sp_objects_read_note(objects, "scrub", &note);
    assert_true(e == SP_E_NOTFOUND || e == SP_OK);
    assert_true(note.len == 0 || note.len == 64);
}

static void assert_sound(void)
{
    struct sp_objects *objects = NULL;
    assert_ok(sp_objects_open(in_folder("cache"), &objects, NULL));
    for (uint8_t n = 0; n < FILES; n++) {
        assert_file(objects, n);
    }
    assert_evidence();
    assert_note(objects);
    sp_objects_close(&objects);
}

static const struct faults_case scrubbing = {stored_with_damage, pass, assert_sound,
                                             2 * FILES};

/* ---- the tests ------------------------------------------------------------------- */

static void b_a_pass_puts_away_what_is_damaged(void **state)
{
    (void)state;
    faults_prepare(&scrubbing);
    assert_sound();
    assert_int_equal(folder_count(in_folder("cache/quarantine")), 0);
    assert_ok(pass());
    assert_sound();
    assert_int_equal(folder_count(in_folder("cache/quarantine")), 2);
}

/* A file counts as 64 KiB and its bytes: at 128 KiB a second it waits half a second. */
static void b_the_rate_is_kept(void **state)
{
    (void)state;
    SP_AUTO(pass_fini) struct pass p = {.rate = 128 * 1024};
    faults_prepare(&scrubbing);
    assert_ok(run(&p));
    assert_int_equal(atomic_load(&p.counters.scrub_files), 1);
    assert_in_range(p.first_wait, 300, 500);
}

static void f_killed_at_every_call(void **state)
{
    (void)state;
    faults_kill_everywhere(&scrubbing);
}

static void f_failing_at_every_call(void **state)
{
    (void)state;
    faults_fail_everywhere(&scrubbing);
}

#ifdef __SANITIZE_THREAD__
/* A child that is to be killed starts a scrubber, and its parent had one. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULTS_TEST(b_a_pass_puts_away_what_is_damaged),
        FAULTS_TEST(b_the_rate_is_kept),
        FAULTS_TEST(f_killed_at_every_call),
        FAULTS_TEST(f_failing_at_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
