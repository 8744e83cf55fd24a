/* What stands at some value now, as Prometheus text: see docs/monitoring. */
#ifndef SP_APP_ADMIN_GAUGES_H
#define SP_APP_ADMIN_GAUGES_H

#include "app/admin/admin.h"

/* Every gauge, and the checks of pins, appended. On the main loop. */
enum sp_err sp_gauges_write(const struct sp_admin_view *v, struct sp_buf *out) SP_MUST_USE;

#endif
