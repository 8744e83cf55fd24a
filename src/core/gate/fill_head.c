/* A response head, on its way to a fill: is this the file, or the rest of it, at all?
 */
#include "core/gate/fill_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *sp_fill_who(const struct sp_fill *f, char out[SP_FILL_WHO])
{
    if (f->at_source) {
        snprintf(out, SP_FILL_WHO, "The content source %s", f->source.host);
    } else {
        snprintf(out, SP_FILL_WHO, "The upstream");
    }
    return out;
}

static bool is_ranged(const struct sp_fill *f, const struct sp_fill_part *p)
{
    return p->span.first > 0 || p->span.end < f->claim.size;
}

static enum sp_err unexpected_status(struct sp_fill *f, const struct sp_fill_part *p,
                                     int status)
{
    char who[SP_FILL_WHO];
    if (status == 404) {
        return sp_why_set(&f->why, SP_E_NOTFOUND, "%s does not have this file%s",
                          sp_fill_who(f, who),
                          f->at_source ? " (404)."
                                       : " yet (404). It fetches files when they are "
                                         "approved or asked for.");
    }
    return sp_why_set(&f->why, SP_E_PROTOCOL, "%s answered %d where %s was due.",
                      sp_fill_who(f, who), status, is_ranged(f, p) ? "206" : "200");
}

/* R28: proxies and filters on the way answer with a page of their own. */
static enum sp_err check_page(struct sp_fill *f, const struct sp_http_response *head)
{
    struct sp_view type = {0};
    (void)sp_http_header(&head->headers, "Content-Type", &type);
    struct sp_view media =
        sp_view_trim(sp_view_slice(type, 0, sp_view_find(type, ';')), " \t");
    if (!sp_view_eq_fold(media, SP_VIEW("text/html")) ||
        (head->has_length && head->content_length == f->claim.size)) {
        return SP_OK;
    }
    char who[SP_FILL_WHO];
    return sp_why_set(
        &f->why, SP_E_PROTOCOL,
        "%s answered with a web page (text/html) where a file of %" PRIu64
        " bytes was due: a proxy or filter on the way shows a block or sign-in page.",
        sp_fill_who(f, who), f->claim.size);
}

static enum sp_err check_coding(struct sp_fill *f, const struct sp_http_response *head)
{
    struct sp_view coding;
    char who[SP_FILL_WHO];
    if (sp_http_header(&head->headers, "Content-Encoding", &coding) &&
        !sp_view_eq_fold(coding, SP_VIEW("identity"))) {
        return sp_why_set(&f->why, SP_E_PROTOCOL,
                          "%s encoded a file that was asked for as it is.",
                          sp_fill_who(f, who));
    }
    return SP_OK;
}

/* RFC 9110 section 14.4: the answer must hold what was asked for, and name the length
 * of the file. */
static enum sp_err check_part(struct sp_fill *f, const struct sp_http_response *head,
                              const struct sp_span *s)
{
    char due[80], who[SP_FILL_WHO];
    struct sp_view range = {0};
    snprintf(due, sizeof due, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, s->first,
             s->end - 1, f->claim.size);
    (void)sp_http_header(&head->headers, "Content-Range", &range);
    bool is_length_right =
        !head->has_length || head->content_length == s->end - s->first;
    if (sp_view_eq_str(range, due) && is_length_right) {
        f->grows = true;
        return SP_OK;
    }
    return sp_why_set(&f->why, SP_E_PROTOCOL,
                      "%s answered with another part of the file "
                      "(Content-Range \"%.*s\") than the one asked for (\"%s\").",
                      sp_fill_who(f, who), range.len > 80 ? 80 : (int)range.len,
                      (const char *)range.data, due);
}

/* A field that is missing, or too long to be a validator, counts as empty. */
static void copy_field(const struct sp_http_response *head, const char *name, char *out,
                       size_t size)
{
    struct sp_view v = {0};
    (void)sp_http_header(&head->headers, name, &v);
    bool fits = v.len > 0 && v.len < size;
    snprintf(out, size, "%.*s", fits ? (int)v.len : 0,
             fits ? (const char *)v.data : "");
}

/* Two parts belong together when the upstream's validators did not change in between.
 */
static enum sp_err check_marks(struct sp_fill *f, const struct sp_http_response *head)
{
    char etag[sizeof f->etag], last_modified[sizeof f->last_modified];
    char who[SP_FILL_WHO];
    copy_field(head, "ETag", etag, sizeof etag);
    copy_field(head, "Last-Modified", last_modified, sizeof last_modified);
    if (!f->has_mark) {
        f->has_mark = true;
        memcpy(f->etag, etag, sizeof etag);
        memcpy(f->last_modified, last_modified, sizeof last_modified);
        return SP_OK;
    }
    if (strcmp(f->etag, etag) == 0 && strcmp(f->last_modified, last_modified) == 0) {
        return SP_OK;
    }
    return sp_why_set(
        &f->why, SP_E_PROTOCOL,
        "%s changed this file while it was fetched: it was %s of %s and is "
        "%s of %s.",
        sp_fill_who(f, who), f->etag, f->last_modified, etag, last_modified);
}

static enum sp_err check_whole(struct sp_fill *f, const struct sp_http_response *head,
                               const struct sp_fill_part *p)
{
    bool is_other_length = head->has_length && head->content_length != f->claim.size;
    char who[SP_FILL_WHO];
    if (is_other_length && is_ranged(f, p)) {
        return sp_why_set(
            &f->why, SP_E_PROTOCOL,
            "%s changed the length of this file while it was fetched, from "
            "%" PRIu64 " to %" PRIu64 " bytes.",
            sp_fill_who(f, who), f->claim.size, head->content_length);
    }
    if (p->is_side) {
        return sp_why_set(&f->why, SP_E_UNSUPPORTED,
                          "%s, or a proxy on the way, answers 200 and the whole file "
                          "where a range of it was asked for.",
                          sp_fill_who(f, who));
    }
    /* what has another length cannot pass: nobody need see the start of it */
    f->grows = f->grows || !is_other_length;
    return SP_OK;
}

enum sp_err sp_fill_head(struct sp_fill *f, const struct sp_http_response *head,
                         const struct sp_fill_part *part, bool *whole)
{
    bool is_part = is_ranged(f, part) && head->status == 206;
    if (!part->is_side) {
        f->head_status = head->status;
    }
    if (head->status != 200 && !is_part) {
        return unexpected_status(f, part, head->status);
    }
    SP_TRY(check_page(f, head));
    SP_TRY(check_coding(f, head));
    SP_TRY(check_marks(f, head));
    SP_TRY(is_part ? check_part(f, head, &part->span) : check_whole(f, head, part));
    *whole = is_ranged(f, part) && !is_part;
    return SP_OK;
}

void sp_fill_excuse(struct sp_fill *f, struct sp_why *why)
{
    *why = f->why;
    f->why = (struct sp_why){0};
}
