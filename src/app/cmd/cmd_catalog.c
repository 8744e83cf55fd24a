/* sallyport catalog: the offline catalogue's index, looked at; and a file, tried as the
 * daemon would try it. */
#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "app/config/trust_files.h"
#include "app/fill/inspect.h"
#include "app/offline/catalog_index.h"
#include "app/offline/catalog_place.h"
#include "core/catalog/proof.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct ask {
    const char *config_file, *index; /* borrowed from argv */
    struct sp_catalog *catalog;      /* owned */
    size_t shown;
    struct sp_why why;
};

/* ---- which index ----------------------------------------------------------------- */

static enum sp_err open_index(struct ask *a)
{
    SP_AUTO(sp_config_free) struct sp_config *config = NULL;
    char path[SP_CATALOG_PATH];
    if (a->index) {
        return sp_catalog_open(a->index, &a->catalog, &a->why);
    }
    SP_TRY(sp_config_load(a->config_file ? a->config_file : SP_CONFIG_DEFAULT, &config,
                          &a->why));
    SP_TRY(sp_catalog_place_index(config->cache_dir, path, &a->why));
    return sp_catalog_open(path, &a->catalog, &a->why);
}

static int begin(int argc, char **argv, int words, const char *name, struct ask *a,
                 char ***left)
{
    const struct sp_option options[] = {{"-c", &a->config_file, NULL},
                                        {"--index", &a->index, NULL}};
    int count = sp_options(argc, argv, options, 2, left);
    if (count != words) {
        return sp_cmd_usage(name, count);
    }
    enum sp_err e = open_index(a);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &a->why);
}

/* Nothing found is an answer, but not the one that was hoped for. */
static int finish(struct ask *a, enum sp_err e)
{
    int status = e != SP_OK ? sp_cmd_failed(e, &a->why)
                            : (a->shown ? SP_EXIT_PASSED : SP_EXIT_REFUSED);
    sp_catalog_close(&a->catalog);
    return status;
}

/* ---- saying it ------------------------------------------------------------------- */

static void print_hex(const char *label, const uint8_t *bytes, size_t n)
{
    printf("%s", label);
    for (size_t i = 0; i < n; i++) {
        printf("%02x", bytes[i]);
    }
}

static void print_about(const struct sp_catalog_about *c)
{
    char signed_at[SP_TIME_TEXT], created[SP_TIME_TEXT], package[SP_GUID_TEXT];
    sp_time_format(c->signed_at, signed_at);
    sp_time_format(c->created, created);
    sp_guid_format(&c->package, package);
    print_hex(_("catalogue   sha256:"), c->sha256, sizeof c->sha256);
    printf(_("\nbytes       %ju\nsigned      %s\ncreated     %s\npackage     %s\n"
             "revisions   %ju\npayloads    %ju\nfiles       %ju\n"),
           c->size, signed_at, created, package, c->revisions, c->payloads, c->files);
}

static enum sp_err print_row(void *ctx, const struct sp_catalog_row *r)
{
    struct ask *a = ctx;
    char id[SP_GUID_TEXT];
    sp_guid_format(&r->id, id);
    a->shown++;
    printf("%s.%" PRId64 "  KB%s  %s  %s\n", id, r->number, r->kb[0] ? r->kb : "-",
           r->created[0] ? r->created : "-", r->title[0] ? r->title : "-");
    return SP_OK;
}

static enum sp_err print_payload(void *ctx, const struct sp_catalog_payload *p)
{
    (void)ctx;
    print_hex(_("  file  sha1:"), p->sha1, sizeof p->sha1);
    if (p->has_sha256) {
        print_hex("  sha256:", p->sha256, sizeof p->sha256);
    }
    if (p->has_size) {
        printf(_("  %ju bytes"), p->size);
    }
    printf("%s%s%s%s\n", p->name[0] ? "  " : "", p->name, p->url[0] ? "  " : "",
           p->url);
    return SP_OK;
}

static enum sp_err print_whole(void *ctx, const struct sp_catalog_row *r)
{
    struct ask *a = ctx;
    SP_TRY(print_row(ctx, r));
    printf(_("  revision %ju  %s  bulletin %s  severity %s\n"), r->revision,
           r->deployment[0] ? r->deployment : "-", r->bulletin[0] ? r->bulletin : "-",
           r->severity[0] ? r->severity : "-");
    return sp_catalog_payloads(a->catalog, r->revision, print_payload, a);
}

/* ---- status, find, show ---------------------------------------------------------- */

int sp_cmd_catalog_status(int argc, char **argv)
{
    struct ask a = {0};
    char **words = NULL;
    int status = begin(argc, argv, 0, "catalog status", &a, &words);
    if (status) {
        return status;
    }
    print_about(sp_catalog_about(a.catalog));
    a.shown = 1;
    return finish(&a, SP_OK);
}

int sp_cmd_catalog_find(int argc, char **argv)
{
    struct ask a = {0};
    char **words = NULL;
    int status = begin(argc, argv, 1, "catalog find", &a, &words);
    if (status) {
        return status;
    }
    struct sp_view kb = sp_view_str(words[0]);
    if (sp_view_eq_fold(sp_view_slice(kb, 0, 2), SP_VIEW("KB"))) {
        kb = sp_view_slice(kb, 2, kb.len);
    }
    return finish(&a, sp_catalog_find_kb(a.catalog, kb, print_row, &a));
}

/* UPDATEID or UPDATEID.REVISION */
static bool parse_id(const char *word, struct sp_guid *id, int64_t *number)
{
    struct sp_view v = sp_view_str(word);
    size_t dot = sp_view_find(v, '.');
    *number = -1;
    return sp_guid_parse(sp_view_slice(v, 0, dot), id) == SP_OK &&
           (dot == v.len || sp_i64_parse(sp_view_slice(v, dot + 1, v.len), 0, INT32_MAX,
                                         number) == SP_OK);
}

int sp_cmd_catalog_show(int argc, char **argv)
{
    struct ask a = {0};
    char **words = NULL;
    struct sp_guid id;
    int64_t number;
    int status = begin(argc, argv, 1, "catalog show", &a, &words);
    if (status) {
        return status;
    }
    if (!parse_id(words[0], &id, &number)) {
        sp_catalog_close(&a.catalog);
        return sp_cmd_usage("catalog show", 1);
    }
    return finish(&a, sp_catalog_find_update(a.catalog, &id, number, print_whole, &a));
}

/* ---- check ----------------------------------------------------------------------- */

struct check {
    const char *file, *pins, *bundle, *index; /* borrowed from argv */
    char scratch[SP_CATALOG_PATH];            /* where the index is made */
    struct sp_trust *trust;                   /* owned */
    struct sp_facts *facts;                   /* owned */
    struct sp_why why;
};

static void check_fini(struct check *c)
{
    sp_trust_free(&c->trust);
    sp_facts_free(&c->facts);
}

static void copy_digest(const struct sp_facts *f, struct sp_catalog_about *about)
{
    struct sp_fact_value v;
    if (sp_facts_get(f, SP_FACT_FILE_SHA256, 0, &v)) {
        memcpy(about->sha256, v.bytes.data, sizeof about->sha256);
    }
    if (sp_facts_get(f, SP_FACT_FILE_SIZE, 0, &v)) {
        about->size = (uint64_t)v.number;
    }
}

static enum sp_err prove(struct check *c, struct sp_catalog_ruling *r)
{
    struct sp_progress none = {0};
    struct sp_trust_files files = {.pins = c->pins, .bundle = c->bundle};
    int64_t now = (int64_t)time(NULL);
    SP_TRY(sp_trust_load(&files, &c->trust, &c->why));
    SP_TRY(sp_facts_new(SP_MIB(1), &c->facts));
    SP_TRY(sp_inspect_file(c->file, c->trust, NULL, now, &none, c->facts, &c->why));
    return sp_catalog_judge(c->facts, now, 0, r);
}

static enum sp_err make_index(struct check *c, const struct sp_catalog_ruling *r,
                              struct sp_catalog_about *about)
{
    char folder[SP_CATALOG_PATH];
    *about = (struct sp_catalog_about){.signed_at = r->signed_at};
    copy_digest(c->facts, about);
    snprintf(folder, sizeof folder, "%s", c->index);
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder] = 0;
    }
    int fd = open(c->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return sp_why_set(&c->why, SP_E_IO, _("cannot open %s"), c->file);
    }
    struct sp_catalog_input in = {.fd = fd, .scratch = slash ? folder : "."};
    enum sp_err e = sp_catalog_index(&in, c->index, about, &c->why);
    close(fd);
    return e;
}

static int check(struct check *c)
{
    struct sp_catalog_ruling ruling;
    struct sp_catalog_about about;
    enum sp_err e = prove(c, &ruling);
    if (e == SP_OK && !ruling.good) {
        printf(_("refused  %s: %s\n"), c->file, ruling.why.text);
        return SP_EXIT_REFUSED;
    }
    if (e == SP_OK) {
        e = make_index(c, &ruling, &about);
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &c->why);
    }
    print_about(&about);
    return SP_EXIT_PASSED;
}

int sp_cmd_catalog_check(int argc, char **argv)
{
    SP_AUTO(check_fini) struct check c = {0};
    char **words = NULL;
    const struct sp_option options[] = {{"--trust", &c.pins, NULL},
                                        {"--bundle", &c.bundle, NULL},
                                        {"--index", &c.index, NULL}};
    int count = sp_options(argc, argv, options, 3, &words);
    if (count != 1 || !c.index || strlen(c.index) >= SP_CATALOG_PATH) {
        return sp_cmd_usage("catalog check", count);
    }
    c.file = words[0];
    return check(&c);
}
