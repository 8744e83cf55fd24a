/* The watch as the admin listener shows it. */
#ifndef SP_APP_ADMIN_POSTURE_PAGE_H
#define SP_APP_ADMIN_POSTURE_PAGE_H

#include "app/watch/watch.h"

#include <jansson.h>

/* The JSON of /posture, appended. */
enum sp_err sp_posture_page(struct sp_watch *w, struct sp_buf *out) SP_MUST_USE;
/* For status.json: the posture of every upstream into its row, and what witnesses say. */

enum sp_err sp_posture_add(struct sp_watch *w, json_t *upstreams,
                           json_t **voices) SP_MUST_USE;
/* 200: everything conforms; else 503. */
int sp_posture_http_status(struct sp_watch *w);

#endif
