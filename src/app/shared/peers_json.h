/* Peers that met a limit, and those behind this one, for status.json; the caller owns
 * what it gets. */
#ifndef SP_APP_SHARED_PEERS_JSON_H
#define SP_APP_SHARED_PEERS_JSON_H

#include "app/config/peers.h"

#include <jansson.h>

json_t *sp_peers_json(struct sp_peers *p, uint64_t now_ms, int64_t now_s);
/* Servers one by one, the latest first and no more than 16; clients as a count. */
json_t *sp_downstreams_json(struct sp_peers *p, uint64_t now_ms, int64_t now_s);

#endif
