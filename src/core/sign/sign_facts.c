/* What was found, as facts. */
#include "core/sign/inside.h"

#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Over all signatures of the file. */
struct sum {
    int64_t count;
    bool digest_good, signature_good, trusted, strong, trusted_strong;
    bool explicit_curve, page_hashes;
    uint8_t digests[SP_DIGEST_COUNT][SP_DIGEST_MAX]; /* of the file */
    unsigned known;                                  /* bit d: digests[d] is there */
};

static enum sp_err text(struct sp_facts *f, enum sp_fact k, const char *v)
{
    return v[0] ? sp_facts_text(f, k, sp_view_str(v)) : SP_OK;
}

static enum sp_signed_content expected_content(enum sp_format f)
{
    switch (f) {
    case SP_FORMAT_pe:
        return SP_CONTENT_PE;
    case SP_FORMAT_cab:
        return SP_CONTENT_CABINET;
    case SP_FORMAT_msi:
        return SP_CONTENT_INSTALLER;
    case SP_FORMAT_cat:
        return SP_CONTENT_TRUST_LIST;
    case SP_FORMAT_wim:
    case SP_FORMAT_plain:
    case SP_FORMAT_COUNT:
        break;
    }
    return SP_CONTENT_OTHER;
}

/* Only what is about this very content of this very format is good. */
static enum sp_err compare_digest(struct sp_sign *s, const struct sp_signature *one,
                                  struct sum *sum, bool *good)
{
    *good = false;
    if (one->content != expected_content(s->format)) {
        return sp_sign_wrong(s, "a signature is about another kind of file");
    }
    if (one->content == SP_CONTENT_TRUST_LIST) {
        *good = true;
        return text(s->facts, SP_FACT_SIGN_DIGEST_ALGORITHM,
                    sp_digest_text(one->digest));
    }
    enum sp_digest d = one->file_digest;
    if (!(sum->known >> d & 1)) {
        return sp_sign_wrong(s, "the digest of the file could not be computed");
    }
    *good = sp_view_eq(one->file, sp_view(sum->digests[d], sp_digest_bytes(d)));
    return *good ? SP_OK
                 : sp_sign_wrong(s, "the %s of the file is not the one that was signed",
                                 sp_digest_text(d));
}

static enum sp_err finish_digest(struct sp_sign *s, enum sp_digest d,
                                 uint8_t out[SP_DIGEST_MAX])
{
    if (!s->is_known) {
        return sp_hasher_finish(s->hasher, d, out);
    }
    SP_ASSERT(d == SP_DIGEST_SHA256);
    memcpy(out, s->known.sha256, sizeof s->known.sha256);
    return SP_OK;
}

static enum sp_err finish_digests(struct sp_sign *s, struct sum *sum,
                                  struct sp_facts *out)
{
    unsigned wanted = sp_sign_digests(s);
    for (enum sp_digest d = 0; s->hasher && d < SP_DIGEST_COUNT; d++) {
        if (wanted >> d & 1) {
            SP_TRY(finish_digest(s, d, sum->digests[d]));
            SP_TRY(text(out, SP_FACT_SIGN_DIGEST_ALGORITHM, sp_digest_text(d)));
            SP_TRY(sp_facts_bytes(out, SP_FACT_SIGN_DIGEST,
                                  sp_view(sum->digests[d], sp_digest_bytes(d))));
            sum->known |= 1U << d;
        }
    }
    return SP_OK;
}

static enum sp_err state_signer(const struct sp_signature *one, struct sp_facts *out)
{
    if (!one->has_signer) {
        return SP_OK;
    }
    SP_TRY(text(out, SP_FACT_SIGN_SIGNER, one->signer.subject));
    SP_TRY(sp_facts_bytes(out, SP_FACT_SIGN_SIGNER_SPKI,
                          sp_view(one->signer.spki.sha256, 32)));
    SP_TRY(text(out, SP_FACT_SIGN_ISSUER, one->signer.issuer));
    SP_TRY(text(out, SP_FACT_SIGN_ROOT, one->chain.top));
    SP_TRY(sp_facts_bytes(out, SP_FACT_SIGN_ROOT_SPKI,
                          sp_view(one->chain.top_spki.sha256, 32)));
    SP_TRY(sp_facts_bytes(out, SP_FACT_SIGN_ROOT_FINGERPRINT,
                          sp_view(one->chain.top_sha256, 32)));
    return text(out, SP_FACT_SIGN_EKU, one->eku);
}

static enum sp_err state_time(const struct sp_signature *one, struct sp_facts *out)
{
    char time[SP_TIME_TEXT];
    SP_TRY(text(out, SP_FACT_SIGN_TIME_KIND, sp_time_kind_text(one->time_kind)));
    if (one->time_kind == SP_TIME_NONE) {
        return SP_OK;
    }
    sp_time_format(one->time, time);
    SP_TRY(text(out, SP_FACT_SIGN_TIME, time));
    return sp_facts_flag(out, SP_FACT_SIGN_TIME_TRUSTED, one->time_trusted);
}

void sp_sign_line(const struct sp_signature *one, bool good, bool trusted,
                  char out[SP_SIGN_LINE])
{
    char time[SP_TIME_TEXT] = "";
    if (one->time_kind != SP_TIME_NONE) {
        sp_time_format(one->time, time);
    }
    snprintf(out, SP_SIGN_LINE, "%s%s %s %s \"%.300s\" time-stamp %s%s%s",
             one->is_nested ? "nested " : "", sp_digest_text(one->digest),
             good ? "good" : "bad", trusted ? "trusted" : "untrusted",
             one->has_signer ? one->signer.subject : "",
             sp_time_kind_text(one->time_kind), time[0] ? " " : "", time);
}

/* Parts of the signature that nothing proves, where they stand in the file. */
static enum sp_err state_loose(struct sp_sign *s, const struct sp_signature *one)
{
    static const char what[] = "part of a signature that nothing proves";
    for (size_t i = 0; i < one->loose_count; i++) {
        size_t at = (size_t)(one->loose[i].data - s->signature.data);
        size_t length = one->loose[i].len;
        SP_TRY(s->msi ? sp_msi_left_out(s, at, length, what)
                      : sp_sign_left_out(s, s->table.at + at, length, what));
    }
    return SP_OK;
}

/* The signature, its certificate and its chain are each told apart. */
static enum sp_err state_faults(struct sp_sign *s, const struct sp_signature *one)
{
    if (one->why[0]) {
        SP_TRY(sp_sign_wrong(s, "%s", one->why));
    }
    if (one->chain.why[0]) {
        SP_TRY(sp_sign_wrong(s, "%s", one->chain.why));
    }
    if (one->is_explicit_curve) {
        SP_TRY(sp_sign_wrong(s, "a certificate spells out its elliptic curve"));
    }
    if (one->has_forged_cert) {
        s->is_outside = true;
        SP_TRY(sp_sign_wrong(s, "a certificate in the signature was not signed by the "
                                "issuer it names"));
    }
    return SP_OK;
}

static enum sp_err state_one(struct sp_sign *s, const struct sp_signature *one,
                             struct sum *sum, struct sp_facts *out)
{
    bool digest_good = false;
    char line[SP_SIGN_LINE];
    SP_TRY(compare_digest(s, one, sum, &digest_good));
    bool weak = sp_digest_is_weak(one->digest) ||
                (one->file.len > 0 && sp_digest_is_weak(one->file_digest));
    bool good = digest_good && one->is_good && !one->is_explicit_curve;
    bool trusted = good && one->chain.is_trusted;
    sum->count++;
    sum->digest_good = sum->digest_good && digest_good;
    sum->signature_good = sum->signature_good && one->is_good;
    sum->trusted = sum->trusted || trusted;
    sum->strong = sum->strong || (good && !weak);
    sum->trusted_strong = sum->trusted_strong || (trusted && !weak);
    sum->explicit_curve = sum->explicit_curve || one->is_explicit_curve;
    sum->page_hashes = sum->page_hashes || one->has_page_hashes;
    sp_sign_line(one, good, trusted, line);
    SP_TRY(text(out, SP_FACT_SIGN_SIGNATURE, line));
    SP_TRY(state_signer(one, out));
    SP_TRY(good && one->is_fit ? sp_facts_bytes(out, SP_FACT_SIGN_PUBLISHER_SPKI,
                                                sp_view(one->signer.spki.sha256, 32))
                               : SP_OK);
    SP_TRY(state_time(one, out));
    SP_TRY(text(out, SP_FACT_SIGN_PROGRAM_NAME, one->program_name));
    SP_TRY(state_loose(s, one));
    return state_faults(s, one);
}

static enum sp_err state_sum(struct sp_sign *s, const struct sum *sum,
                             struct sp_facts *out)
{
    SP_TRY(sp_facts_int(out, SP_FACT_SIGN_COUNT, sum->count));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_TRAILING_DATA, s->trails));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_OUTSIDE_BYTES, s->is_outside));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_OVERLAP, s->overlaps));
    if (sum->count == 0) {
        return SP_OK;
    }
    bool readable = !s->is_unreadable;
    bool strong = sum->trusted ? sum->trusted_strong : sum->strong;
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_DIGEST_GOOD, readable && sum->digest_good));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_SIGNATURE_GOOD,
                         readable && sum->signature_good));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_ROOT_TRUSTED, sum->trusted));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_WEAK_ONLY, !strong));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_EXPLICIT_CURVE, sum->explicit_curve));
    return sp_facts_flag(out, SP_FACT_SIGN_PAGE_HASHES, sum->page_hashes);
}

/* A name that promises nothing agrees with everything, and a format without a mark of
 * its own is believed where no other one is found. */
static bool extension_agrees(const struct sp_sign *s)
{
    return s->by_name == SP_FORMAT_COUNT || s->by_name == s->format;
}

enum sp_err sp_sign_state(struct sp_sign *s, struct sp_facts *out)
{
    struct sum sum = {.digest_good = true, .signature_good = true};
    bool is_signed = sp_format_is_signed(s->format);
    SP_TRY(text(out, SP_FACT_SIGN_FORMAT, sp_format_text(s->format)));
    SP_TRY(text(out, SP_FACT_SIGN_CLASS, is_signed ? "signed" : "hash-only"));
    SP_TRY(sp_facts_flag(out, SP_FACT_SIGN_EXTENSION_AGREES, extension_agrees(s)));
    if (!is_signed) {
        return SP_OK;
    }
    SP_TRY(finish_digests(s, &sum, out));
    for (size_t i = 0; i < s->cms_count; i++) {
        for (size_t j = 0;
             j < sp_cms_count(s->cms[i]) && sum.count < SP_LIMIT_SIGNATURES; j++) {
            SP_TRY(state_one(s, sp_cms_at(s->cms[i], j), &sum, out));
        }
    }
    if (sum.count == 0 && !s->is_unreadable) {
        SP_TRY(sp_sign_wrong(s, "there is no signature"));
    }
    SP_TRY(sp_sign_revocations(s, out));
    return state_sum(s, &sum, out);
}
