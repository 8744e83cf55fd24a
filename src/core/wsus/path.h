/* Where a reader of replies and documents stands: known elements are states, everything
 * else is state 0 with all it holds. A table of steps says which element leads where.
 */
#ifndef SP_CORE_WSUS_PATH_H
#define SP_CORE_WSUS_PATH_H

#include "core/xml/xml.h"

/* The state inside of what the table does not know. */
#define SP_PATH_UNKNOWN 0
/* The state outside of the document element. */
#define SP_PATH_START 1

struct sp_path_step {
    uint8_t from;
    const char *ns, *local;
    uint8_t to;
};

struct sp_path {
    const struct sp_path_step *steps; /* borrowed */
    size_t step_count;
    uint8_t stack[SP_LIMIT_XML_DEPTH]; /* states of the open elements */
    size_t depth;
};

uint8_t sp_path_at(const struct sp_path *p);
uint8_t sp_path_enter(struct sp_path *p, struct sp_xml_name name); /* the new state */
uint8_t sp_path_leave(struct sp_path *p);                          /* the state left */

#endif
