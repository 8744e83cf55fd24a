/* A start on very many files: names at once, sizes and times of use behind it. */
#include "folder.h"

#include "app/fill/scrub.h"
#include "app/fill/survey.h"
#include "core/crypto/crypto.h"

#include <fcntl.h>

enum { MORE = 700, FILES = SP_SHELF_AT_ONCE + MORE };

static struct sp_objects *objects;
static struct sp_shelf *shelf;
static const struct sp_shelf_limits no_limits = {0};

static void digest_of(unsigned n, uint8_t sha256[32])
{
    sp_sha256(sp_view((const uint8_t *)&n, sizeof n), sha256);
}

/* "objects/ab/abcdef..." and a tail. */
static const char *path_of(unsigned n, const char *tail)
{
    uint8_t sha256[32];
    char name[96];
    digest_of(n, sha256);
    int at = snprintf(name, sizeof name, "cache/objects/%02x/", sha256[0]);
    for (size_t i = 0; i < 32; i++) {
        at += snprintf(name + at, sizeof name - (size_t)at, "%02x", sha256[i]);
    }
    snprintf(name + at, sizeof name - (size_t)at, "%s", tail);
    return in_folder(name);
}

static void touch(const char *path, int64_t used)
{
    const struct timespec times[2] = {{.tv_sec = used}, {.tv_sec = used}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* File n has n bytes and was used at 1000 + n: nobody reads it here. */
static void make(unsigned n)
{
    FILE *f = fopen(path_of(n, ""), "wb");
    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), n), 0);
    fclose(f);
    folder_write(path_of(n, ".tree"), "x", 1);
    touch(path_of(n, ".tree"), 1000 + n);
}

static int setup(void **state)
{
    if (folder_setup_in_memory(state) != 0) {
        return -1;
    }
    return sp_objects_open(in_folder("cache"), &objects, NULL) == SP_OK ? 0 : -1;
}

static int teardown(void **state)
{
    sp_shelf_free(&shelf);
    sp_objects_close(&objects);
    return folder_teardown(state);
}

static void make_all(unsigned count)
{
    for (unsigned i = 0; i < 256; i++) {
        char name[32];
        snprintf(name, sizeof name, "cache/objects/%02x", i);
        assert_int_equal(mkdir(in_folder(name), 0700), 0);
    }
    for (unsigned n = 0; n < count; n++) {
        make(n);
    }
}

static struct sp_shelf_totals totals(void)
{
    struct sp_shelf_totals t;
    sp_shelf_totals(shelf, &t);
    return t;
}

static uint64_t sum(uint64_t count)
{
    return count * (count - 1) / 2;
}

static unsigned survey(void)
{
    struct sp_survey *s = NULL;
    unsigned steps = 0;
    assert_ok(sp_survey_new(objects, shelf, &s));
    for (; sp_survey_pick(s); steps++) {
        sp_survey_look(s);
        sp_survey_tell(s);
    }
    sp_survey_free(&s);
    return steps;
}

static void assert_all_known(void)
{
    for (unsigned n = 0; n < FILES; n++) {
        uint8_t sha256[32];
        digest_of(n, sha256);
        const struct sp_shelf_item *item = sp_shelf_find(shelf, sha256);
        assert_non_null(item);
        assert_true(item->known);
        assert_int_equal(item->size, n);
        assert_int_equal(item->used, 1000 + n);
    }
}

static void b_few_are_known_at_once(void **state)
{
    (void)state;
    make_all(SP_SHELF_AT_ONCE);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    assert_int_equal(totals().files, SP_SHELF_AT_ONCE);
    assert_int_equal(totals().unknown, 0);
    assert_int_equal(totals().bytes, sum(SP_SHELF_AT_ONCE));
    assert_int_equal(survey(), 0);
}

static void b_more_are_learned_behind(void **state)
{
    (void)state;
    make_all(FILES);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    assert_int_equal(totals().files, FILES);
    assert_int_equal(totals().unknown, MORE);
    assert_true(totals().bytes < sum(FILES));
    assert_int_equal(survey(), 2);
    assert_int_equal(totals().unknown, 0);
    assert_int_equal(totals().bytes, sum(FILES));
    assert_all_known();
}

/* What was used longest ago may be among those that are not known: nothing goes. */
static void c_nothing_is_evicted_before(void **state)
{
    (void)state;
    make_all(FILES);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    struct sp_shelf_limits limits = {.bytes = FILES};
    struct sp_shelf_evicted evicted = {0};
    struct sp_why why = {0};
    assert_ok(sp_shelf_reserve(shelf, 1, &no_limits, &evicted, &why));
    assert_err(sp_shelf_reserve(shelf, 1, &limits, &evicted, &why), SP_E_NOSPACE);
    assert_non_null(strstr(why.text, "it is still found out"));
    assert_int_equal(evicted.files, 0);
    assert_int_equal(survey(), 2);
    limits.bytes = sum(FILES);
    assert_ok(sp_shelf_reserve(shelf, 1, &limits, &evicted, NULL));
    assert_int_equal(evicted.bytes, 3); /* those of 0, 1 and 2 bytes: the oldest */
    assert_int_equal(evicted.files, 3);
    sp_shelf_release(shelf, 2);
}

/* Sparse ones, larger than what others write to this file system meanwhile. */
static void c_evictions_have_their_reason(void **state)
{
    (void)state;
    const off_t large = (off_t)SP_MIB(64 * 1024);
    struct sp_shelf_evicted evicted = {0};
    struct sp_shelf_limits limits = {.bytes = (uint64_t)large * 3};
    struct sp_space space;
    make_all(3);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(truncate(path_of(n, ""), large), 0);
    }
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    assert_ok(sp_shelf_reserve(shelf, 1, &limits, &evicted, NULL));
    assert_int_equal(evicted.files, 1);
    assert_int_equal(evicted.for_floor, 0);
    sp_shelf_release(shelf, 1);
    assert_ok(sp_objects_space(objects, &space));
    uint64_t size = space.available + SP_MIB(32 * 1024);
    assert_ok(sp_shelf_reserve(shelf, size, &no_limits, &evicted, NULL));
    assert_int_equal(evicted.files, 2);
    assert_int_equal(evicted.for_floor, 1);
    sp_shelf_release(shelf, size);
}

/* Between the names and the sizes things come, go and are replaced. */
static void c_meanwhile(void **state)
{
    (void)state;
    uint8_t digests[MORE][32];
    struct sp_object_seen seen = {.size = 77777, .used = 5};
    make_all(FILES);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    assert_int_equal(sp_shelf_ask(shelf, NULL, digests, MORE), MORE);
    assert_ok(sp_shelf_discard(shelf, digests[0], 0, "damaged"));
    assert_int_equal(totals().unknown, MORE - 1);
    memcpy(seen.sha256, digests[0], 32);
    sp_shelf_tell(shelf, &seen, SP_OK); /* an answer that comes too late */
    assert_int_equal(totals().files, FILES - 1);
    memcpy(seen.sha256, digests[1], 32);
    sp_shelf_tell(shelf, &seen, SP_E_NOTFOUND); /* somebody took it away */
    assert_null(sp_shelf_find(shelf, digests[1]));
    assert_int_equal(totals().unknown, MORE - 2);
    uint64_t before = totals().bytes;
    memcpy(seen.sha256, digests[2], 32);
    sp_shelf_tell(shelf, &seen, SP_OK);
    sp_shelf_tell(shelf, &seen, SP_OK); /* once counts */
    assert_int_equal(totals().bytes, before + 77777);
    assert_int_equal(totals().unknown, MORE - 3);
    assert_int_equal(survey(), 2);
    assert_int_equal(totals().unknown, 0);
}

/* ---- as the scrubber does it ----------------------------------------------------- */

struct rig {
    struct sp_loop *loop;
    struct sp_scrub *scrub;
    struct sp_counters counters;
    uv_timer_t tick;
    unsigned surveyed;
    bool at_once, stopping;
};

static void on_stopped(void *ctx)
{
    struct rig *r = ctx;
    uv_close((uv_handle_t *)&r->tick, NULL);
    sp_loop_stop(r->loop);
}

static void on_surveyed(void *ctx)
{
    ((struct rig *)ctx)->surveyed++;
}

/* The empty files here are damaged, and none is read before all are known. */
static void on_damage(void *ctx, const struct sp_damage *d)
{
    (void)ctx;
    (void)d;
    assert_int_equal(totals().unknown, 0);
}

/* Stops as soon as all is known, or at the first turn. */
static void on_tick(uv_timer_t *tick)
{
    struct rig *r = tick->data;
    if (!r->stopping && (r->at_once || totals().unknown == 0)) {
        r->stopping = true;
        sp_scrub_stop(r->scrub, on_stopped, r);
    }
}

static void run(struct rig *r)
{
    assert_ok(sp_loop_new("scrub", &r->loop));
    struct sp_scrub_conf conf = {.loop = r->loop,
                                 .objects = objects,
                                 .shelf = shelf,
                                 .counters = &r->counters,
                                 .damaged = on_damage,
                                 .surveyed = on_surveyed,
                                 .ctx = r};
    assert_ok(sp_scrub_new(&conf, &r->scrub));
    uv_timer_init(sp_loop_uv(r->loop), &r->tick);
    r->tick.data = r;
    uv_timer_start(&r->tick, on_tick, 0, 1);
    sp_loop_run(r->loop);
    sp_scrub_free(&r->scrub);
    sp_loop_free(&r->loop);
}

static void c_the_scrubber_surveys_first(void **state)
{
    (void)state;
    struct rig r = {0};
    make_all(FILES);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    run(&r);
    assert_int_equal(r.surveyed, 2);
    assert_all_known();
    assert_int_equal(atomic_load(&r.counters.scrub_passes), 0);
}

/* The next start finds out what this one did not. */
static void c_stopped_on_the_way(void **state)
{
    (void)state;
    struct rig r = {.at_once = true};
    make_all(FILES);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    run(&r);
    assert_true(r.surveyed <= 2);
    sp_shelf_free(&shelf);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    assert_int_equal(totals().unknown, MORE);
}

/* What the listing of names sweeps and what it leaves alone. */
static void f_names(void **state)
{
    (void)state;
    char upper[128];
    make_all(3);
    assert_int_equal(unlink(path_of(1, "")), 0); /* a tree without its object */
    folder_write(path_of(2, ".tree.new"), "x", 1);
    folder_write(path_of(2, ".other"), "x", 1);
    folder_write(in_folder("cache/objects/00/README"), "x", 1);
    folder_write(in_folder("cache/objects/stray"), "x", 1);
    assert_int_equal(mkdir(in_folder("cache/objects/AB"), 0700), 0);
    /* the same digest in capitals, and in a folder that is not its own */
    snprintf(upper, sizeof upper, "%s", path_of(2, ""));
    for (char *c = strrchr(upper, '/'); *c; c++) {
        *c = *c >= 'a' && *c <= 'f' ? (char)(*c - 'a' + 'A') : *c;
    }
    folder_write(upper, "x", 1);
    uint8_t sha256[32];
    digest_of(2, sha256);
    snprintf(upper, sizeof upper, "cache/objects/%02x%s", sha256[0] ^ 1,
             strrchr(path_of(2, ""), '/'));
    folder_write(in_folder(upper), "x", 1);
    assert_ok(sp_shelf_new(objects, 8, &shelf, NULL));
    assert_int_equal(totals().files, 2);
    assert_int_equal(access(path_of(1, ".tree"), F_OK), -1);
    assert_int_equal(access(path_of(2, ".tree.new"), F_OK), -1);
    assert_int_equal(access(path_of(2, ".tree"), F_OK), 0);
    assert_int_equal(access(path_of(2, ".other"), F_OK), 0);
    assert_int_equal(access(in_folder("cache/objects/00/README"), F_OK), 0);
    assert_int_equal(access(in_folder(upper), F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_few_are_known_at_once),
        TEST(b_more_are_learned_behind),
        TEST(c_nothing_is_evicted_before),
        TEST(c_evictions_have_their_reason),
        TEST(c_meanwhile),
        TEST(c_the_scrubber_surveys_first),
        TEST(c_stopped_on_the_way),
        TEST(f_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
