/* Cosignatures for others' ledgers: C2SP tlog-witness' add-checkpoint, on listeners
 * with TLS that are told to. Ruling happens in the pool; so many at once, and no more.
 */
#ifndef SP_APP_SERVE_COSIGN_SERVE_H
#define SP_APP_SERVE_COSIGN_SERVE_H

#include "app/serve/cosigner.h"
#include "app/shared/lane.h"

#define SP_WITNESS_PATH "/witness/add-checkpoint"

/* Two of the handler's events: true where the exchange is this module's, and a stay's
 * (stay.h), which ends it. */
bool sp_cosign_takes(struct sp_door_context *d, struct sp_exchange *x);
bool sp_cosign_body(struct sp_exchange *x);

#endif
