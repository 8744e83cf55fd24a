/* Scripted stories against a fill and the gate that follows it. After every event the
 * harness asks how far the file is open, and asserts the one rule of tail-hold: nobody
 * gets the last piece before RECORD(passed). */
#ifndef TESTS_REPLAY_FILL_STORY_H
#define TESTS_REPLAY_FILL_STORY_H

#include "unit/unit.h"

#include "core/gate/fill.h"

#include <stdio.h>

enum { HOLD = 1000, THRESHOLD = 5000, SIZE = 10000 };

static const char rules[] =
    "policy test\nfile-size enforce\nfile-sha1 enforce\nfile-sha256 enforce\n";

struct story {
    struct sp_policy *policy;
    struct sp_fill_conf conf;
    struct sp_content_path path;
    struct sp_claim claim;
    struct sp_fill *fill;
    struct sp_fill_got got;
    struct sp_fill_effect effect;
    struct sp_facts *signatures; /* what the inspection finds */
    bool passed;                 /* RECORD(passed) was answered */
    bool whole;                  /* the last answer was */
    uint64_t from;               /* of the last FETCH */
};

static inline void check_open(struct story *s)
{
    uint64_t open = sp_fill_open(s->fill, s->got.size);
    assert_true(open <= s->got.size);
    if (!s->passed) {
        assert_true(open + HOLD <= s->claim.size || open == 0);
    }
}

static inline void begin_claim(struct story *s, const struct sp_claim *claim)
{
    *s = (struct story){.conf = {.upstream_name = "head-office",
                                 .upstream_host = "wsus.example:8531",
                                 .release = {true, HOLD, THRESHOLD}},
                        .path = {.ext = "cab"},
                        .claim = *claim};
    assert_ok(sp_facts_new(SP_MIB(1), &s->signatures));
    memset(s->claim.sha1, 1, 20);
    memset(s->claim.sha256, 2, 32);
    assert_ok(sp_policy_parse(sp_view_str(rules), &s->policy, NULL));
    assert_ok(sp_fill_new(&s->conf, s->policy, &s->path, &s->claim, &s->fill));
    assert_true(sp_fill_start(s->fill, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_STAGE);
    assert_true(sp_fill_staged(s->fill, SP_OK, 0, NULL, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_FETCH);
    assert_int_equal(s->effect.from, 0);
    check_open(s);
}

static const struct sp_claim usual = {.size = SIZE, .has_sha256 = true, .ext = "cab"};

static inline void begin(struct story *s)
{
    begin_claim(s, &usual);
}

static inline void finish(struct story *s)
{
    sp_fill_free(&s->fill);
    sp_facts_free(&s->signatures);
    sp_policy_free(&s->policy);
}

static inline enum sp_err give_part(struct story *s, const struct sp_fill_part *part,
                                    const char *text)
{
    struct sp_http_response head;
    enum sp_http_refusal refusal;
    size_t used = 0;
    assert_ok(sp_http_response_parse(sp_view_str(text), &head, &used, &refusal));
    s->whole = false;
    enum sp_err e = sp_fill_head(s->fill, &head, part, &s->whole);
    check_open(s);
    return e;
}

/* The answer to a GET for what the last FETCH left to get. */
static inline enum sp_err give_head(struct story *s, const char *text)
{
    struct sp_fill_part part = {.span = {s->from, s->claim.size}};
    return give_part(s, &part, text);
}

#define HEAD_200 "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nETag: \"a\"\r\n\r\n"
#define HEAD_206(range)                                                                \
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " range "\r\n"               \
    "ETag: \"a\"\r\n\r\n"

static inline void give_bytes(struct story *s, uint64_t to)
{
    s->got.size = to;
    check_open(s);
}

static inline void give_inspected(struct story *s, enum sp_err e)
{
    assert_true(
        sp_fill_inspected(s->fill, e, NULL, s->signatures, 1767225600, &s->effect));
    check_open(s);
}

static inline void give_end(struct story *s, enum sp_err e)
{
    assert_true(sp_fill_fetched(s->fill, e, NULL, &(struct sp_link){.proven = false},
                                &s->got, &s->effect));
    s->from = s->effect.kind == SP_FILL_FETCH ? s->effect.from : s->from;
    check_open(s);
    if (s->effect.kind == SP_FILL_INSPECT) {
        give_inspected(s, SP_OK);
    }
}

static inline void expect(struct story *s, enum sp_fill_effect_kind kind)
{
    assert_int_equal(s->effect.kind, kind);
}

static inline void make_good(struct story *s)
{
    memset(s->got.sha1, 1, 20);
    memset(s->got.sha256, 2, 32);
}

static inline void give_recorded(struct story *s, enum sp_err e)
{
    s->passed = e == SP_OK && s->effect.is_file;
    assert_true(sp_fill_recorded(s->fill, e, 7, NULL, &s->effect));
    check_open(s);
}

static inline void give_stored(struct story *s, enum sp_err e)
{
    assert_true(sp_fill_stored(s->fill, e, NULL, &s->effect));
    expect(s, SP_FILL_TELL);
    check_open(s);
}

static inline void expect_open(struct story *s, uint64_t n)
{
    assert_int_equal(sp_fill_open(s->fill, s->got.size), n);
}

#endif
