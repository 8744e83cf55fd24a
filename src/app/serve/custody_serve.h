/* The ledger as others read it: C2SP tlog-tiles under /custody/ of a listener with TLS,
 * straight from the files, which are only ever added to. Opening happens in the pool;
 * so many at once, and no more. With cosigners the checkpoint is the newest one that
 * has enough cosignatures; tiles are shown as wide as it needs them. */
#ifndef SP_APP_SERVE_CUSTODY_SERVE_H
#define SP_APP_SERVE_CUSTODY_SERVE_H

#include "app/shared/lane.h"

/* True when the request is for the ledger and was taken over: whatever becomes of it,
 * the exchange's slot is this module's, and a stay's (stay.h). */
bool sp_custody_takes(struct sp_door_context *d, struct sp_exchange *x);

#endif
