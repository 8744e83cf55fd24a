/* Content: ADMIT and LOOKUP of a digest, and what is served of a proven object. */
#include "core/base/text.h"
#include "core/gate/private.h"

#include <stdio.h>
#include <string.h>

void sp_gate_content_head(struct sp_gate *g, struct sp_step *step)
{
    if (g->head->method != SP_HTTP_GET && g->head->method != SP_HTTP_HEAD) {
        sp_gate_refuse_text(g, 405, "Content takes GET and HEAD only.", step);
        return;
    }
    if (!g->door->tls && !g->door->content_http) {
        sp_gate_refuse_text(g, 403,
                            "Content over plain HTTP is refused here (content_http = "
                            "refuse). Use the TLS port.",
                            step);
        return;
    }
    sp_gate_move(g, SP_STATION_LOOKUP);
    step->has_effect = true;
    step->effect =
        (struct sp_effect){.kind = SP_EFFECT_LOOKUP, .content = g->route.content};
}

/* The offline catalogue: over TLS only, since an old one is signed as well. */
void sp_gate_catalog_head(struct sp_gate *g, struct sp_step *step)
{
    char message[400];
    bool named = g->door->tls_address && g->door->tls_address[0];
    if (g->head->method != SP_HTTP_GET && g->head->method != SP_HTTP_HEAD) {
        sp_gate_refuse_text(g, 405, "The catalogue takes GET and HEAD only.", step);
        return;
    }
    if (!g->door->tls) {
        snprintf(
            message, sizeof message,
            "The offline catalogue is served over TLS only. Use %s%s instead.",
            named ? g->door->tls_address : "the TLS port: ", g->door->catalog_path);
        sp_gate_refuse_text(g, 403, message, step);
        return;
    }
    sp_gate_move(g, SP_STATION_LOOKUP);
    step->has_effect = true;
    step->effect = (struct sp_effect){.kind = SP_EFFECT_CATALOG};
}

void sp_gate_no_catalog(struct sp_gate *g, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_LOOKUP && g->route.kind == SP_ROUTE_CATALOG);
    *step = (struct sp_step){0};
    sp_gate_refuse_text(g, 503,
                        "There is no proven offline catalogue here yet; it is being "
                        "looked for.",
                        step);
}

/* RFC 9110 14.4: the part that is sent, or that there is none. */
static enum sp_err range_field(struct sp_buf *f, const struct sp_http_answer *a,
                               uint64_t size)
{
    SP_TRY(sp_buf_append(f, SP_VIEW("Content-Range: bytes ")));
    if (a->status == 206) {
        SP_TRY(sp_u64_append(f, a->first));
        SP_TRY(sp_buf_append_byte(f, '-'));
        SP_TRY(sp_u64_append(f, a->last));
    } else {
        SP_TRY(sp_buf_append_byte(f, '*'));
    }
    SP_TRY(sp_buf_append_byte(f, '/'));
    SP_TRY(sp_u64_append(f, size));
    return sp_buf_append(f, SP_VIEW("\r\n"));
}

enum sp_err sp_gate_object_fields(const struct sp_gate_object *o, struct sp_buf *out)
{
    char date[SP_HTTP_DATE_TEXT];
    sp_http_date_format(o->last_modified, date);
    SP_TRY(sp_buf_append(out, SP_VIEW("Content-Type: application/octet-stream\r\n"
                                      "Accept-Ranges: bytes\r\nLast-Modified: ")));
    SP_TRY(sp_buf_append_str(out, date));
    SP_TRY(sp_buf_append(out, SP_VIEW("\r\nETag: ")));
    SP_TRY(sp_buf_append_str(out, o->etag));
    return sp_buf_append(out, SP_VIEW("\r\n"));
}

static enum sp_err serve_fields(struct sp_gate *g, const struct sp_http_answer *a)
{
    struct sp_buf *f = &g->fields;
    const struct sp_gate_object *o = g->object;
    SP_TRY(o->fields.len ? sp_buf_append(f, o->fields) : sp_gate_object_fields(o, f));
    if (g->route.kind == SP_ROUTE_CATALOG) {
        /* it changes under one address: nobody on the way may serve it unasked */
        SP_TRY(sp_buf_append(f, SP_VIEW("Cache-Control: no-cache\r\n")));
    }
    return a->status == 206 || a->status == 416 ? range_field(f, a, g->object->size)
                                                : SP_OK;
}

/* RFC 9110 13 and 14: conditions first, then the range. */
static void evaluate(struct sp_gate *g, const struct sp_gate_object *o)
{
    g->object = o;
    sp_http_evaluate(
        g->head,
        &(struct sp_http_representation){.size = o->size,
                                         .etag = sp_view_str(o->etag),
                                         .last_modified = o->last_modified},
        &g->part);
}

static bool has_body(const struct sp_gate *g)
{
    return (g->part.status == 200 || g->part.status == 206) && g->part.length > 0 &&
           g->head->method == SP_HTTP_GET;
}

static void answer_part(struct sp_gate *g, enum sp_effect_kind kind,
                        struct sp_step *step)
{
    const struct sp_http_answer *a = &g->part;
    bool is_head = g->head->method == SP_HTTP_HEAD;
    bool is_found = a->status == 200 || a->status == 206;
    g->status = a->status;
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = kind,
        .answer = {.status = a->status,
                   .first = a->first,
                   .length = has_body(g) ? a->length : 0,
                   .announce = is_found ? a->length : 0,
                   .has_announce = is_head && a->status != 304},
    };
    if (serve_fields(g, a) != SP_OK) {
        sp_buf_clear(&g->fields);
        g->status = 503;
        step->effect =
            (struct sp_effect){.kind = SP_EFFECT_ANSWER, .answer = {.status = 503}};
    }
    step->effect.answer.fields = sp_buf_view(&g->fields);
}

static void serve(struct sp_gate *g, const struct sp_gate_object *o,
                  struct sp_step *step)
{
    evaluate(g, o);
    sp_gate_move(g, SP_STATION_RELEASE);
    answer_part(g, SP_EFFECT_SERVE, step);
    sp_gate_move(g, SP_STATION_DONE);
}

void sp_gate_object(struct sp_gate *g, const struct sp_gate_object *o,
                    struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_LOOKUP &&
              (g->route.kind == SP_ROUTE_CONTENT || g->route.kind == SP_ROUTE_CATALOG));
    *step = (struct sp_step){0};
    serve(g, o, step);
}

void sp_gate_claim(struct sp_gate *g, enum sp_err e, const struct sp_claim *claim,
                   struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_LOOKUP && g->route.kind == SP_ROUTE_CONTENT);
    *step = (struct sp_step){0};
    if (e != SP_OK) {
        sp_gate_refuse_text(
            g, 503, "The index of files cannot be asked; try again later.", step);
        return;
    }
    if (!claim) {
        sp_gate_refuse_text(
            g, 404, "No update metadata that passed through here names this file.",
            step);
        return;
    }
    g->claim = *claim;
    sp_gate_move(g, SP_STATION_FETCH);
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_FILL, .content = g->route.content, .claim = *claim};
}

/* ---- tail-hold ------------------------------------------------------------------- */

void sp_gate_growing(struct sp_gate *g, const struct sp_gate_object *o,
                     uint64_t hold_at, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_FETCH && g->route.kind == SP_ROUTE_CONTENT);
    SP_ASSERT(!g->follows && hold_at < o->size);
    *step = (struct sp_step){0};
    evaluate(g, o);
    if (!has_body(g)) {
        serve(g, o, step); /* gives away nothing of the file */
        return;
    }
    g->follows = true;
    g->hold_at = hold_at;
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_FOLLOW,
        .answer = {.first = g->part.first, .length = g->part.length}};
}

void sp_gate_begun(struct sp_gate *g, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_FETCH && g->follows && !g->begun);
    SP_ASSERT(g->part.first < g->hold_at);
    *step = (struct sp_step){0};
    g->begun = true;
    g->decided_at = SP_STATION_FETCH;
    answer_part(g, SP_EFFECT_SERVE_GROWING, step);
    if (step->effect.kind == SP_EFFECT_ANSWER) {
        sp_gate_move(g, SP_STATION_REFUSE);
        sp_gate_move(g, SP_STATION_DONE);
        return;
    }
    uint64_t before_hold = g->hold_at - g->part.first;
    step->effect.answer.early =
        before_hold < g->part.length ? before_hold : g->part.length;
}

/* The answer is on its way; only its end is still to be decided. */
static void end_growing(struct sp_gate *g, bool passed, const struct sp_why *why,
                        struct sp_step *step)
{
    sp_gate_move(g, passed ? SP_STATION_RELEASE : SP_STATION_REFUSE);
    if (!passed) {
        sp_why_say(&g->why, "%s", sp_why_text(why, SP_E_UNAVAILABLE));
    }
    step->has_effect = true;
    step->effect.kind = passed ? SP_EFFECT_OPEN : SP_EFFECT_CUT;
    sp_gate_move(g, SP_STATION_DONE);
}

void sp_gate_filled(struct sp_gate *g, const struct sp_gate_object *o, int status,
                    const struct sp_why *why, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_FETCH && g->route.kind == SP_ROUTE_CONTENT);
    *step = (struct sp_step){0};
    if (g->begun) {
        end_growing(g, o != NULL, why, step);
        return;
    }
    if (o) {
        serve(g, o, step);
        return;
    }
    sp_gate_refuse_text(g, status, sp_why_text(why, SP_E_UNAVAILABLE), step);
}
