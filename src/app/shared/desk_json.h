/* The desk's tables as JSON values; the caller owns what it gets. */
#ifndef SP_APP_SHARED_DESK_JSON_H
#define SP_APP_SHARED_DESK_JSON_H

#include "app/shared/desk.h"

#include <jansson.h>

json_t *sp_desk_plain_json(const struct sp_desk *d);
json_t *sp_desk_observed_json(const struct sp_desk *d);
json_t *sp_desk_refusals_json(const struct sp_desk *d);
json_t *sp_desk_upstream_json(const struct sp_desk *d, const char *name);

#endif
