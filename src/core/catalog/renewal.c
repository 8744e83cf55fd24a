#include "core/catalog/renewal.h"

#include <inttypes.h>
#include <stdio.h>

void sp_renewal_init(struct sp_renewal *r, uint64_t interval_ms, uint64_t ceiling,
                     bool has_good)
{
    *r = (struct sp_renewal){
        .interval_ms = interval_ms, .ceiling = ceiling, .has_good = has_good};
}

static void fetch(struct sp_renewal *r, uint64_t delay_ms,
                  enum sp_renewal_outcome outcome, struct sp_renewal_effect *out)
{
    *out = (struct sp_renewal_effect){.kind = SP_RENEWAL_FETCH,
                                      .delay_ms = delay_ms,
                                      .conditional = r->has_good,
                                      .fresh = r->failures > 0,
                                      .outcome = outcome};
    if (outcome == SP_RENEWAL_REFUSED || outcome == SP_RENEWAL_FAILED) {
        out->why = r->why;
    }
    r->fetching = false;
}

void sp_renewal_look(struct sp_renewal *r, struct sp_renewal_effect *out)
{
    SP_ASSERT(!r->fetching);
    fetch(r, 0, SP_RENEWAL_NONE, out);
}

void sp_renewal_begun(struct sp_renewal *r, const struct sp_renewal_part *part)
{
    r->fetching = true;
    r->part = *part;
    r->part_is_bad = false;
    r->status = 0;
    r->size = 0;
    r->why = (struct sp_why){0};
}

static uint64_t wait_after(const struct sp_renewal *r)
{
    uint64_t wait = SP_RENEWAL_SOON;
    if (r->failures > 1) {
        wait = SP_RENEWAL_LATER;
        for (unsigned i = 2; i < r->failures && wait < r->interval_ms; i++) {
            wait *= 2;
        }
    }
    return wait < r->interval_ms ? wait : r->interval_ms;
}

/* The sentence is in r->why. */
static void fail(struct sp_renewal *r, enum sp_renewal_outcome outcome,
                 struct sp_renewal_effect *out)
{
    r->failures++;
    fetch(r, wait_after(r), outcome, out);
}

static void succeed(struct sp_renewal *r, enum sp_renewal_outcome outcome,
                    struct sp_renewal_effect *out)
{
    r->failures = 0;
    r->has_good = true;
    fetch(r, r->interval_ms, outcome, out);
}

/* ---- the head -------------------------------------------------------------------- */

static bool is_page(const struct sp_http_response *head)
{
    struct sp_view type = {0};
    (void)sp_http_header(&head->headers, "Content-Type", &type);
    return sp_view_eq_fold(
        sp_view_trim(sp_view_slice(type, 0, sp_view_find(type, ';')), " \t"),
        SP_VIEW("text/html"));
}

static bool is_coded(const struct sp_http_response *head)
{
    struct sp_view coding;
    return sp_http_header_count(&head->headers, "Content-Encoding") > 0 &&
           !(sp_http_header(&head->headers, "Content-Encoding", &coding) &&
             sp_view_eq_fold(coding, SP_VIEW("identity")));
}

static bool is_header(const struct sp_http_response *head, const char *name,
                      const char *value)
{
    struct sp_view v;
    return sp_http_header(&head->headers, name, &v) &&
           sp_view_eq(v, sp_view_str(value));
}

/* RFC 9110 15.3.7: what was asked for, of the file that the part is of. */
static bool is_rest(const struct sp_renewal_part *part,
                    const struct sp_http_response *head)
{
    char range[80];
    snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->from,
             part->size - 1, part->size);
    return is_header(head, "Content-Range", range) &&
           is_header(head, "ETag", part->etag) && head->has_length &&
           head->content_length == part->size - part->from && !is_page(head) &&
           !is_coded(head);
}

static enum sp_err check_rest(struct sp_renewal *r, const struct sp_http_response *head)
{
    if (head->status == 206 && is_rest(&r->part, head)) {
        r->size = r->part.size;
        return SP_OK;
    }
    r->part_is_bad = true;
    return sp_why_set(&r->why, SP_E_PROTOCOL,
                      "asked for the rest of a catalogue, the source answered %d, and "
                      "not with that: all of it is fetched again",
                      head->status);
}

enum sp_err sp_renewal_head(struct sp_renewal *r, const struct sp_http_response *head)
{
    r->status = head->status;
    if (head->status == 304 && r->has_good) {
        return SP_OK;
    }
    if (r->part.from && (head->status == 206 || head->status == 416)) {
        return check_rest(r, head);
    }
    if (head->status != 200) {
        return sp_why_set(&r->why, SP_E_PROTOCOL, "the source answered %d",
                          head->status);
    }
    if (is_page(head)) {
        return sp_why_set(&r->why, SP_E_PROTOCOL,
                          "the answer is a web page (text/html): a proxy or filter on "
                          "the way shows a block or sign-in page");
    }
    if (is_coded(head)) {
        return sp_why_set(&r->why, SP_E_PROTOCOL,
                          "the source encoded what was asked for as it is");
    }
    if (!head->has_length || head->content_length == 0) {
        return sp_why_set(&r->why, SP_E_PROTOCOL, "the source announces no length");
    }
    if (head->content_length > r->ceiling) {
        return sp_why_set(&r->why, SP_E_LIMIT,
                          "it has %" PRIu64 " bytes; at most %" PRIu64
                          " are taken (max_mib)",
                          head->content_length, r->ceiling);
    }
    r->size = head->content_length;
    return SP_OK;
}

/* ---- what came of it ------------------------------------------------------------- */

void sp_renewal_fetched(struct sp_renewal *r, enum sp_err e, const struct sp_why *why,
                        struct sp_renewal_effect *out)
{
    if (e != SP_OK) {
        sp_why_say(&r->why, "%s", sp_why_text(why, e));
        fail(r, SP_RENEWAL_FAILED, out);
    } else if (r->status == 304) {
        succeed(r, SP_RENEWAL_SAME, out);
    } else {
        *out = (struct sp_renewal_effect){.kind = SP_RENEWAL_PROVE};
    }
}

void sp_renewal_proved(struct sp_renewal *r, enum sp_err e, const struct sp_why *why,
                       const struct sp_catalog_ruling *ruling, bool is_same,
                       struct sp_renewal_effect *out)
{
    if (e != SP_OK) {
        sp_why_say(&r->why, "%s", sp_why_text(why, e));
        fail(r, SP_RENEWAL_FAILED, out);
    } else if (!ruling->good) {
        sp_why_say(&r->why, "%s", ruling->why.text);
        fail(r, SP_RENEWAL_REFUSED, out);
    } else if (is_same && r->has_good) {
        succeed(r, SP_RENEWAL_SAME, out);
    } else {
        *out = (struct sp_renewal_effect){.kind = SP_RENEWAL_COMMIT};
    }
}

void sp_renewal_committed(struct sp_renewal *r, enum sp_err e, const struct sp_why *why,
                          struct sp_renewal_effect *out)
{
    if (e != SP_OK) {
        sp_why_say(&r->why, "%s", sp_why_text(why, e));
        fail(r, SP_RENEWAL_FAILED, out);
        return;
    }
    succeed(r, SP_RENEWAL_NEW, out);
}

void sp_renewal_lost(struct sp_renewal *r)
{
    r->has_good = false;
}
