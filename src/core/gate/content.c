/* Content: ADMIT and LOOKUP of a digest, and what is served of a proven object. */
#include "core/gate/private.h"

#include <inttypes.h>
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

static enum sp_err serve_fields(struct sp_gate *g, const struct sp_http_answer *a)
{
    char date[SP_HTTP_DATE_TEXT];
    sp_http_date_format(g->object->last_modified, date);
    SP_TRY(sp_buf_printf(&g->fields,
                         "Content-Type: application/octet-stream\r\n"
                         "Last-Modified: %s\r\nAccept-Ranges: bytes\r\nETag: %s\r\n",
                         date, g->object->etag));
    if (a->status == 206) {
        return sp_buf_printf(
            &g->fields, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
            a->first, a->last, g->object->size);
    }
    if (a->status == 416) {
        return sp_buf_printf(&g->fields, "Content-Range: bytes */%" PRIu64 "\r\n",
                             g->object->size);
    }
    return SP_OK;
}

/* RFC 9110 13 and 14: conditions first, then the range. */
static void serve(struct sp_gate *g, const struct sp_gate_object *o,
                  struct sp_step *step)
{
    struct sp_http_answer a;
    g->object = o;
    sp_http_evaluate(
        g->head,
        &(struct sp_http_representation){.size = o->size,
                                         .etag = sp_view_str(o->etag),
                                         .last_modified = o->last_modified},
        &a);
    sp_gate_move(g, SP_STATION_RELEASE);
    g->status = a.status;
    bool is_head = g->head->method == SP_HTTP_HEAD;
    bool has_body = a.status == 200 || a.status == 206;
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_SERVE,
        .answer = {.status = a.status,
                   .first = a.first,
                   .length = has_body && !is_head ? a.length : 0,
                   .announce = has_body ? a.length : 0,
                   .has_announce = is_head && a.status != 304},
    };
    if (serve_fields(g, &a) != SP_OK) {
        g->status = step->effect.answer.status = 503;
        step->effect.answer.length = step->effect.answer.announce = 0;
        sp_buf_clear(&g->fields);
    }
    step->effect.answer.fields = sp_buf_view(&g->fields);
    sp_gate_move(g, SP_STATION_DONE);
}

void sp_gate_object(struct sp_gate *g, const struct sp_gate_object *o,
                    struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_LOOKUP && g->route.kind == SP_ROUTE_CONTENT);
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

void sp_gate_filled(struct sp_gate *g, const struct sp_gate_object *o, int status,
                    const struct sp_why *why, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_FETCH && g->route.kind == SP_ROUTE_CONTENT);
    *step = (struct sp_step){0};
    if (o) {
        serve(g, o, step);
        return;
    }
    sp_gate_refuse_text(g, status, sp_why_text(why, SP_E_UNAVAILABLE), step);
}
