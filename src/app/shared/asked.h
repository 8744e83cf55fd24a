/* What listeners were asked for, by service and by the class of the answer's status. One
 * block a listener and lane, written by that lane alone, read by anybody. */
#ifndef SP_APP_SHARED_ASKED_H
#define SP_APP_SHARED_ASKED_H

#include "core/wsus/wsus.h"

#include <stdatomic.h>

enum sp_asked { /* begins as enum sp_service does */
#define SERVICE(name, text, path, ns, request_limit) SP_ASKED_##name,
#include "core/wsus/services.def"
#undef SERVICE
    SP_ASKED_CONTENT,
    SP_ASKED_CATALOG,
    SP_ASKED_CUSTODY,
    SP_ASKED_WITNESS,
    SP_ASKED_NONE, /* no service has that address, or none was looked for */
    SP_ASKED_KINDS
};
const char *sp_asked_text(enum sp_asked a); /* "server-sync", "none" */
enum sp_asked sp_asked_of(enum sp_route_kind kind, enum sp_service service);

enum { SP_CLASSES = 5 }; /* none: it was cut, or its asker left before; 2xx .. 5xx */
const char *sp_class_text(unsigned klass);

struct sp_asked_counts {
    atomic_uint_fast64_t rows[SP_ASKED_KINDS][SP_CLASSES];
};
/* status 0: there was no answer. */
void sp_asked_count(struct sp_asked_counts *c, enum sp_asked what, int status);
uint64_t sp_asked_read(const struct sp_asked_counts *c, enum sp_asked what,
                       unsigned klass);

#endif
