/* Made-up documents in an envelope, escaped or in cabinets (MSZIP): read at full depth,
 * outer and inner, by expat and libmspack and by the readers that are used; base64 and
 * UTF-16 by the same functions. MB/s of the envelope, of CPU time. Nothing passes or
 * fails here. */
#include "core/base/text.h"
#include "core/pack/pack.h"
#include "core/xml/inside.h"
#include "support/cabinet_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

enum { DOCUMENTS = 400, FILES = 12, ROUNDS = 7 };

struct readers {
    enum sp_err (*read)(struct sp_view document, const struct sp_xml_rules *rules,
                        const struct sp_xml_handler *handler, void *ctx,
                        struct sp_why *why);
    enum sp_err (*unpack)(struct sp_view cabinet, struct sp_buf *out);
};

struct depth {
    const struct readers *by; /* borrowed */
    bool is_packed;
    struct sp_buf text; /* owned: of the document at hand */
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

/* ---- cabinets, [MS-CAB] 2: one folder of MSZIP, one file ---------------------------
 */

static enum sp_err put(struct sp_buf *out, size_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        SP_TRY(sp_buf_append_byte(out, (uint8_t)(value >> 8 * i)));
    }
    return SP_OK;
}

/* "CK" and deflate data whose dictionary is the block before. */
static enum sp_err write_block(struct sp_buf *out, struct sp_view wide, size_t at)
{
    static uint8_t packed[65536];
    struct sp_view part = sp_view_slice(wide, at, at + 32768);
    z_stream z = {.next_out = packed, .avail_out = sizeof packed};
    SP_ASSERT(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, 0) == Z_OK);
    SP_ASSERT(at == 0 || deflateSetDictionary(&z, part.data - 32768, 32768) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)part.data;
    z.avail_in = (uInt)part.len;
    SP_ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    size_t n = z.total_out;
    deflateEnd(&z);
    SP_TRY(put(out, 0, 4)); /* no checksum */
    SP_TRY(put(out, 2 + n, 2));
    SP_TRY(put(out, part.len, 2));
    SP_TRY(sp_buf_append_str(out, "CK"));
    return sp_buf_append(out, sp_view(packed, n));
}

static enum sp_err write_cabinet(struct sp_view wide, struct sp_buf *out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf blocks;
    sp_buf_init(&blocks, SP_MIB(1));
    for (size_t at = 0; at < wide.len; at += 32768) {
        SP_TRY(write_block(&blocks, wide, at));
    }
    SP_TRY(sp_buf_append_str(out, "MSCF"));
    SP_TRY(put(out, 0, 4));
    SP_TRY(put(out, 65 + blocks.len, 8));
    SP_TRY(put(out, 44, 8));
    SP_TRY(put(out, 0x00010103, 4)); /* version, a folder */
    SP_TRY(put(out, 1, 8));          /* a file */
    SP_TRY(put(out, 65, 4));
    SP_TRY(put(out, (wide.len + 32767) / 32768, 2));
    SP_TRY(put(out, 1, 2));
    SP_TRY(put(out, wide.len, 8));
    SP_TRY(put(out, 0, 8));
    SP_TRY(sp_buf_append(out, SP_VIEW("blob\0")));
    return sp_buf_append(out, sp_buf_view(&blocks));
}

/* In UTF-16, as base64. The documents are ASCII. */
static enum sp_err write_packed(struct sp_buf *out, struct sp_view document)
{
    SP_AUTO(sp_buf_fini) struct sp_buf wide, cabinet;
    sp_buf_init(&wide, SP_MIB(1));
    sp_buf_init(&cabinet, SP_MIB(1));
    for (size_t i = 0; i < document.len; i++) {
        SP_TRY(put(&wide, document.data[i], 2));
    }
    SP_TRY(write_cabinet(sp_buf_view(&wide), &cabinet));
    return sp_base64_append(out, sp_buf_view(&cabinet));
}

/* ---- reading --------------------------------------------------------------------- */

static enum sp_err write_envelope(struct sp_buf *out, bool is_packed)
{
    SP_AUTO(sp_buf_fini) struct sp_buf inner;
    sp_buf_init(&inner, SP_KIB(64));
    SP_TRY(sp_buf_append_str(out, "<e>"));
    for (unsigned n = 0; n < DOCUMENTS; n++) {
        sp_buf_clear(&inner);
        SP_TRY(write_document(&inner, n));
        SP_TRY(sp_buf_append_str(out, "<d>"));
        SP_TRY(is_packed ? write_packed(out, sp_buf_view(&inner))
                         : sp_xml_write_text(out, sp_buf_view(&inner)));
        SP_TRY(sp_buf_append_str(out, "</d>"));
    }
    return sp_buf_append_str(out, "</e>");
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct depth *d = ctx;
    (void)x;
    return sp_buf_append(&d->text, text);
}

static enum sp_err unpack(const struct depth *d, struct sp_buf *utf8)
{
    SP_AUTO(sp_buf_fini) struct sp_buf cabinet, wide;
    sp_buf_init(&cabinet, SP_MIB(1));
    sp_buf_init(&wide, SP_MIB(1));
    SP_TRY(sp_base64_parse(sp_buf_view(&d->text), &cabinet));
    SP_TRY(d->by->unpack(sp_buf_view(&cabinet), &wide));
    return sp_utf16le_to_utf8(sp_buf_view(&wide), utf8);
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    static const struct sp_xml_handler none = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf utf8;
    struct depth *d = ctx;
    (void)x;
    sp_buf_init(&utf8, SP_KIB(64));
    if (!sp_view_eq_str(name.local, "d")) {
        return SP_OK;
    }
    SP_TRY(d->is_packed ? unpack(d, &utf8) : SP_OK);
    SP_TRY(d->by->read(sp_buf_view(d->is_packed ? &utf8 : &d->text),
                       &sp_xml_rules_document, &none, NULL, NULL));
    sp_buf_clear(&d->text);
    return SP_OK;
}

static double once(const struct readers *by, struct sp_view envelope, bool is_packed)
{
    static const struct sp_xml_handler outer = {.text = on_text, .end = on_end};
    struct depth d = {.by = by, .is_packed = is_packed};
    sp_buf_init(&d.text, SP_MIB(1));
    double start = cpu_s();
    SP_ASSERT(by->read(envelope, &sp_xml_rules_reply, &outer, &d, NULL) == SP_OK);
    double took = cpu_s() - start;
    sp_buf_fini(&d.text);
    return took;
}

static enum sp_err unpack_own(struct sp_view cabinet, struct sp_buf *out)
{
    return sp_cab_decode_single(cabinet, out, NULL);
}

/* The best of several rounds, in turn. */
static void compare(const char *what, bool is_packed)
{
    static const struct readers theirs = {sp_xml_read_by_expat, oracle_decode};
    static const struct readers own = {sp_xml_read, unpack_own};
    SP_AUTO(sp_buf_fini) struct sp_buf envelope;
    double least[2] = {1e9, 1e9};
    sp_buf_init(&envelope, SP_MIB(64));
    SP_ASSERT(write_envelope(&envelope, is_packed) == SP_OK);
    for (int i = 0; i < 2 * ROUNDS; i++) {
        double took = once(i % 2 ? &own : &theirs, sp_buf_view(&envelope), is_packed);
        least[i % 2] = took < least[i % 2] ? took : least[i % 2];
    }
    double mb = (double)envelope.len / 1e6;
    printf("%s: %.1f MB, at full depth: expat %.0f MB/s, own %.0f MB/s, x%.1f\n", what,
           mb, mb / least[0], mb / least[1], least[0] / least[1]);
}

int main(void)
{
    compare("escaped", false);
    compare("in cabinets", true);
    return 0;
}
