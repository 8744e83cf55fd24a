#include "core/wsus/path.h"

uint8_t sp_path_at(const struct sp_path *p)
{
    return p->depth ? p->stack[p->depth - 1] : SP_PATH_START;
}

static uint8_t next_state(const struct sp_path *p, struct sp_xml_name name)
{
    uint8_t from = sp_path_at(p);
    for (size_t i = 0; i < p->step_count && from != SP_PATH_UNKNOWN; i++) {
        const struct sp_path_step *s = &p->steps[i];
        if (s->from == from && sp_xml_name_is(name, s->ns, s->local)) {
            return s->to;
        }
    }
    return SP_PATH_UNKNOWN;
}

uint8_t sp_path_enter(struct sp_path *p, struct sp_xml_name name)
{
    SP_ASSERT(p->depth < SP_LIMIT_XML_DEPTH);
    uint8_t to = next_state(p, name);
    p->stack[p->depth++] = to;
    return to;
}

uint8_t sp_path_leave(struct sp_path *p)
{
    SP_ASSERT(p->depth > 0);
    return p->stack[--p->depth];
}
