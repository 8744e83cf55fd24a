#include "core/gate/private.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS_KEPT = 1024 }; /* bytes of memory that a gate at rest may hold */

const char *sp_station_text(enum sp_station s)
{
    static const char *const texts[] = {
#define STATION(name, text, question) text,
#include "core/gate/states.def"
#undef STATION
    };
    SP_ASSERT(s < SP_STATION_COUNT);
    return texts[s];
}

bool sp_station_may_follow(enum sp_station from, enum sp_station to)
{
    static const bool edges[SP_STATION_COUNT][SP_STATION_COUNT] = {
#define EDGE(a, b) [SP_STATION_##a][SP_STATION_##b] = true,
#include "core/gate/edges.def"
#undef EDGE
    };
    return edges[from][to];
}

void sp_gate_move(struct sp_gate *g, enum sp_station to)
{
    SP_ASSERT(sp_station_may_follow(g->station, to));
    if (to == SP_STATION_RELEASE || to == SP_STATION_REFUSE) {
        g->decided_at = g->station;
    }
    g->station = to;
}

enum sp_station sp_gate_station(const struct sp_gate *g)
{
    return g->station;
}

enum sp_err sp_gate_new(const struct sp_door *door, const struct sp_policy *policy,
                        const struct sp_asker *asker, struct sp_gate **out)
{
    struct sp_gate *g = calloc(1, sizeof *g);
    if (!g) {
        return SP_E_NOMEM;
    }
    sp_buf_init(&g->fields, SP_LIMIT_HEAD);
    sp_gate_renew(g, door, policy, asker);
    *out = g;
    return SP_OK;
}

void sp_gate_renew(struct sp_gate *g, const struct sp_door *door,
                   const struct sp_policy *policy, const struct sp_asker *asker)
{
    SP_ASSERT(!g->head && g->fields.len == 0); /* it rested, or is new */
    g->door = door;
    g->policy = policy;
    g->asker = *asker;
    sp_buf_init(&g->body, SP_KIB(64));
    sp_buf_init(&g->edited, SP_LIMIT_SOAP_REPLY);
    sp_buf_init(&g->coding, SP_LIMIT_HEADER_VALUE);
    sp_buf_init(&g->type, SP_LIMIT_HEADER_VALUE);
}

static void release_service(struct sp_gate *g)
{
    sp_soap_request_fini(&g->request);
    sp_facts_free(&g->link);
    sp_buf_fini(&g->edited);
    sp_buf_fini(&g->coding);
    sp_buf_fini(&g->type);
    sp_inspection_fini(&g->inspection);
    free(g->ids);
    free(g->here);
    free(g->known);
    free(g->files);
    free(g->taken);
    free(g->withheld);
    free(g->cut);
    sp_splices_clear(&g->edits);
    sp_gate_entries_clear(g);
}

/* Everything but the fields of the answer. */
static void release(struct sp_gate *g)
{
    sp_facts_free(&g->asked);
    sp_buf_fini(&g->body);
    if (g->route.kind == SP_ROUTE_SERVICE) {
        release_service(g);
    }
}

void sp_gate_rest(struct sp_gate *g)
{
    bool is_service = g->route.kind == SP_ROUTE_SERVICE;
    struct sp_buf fields = g->fields;
    release(g);
    if (fields.cap > FIELDS_KEPT) {
        sp_buf_fini(&fields);
    }
    sp_buf_clear(&fields);
    memset(g, 0, is_service ? sizeof *g : offsetof(struct sp_gate, why));
    g->why.text[0] = 0;
    g->fields = fields;
}

void sp_gate_free(struct sp_gate **pg)
{
    struct sp_gate *g = *pg;
    if (!g) {
        return;
    }
    release(g);
    sp_buf_fini(&g->fields);
    free(g);
    *pg = NULL;
}
