/* Peers that met a limit, for status.json; the caller owns what it gets. */
#ifndef SP_APP_SHARED_PEERS_JSON_H
#define SP_APP_SHARED_PEERS_JSON_H

#include "app/config/peers.h"

#include <jansson.h>

json_t *sp_peers_json(struct sp_peers *p, uint64_t now_ms, int64_t now_s);

#endif
