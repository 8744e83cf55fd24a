/* Files in memory, inspected as the daemon will: ranges as they are asked for. */
#ifndef TESTS_UNIT_SIGN_RIG_H
#define TESTS_UNIT_SIGN_RIG_H

#include "unit.h"

#include "core/crypto/hasher.h"
#include "core/crypto/trust.h"
#include "core/sign/catalog.h"
#include "core/sign/sign.h"
#include "sallyport/policy.h"

/* 2026-11-22, which the corpus is about */
#define RIG_NOW INT64_C(1795305600)

#define RIG_POLICY                                                                     \
    "policy rig\nfile-signed enforce\nfile-signature-strict enforce\n"                 \
    "file-type-agrees enforce\nfile-digest-strong enforce\n"

/* The facts of a file, fed in pieces of at most step bytes; step 0: as wanted. known
 * may be NULL, and read as well: how many bytes were fed. */
static inline struct sp_facts *
rig_inspect_knowing(struct sp_view file, const char *extension,
                    const struct sp_trust *trust, int64_t now, size_t step,
                    const struct sp_beside *known, size_t *read)
{
    struct sp_sign *s = NULL;
    struct sp_facts *f = NULL;
    uint64_t at, length;
    size_t fed = 0;
    assert_ok(sp_sign_new(file.len, sp_view_str(extension), &s));
    if (known) {
        sp_sign_know(s, known);
    }
    while (sp_sign_wants(s, &at, &length)) {
        assert_true(length > 0 && at < file.len && length <= file.len - at);
        size_t n = step && step < length ? step : (size_t)length;
        assert_ok(sp_sign_feed(s, sp_view_slice(file, (size_t)at, (size_t)at + n)));
        fed += n;
    }
    assert_ok(sp_facts_new(SP_MIB(1), &f));
    assert_ok(sp_sign_finish(s, trust, now, f));
    sp_sign_free(&s);
    if (read) {
        *read = fed;
    }
    return f;
}

static inline struct sp_facts *rig_inspect(struct sp_view file, const char *extension,
                                           const struct sp_trust *trust, int64_t now,
                                           size_t step)
{
    return rig_inspect_knowing(file, extension, trust, now, step, NULL, NULL);
}

static inline void rig_digest(struct sp_facts *f, enum sp_fact k, enum sp_digest d,
                              struct sp_view file)
{
    uint8_t digest[SP_DIGEST_MAX];
    assert_ok(sp_digest_of(d, file, digest));
    assert_ok(sp_facts_bytes(f, k, sp_view(digest, sp_digest_bytes(d))));
}

/* The facts of a file with those that a catalogue of this name adds. */
static inline struct sp_facts *rig_look_up(struct sp_view catalog, const char *name,
                                           struct sp_view file, const char *extension,
                                           const struct sp_trust *trust, int64_t now)
{
    struct sp_sign *s = NULL;
    struct sp_facts *f = NULL;
    uint64_t at, length;
    SP_AUTO(sp_catalogs_free) struct sp_catalogs *c = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf bytes;
    sp_buf_init(&bytes, SP_MIB(16));
    assert_ok(sp_buf_append(&bytes, catalog));
    assert_ok(sp_catalogs_new(&c));
    assert_ok(sp_catalogs_add(c, name, &bytes, trust, now, NULL));
    assert_ok(sp_facts_new(SP_MIB(1), &f));
    assert_ok(sp_sign_new(file.len, sp_view_str(extension), &s));
    sp_sign_also(s, sp_catalogs_digests());
    while (sp_sign_wants(s, &at, &length)) {
        size_t end = (size_t)(at + length);
        assert_ok(sp_sign_feed(s, sp_view_slice(file, (size_t)at, end)));
    }
    assert_ok(sp_sign_finish(s, trust, now, f));
    sp_sign_free(&s);
    rig_digest(f, SP_FACT_FILE_SHA1, SP_DIGEST_SHA1, file);
    rig_digest(f, SP_FACT_FILE_SHA256, SP_DIGEST_SHA256, file);
    assert_ok(sp_catalogs_look_up(c, f));
    return f;
}

static inline struct sp_verdict rig_judge(const struct sp_facts *f)
{
    struct sp_policy *p = NULL;
    struct sp_verdict v;
    assert_ok(sp_policy_parse(SP_VIEW(RIG_POLICY), &p, NULL));
    sp_policy_judge(p, SP_SUBJECT_FILE, f, &v);
    sp_policy_free(&p);
    return v;
}

/* "passed", or the rule that refused. */
static inline const char *rig_ruling(const struct sp_facts *f)
{
    struct sp_verdict v = rig_judge(f);
    return v.ruling == SP_REFUSED ? sp_rule_text(v.rule) : sp_ruling_text(v.ruling);
}

/* Some value of k holds the text. */
static inline bool rig_says(const struct sp_facts *f, enum sp_fact k, const char *text)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        if (memmem(v.bytes.data, v.bytes.len, text, strlen(text))) {
            return true;
        }
    }
    return false;
}

static inline void rig_read(const char *path, struct sp_buf *out)
{
    size_t len = 0;
    uint8_t *data = unit_read_file(path, &len);
    if (!data) {
        fail_msg("cannot read %s", path);
    }
    sp_buf_init(out, len + 1);
    assert_ok(sp_buf_append(out, sp_view(data, len)));
    free(data);
}

#endif
