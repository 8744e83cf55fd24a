/* sallyport store: the cache directory, looked at beside a running daemon or put in
 * order while none runs. The lock of the directory tells which. */
#include "app/cmd.h"
#include "app/config.h"
#include "app/store_orphans.h"
#include "core/base/text.h"
#include "io/store/objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ask {
    const char *config_file;
    bool dry;
    bool beside; /* a daemon has the directory, or only a look was asked for */
    struct sp_config *config;   /* owned */
    struct sp_objects *objects; /* owned */
    struct sp_why why;
};

static void ask_fini(struct ask *a)
{
    sp_objects_close(&a->objects);
    sp_config_free(&a->config);
}

static int read_options(int argc, char **argv, bool may_be_dry, struct ask *a)
{
    const struct sp_option options[] = {{"-c", &a->config_file, NULL},
                                        {"--dry-run", NULL, &a->dry}};
    char **words = NULL;
    int left = sp_options(argc, argv, options, may_be_dry ? 2 : 1, &words);
    if (left > 0) {
        fprintf(stderr, "sallyport: there is a word too many; see --help\n");
    }
    if (left != 0) {
        return SP_EXIT_USAGE;
    }
    enum sp_err e = sp_config_load(a->config_file ? a->config_file : SP_CONFIG_DEFAULT,
                                   &a->config, &a->why);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &a->why);
}

/* What root makes or moves here the daemon could not read, and files of another owner
 * are damage: so we are whoever the directory belongs to. */
static enum sp_err become_owner(const char *directory, struct sp_why *why)
{
    struct stat st;
    if (stat(directory, &st) != 0) {
        return sp_why_set(why, SP_E_NOTFOUND, "there is no directory %s", directory);
    }
    if (geteuid() != 0 || st.st_uid == 0) {
        return SP_OK;
    }
    return setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0
               ? SP_OK
               : sp_why_set(why, SP_E_DENIED, "cannot act as the owner of %s",
                            directory);
}

static int open_view(struct ask *a)
{
    a->beside = true;
    enum sp_err e = become_owner(a->config->cache_dir, &a->why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &a->why);
    }
    e = sp_objects_open_view(a->config->cache_dir, &a->objects, &a->why);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &a->why);
}

/* For changing it; the lock keeps a daemon from starting meanwhile. */
static int open_alone(struct ask *a)
{
    int status = open_view(a); /* it has to be there: nothing is made */
    if (status || a->dry) {
        return status;
    }
    a->beside = false;
    sp_objects_close(&a->objects);
    enum sp_err e = sp_objects_open(a->config->cache_dir, &a->objects, &a->why);
    if (e == SP_E_CONFLICT) {
        a->why = (struct sp_why){0};
        sp_why_say(&a->why,
                   "%s is in use: stop the daemon, or say --dry-run to change nothing",
                   a->config->cache_dir);
    }
    return e == SP_OK ? 0 : sp_cmd_failed(e, &a->why);
}

/* The end of every command: what went wrong, or the status. */
static int finish(struct ask *a, enum sp_err e, int status)
{
    if (e != SP_OK) {
        status = sp_cmd_failed(e, &a->why);
    }
    ask_fini(a);
    return status;
}

/* ---- stats and list ---------------------------------------------------------------
 */

struct sum {
    uint64_t files, bytes, without_tree;
};

static enum sp_err add_object(void *ctx, const struct sp_object_seen *seen)
{
    struct sum *s = ctx;
    s->files++;
    s->bytes += seen->size;
    s->without_tree += !seen->has_tree;
    return SP_OK;
}

static enum sp_err add_evidence(void *ctx, const struct sp_evidence_seen *seen)
{
    struct sum *s = ctx;
    s->files++;
    s->bytes += seen->size;
    return SP_OK;
}

static enum sp_err print_stats(struct ask *a)
{
    struct sum objects = {0}, evidence = {0};
    struct sp_space space;
    SP_TRY(sp_objects_scan(a->objects, add_object, &objects));
    SP_TRY(sp_evidence_scan(a->objects, add_evidence, &evidence));
    SP_TRY(sp_objects_space(a->objects, &space));
    printf("directory   %s\n", a->config->cache_dir);
    printf("objects     %" PRIu64 " files, %" PRIu64 " bytes\n", objects.files,
           objects.bytes);
    if (objects.without_tree) {
        printf("            %" PRIu64
               " of them lack their block tree and will be fetched "
               "again\n",
               objects.without_tree);
    }
    printf("quarantine  %" PRIu64 " files, %" PRIu64 " bytes\n", evidence.files,
           evidence.bytes);
    printf("disk        %" PRIu64 " of %" PRIu64 " bytes free, %u %% stay free\n",
           space.available, space.total, a->config->cache_floor);
    if (a->config->cache_max) {
        printf("limit       %" PRIu64 " bytes\n", a->config->cache_max);
    }
    return SP_OK;
}

int sp_cmd_store_stats(int argc, char **argv)
{
    struct ask a = {0};
    int status = read_options(argc, argv, false, &a);
    status = status ? status : open_view(&a);
    return finish(&a, status ? SP_OK : print_stats(&a), status);
}

static void print_digest(const uint8_t sha256[32])
{
    for (size_t i = 0; i < 32; i++) {
        printf("%02x", sha256[i]);
    }
}

static enum sp_err print_object(void *ctx, const struct sp_object_seen *seen)
{
    char used[SP_TIME_TEXT];
    (void)ctx;
    sp_time_format(seen->used, used);
    print_digest(seen->sha256);
    printf("  %12" PRIu64 "  %s%s\n", seen->size, used,
           seen->has_tree ? "" : "  no block tree");
    return SP_OK;
}

int sp_cmd_store_list(int argc, char **argv)
{
    struct ask a = {0};
    int status = read_options(argc, argv, false, &a);
    status = status ? status : open_view(&a);
    return finish(&a, status ? SP_OK : sp_objects_scan(a.objects, print_object, NULL),
                  status);
}

/* ---- scrub ------------------------------------------------------------------------
 */

struct scrub {
    struct ask *ask; /* borrowed */
    uint8_t *block;  /* owned */
    struct sum all;  /* for progress */
    uint64_t files, bytes, damaged, unread;
};

static void show_progress(const struct scrub *s)
{
    if (isatty(STDERR_FILENO) && s->all.bytes) {
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " files (%" PRIu64 " %%)\033[K",
                s->files, s->all.files, s->bytes * 100 / s->all.bytes);
    }
}

static enum sp_err read_through(struct scrub *s, struct sp_object *o,
                                struct sp_digester *d)
{
    uint8_t sha1[20], sha256[32];
    for (uint64_t at = 0; at < o->size; at += SP_BLOCK_SIZE) {
        ssize_t n = pread(o->fd, s->block, SP_BLOCK_SIZE, (off_t)at);
        struct sp_view bytes = sp_view(s->block, n > 0 ? (size_t)n : 0);
        SP_TRY(sp_object_check(o, at, bytes));
        SP_TRY(sp_digester_update(d, bytes));
        s->bytes += bytes.len;
        show_progress(s);
    }
    SP_TRY(sp_digester_finish(d, sha1, sha256));
    return memcmp(sha256, o->sha256, sizeof sha256) == 0 ? SP_OK : SP_E_CORRUPT;
}

static enum sp_err check_object(struct scrub *s, const struct sp_object_seen *seen)
{
    static const uint8_t unknown[20] = {0};
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    SP_TRY(sp_objects_get(s->ask->objects, seen->sha256, unknown, seen->size, &o));
    SP_TRY(sp_digester_new(&d));
    if (!sp_object_read_begin(o)) {
        return SP_E_INTERNAL;
    }
    enum sp_err e = read_through(s, o, d);
    sp_object_read_end(o);
    return e;
}

static enum sp_err scrub_object(void *ctx, const struct sp_object_seen *seen)
{
    struct scrub *s = ctx;
    enum sp_err e = check_object(s, seen);
    if (e == SP_E_NOTFOUND) {
        return SP_OK; /* the daemon evicted it meanwhile */
    }
    s->files++;
    show_progress(s);
    if (e == SP_OK) {
        return SP_OK;
    }
    s->damaged += e == SP_E_CORRUPT;
    s->unread += e != SP_E_CORRUPT;
    print_digest(seen->sha256);
    printf("  %s\n", e == SP_E_CORRUPT ? "DAMAGED" : sp_err_text(e));
    return e == SP_E_CORRUPT && !s->ask->beside
               ? sp_objects_quarantine(s->ask->objects, seen->sha256, "damaged")
               : SP_OK;
}

static enum sp_err scrub_all(struct ask *a, int *status)
{
    struct scrub s = {.ask = a, .block = malloc(SP_BLOCK_SIZE)};
    enum sp_err e =
        s.block ? sp_objects_scan(a->objects, add_object, &s.all) : SP_E_NOMEM;
    if (e == SP_OK) {
        e = sp_objects_scan(a->objects, scrub_object, &s);
    }
    free(s.block);
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K");
    }
    SP_TRY(e);
    printf("%" PRIu64 " files, %" PRIu64 " bytes checked: %" PRIu64 " damaged%s",
           s.files, s.bytes, s.damaged,
           s.damaged == 0 ? ""
           : a->beside    ? ", left where they are"
                          : ", in quarantine");
    printf(s.unread ? ", %" PRIu64 " could not be read\n" : "\n", s.unread);
    *status = s.damaged ? SP_EXIT_REFUSED : s.unread ? SP_EXIT_UNKNOWN : SP_EXIT_PASSED;
    return SP_OK;
}

int sp_cmd_store_scrub(int argc, char **argv)
{
    struct ask a = {0};
    int status = read_options(argc, argv, true, &a);
    status = status ? status : open_alone(&a);
    enum sp_err e = status ? SP_OK : scrub_all(&a, &status);
    return finish(&a, e, status);
}

/* ---- gc ---------------------------------------------------------------------------
 */

struct gc {
    struct ask *ask;              /* borrowed */
    struct sp_verified *verified; /* owned */
    uint64_t files, bytes;
};

static enum sp_err gc_object(void *ctx, const struct sp_object_seen *seen)
{
    struct gc *g = ctx;
    if (sp_verified_has(g->verified, seen->sha256)) {
        return SP_OK;
    }
    g->files++;
    g->bytes += seen->size;
    print_digest(seen->sha256);
    printf("  %12" PRIu64 "  no entry of the ledger\n", seen->size);
    return g->ask->dry ? SP_OK : sp_objects_remove(g->ask->objects, seen->sha256);
}

static enum sp_err collect(struct ask *a)
{
    struct gc g = {.ask = a};
    uint64_t leftovers = 0;
    SP_TRY(sp_verified_read(a->config->state_dir, !a->dry, &g.verified, &a->why));
    enum sp_err e = sp_objects_sweep(a->objects, a->dry, &leftovers);
    if (e == SP_OK) {
        e = sp_objects_scan(a->objects, gc_object, &g);
    }
    sp_verified_free(&g.verified);
    SP_TRY(e);
    printf("%s %" PRIu64 " files, %" PRIu64 " bytes, and %" PRIu64 " leftovers\n",
           a->dry ? "would remove" : "removed", g.files, g.bytes, leftovers);
    return SP_OK;
}

int sp_cmd_store_gc(int argc, char **argv)
{
    struct ask a = {0};
    int status = read_options(argc, argv, true, &a);
    status = status ? status : open_alone(&a);
    return finish(&a, status ? SP_OK : collect(&a), status);
}

/* ---- quarantine -------------------------------------------------------------------
 */

static enum sp_err print_evidence(void *ctx, const struct sp_evidence_seen *seen)
{
    (void)ctx;
    printf("%12" PRIu64 "  %s\n", seen->size, seen->name);
    return SP_OK;
}

int sp_cmd_store_quarantine_list(int argc, char **argv)
{
    struct ask a = {0};
    int status = read_options(argc, argv, false, &a);
    status = status ? status : open_view(&a);
    return finish(
        &a, status ? SP_OK : sp_evidence_scan(a.objects, print_evidence, NULL), status);
}

struct purge {
    struct ask *ask; /* borrowed */
    struct sum sum;
};

static enum sp_err purge_one(void *ctx, const struct sp_evidence_seen *seen)
{
    struct purge *p = ctx;
    enum sp_err e =
        p->ask->dry ? SP_OK : sp_evidence_remove(p->ask->objects, seen->name);
    if (e == SP_E_NOTFOUND) {
        return SP_OK; /* pruned by the daemon meanwhile */
    }
    SP_TRY(e);
    printf("%12" PRIu64 "  %s\n", seen->size, seen->name);
    return add_evidence(&p->sum, seen);
}

int sp_cmd_store_quarantine_purge(int argc, char **argv)
{
    struct ask a = {0};
    struct purge p = {.ask = &a};
    int status = read_options(argc, argv, true, &a);
    status = status ? status : open_view(&a);
    enum sp_err e = status ? SP_OK : sp_evidence_scan(a.objects, purge_one, &p);
    if (status == 0 && e == SP_OK) {
        printf("%s %" PRIu64 " files, %" PRIu64 " bytes\n",
               a.dry ? "would remove" : "removed", p.sum.files, p.sum.bytes);
    }
    return finish(&a, e, status);
}
