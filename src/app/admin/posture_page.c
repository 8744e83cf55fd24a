#include "app/admin/posture_page.h"

#include "core/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void set_time(json_t *row, const char *key, int64_t at)
{
    char text[SP_TIME_TEXT];
    if (at) {
        sp_time_format(at, text);
        json_object_set_new(row, key, json_string(text));
    }
}

static json_t *row_json(const struct sp_watch_row *r)
{
    json_t *reasons = json_array();
    for (enum sp_reason i = 0; i < SP_REASON_COUNT; i++) {
        if (r->reasons >> i & 1) {
            json_array_append_new(reasons,
                                  json_pack("{s:s, s:s}", "reason", sp_reason_text(i),
                                            "meaning", sp_reason_help(i)));
        }
    }
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:s, s:b}", "name", r->name, "host",
                            r->host, "posture", sp_posture_text(r->state), "reasons",
                            reasons, "why", r->why, "passing", r->passing);
    set_time(row, "since", r->since);
    set_time(row, "last_pass", r->last_pass);
    set_time(row, "last_probe", r->last_probe);
    return row;
}

static json_t *voice_json(const struct sp_watch_voice *v)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", v->name, "agrees",
                     (json_int_t)v->agrees, "contradicts", (json_int_t)v->contradicts,
                     "does_not_know", (json_int_t)v->missing, "has_not_said",
                     (json_int_t)v->silent);
}

static json_t *voices_json(const struct sp_watch_status *s)
{
    json_t *voices = json_array();
    for (size_t i = 0; i < s->voice_count; i++) {
        json_array_append_new(voices, voice_json(&s->voices[i]));
    }
    return voices;
}

static enum sp_err write_page(const struct sp_watch_status *s, struct sp_buf *out)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < s->count; i++) {
        json_array_append_new(rows, row_json(&s->rows[i]));
    }
    json_t *root = json_pack("{s:s, s:s, s:i, s:o, s:o}", "posture",
                             sp_posture_text(sp_watch_overall(s)), "profile",
                             s->profile, "interval_minutes", (int)s->minutes,
                             "upstreams", rows, "witnesses", voices_json(s));
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(root);
    enum sp_err e = text ? sp_buf_printf(out, "%s\n", text) : SP_E_NOMEM;
    free(text);
    return e;
}

enum sp_err sp_posture_page(struct sp_watch *w, struct sp_buf *out)
{
    struct sp_watch_status *s = malloc(sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    sp_watch_status(w, s);
    enum sp_err e = write_page(s, out);
    free(s);
    return e;
}

/* Nothing of an upstream that is not watched. */
static void add_row(const struct sp_watch_status *s, json_t *upstream)
{
    const char *name = json_string_value(json_object_get(upstream, "name"));
    for (size_t i = 0; name && i < s->count; i++) {
        if (strcmp(s->rows[i].name, name) == 0) {
            json_object_set_new(upstream, "posture",
                                json_string(sp_posture_text(s->rows[i].state)));
            json_object_set_new(upstream, "posture_why", json_string(s->rows[i].why));
        }
    }
}

enum sp_err sp_posture_add(struct sp_watch *w, json_t *upstreams, json_t **voices)
{
    struct sp_watch_status *s = malloc(sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    sp_watch_status(w, s);
    for (size_t i = 0; i < json_array_size(upstreams); i++) {
        add_row(s, json_array_get(upstreams, i));
    }
    *voices = voices_json(s);
    free(s);
    return SP_OK;
}

int sp_posture_http_status(struct sp_watch *w)
{
    struct sp_watch_status *s = malloc(sizeof *s);
    if (!s) {
        return 503;
    }
    sp_watch_status(w, s);
    int status = sp_watch_overall(s) == SP_POSTURE_CONFORMING ? 200 : 503;
    free(s);
    return status;
}
