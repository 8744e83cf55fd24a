/* The offline catalogue's XML: byte 0 says which document. Fed in one piece and in
 * small ones, the same is told and the same comes out. */
#include "core/catalog/catalog.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    struct sp_buf log;
};

static enum sp_err tell(struct told *t, const char *what, const void *bytes, size_t n)
{
    SP_TRY(sp_buf_append_str(&t->log, what));
    SP_TRY(sp_buf_append(&t->log, sp_view(bytes, n)));
    return sp_buf_append_byte(&t->log, 0);
}

static enum sp_err on_package(void *ctx, const struct sp_catalog_package *p)
{
    return tell(ctx, "p", p->id.bytes, sizeof p->id.bytes);
}

static enum sp_err on_update(void *ctx, const struct sp_catalog_update *u)
{
    SP_ASSERT(u->number >= 0);
    SP_TRY(tell(ctx, "u", u->id.bytes, sizeof u->id.bytes));
    return tell(ctx, "c", u->created.data, u->created.len);
}

static enum sp_err on_payload(void *ctx, uint64_t revision, const uint8_t sha1[20])
{
    SP_TRY(tell(ctx, "r", &revision, sizeof revision));
    return tell(ctx, "f", sha1, 20);
}

static enum sp_err on_location(void *ctx, const uint8_t sha1[20], struct sp_view url)
{
    SP_ASSERT(url.len <= SP_LIMIT_CATALOG_TEXT && sp_utf8_is_valid(url));
    SP_TRY(tell(ctx, "l", sha1, 20));
    return tell(ctx, "@", url.data, url.len);
}

static enum sp_err on_details(void *ctx, const struct sp_catalog_details *d)
{
    SP_ASSERT(d->kb.len <= SP_LIMIT_CATALOG_TEXT && sp_utf8_is_valid(d->kb));
    return tell(ctx, "k", d->kb.data, d->kb.len);
}

static enum sp_err on_title(void *ctx, uint64_t revision, struct sp_view title)
{
    (void)revision;
    SP_ASSERT(title.len <= SP_LIMIT_CATALOG_TEXT && sp_utf8_is_valid(title));
    return tell(ctx, "t", title.data, title.len);
}

static enum sp_err on_file(void *ctx, const struct sp_catalog_file *f)
{
    SP_TRY(tell(ctx, "n", f->name.data, f->name.len));
    return tell(ctx, "s", f->sha256, sizeof f->sha256);
}

static struct sp_catalog_sink sink_of(struct told *t)
{
    sp_buf_init(&t->log, SP_MIB(8));
    return (struct sp_catalog_sink){on_package, on_update, on_payload, on_location,
                                    on_details, on_title,  on_file,    t};
}

static enum sp_err read_package(struct sp_view v, size_t step, struct told *t)
{
    SP_AUTO(sp_package_free) struct sp_package_reader *r = NULL;
    struct sp_catalog_sink sink = sink_of(t);
    SP_TRY(sp_package_new(&sink, &r));
    for (size_t at = 0; at < v.len; at += step) {
        SP_TRY(sp_package_feed(r, sp_view_slice(v, at, at + step), NULL));
    }
    return sp_package_finish(r, NULL);
}

static void read_fragment(enum sp_fragment kind, struct sp_view v)
{
    struct told t;
    struct sp_catalog_sink sink = sink_of(&t);
    (void)!sp_fragment_read(kind, 1, v, &sink, NULL);
    sp_buf_fini(&t.log);
}

static void read_both_ways(struct sp_view v)
{
    struct told whole, parts;
    enum sp_err a = read_package(v, v.len ? v.len : 1, &whole);
    enum sp_err b = read_package(v, 5, &parts);
    SP_ASSERT((a == SP_OK) == (b == SP_OK));
    SP_ASSERT(a != SP_OK ||
              sp_view_eq(sp_buf_view(&whole.log), sp_buf_view(&parts.log)));
    sp_buf_fini(&whole.log);
    sp_buf_fini(&parts.log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct sp_view v = sp_view(data + 1, size - 1);
    uint64_t revision;
    (void)sp_fragment_of(sp_view_slice(v, 0, 32), &revision);
    switch (data[0] % 3) {
    case 0:
        read_both_ways(v);
        break;
    case 1:
        read_fragment(SP_FRAGMENT_EXTENDED, v);
        break;
    default:
        read_fragment(SP_FRAGMENT_LOCALIZED, v);
        break;
    }
    return 0;
}
