/* The engine: ranges out, bytes in. What the bytes mean is in the formats' files. */
#include "core/sign/inside.h"

#include "core/base/text.h"
#include "core/crypto/der.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* SP_LIMIT_SIGNATURES with the longest of everything that is said of one. */
enum { FACTS = SP_KIB(256) };

enum sp_err sp_sign_new(uint64_t size, struct sp_view extension, struct sp_sign **out)
{
    SP_AUTO(sp_sign_free) struct sp_sign *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    s->size = size;
    s->by_name = sp_format_of_extension(extension);
    s->format = SP_FORMAT_COUNT;
    sp_buf_init(&s->piece, SP_LIMIT_SIGNATURE);
    sp_buf_init(&s->signature, SP_LIMIT_SIGNATURE);
    SP_TRY(sp_facts_new(FACTS, &s->facts));
    if (size > 0) {
        sp_sign_collect(s, 0, size < SP_SIGN_HEAD ? size : SP_SIGN_HEAD);
    } else {
        s->format = sp_format_of_content((struct sp_view){0});
        s->is_done = true;
    }
    *out = s;
    s = NULL;
    return SP_OK;
}

void sp_sign_also(struct sp_sign *s, unsigned digests)
{
    s->also = digests;
}

void sp_sign_foresee(struct sp_view head, uint64_t size, struct sp_beside *out)
{
    *out = (struct sp_beside){0};
    bool is_told = head.len >= (size < SP_SIGN_FORESEE ? size : SP_SIGN_FORESEE) &&
                   (sp_cab_foresee(head, size, out) || sp_pe_foresee(head, size, out));
    out->count = is_told ? out->count : 0;
}

void sp_sign_know(struct sp_sign *s, const struct sp_beside *known)
{
    s->known = *known;
}

void sp_sign_free(struct sp_sign **s)
{
    if (!*s) {
        return;
    }
    for (size_t i = 0; i < (*s)->cms_count; i++) {
        sp_cms_free(&(*s)->cms[i]);
    }
    sp_facts_free(&(*s)->facts);
    sp_hasher_free(&(*s)->hasher);
    sp_buf_fini(&(*s)->piece);
    sp_buf_fini(&(*s)->signature);
    sp_msi_free(&(*s)->msi);
    free(*s);
    *s = NULL;
}

static void forget_ranges(struct sp_sign *s)
{
    s->range_count = s->next = 0;
    s->fed = 0;
}

bool sp_sign_has_room(const struct sp_sign *s)
{
    return s->range_count < SP_SIGN_RANGES;
}

static void queue(struct sp_sign *s, enum sp_sink sink, struct sp_range r)
{
    SP_ASSERT(r.length > 0 && r.at <= s->size && r.length <= s->size - r.at);
    SP_ASSERT(sp_sign_has_room(s) && (s->range_count == 0 || s->sink == sink));
    s->sink = sink;
    s->ranges[s->range_count++] = r;
}

void sp_sign_collect(struct sp_sign *s, uint64_t at, uint64_t length)
{
    SP_ASSERT(length <= SP_LIMIT_SIGNATURE);
    forget_ranges(s);
    sp_buf_clear(&s->piece);
    queue(s, SP_SINK_COLLECT, (struct sp_range){at, length});
}

void sp_sign_append(struct sp_sign *s, struct sp_range r)
{
    queue(s, SP_SINK_COLLECT, r);
}

void sp_sign_digest(struct sp_sign *s, uint64_t at, uint64_t length)
{
    SP_ASSERT(s->hasher);
    if (length > 0) {
        queue(s, SP_SINK_DIGEST, (struct sp_range){at, length});
    }
}

void sp_sign_blank(struct sp_sign *s, struct sp_range r)
{
    queue(s, SP_SINK_BLANK, r);
}

bool sp_sign_wants(const struct sp_sign *s, uint64_t *offset, uint64_t *length)
{
    if (s->is_done) {
        return false;
    }
    const struct sp_range *r = &s->ranges[s->next];
    *offset = r->at + s->fed;
    *length = r->length - s->fed;
    return true;
}

/* CVE-2020-1464: an archive is found from its end, so one may stand behind anything. */
static bool holds_zip_end(struct sp_view v)
{
    static const uint8_t mark[] = {'P', 'K', 5, 6};
    for (size_t at = 0; at + sizeof mark <= v.len; at++) {
        if (memcmp(v.data + at, mark, sizeof mark) == 0) {
            return true;
        }
    }
    return false;
}

/* The end of what stands behind the signed file, as far as an archive's end reaches. */
static enum sp_err queue_tail(struct sp_sign *s)
{
    enum { REACH = 64 * 1024 + 22 };
    uint64_t length = s->size - s->tail;
    s->is_at_tail = true;
    s->is_outside = true;
    SP_TRY(sp_sign_wrong(s, "%" PRIu64 " bytes stand behind the end", length));
    length = length < REACH ? length : REACH;
    sp_sign_collect(s, s->size - length, length);
    return SP_OK;
}

/* The very ranges whose SHA-256 is known, and no other digest of them is wanted. */
static bool is_known(const struct sp_sign *s)
{
    bool same = s->known.count > 0 && s->range_count == s->known.count &&
                s->sink == SP_SINK_DIGEST &&
                sp_sign_digests(s) == 1U << SP_DIGEST_SHA256;
    for (size_t i = 0; same && i < s->range_count; i++) {
        same = s->ranges[i].at == s->known.range[i].at &&
               s->ranges[i].length == s->known.range[i].length;
    }
    return same;
}

static enum sp_err step(struct sp_sign *s)
{
    SP_TRY(sp_format_step(s));
    if (!is_known(s)) {
        return SP_OK;
    }
    s->is_known = true;
    forget_ranges(s);
    return sp_format_step(s);
}

/* A step that queues nothing has come to its end. */
static enum sp_err advance(struct sp_sign *s)
{
    forget_ranges(s);
    if (s->format == SP_FORMAT_COUNT) {
        s->format = sp_format_of_content(sp_buf_view(&s->piece));
    }
    if (s->is_at_tail) {
        s->is_done = true;
        return holds_zip_end(sp_buf_view(&s->piece))
                   ? sp_facts_text(s->facts, SP_FACT_SIGN_POLYGLOT, SP_VIEW("zip"))
                   : SP_OK;
    }
    SP_TRY(step(s));
    if (s->range_count == 0 && s->tail > 0) {
        return queue_tail(s);
    }
    s->is_done = s->range_count == 0;
    return SP_OK;
}

static void look_for_stain(struct sp_sign *s, struct sp_view bytes)
{
    if (s->stain || sp_sign_is_zero(bytes)) {
        return;
    }
    size_t i = 0;
    while (!bytes.data[i]) {
        i++;
    }
    s->stain = s->ranges[s->next].at + s->fed + i;
}

static enum sp_err take(struct sp_sign *s, struct sp_view bytes)
{
    switch (s->sink) {
    case SP_SINK_COLLECT:
        return sp_buf_append(&s->piece, bytes);
    case SP_SINK_DIGEST:
        return sp_hasher_update(s->hasher, bytes);
    case SP_SINK_BLANK:
        look_for_stain(s, bytes);
        break;
    }
    return SP_OK;
}

enum sp_err sp_sign_feed(struct sp_sign *s, struct sp_view bytes)
{
    SP_ASSERT(!s->is_done && bytes.len > 0 &&
              bytes.len <= s->ranges[s->next].length - s->fed);
    SP_TRY(take(s, bytes));
    s->fed += bytes.len;
    if (s->fed < s->ranges[s->next].length) {
        return SP_OK;
    }
    s->next++;
    s->fed = 0;
    return s->next < s->range_count ? SP_OK : advance(s);
}

enum sp_err sp_sign_finish(struct sp_sign *s, const struct sp_trust *trust, int64_t now,
                           struct sp_facts *facts)
{
    SP_ASSERT(s->is_done);
    for (size_t i = 0; i < s->cms_count; i++) {
        SP_TRY(sp_cms_verify(s->cms[i], trust, now));
    }
    SP_TRY(sp_sign_state(s, s->facts));
    return sp_facts_merge(facts, s->facts);
}

static enum sp_err say(struct sp_sign *s, enum sp_fact k, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static enum sp_err say(struct sp_sign *s, enum sp_fact k, const char *fmt, va_list args)
{
    char text[384];
    vsnprintf(text, sizeof text, fmt, args);
    struct sp_view v = sp_view_str(text);
    return sp_facts_text(s->facts, k,
                         sp_utf8_is_valid(v) ? v : SP_VIEW("not readable"));
}

enum sp_err sp_sign_wrong(struct sp_sign *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    enum sp_err e = say(s, SP_FACT_SIGN_ERROR, fmt, args);
    va_end(args);
    return e;
}

enum sp_err sp_sign_broken(struct sp_sign *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    enum sp_err e = say(s, SP_FACT_SIGN_ERROR, fmt, args);
    va_end(args);
    s->is_unreadable = true;
    forget_ranges(s);
    return e;
}

enum sp_err sp_sign_left_out(struct sp_sign *s, uint64_t at, uint64_t length,
                             const char *what)
{
    char text[128];
    snprintf(text, sizeof text, "%" PRIu64 "+%" PRIu64 " %s", at, length, what);
    return sp_facts_text(s->facts, SP_FACT_SIGN_LEFT_OUT, sp_view_str(text));
}

bool sp_sign_is_ours(enum sp_err e)
{
    return e == SP_E_NOMEM || e == SP_E_CRYPTO || e == SP_E_INTERNAL;
}

bool sp_sign_is_zero(struct sp_view v)
{
    return v.len == 0 || (v.data[0] == 0 && memcmp(v.data, v.data + 1, v.len - 1) == 0);
}

static size_t count_signatures(const struct sp_sign *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->cms_count; i++) {
        count += sp_cms_count(s->cms[i]);
    }
    return count;
}

static enum sp_err too_many(struct sp_sign *s)
{
    s->is_unreadable = true;
    return sp_sign_wrong(s, "more than %d signatures, or %d beside one another",
                         SP_LIMIT_SIGNATURES, SP_SIGN_TABLE);
}

static enum sp_err read_der(struct sp_sign *s, struct sp_view der)
{
    struct sp_why why = {0};
    if (s->cms_count == SP_SIGN_TABLE) {
        return too_many(s);
    }
    enum sp_err e = sp_cms_read(der, &s->cms[s->cms_count], &why);
    if (e != SP_OK && !sp_sign_is_ours(e)) {
        s->is_unreadable = true;
        return sp_sign_wrong(s, "%s", sp_why_text(&why, e));
    }
    SP_TRY(e);
    s->cms_count++;
    return count_signatures(s) > SP_LIMIT_SIGNATURES ? too_many(s) : SP_OK;
}

enum sp_err sp_sign_read(struct sp_sign *s, struct sp_view place)
{
    struct sp_der d = sp_der(place);
    struct sp_view der = sp_der_any(&d).whole;
    if (d.err != SP_OK) {
        s->is_unreadable = true;
        return sp_sign_wrong(s, "where a signature should be is none: %s",
                             sp_err_text(d.err));
    }
    if (d.left.len >= 8 || !sp_sign_is_zero(d.left)) {
        s->trails = true;
        SP_TRY(sp_sign_wrong(s, "%zu bytes follow the signature in its place",
                             d.left.len));
    }
    return read_der(s, der);
}

unsigned sp_sign_digests(const struct sp_sign *s)
{
    unsigned wanted = s->also;
    for (size_t i = 0; i < s->cms_count; i++) {
        for (size_t j = 0; j < sp_cms_count(s->cms[i]); j++) {
            const struct sp_signature *one = sp_cms_at(s->cms[i], j);
            wanted |= one->file.len > 0 ? 1U << one->file_digest : 0;
        }
    }
    return wanted;
}

enum sp_err sp_sign_start_digests(struct sp_sign *s, unsigned *wanted)
{
    *wanted = sp_sign_digests(s);
    return *wanted ? sp_hasher_new(*wanted, &s->hasher) : SP_OK;
}
