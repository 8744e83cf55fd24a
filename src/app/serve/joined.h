/* Requests that are equal and under way at one time: joined.c. On the visit's lane. */
#ifndef SP_APP_SERVE_JOINED_H
#define SP_APP_SERVE_JOINED_H

#include "app/serve/visit.h"

/* Asks the upstream, or joins those who asked it the same and were not answered yet.
 * sp_visit_fetched follows, unless v leaves. SP_E_AGAIN: ask alone; else the errors of
 * sp_fetch_start. */
enum sp_err sp_joined_fetch(struct visit *v,
                            const struct sp_fetch_ask *ask) SP_MUST_USE;
/* v waits no more. */
void sp_joined_leave(struct visit *v);

#endif
