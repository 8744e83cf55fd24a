/* What signatures of files and texts of an offline catalogue cost. They are in the
 * folder that $MICRO_FILES names; micro_files.py writes them. */
#include "core/catalog/catalog.h"
#include "core/crypto/trust.h"
#include "core/sign/catalog.h"
#include "core/sign/sign.h"

#include "micro.h"

#define NOW INT64_C(1795305600) /* 2026-11-22 */
enum { UPDATES = 200, MEMBERS = 1000, FILE_MAX = 8 << 20 };

static struct {
    struct sp_buf exe, cab, msi, cat, package, extended;
    struct sp_trust *trust;
} made;

static void read_file(const char *name, struct sp_buf *out)
{
    char path[4096];
    const char *folder = getenv("MICRO_FILES");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    static uint8_t piece[65536];
    sp_buf_init(out, FILE_MAX);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;) {
        must(sp_buf_append(out, sp_view(piece, n)));
    }
    fclose(f);
}

static void make(void)
{
    struct sp_buf text;
    read_file("file.exe", &made.exe);
    read_file("file.cab", &made.cab);
    read_file("file.msi", &made.msi);
    read_file("file.cat", &made.cat);
    read_file("package.xml", &made.package);
    read_file("extended.xml", &made.extended);
    must(sp_trust_new(&made.trust));
    read_file("pins.txt", &text);
    must(sp_trust_add_pins(made.trust, sp_buf_view(&text), NULL));
    sp_buf_fini(&text);
    read_file("bundle.pem", &text);
    must(sp_trust_add_pem(made.trust, sp_buf_view(&text), NULL));
    sp_buf_fini(&text);
}

static void unmake(void)
{
    struct sp_buf *const all[] = {&made.exe, &made.cab,     &made.msi,
                                  &made.cat, &made.package, &made.extended};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        sp_buf_fini(all[i]);
    }
    sp_trust_free(&made.trust);
}

/* ---- signatures --------------------------------------------------------------------
 */

/* Inspected as the daemon does it; the signature has to be good. */
static size_t inspect(const struct sp_buf *file, const char *extension)
{
    struct sp_sign *s = NULL;
    struct sp_facts *f = NULL;
    uint64_t at, length;
    must(sp_sign_new(file->len, sp_view_str(extension), &s));
    while (sp_sign_wants(s, &at, &length)) {
        must(sp_sign_feed(
            s, sp_view_slice(sp_buf_view(file), (size_t)at, (size_t)(at + length))));
    }
    must(sp_facts_new(SP_KIB(64), &f));
    must(sp_sign_finish(s, made.trust, NOW, f));
    must(sp_facts_has_flag(f, SP_FACT_SIGN_ROOT_TRUSTED) ? SP_OK : SP_E_UNPROVEN);
    sp_facts_free(&f);
    sp_sign_free(&s);
    return file->len;
}

static size_t sign_pe(void)
{
    return inspect(&made.exe, "exe");
}

static size_t sign_cab(void)
{
    return inspect(&made.cab, "cab");
}

static size_t sign_msi(void)
{
    return inspect(&made.msi, "msi");
}

static size_t sign_cat(void)
{
    return inspect(&made.cat, "cat");
}

/* A catalogue taken in, to vouch for files. */
static size_t sign_list(void)
{
    struct sp_catalogs *c = NULL;
    struct sp_buf bytes;
    sp_buf_init(&bytes, FILE_MAX);
    must(sp_buf_append(&bytes, sp_buf_view(&made.cat)));
    must(sp_catalogs_new(&c));
    must(sp_catalogs_add(c, "file.cat", &bytes, made.trust, NOW, NULL));
    sp_catalogs_free(&c);
    sp_buf_fini(&bytes);
    return made.cat.len;
}

/* ---- the offline catalogue ---------------------------------------------------------
 */

static size_t seen;

static enum sp_err see_package(void *ctx, const struct sp_catalog_package *p)
{
    (void)ctx;
    (void)p;
    return SP_OK;
}

static enum sp_err see_update(void *ctx, const struct sp_catalog_update *u)
{
    (void)ctx;
    (void)u;
    seen++;
    return SP_OK;
}

static enum sp_err see_payload(void *ctx, uint64_t revision, const uint8_t sha1[20])
{
    (void)ctx;
    (void)revision;
    (void)sha1;
    return SP_OK;
}

static enum sp_err see_location(void *ctx, const uint8_t sha1[20], struct sp_view url)
{
    (void)ctx;
    (void)sha1;
    (void)url;
    return SP_OK;
}

static enum sp_err see_details(void *ctx, const struct sp_catalog_details *d)
{
    (void)ctx;
    (void)d;
    seen++;
    return SP_OK;
}

static enum sp_err see_title(void *ctx, uint64_t revision, struct sp_view title)
{
    (void)ctx;
    (void)revision;
    (void)title;
    return SP_OK;
}

static enum sp_err see_file(void *ctx, const struct sp_catalog_file *f)
{
    (void)ctx;
    (void)f;
    return SP_OK;
}

static const struct sp_catalog_sink sink = {
    .package = see_package,
    .update = see_update,
    .payload = see_payload,
    .location = see_location,
    .details = see_details,
    .title = see_title,
    .file = see_file,
};

static size_t catalog_package(void)
{
    struct sp_package_reader *r = NULL;
    struct sp_why why = {0};
    seen = 0;
    must(sp_package_new(&sink, &r));
    must(sp_package_feed(r, sp_buf_view(&made.package), &why));
    must(sp_package_finish(r, &why));
    sp_package_free(&r);
    must(seen == UPDATES ? SP_OK : SP_E_INTERNAL);
    return made.package.len;
}

static size_t catalog_fragment(void)
{
    struct sp_why why = {0};
    seen = 0;
    must(sp_fragment_read(SP_FRAGMENT_EXTENDED, 1, sp_buf_view(&made.extended), &sink,
                          &why));
    must(seen == 1 ? SP_OK : SP_E_INTERNAL);
    return made.extended.len;
}

static const struct item items[] = {
    {.name = "sign.pe", .run = sign_pe},
    {.name = "sign.cab", .run = sign_cab},
    {.name = "sign.msi", .run = sign_msi},
    {.name = "sign.cat", .run = sign_cat},
    {.name = "sign.list", .run = sign_list, .rows = MEMBERS},
    {.name = "catalog.package", .run = catalog_package, .rows = UPDATES},
    {.name = "catalog.fragment", .run = catalog_fragment, .rows = 1},
};

int main(int argc, char **argv)
{
    make();
    micro_run(argc, argv, items, sizeof items / sizeof items[0]);
    unmake();
    return 0;
}
