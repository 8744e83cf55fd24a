#include "core/gate/fill_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum sp_err sp_fill_new(const struct sp_fill_conf *conf, const struct sp_policy *policy,
                        const struct sp_content_path *path,
                        const struct sp_claim *claim, struct sp_fill **out)
{
    struct sp_fill *f = calloc(1, sizeof *f);
    if (!f) {
        return SP_E_NOMEM;
    }
    f->conf = conf;
    f->policy = policy;
    f->path = *path;
    f->claim = *claim;
    f->station = SP_STATION_FETCH;
    sp_buf_init(&f->entry_text, SP_LIMIT_LEDGER_ENTRY);
    *out = f;
    return SP_OK;
}

void sp_fill_free(struct sp_fill **pf)
{
    if (!*pf) {
        return;
    }
    sp_facts_free(&(*pf)->facts);
    sp_buf_fini(&(*pf)->entry_text);
    free(*pf);
    *pf = NULL;
}

void sp_fill_hint(struct sp_fill *f, struct sp_view url)
{
    SP_ASSERT(f->station == SP_STATION_FETCH && !f->head_status);
    f->has_source =
        sp_source_read(url, f->claim.sha1, &f->conf->sources, &f->source) == SP_OK;
}

const struct sp_source *sp_fill_source(const struct sp_fill *f)
{
    return f->at_source ? &f->source : NULL;
}

static void move(struct sp_fill *f, enum sp_station to)
{
    SP_ASSERT(sp_station_may_follow(f->station, to));
    f->station = to;
}

static bool tell(struct sp_fill *f, struct sp_fill_effect *out)
{
    bool good = f->station == SP_STATION_RELEASE;
    move(f, SP_STATION_DONE);
    *out = (struct sp_fill_effect){.kind = SP_FILL_TELL,
                                   .good = good,
                                   .status = f->status,
                                   .why = &f->why,
                                   .keep = f->keep};
    return true;
}

/* "Could not find out": nothing is recorded, the next ask starts afresh. */
static bool fail(struct sp_fill *f, int status, struct sp_fill_effect *out)
{
    f->status = status;
    move(f, SP_STATION_REFUSE);
    return tell(f, out);
}

bool sp_fill_start(struct sp_fill *f, struct sp_fill_effect *out)
{
    SP_ASSERT(f->station == SP_STATION_FETCH && !f->head_status);
    *out = (struct sp_fill_effect){.kind = SP_FILL_STAGE};
    return true;
}

static bool fetch(struct sp_fill *f, uint32_t delay_ms, struct sp_fill_effect *out)
{
    f->head_status = 0;
    f->from = f->got.size;
    *out = (struct sp_fill_effect){.kind = SP_FILL_FETCH,
                                   .over_http = f->over_http,
                                   .from = f->from,
                                   .delay_ms = delay_ms,
                                   .source = f->at_source ? &f->source : NULL,
                                   .why = &f->upstream_why};
    sp_content_path_format(&f->path, out->path);
    return true;
}

bool sp_fill_staged(struct sp_fill *f, enum sp_err e, uint64_t resumed,
                    const struct sp_why *why, struct sp_fill_effect *out)
{
    if (e == SP_OK) {
        f->resumed = f->had = f->got.size = resumed;
        return fetch(f, 0, out);
    }
    sp_why_say(&f->why,
               "There is no room for this file (%" PRIu64 " bytes): %s. "
               "Free space on the cache disk; update metadata is not affected.",
               f->claim.size, sp_why_text(why, e));
    return fail(f, 503, out);
}

static enum sp_err link_facts(struct sp_fill *f, const struct sp_link *link)
{
    struct sp_facts *t = f->facts;
    SP_TRY(sp_facts_text(t, SP_FACT_OPERATION, SP_VIEW("content")));
    SP_TRY(
        sp_facts_text(t, SP_FACT_UPSTREAM_NAME, sp_view_str(f->conf->upstream_name)));
    SP_TRY(
        sp_facts_text(t, SP_FACT_UPSTREAM_HOST, sp_view_str(f->conf->upstream_host)));
    SP_TRY(sp_facts_text(t, SP_FACT_UPSTREAM_TRANSPORT,
                         link->plain ? SP_VIEW("http") : SP_VIEW("tls")));
    if (f->at_source) {
        SP_TRY(sp_facts_text(t, SP_FACT_FILE_SOURCE, sp_view_str(f->source.host)));
    }
    for (size_t i = 0; i < link->chain_count; i++) {
        SP_TRY(sp_facts_bytes(t, SP_FACT_UPSTREAM_SPKI, sp_view(link->chain[i], 32)));
    }
    return link->proven
               ? sp_facts_bytes(t, SP_FACT_UPSTREAM_PIN, sp_view(link->matched, 32))
               : SP_OK;
}

static enum sp_err file_facts(struct sp_fill *f)
{
    struct sp_facts *t = f->facts;
    char path[SP_CONTENT_PATH_MAX];
    sp_content_path_format(&f->path, path);
    SP_TRY(sp_facts_text(t, SP_FACT_FILE_PATH, sp_view_str(path)));
    SP_TRY(sp_facts_bytes(t, SP_FACT_FILE_CLAIM_SHA1, sp_view(f->claim.sha1, 20)));
    if (f->claim.has_sha256) {
        SP_TRY(
            sp_facts_bytes(t, SP_FACT_FILE_CLAIM_SHA256, sp_view(f->claim.sha256, 32)));
    }
    SP_TRY(sp_facts_int(t, SP_FACT_FILE_CLAIM_SIZE, (int64_t)f->claim.size));
    SP_TRY(sp_facts_bytes(t, SP_FACT_FILE_SHA1, sp_view(f->got.sha1, 20)));
    SP_TRY(sp_facts_bytes(t, SP_FACT_FILE_SHA256, sp_view(f->got.sha256, 32)));
    return sp_facts_int(t, SP_FACT_FILE_SIZE, (int64_t)f->got.size);
}

static enum sp_err state_transfer(struct sp_fill *f, const struct sp_link *link)
{
    SP_TRY(sp_facts_new(SP_KIB(64), &f->facts));
    SP_TRY(link_facts(f, link));
    return file_facts(f);
}

static enum sp_err make_entry(struct sp_fill *f, const struct sp_facts *signatures,
                              int64_t now)
{
    char t[SP_TIME_TEXT];
    sp_time_format(now, t);
    SP_TRY(sp_facts_text(f->facts, SP_FACT_ENTRY_TIME, sp_view_str(t)));
    SP_TRY(sp_fill_keep(signatures, f->facts));
    sp_policy_judge(f->policy, SP_SUBJECT_FILE, f->facts, &f->verdict);
    bool passed = f->verdict.ruling == SP_PASSED;
    SP_TRY(sp_facts_text(f->facts, SP_FACT_ENTRY_KIND,
                         passed ? SP_VIEW("file") : SP_VIEW("refusal")));
    SP_TRY(sp_verdict_to_facts(&f->verdict, f->policy, f->facts));
    return sp_facts_encode(f->facts, &f->entry_text);
}

static bool no_entry(struct sp_fill *f, enum sp_err e, struct sp_fill_effect *out)
{
    sp_why_say(&f->why, "The ledger entry could not be made: %s.", sp_err_text(e));
    return fail(f, 503, out);
}

/* The plain content port is tried once the TLS port could not be reached or does not
 * serve content; never because a peer was refused. */
static bool may_try_http(const struct sp_fill *f, enum sp_err e)
{
    bool unreachable = e == SP_E_UNAVAILABLE || e == SP_E_TIMEOUT || e == SP_E_TLS;
    bool not_served = f->head_status == 403 || f->head_status == 404;
    return f->conf->may_use_http && !f->over_http && f->got.size == f->had &&
           (unreachable || not_served);
}

static bool is_away(enum sp_err e)
{
    return e == SP_E_TIMEOUT || e == SP_E_UNAVAILABLE || e == SP_E_TLS;
}

/* A line that broke is tried again. An upstream that cannot be reached is too, once it
 * has sent something; before that the asker had better hear of it. */
static bool may_resume(const struct sp_fill *f, enum sp_err e)
{
    return f->tries < SP_LIMIT_FILL_TRIES &&
           (e == SP_E_CLOSED || (is_away(e) && f->got.size > f->had));
}

/* A peer that was refused is looked into by a person, not gone around; and what failed
 * here fails with any host. */
static bool may_try_source(const struct sp_fill *f, enum sp_err e)
{
    return f->has_source && !f->at_source &&
           (is_away(e) || e == SP_E_CLOSED || e == SP_E_NOTFOUND || e == SP_E_PROTOCOL);
}

/* Its validators are its own, its ports too; what is staged stays. */
static bool try_source(struct sp_fill *f, struct sp_fill_effect *out)
{
    f->upstream_why = f->why;
    f->why = (struct sp_why){0};
    f->is_mixed = f->grows || f->got.size > f->resumed;
    f->at_source = true;
    f->over_http = f->has_mark = false;
    f->had = f->got.size;
    f->tries = 0;
    return fetch(f, 0, out);
}

static bool resume(struct sp_fill *f, struct sp_fill_effect *out)
{
    uint32_t delay_ms = (uint32_t)SP_TIME_FILL_BACK_OFF << f->tries;
    f->tries++;
    f->why = (struct sp_why){0};
    return fetch(f, delay_ms, out);
}

static void say_failed(struct sp_fill *f, enum sp_err e, const struct sp_why *why)
{
    if (!f->at_source) {
        sp_why_say(&f->why, "The upstream %s did not deliver this file: %s",
                   f->conf->upstream_name, sp_why_text(why, e));
        return;
    }
    struct sp_why last = f->why;
    sp_why_say(&last, "The content source %.200s did not deliver this file: %s",
               f->source.host, sp_why_text(why, e));
    f->why = (struct sp_why){0};
    sp_why_say(&f->why, "%.240s And then: %s", f->upstream_why.text, last.text);
}

static bool fetch_failed(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                         struct sp_fill_effect *out)
{
    if (may_try_http(f, e)) {
        f->over_http = true;
        f->why = (struct sp_why){0};
        return fetch(f, 0, out);
    }
    if (may_resume(f, e)) {
        return resume(f, out);
    }
    say_failed(f, e, why);
    f->was_absent = f->at_source ? f->was_absent : f->head_status == 404;
    if (may_try_source(f, e)) {
        return try_source(f, out);
    }
    f->keep = is_away(e) || e == SP_E_CLOSED || e == SP_E_CANCELLED;
    return fail(f, f->was_absent ? 404 : e == SP_E_NOSPACE ? 503 : 502, out);
}

/* The part from before and the part from now do not make the file. Nobody knows which
 * is wrong, so nobody is accused. */
static bool is_patchwork(const struct sp_fill *f)
{
    const struct sp_claim *c = &f->claim;
    bool is_right = f->got.size == c->size && memcmp(f->got.sha1, c->sha1, 20) == 0 &&
                    (!c->has_sha256 || memcmp(f->got.sha256, c->sha256, 32) == 0);
    return (f->resumed > 0 || f->is_mixed) && !is_right;
}

static bool fail_patchwork(struct sp_fill *f, struct sp_fill_effect *out)
{
    if (f->is_mixed) {
        sp_why_say(
            &f->why,
            "Some of the file came from the upstream %s and the rest from %.200s, "
            "and they do not fit together. All of it is fetched again at the next "
            "request.",
            f->conf->upstream_name, f->source.host);
        return fail(f, 503, out);
    }
    sp_why_say(&f->why,
               "The file does not fit together with its first %" PRIu64
               " bytes, which were kept from an earlier transfer. All of it is "
               "fetched again at the next request.",
               f->resumed);
    return fail(f, 503, out);
}

bool sp_fill_fetched(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                     const struct sp_link *link, const struct sp_fill_got *got,
                     struct sp_fill_effect *out)
{
    SP_ASSERT(f->station == SP_STATION_FETCH && got->size >= f->got.size);
    f->got = *got;
    if (got->size - f->from >= SP_LIMIT_FILL_PROGRESS) {
        f->tries = 0;
    }
    if (e != SP_OK) {
        return fetch_failed(f, e, why, out);
    }
    if (is_patchwork(f)) {
        return fail_patchwork(f, out);
    }
    move(f, SP_STATION_INSPECT);
    e = state_transfer(f, link);
    if (e != SP_OK) {
        return no_entry(f, e, out);
    }
    *out = (struct sp_fill_effect){.kind = SP_FILL_INSPECT};
    return true;
}

bool sp_fill_inspected(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                       const struct sp_facts *signatures, int64_t now,
                       struct sp_fill_effect *out)
{
    SP_ASSERT(f->station == SP_STATION_INSPECT);
    if (e != SP_OK) {
        sp_why_say(&f->why, "The signatures of this file could not be read: %s.",
                   sp_why_text(why, e));
        return fail(f, 503, out);
    }
    move(f, SP_STATION_JUDGE);
    e = make_entry(f, signatures, now);
    if (e != SP_OK) {
        return no_entry(f, e, out);
    }
    move(f, SP_STATION_RECORD);
    *out = (struct sp_fill_effect){.kind = SP_FILL_RECORD,
                                   .entry = sp_buf_view(&f->entry_text),
                                   .is_file = f->verdict.ruling == SP_PASSED};
    return true;
}

static bool refused(struct sp_fill *f, struct sp_fill_effect *out)
{
    const char *rule =
        f->verdict.ruling == SP_REFUSED ? sp_rule_text(f->verdict.rule) : "unproven";
    f->status = 502;
    char entry[48] = "", who[SP_FILL_WHO] = "";
    if (f->has_entry) {
        snprintf(entry, sizeof entry, " (ledger entry %" PRIu64 ")", f->entry);
    }
    if (f->at_source) {
        snprintf(who, sizeof who, " what came from %s", f->source.host);
    }
    sp_why_say(&f->why, "Refused by rule %s%s%s: %s", rule, entry, who,
               f->verdict.why.text);
    move(f, SP_STATION_REFUSE);
    *out = (struct sp_fill_effect){.kind = SP_FILL_QUARANTINE, .reason = rule};
    return true;
}

bool sp_fill_recorded(struct sp_fill *f, enum sp_err e, uint64_t entry,
                      const struct sp_why *why, struct sp_fill_effect *out)
{
    SP_ASSERT(f->station == SP_STATION_RECORD);
    if (e == SP_OK) {
        f->has_entry = true;
        f->entry = entry;
    }
    if (f->verdict.ruling != SP_PASSED) {
        return refused(f, out);
    }
    if (e != SP_OK) {
        sp_why_say(&f->why, "The ledger cannot be written: %s.", sp_why_text(why, e));
        return fail(f, 503, out);
    }
    move(f, SP_STATION_RELEASE);
    *out = (struct sp_fill_effect){.kind = SP_FILL_COMMIT};
    return true;
}

bool sp_fill_stored(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                    struct sp_fill_effect *out)
{
    SP_ASSERT(f->station == SP_STATION_RELEASE || f->station == SP_STATION_REFUSE);
    if (f->station == SP_STATION_RELEASE && e != SP_OK) {
        sp_why_say(&f->why, "The file was proven but could not be stored: %s.",
                   sp_why_text(why, e));
        f->status = 503;
        move(f, SP_STATION_REFUSE);
    }
    return tell(f, out);
}

/* ---- tail-hold ------------------------------------------------------------------- */

/* Clients read these formats in parts and use the parts at once. */
static bool is_read_in_parts(const struct sp_claim *c)
{
    return strcmp(c->ext, "psf") == 0 || strcmp(c->ext, "esd") == 0 ||
           strcmp(c->ext, "wim") == 0;
}

/* Without a SHA-256 in metadata the ETag is not known before the last byte. */
uint64_t sp_fill_hold_at(const struct sp_fill *f)
{
    const struct sp_release_conf *r = &f->conf->release;
    bool may = r->tail_hold && f->grows && f->claim.has_sha256 &&
               f->claim.size >= r->threshold && !is_read_in_parts(&f->claim);
    SP_ASSERT(!r->tail_hold || r->hold > 0);
    return may && f->claim.size > r->hold ? f->claim.size - r->hold : 0;
}

uint64_t sp_fill_open(const struct sp_fill *f, uint64_t staged)
{
    if (f->station == SP_STATION_REFUSE ||
        (f->station == SP_STATION_DONE && f->status != 0)) {
        return 0;
    }
    if (f->station == SP_STATION_RELEASE || f->station == SP_STATION_DONE) {
        SP_ASSERT(f->verdict.ruling == SP_PASSED && f->has_entry);
        return staged;
    }
    uint64_t hold_at = sp_fill_hold_at(f);
    return staged < hold_at ? staged : hold_at;
}

enum sp_station sp_fill_station(const struct sp_fill *f)
{
    return f->station;
}

const struct sp_verdict *sp_fill_verdict(const struct sp_fill *f)
{
    return &f->verdict;
}

bool sp_fill_entry(const struct sp_fill *f, uint64_t *entry)
{
    if (f->has_entry) {
        *entry = f->entry;
    }
    return f->has_entry;
}
