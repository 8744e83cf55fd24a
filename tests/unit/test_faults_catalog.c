/* An offline catalogue indexed, put in force and the one before removed: killed, or
 * failing, at every call that opens or changes something, SQLite's among them. One of
 * the two is in force all the time, whole and with its index; what was said to be in
 * force is. */
#include "faults_sql.h"

#include "app/offline/catalog_index.h"
#include "app/offline/catalog_place.h"
#include "core/crypto/crypto.h"

/* ---- two small catalogues, [MS-CAB] 2 -------------------------------------------- */

#define PACKAGE                                                                        \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><OfflineSyncPackage "                   \
    "xmlns=\"http://schemas.microsoft.com/msus/2004/02/OfflineSync\" "                 \
    "PackageId=\"77777777-8888-4999-8aaa-bbbbbbbbbbbb\" "                              \
    "CreationDate=\"2026-01-13T10:00:00Z\"><Updates><Update "                          \
    "UpdateId=\"11111111-2222-4333-8444-555555555555\" RevisionNumber=\"%d\" "         \
    "RevisionId=\"7\" CreationDate=\"2026-01-13T09:00:00Z\" "                          \
    "DeploymentAction=\"Bundle\"/></Updates></OfflineSyncPackage>"

enum { OLD, NEW, CATALOGUES };
static struct {
    uint8_t bytes[2048];
    size_t len;
    struct sp_catalog_good good;
} made[CATALOGUES];

static size_t put(uint8_t *to, size_t n, uint64_t value)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t)(value >> 8 * i);
    }
    return n;
}

/* One member, stored, in one block without a checksum. */
static size_t put_cabinet(uint8_t *to, const char *name, const void *bytes, size_t len)
{
    size_t n = strlen(name) + 1, at = 36 + 8 + 16 + n;
    memset(to, 0, at + 8);
    memcpy(to, "MSCF", 4);
    put(to + 8, 4, at + 8 + len);
    put(to + 16, 4, 44);
    memcpy(to + 24, "\3\1\1\0\1\0", 6);
    put(to + 36, 4, at);
    put(to + 40, 2, 1);
    put(to + 44, 4, len);
    memcpy(to + 60, name, n);
    put(to + at + 4, 2, len);
    put(to + at + 6, 2, len);
    memcpy(to + at + 8, bytes, len);
    return at + 8 + len;
}

static void make(int which)
{
    uint8_t inner[1024];
    char xml[800];
    struct sp_catalog_good *g = &made[which].good;
    int n = snprintf(xml, sizeof xml, PACKAGE, which + 1);
    size_t len = put_cabinet(inner, "package.xml", xml, (size_t)n);
    made[which].len = put_cabinet(made[which].bytes, "package.cab", inner, len);
    g->size = made[which].len;
    g->signed_at = g->fetched_at = 1750000000 + which;
    sp_sha256(sp_view(made[which].bytes, made[which].len), g->sha256);
    g->sha1[0] = (uint8_t)which;
}

/* ---- the work -------------------------------------------------------------------- */

struct place {
    struct sp_objects *objects;
    struct sp_object *object;
    struct sp_catalog_good good;
};

static const char *folder(void)
{
    return in_folder("catalog");
}

static void place_fini(struct place *p)
{
    sp_object_unref(&p->object);
    sp_objects_close(&p->objects);
}

static enum sp_err place_open(struct place *p)
{
    SP_TRY(sp_objects_open(folder(), &p->objects, NULL));
    enum sp_err e =
        sp_catalog_place_open(p->objects, folder(), &p->good, &p->object, NULL);
    return e == SP_E_NOTFOUND && p->good.signed_at == 0 ? SP_OK : e;
}

static enum sp_err put_index(const struct sp_stage *stage, int which)
{
    int fd = -1;
    char path[SP_CATALOG_PATH];
    struct sp_catalog_about about = {.size = made[which].len};
    memcpy(about.sha256, made[which].good.sha256, 32);
    SP_TRY(sp_catalog_index_path(folder(), about.sha256, path));
    SP_TRY(sp_stage_reader(stage, &fd));
    struct sp_catalog_input in = {.fd = fd, .scratch = folder()};
    enum sp_err e = sp_catalog_index(&in, path, &about, NULL);
    close(fd);
    return e;
}

/* As a look for a newer one does it. */
static enum sp_err put_in_force(struct place *p, int which)
{
    SP_AUTO(sp_stage_drop) struct sp_stage *stage = NULL;
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    const struct sp_catalog_good *g = &made[which].good;
    SP_TRY(sp_stage_new(p->objects, made[which].len, &stage, NULL));
    SP_TRY(sp_stage_write(stage, 0, sp_view(made[which].bytes, made[which].len)));
    SP_TRY(put_index(stage, which));
    SP_TRY(sp_catalog_place_commit(folder(), &stage, g, &o, NULL));
    faults_said[0] = 1;
    sp_catalog_place_tidy(p->objects, folder(), g);
    return SP_OK;
}

static enum sp_err replace(void)
{
    SP_AUTO(place_fini) struct place p = {0};
    SP_TRY(place_open(&p));
    return put_in_force(&p, NEW);
}

static void with_the_old_one(void)
{
    SP_AUTO(place_fini) struct place p = {0};
    folder_remove(folder());
    assert_ok(place_open(&p));
    assert_null(p.object);
    assert_ok(put_in_force(&p, OLD));
    faults_said[0] = 0;
}

/* ---- what must hold afterwards --------------------------------------------------- */

static unsigned indexes(void)
{
    unsigned n = 0;
    DIR *d = opendir(folder());
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        n += strncmp(e->d_name, "index-", 6) == 0;
    }
    closedir(d);
    return n;
}

static enum sp_err see_row(void *ctx, const struct sp_catalog_row *row)
{
    *(int64_t *)ctx = row->number;
    return SP_OK;
}

/* The index is of this catalogue: it knows the revision that only this one has. */
static void assert_index(int which)
{
    SP_AUTO(sp_catalog_close) struct sp_catalog *c = NULL;
    char path[SP_CATALOG_PATH];
    struct sp_guid id;
    int64_t number = 0;
    assert_ok(sp_guid_parse(SP_VIEW("11111111-2222-4333-8444-555555555555"), &id));
    assert_true(sp_catalog_place_has_index(folder(), &made[which].good));
    assert_ok(sp_catalog_index_path(folder(), made[which].good.sha256, path));
    assert_ok(sp_catalog_open(path, &c, NULL));
    assert_ok(sp_catalog_find_update(c, &id, -1, see_row, &number));
    assert_int_equal(number, which + 1);
}

static void assert_sound(void)
{
    SP_AUTO(place_fini) struct place p = {0};
    uint8_t bytes[sizeof made[0].bytes];
    assert_ok(place_open(&p));
    assert_non_null(p.object);
    int which = p.good.signed_at == made[NEW].good.signed_at ? NEW : OLD;
    assert_true(which == NEW || !faults_said[0]);
    assert_memory_equal(p.good.sha256, made[which].good.sha256, 32);
    assert_int_equal(pread(p.object->fd, bytes, sizeof bytes, 0), made[which].len);
    assert_memory_equal(bytes, made[which].bytes, made[which].len);
    assert_index(which);
    assert_int_equal(indexes(), 1); /* opening tidied up */
    assert_int_equal(folder_count(in_folder("catalog/staging")), 0);
}

static const struct faults_case replacing = {with_the_old_one, replace, assert_sound,
                                             30};

/* ---- the tests ------------------------------------------------------------------- */

static void b_a_newer_one_takes_its_place(void **state)
{
    (void)state;
    faults_prepare(&replacing);
    assert_sound();
    faults_sql_writes = 0;
    assert_ok(replace());
    assert_true(faults_sql_writes > 10); /* SQLite writes through us */
    assert_int_equal(faults_said[0], 1);
    assert_sound();
}

static void f_killed_at_every_call(void **state)
{
    (void)state;
    faults_kill_everywhere(&replacing);
}

static void f_failing_at_every_call(void **state)
{
    (void)state;
    faults_fail_everywhere(&replacing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULTS_TEST(b_a_newer_one_takes_its_place),
        FAULTS_TEST(f_killed_at_every_call),
        FAULTS_TEST(f_failing_at_every_call),
    };
    make(OLD);
    make(NEW);
    faults_take_over_sqlite();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
