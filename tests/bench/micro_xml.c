/* Made-up documents, escaped into an envelope: read at full depth, outer and inner, by
 * expat and by the reader that is used. MB/s of the envelope, of CPU time. Nothing
 * passes or fails here. */
#include "core/xml/inside.h"

#include <stdio.h>
#include <time.h>

enum { DOCUMENTS = 400, FILES = 12, ROUNDS = 7 };

struct depth {
    enum sp_err (*read)(struct sp_view document, const struct sp_xml_rules *rules,
                        const struct sp_xml_handler *handler, void *ctx,
                        struct sp_why *why);
    struct sp_buf inner; /* owned */
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static enum sp_err write_document(struct sp_buf *b, unsigned n)
{
    SP_TRY(sp_buf_printf(
        b,
        "<upd:Update xmlns:upd=\"urn:made-up:update\" xmlns:b=\"urn:made-up:rules\">"
        "<upd:Identity Id=\"%08x-0000-4000-8000-000000000000\" Number=\"%u\"/>"
        "<upd:Texts><upd:Title>Update %u for example &amp; test</upd:Title>"
        "<upd:Description>%s</upd:Description></upd:Texts><upd:Files>",
        n, n % 7, n,
        "It repairs what was found since the last one. You may have to start anew."));
    for (unsigned f = 0; f < FILES; f++) {
        SP_TRY(sp_buf_printf(
            b,
            "<upd:File Digest=\"bWFkZSB1cCBieSBoYW5kICEh%u\" Size=\"%u\" Name=\"part-"
            "%u.cab\"><upd:Second Algorithm=\"SHA256\">bm90IGEgcmVhbCBkaWdlc3QgYXQgYWxs"
            "</upd:Second></upd:File><b:Or><b:Is Path=\"\\a\\b\" Value='%u'/></b:Or>",
            f, n * f, f, n + f));
    }
    return sp_buf_append_str(b, "</upd:Files></upd:Update>");
}

static enum sp_err write_envelope(struct sp_buf *out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf inner;
    sp_buf_init(&inner, SP_KIB(64));
    SP_TRY(sp_buf_append_str(out, "<e>"));
    for (unsigned n = 0; n < DOCUMENTS; n++) {
        sp_buf_clear(&inner);
        SP_TRY(write_document(&inner, n));
        SP_TRY(sp_buf_append_str(out, "<d>"));
        SP_TRY(sp_xml_write_text(out, sp_buf_view(&inner)));
        SP_TRY(sp_buf_append_str(out, "</d>"));
    }
    return sp_buf_append_str(out, "</e>");
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct depth *d = ctx;
    (void)x;
    return sp_buf_append(&d->inner, text);
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    static const struct sp_xml_handler none = {0};
    struct depth *d = ctx;
    (void)x;
    if (!sp_view_eq_str(name.local, "d")) {
        return SP_OK;
    }
    SP_TRY(d->read(sp_buf_view(&d->inner), &sp_xml_rules_document, &none, NULL, NULL));
    sp_buf_clear(&d->inner);
    return SP_OK;
}

static double best(struct depth d, struct sp_view envelope)
{
    static const struct sp_xml_handler outer = {.text = on_text, .end = on_end};
    double least = 1e9;
    sp_buf_init(&d.inner, SP_KIB(64));
    for (int i = 0; i < ROUNDS; i++) {
        double start = cpu_s();
        SP_ASSERT(d.read(envelope, &sp_xml_rules_reply, &outer, &d, NULL) == SP_OK);
        double took = cpu_s() - start;
        least = took < least ? took : least;
    }
    sp_buf_fini(&d.inner);
    return (double)envelope.len / 1e6 / least;
}

int main(void)
{
    SP_AUTO(sp_buf_fini) struct sp_buf envelope;
    sp_buf_init(&envelope, SP_MIB(64));
    SP_ASSERT(write_envelope(&envelope) == SP_OK);
    double expat =
        best((struct depth){.read = sp_xml_read_by_expat}, sp_buf_view(&envelope));
    double own = best((struct depth){.read = sp_xml_read}, sp_buf_view(&envelope));
    printf("%.1f MB, at full depth: expat %.0f MB/s, own %.0f MB/s, x%.1f\n",
           (double)envelope.len / 1e6, expat, own, own / expat);
    return 0;
}
