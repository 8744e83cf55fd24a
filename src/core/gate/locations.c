/* FileLocation at the gate: clients are told to get from here what can be proven here.
 */
#include "core/gate/private.h"

#include "core/xml/xml.h"

#include <stdlib.h>
#include <string.h>

static size_t files_to_ask(const struct sp_gate *g)
{
    return g->door->file_locations == SP_LOCATIONS_CUSTODY
               ? g->inspection.reply->location_count
               : 0;
}

bool sp_gate_asks_files(const struct sp_gate *g)
{
    return files_to_ask(g) > 0 || g->inspection.reply->fragment_count > 0;
}

void sp_gate_ask_files(struct sp_gate *g, struct sp_step *step)
{
    const struct sp_reply *r = g->inspection.reply;
    size_t n = files_to_ask(g);
    g->files = n ? calloc(n, sizeof *g->files) : NULL;
    if (n && !g->files) {
        sp_gate_refuse_busy(g, SP_E_NOMEM, step);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(g->files[i].sha1, r->locations[i].file.sha1, 20);
    }
    sp_gate_move(g, SP_STATION_LOOKUP);
    step->has_effect = true;
    step->effect = (struct sp_effect){.kind = SP_EFFECT_ASK_FILES,
                                      .files = {.at = g->files,
                                                .count = n,
                                                .shown = r->fragments,
                                                .shown_count = r->fragment_count,
                                                .policy = sp_policy_name(g->policy)}};
}

/* scheme://authority: as configured, or as the asker came. */
static enum sp_err write_address(const struct sp_gate *g, struct sp_buf *out)
{
    const char *own = g->door->content_address;
    if (own && own[0]) {
        return sp_xml_write_text(out, sp_view_str(own));
    }
    SP_TRY(sp_buf_append_str(out, g->door->tls ? "https://" : "http://"));
    return sp_xml_write_text(out, sp_view_str(g->asker.host));
}

static enum sp_err move_here(struct sp_gate *g, const struct sp_location *l,
                             struct sp_buf *url)
{
    char path[SP_CONTENT_PATH_MAX];
    sp_buf_clear(url);
    sp_content_path_format(&l->file, path);
    SP_TRY(write_address(g, url));
    SP_TRY(sp_buf_append_str(url, path));
    return sp_splices_add(&g->edits, l->place.from, l->place.to, sp_buf_view(url));
}

enum sp_err sp_gate_move_locations(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    enum sp_err e = SP_OK;
    struct sp_buf url;
    sp_buf_init(&url, SP_LIMIT_HEADER_VALUE);
    for (size_t i = 0; e == SP_OK && i < r->location_count; i++) {
        bool here = g->door->file_locations == SP_LOCATIONS_ANY ||
                    (g->files && g->files[i].in_custody);
        e = here ? move_here(g, &r->locations[i], &url) : SP_OK;
    }
    sp_buf_fini(&url);
    return e;
}
