/* The exchanges of a lane: what its listeners hand every request to. */
#ifndef SP_APP_SERVE_EXCHANGE_H
#define SP_APP_SERVE_EXCHANGE_H

#include "app/shared/lane.h"

/* The handler of every listener; ctx is a struct sp_door_context. */
extern const struct sp_server_handler sp_exchange_handler;

/* Frees the visits that were kept. */
void sp_visits_clear(struct sp_lane *l);

#endif
