/* A reply that goes out while it comes: jobs of the pool read what is there, in order,
 * and so much of it may go. Its end stays here until the gate has judged the whole.
 * (docs/decisions/0093)
 *
 * On one loop, one job at a time; the inspection is a job of its own and reads what is
 * left. Memory: the arrival's, which stays where it is. */
#ifndef SP_APP_SERVE_RELAY_H
#define SP_APP_SERVE_RELAY_H

#include "app/serve/arrival.h"
#include "core/gate/gate.h"
#include "io/loop/loop.h"

enum { SP_RELAY_FROM = 1 << 20 }; /* bytes; what is smaller goes out whole */

struct sp_relay_watch {
    void (*opened)(void *ctx); /* more of it may go, or it was found bad */
    void *ctx;
};
struct sp_relay;
/* A reply to op of length bytes, whose beginning is in a, of which it takes a
 * reference. SP_E_NOMEM: there is no room for the whole. */
enum sp_err sp_relay_new(struct sp_loop *loop, enum sp_op op, struct sp_arrival *a,
                         size_t length, const struct sp_relay_watch *watch,
                         struct sp_relay **out) SP_MUST_USE;
/* Something was appended to the arrival. */
void sp_relay_more(struct sp_relay *r);
/* So many bytes may go out. */
size_t sp_relay_open(const struct sp_relay *r);
/* All of it came: nobody watches any more. */
void sp_relay_settle(struct sp_relay *r);
/* Once, on a thread of the pool, of the whole. */
void sp_relay_inspect(struct sp_relay *r, const struct sp_effect *e,
                      struct sp_inspection *out);
/* Memory goes when the last job has ended; *r is NULL, and may be before. */
void sp_relay_close(struct sp_relay **r);

#endif
